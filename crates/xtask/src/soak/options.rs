//! The command line of `cargo xtask soak`.

use std::path::PathBuf;

use anyhow::bail;

use crate::command_line::Words;

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

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

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
        let mut words = Words::new(args);
        while let Some(word) = words.next() {
            if word.asks_for_help() {
                return Ok(None);
            }
            match word.flag {
                "--ferrovia" => options.ferrovia = Some(word.value()?.into()),
                "--only" => options.parts = word.list("part", USAGE, Part::from_name)?,
                "--requests" => options.requests = word.number(u64::MAX)?,
                "--changes" => options.changes = word.number(1_000_000)?,
                "--connections" => options.connections = word.number(1000)? as usize,
                "--rounds" => options.rounds = word.number(1000)?,
                flag => bail!("unknown option {flag}\n{USAGE}"),
            }
        }
        Ok(Some(options))
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
