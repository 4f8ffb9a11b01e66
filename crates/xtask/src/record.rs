//! `record` and `replay`: the scenarios against a proxy binary.

use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, bail};
use testkit::harness::{Mode, Options, run_all};

/// Writes down what Traefik answers: `[--binary PATH] [FILTER]`.
pub(crate) fn record(args: &[String]) -> Result<()> {
    let options = options(args, Mode::Record)?;
    check(&options)
}

/// Compares a proxy with what was written down: `--binary PATH [--plain] [FILTER]`. With
/// `--plain`, and for a binary called `traefik`, what differs on purpose counts as a difference.
pub(crate) fn replay(args: &[String]) -> Result<()> {
    let options = options(args, Mode::Replay)?;
    check(&options)
}

fn check(options: &Options) -> Result<()> {
    let summary = run_all(options)?;
    if summary.failed > 0 {
        bail!("{} scenarios failed", summary.failed);
    }
    Ok(())
}

fn options(args: &[String], mode: Mode) -> Result<Options> {
    let mut binary = PathBuf::from("traefik");
    let mut filter = String::new();
    let mut plain = false;
    let mut threads = thread::available_parallelism().map_or(2, usize::from) + 1;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--binary" => binary = args.next().context("--binary needs a path")?.into(),
            "--threads" => threads = args.next().context("--threads needs a number")?.parse()?,
            "--plain" => plain = true,
            option if option.starts_with('-') => bail!("unknown option {option}"),
            text => text.clone_into(&mut filter),
        }
    }
    // Relative paths would be looked up in the directory of each run.
    if binary.components().count() > 1 {
        binary = std::path::absolute(&binary)?;
    }
    let is_traefik = binary.file_name().is_some_and(|name| name == "traefik");
    Ok(Options {
        scenarios: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios"),
        binary,
        filter,
        mode,
        with_differences: !plain && !is_traefik,
        threads,
    })
}
