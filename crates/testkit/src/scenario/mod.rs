//! Scenario files: what they may say, and reading them. `scenarios/README.md` tells it to people.

mod line;
mod step;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

pub use step::{Ours, Step};

use crate::answer::Answer;
use crate::differs::Differs;
use crate::upstream::UpstreamSpec;

/// A scenario as written in its file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// One sentence on what it shows.
    pub about: String,
    /// Why it is not run, if so.
    pub ignored: Option<String>,
    /// What ferrovia does not have yet, where the whole scenario is about it: left out for ferrovia,
    /// not for Traefik.
    pub later: Option<String>,
    /// YAML of the members of `entryPoints`; default: `web` on `${WEB}`.
    pub entrypoints: Option<String>,
    /// Further YAML of the static configuration.
    #[serde(rename = "static")]
    pub static_yaml: String,
    /// Dynamic files by name.
    pub dynamic: BTreeMap<String, String>,
    /// Begin when the API no longer changes, instead of when it shows objects of the files.
    pub settle: bool,
    /// How much is written down.
    pub record: Detail,
    /// Header names written down although brief.
    pub show_headers: Vec<String>,
    /// Header names whose values are not written down.
    pub mask_headers: Vec<String>,
    /// Writes down `Accept-Encoding` at the upstream even if the client sent none.
    pub keep_accept_encoding: bool,
    /// The upstreams.
    pub upstream: Vec<UpstreamSpec>,
    /// The requests, one step after the other.
    pub request: Vec<Step>,
    /// Where ferrovia differs on purpose, line by line.
    pub differs: Vec<Differs>,
}

/// How much of an answer is written down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Detail {
    /// All headers, and all that reached the upstreams.
    #[default]
    Full,
    /// Status, body, and the request lines that reached the upstreams.
    Brief,
}

/// A scenario file and what lies beside it.
#[derive(Debug, Clone)]
pub struct ScenarioFile {
    /// `family/name`.
    pub name: String,
    /// The scenario itself.
    pub path: PathBuf,
}

impl ScenarioFile {
    /// All scenario files below a directory whose name contains the filter, sorted.
    pub fn list(directory: &Path, filter: &str) -> Result<Vec<Self>> {
        let mut files = Vec::new();
        let entries =
            |path: &Path| fs::read_dir(path).with_context(|| format!("listing {}", path.display()));
        for family in entries(directory)? {
            let family = family?;
            if !family.file_type()?.is_dir() {
                continue;
            }
            for file in entries(&family.path())? {
                let path = file?.path();
                if path.extension().is_some_and(|extension| extension == "toml") {
                    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                    let name = format!("{}/{stem}", family.file_name().to_string_lossy());
                    files.push(Self { name, path });
                }
            }
        }
        files.retain(|file| file.name.contains(filter));
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }

    /// Reads the scenario, steps of several lines taken apart.
    pub fn read(&self) -> Result<Scenario> {
        let text = fs::read_to_string(&self.path)?;
        let mut scenario: Scenario =
            toml::from_str(&text).with_context(|| format!("scenario {}", self.name))?;
        let steps = std::mem::take(&mut scenario.request);
        for step in steps {
            scenario.request.extend(step.expand()?);
        }
        Ok(scenario)
    }

    /// Reads what was recorded, if anything was.
    pub fn expected(&self) -> Result<Option<Vec<Answer>>> {
        let path = self.expected_path();
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path)?;
        let answers = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        Ok(Some(answers))
    }

    /// Writes down what was recorded.
    pub fn write_expected(&self, answers: &[Answer]) -> Result<()> {
        let mut blocks = Vec::new();
        for answer in answers {
            let short = serde_json::to_string(answer)?;
            blocks.push(match short.len() {
                ..=ONE_LINE_LIMIT => format!("  {short}"),
                _ => indented(&serde_json::to_string_pretty(answer)?),
            });
        }
        let text = format!("[\n{}\n]\n", blocks.join(",\n"));
        fs::write(self.expected_path(), text)?;
        Ok(())
    }

    fn expected_path(&self) -> PathBuf {
        self.path.with_extension("expected.json")
    }
}

impl Scenario {
    /// The static configuration, placeholders still in it.
    pub fn static_configuration(&self) -> String {
        let mut yaml = String::new();
        let given =
            |root: &str| self.static_yaml.lines().any(|line| line.starts_with(&format!("{root}:")));
        for (root, value) in DEFAULTS {
            if !given(root) {
                yaml.push_str(&format!("{root}: {value}\n"));
            }
        }
        yaml.push_str("entryPoints:\n  traefik:\n    address: ${TRAEFIK}\n");
        let entrypoints = self.entrypoints.as_deref().unwrap_or("web:\n  address: ${WEB}");
        for line in entrypoints.lines() {
            yaml.push_str(&format!("  {line}\n"));
        }
        yaml.push_str(&self.static_yaml);
        yaml
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// Longer answers take a line for each of their parts.
const ONE_LINE_LIMIT: usize = 180;

const DEFAULTS: [(&str, &str); 3] = [
    ("global", "{checkNewVersion: false, sendAnonymousUsage: false}"),
    ("api", "{insecure: true}"),
    ("providers", "{providersThrottleDuration: 1ms, file: {directory: \"${DIR}\"}}"),
];
