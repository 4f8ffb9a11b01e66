//! The command line of `cargo xtask soak`.

use std::path::PathBuf;

use anyhow::{Context, bail};

/// What `cargo xtask soak --help` prints.
pub(super) const USAGE: &str = "\
usage: cargo xtask soak [--ferrovia PATH] [--only part,part] [--requests N] [--changes N]
                        [--connections N] [--rounds N]

  --ferrovia     the binary to run; default: built here with the profile `release`
  --only         parts to run; default: all of reload, signals, drain
  --requests     requests that must be answered during `reload`; default 1000000
  --changes      changes of files during `reload`, every tenth of them wrong; default 200
  --connections  connections that send requests all the time; default 8
  --rounds       how often `drain` starts and ends the proxy; default 5
";

/// One part of the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Files change under load.
    Reload,
    /// SIGHUP under load, entry points come and go.
    Signals,
    /// SIGTERM under load.
    Drain,
}

/// What the user asked for.
#[derive(Debug, PartialEq)]
pub(super) struct Options {
    pub(super) ferrovia: Option<PathBuf>,
    pub(super) parts: Vec<Part>,
    pub(super) requests: u64,
    pub(super) changes: u64,
    pub(super) connections: usize,
    pub(super) rounds: u64,
}

impl Part {
    const ALL: [Self; 3] = [Self::Reload, Self::Signals, Self::Drain];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Reload => "reload",
            Self::Signals => "signals",
            Self::Drain => "drain",
        }
    }
}

impl Options {
    /// Reads the words after `soak`; `None` when the user asked for help.
    pub(super) fn parse(args: &[String]) -> anyhow::Result<Option<Self>> {
        let mut options = Self {
            ferrovia: None,
            parts: Part::ALL.to_vec(),
            requests: 1_000_000,
            changes: 200,
            connections: 8,
            rounds: 5,
        };
        let mut words = args.iter();
        while let Some(word) = words.next() {
            let (flag, inline) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            if matches!(flag, "--help" | "-h") {
                return Ok(None);
            }
            let mut value = || {
                inline
                    .clone()
                    .or_else(|| words.next().cloned())
                    .with_context(|| format!("option {flag}: a value is missing"))
            };
            match flag {
                "--ferrovia" => options.ferrovia = Some(value()?.into()),
                "--only" => options.parts = parts(&value()?)?,
                "--requests" => options.requests = number(flag, &value()?, u64::MAX)?,
                "--changes" => options.changes = number(flag, &value()?, 1_000_000)?,
                "--connections" => options.connections = number(flag, &value()?, 1000)? as usize,
                "--rounds" => options.rounds = number(flag, &value()?, 1000)?,
                _ => bail!("unknown option {flag}\n{USAGE}"),
            }
        }
        Ok(Some(options))
    }
}

fn parts(value: &str) -> anyhow::Result<Vec<Part>> {
    let part = |name: &str| {
        let found = Part::ALL.into_iter().find(|part| part.name() == name);
        found.with_context(|| format!("unknown part {name:?}\n{USAGE}"))
    };
    value.split(',').map(str::trim).map(part).collect()
}

fn number(flag: &str, value: &str, max: u64) -> anyhow::Result<u64> {
    match value.parse() {
        Ok(number) if (1..=max).contains(&number) => Ok(number),
        _ => bail!("option {flag}: {value:?} is not a number from 1 to {max}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<(&[Part], u64, u64), &str>) {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match (Options::parse(&args), expected) {
            (Ok(Some(options)), Ok((parts, requests, changes))) => {
                assert_eq!(options.parts, parts);
                assert_eq!((options.requests, options.changes), (requests, changes));
            }
            (Err(error), Err(expected)) => {
                assert!(error.to_string().starts_with(expected), "{error}");
            }
            (got, expected) => panic!("{line}: got {got:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn proves_everything_by_default() {
        check("", Ok((&Part::ALL, 1_000_000, 200)));
    }

    #[test]
    fn proves_less_when_told() {
        let parts = [Part::Drain, Part::Reload];
        check("--only drain,reload --requests=5 --changes 7", Ok((&parts, 5, 7)));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        check("--only sleep", Err("unknown part \"sleep\""));
        check("--fast", Err("unknown option --fast"));
        check("--changes 0", Err("option --changes: \"0\" is not a number from 1 to 1000000"));
        check("--requests", Err("option --requests: a value is missing"));
    }
}
