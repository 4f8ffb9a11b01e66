//! Rules of the house that the compiler does not hold: see ARCHITECTURE.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Checks crate edges, file sizes and recorded answers; prints what is wrong.
pub(crate) fn run() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let mut problems = Vec::new();
    crate_edges(&root.join("crates"), &mut problems)?;
    source_files(&root.join("crates"), &mut problems)?;
    recordings(&root.join("scenarios"), &mut problems)?;
    for problem in &problems {
        println!("{problem}");
    }
    match problems.len() {
        0 => Ok(()),
        count => bail!("{count} problems"),
    }
}

/// Arrows point down only, and neither plane knows the other.
fn crate_edges(crates: &Path, problems: &mut Vec<String>) -> Result<()> {
    let names: BTreeSet<String> = listed(crates)?
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    for name in &names {
        let manifest = fs::read_to_string(crates.join(name).join("Cargo.toml"))
            .with_context(|| format!("manifest of crate {name}"))?;
        let mut section = "";
        for line in manifest.lines() {
            if line.starts_with('[') {
                section = line;
            }
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if section != "[dependencies]" || !names.contains(dependency) {
                continue;
            }
            match (layer(name), layer(dependency)) {
                (Some(from), Some(to)) if from <= to => problems.push(format!(
                    "crates/{name}/Cargo.toml: depends on {dependency}, which is not below it"
                )),
                (None, _) => problems.push(format!("crates/{name}: has no layer in xtask tidy")),
                _ => {}
            }
        }
    }
    Ok(())
}

/// The floor of the house a crate lives on; a crate depends on lower floors only.
fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|crates| crates.contains(&name))
}

const LAYERS: [&[&str]; 7] = [
    &["codec", "config", "telemetry", "testkit"],
    &["balance", "exchange", "template", "tls"],
    &["middleware"],
    &["routing"],
    &["control", "proxy"],
    &["acme", "api", "cluster", "exporters", "kubernetes", "providers", "wasm"],
    &["ferrovia", "xtask"],
];

fn source_files(directory: &Path, problems: &mut Vec<String>) -> Result<()> {
    for path in listed(directory)? {
        if path.is_dir() {
            source_files(&path, problems)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)?;
            let code = text.lines().take_while(|line| *line != "mod tests {").count();
            if code > FILE_LINES_LIMIT && path.file_name().is_some_and(|name| name != "tests.rs") {
                problems.push(format!("{}: {code} lines", path.display()));
            }
            for word in ["TODO", "FIXME"] {
                if text.contains(word) && !path.ends_with("xtask/src/tidy.rs") {
                    problems.push(format!("{}: says {word}", path.display()));
                }
            }
        }
    }
    Ok(())
}

const FILE_LINES_LIMIT: usize = 500;

/// Every scenario has its recording and every recording its scenario.
fn recordings(scenarios: &Path, problems: &mut Vec<String>) -> Result<()> {
    for family in listed(scenarios)?.iter().filter(|path| path.is_dir()) {
        for path in listed(family)? {
            let text = path.to_string_lossy();
            let partner = match text.strip_suffix(".expected.json") {
                Some(stem) => format!("{stem}.toml"),
                None => path.with_extension("expected.json").to_string_lossy().into_owned(),
            };
            let ignored =
                || fs::read_to_string(&path).is_ok_and(|text| text.contains("\nignored = "));
            if !Path::new(&partner).exists() && !ignored() {
                problems.push(format!("{text}: without {partner}"));
            }
        }
    }
    Ok(())
}

fn listed(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}
