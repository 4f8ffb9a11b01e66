//! The command line of `cargo xtask faults`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;

use super::Scenario;
use crate::command_line::Words;

/// What `cargo xtask faults --help` prints.
pub(super) const USAGE: &str = "\
usage: cargo xtask faults [--ferrovia PATH] [--only name,name] [--seconds N] [--rounds N]
                          [--clients N] [--mixed-seconds N] [--reload-seconds N] [--wide]

  --ferrovia        the binary to run; default: built here with the profile `release`
  --only            scenarios to run; default: all of
                    servers    killed, stopped, refuse, reset, cut, errors
                    responses  cut-off
                    clients    slow-heads, slow-bodies, slow-reads, idle
                    resources  descriptors, log-limit, log-disk, memory
                    time       mixed
  --seconds         how long a fault lasts; default 2
  --rounds          how often a server has its fault; default 2
  --clients         slow clients at a time; default 5000
  --mixed-seconds   how long `mixed` goes on; default 60
  --reload-seconds  time between two reloads of `mixed`; default 10
  --wide            --seconds 10 --rounds 10 --mixed-seconds 1800, unless said otherwise
";

/// What the user asked for.
#[derive(Debug, PartialEq)]
pub(super) struct Options {
    pub(super) ferrovia: Option<PathBuf>,
    pub(super) scenarios: Vec<Scenario>,
    pub(super) fault: Duration,
    pub(super) rounds: usize,
    pub(super) clients: usize,
    pub(super) mixed: Duration,
    pub(super) reload: Duration,
}

impl Options {
    /// Reads the words after `faults`; `None` when the user asked for help.
    pub(super) fn parse(args: &[String]) -> anyhow::Result<Option<Self>> {
        let (mut ferrovia, mut scenarios) = (None, Scenario::ALL.to_vec());
        let (mut seconds, mut rounds, mut mixed) = (None, None, None);
        let (mut clients, mut reload, mut is_wide) = (5000, 10, false);
        let mut words = Words::new(args);
        while let Some(word) = words.next() {
            if word.asks_for_help() {
                return Ok(None);
            }
            match word.flag {
                "--ferrovia" => ferrovia = Some(word.value()?.into()),
                "--only" => scenarios = word.list("scenario", USAGE, Scenario::from_name)?,
                "--seconds" => seconds = Some(word.number(3600)?),
                "--rounds" => rounds = Some(word.number(1000)?),
                "--clients" => clients = word.number(20_000)?,
                "--mixed-seconds" => mixed = Some(word.number(1_000_000)?),
                "--reload-seconds" => reload = word.number(3600)?,
                "--wide" => is_wide = true,
                flag => bail!("unknown option {flag}\n{USAGE}"),
            }
        }
        let or =
            |asked: Option<u64>, narrow, wide| asked.unwrap_or(if is_wide { wide } else { narrow });
        Ok(Some(Self {
            ferrovia,
            scenarios,
            fault: Duration::from_secs(or(seconds, 2, 10)),
            rounds: or(rounds, 2, 10) as usize,
            clients: clients as usize,
            mixed: Duration::from_secs(or(mixed, 60, 1800)),
            reload: Duration::from_secs(reload),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<(&[Scenario], u64, usize, u64), &str>) {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match (Options::parse(&args), expected) {
            (Ok(Some(options)), Ok((scenarios, seconds, rounds, mixed))) => {
                assert_eq!(options.scenarios, scenarios);
                assert_eq!((options.fault.as_secs(), options.rounds), (seconds, rounds));
                assert_eq!(options.mixed.as_secs(), mixed);
            }
            (Err(error), Err(expected)) => {
                assert!(error.to_string().starts_with(expected), "{error}");
            }
            (got, expected) => panic!("{line}: got {got:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn a_short_run_of_everything_is_the_default() {
        check("", Ok((&Scenario::ALL, 2, 2, 60)));
    }

    #[test]
    fn a_wide_run_can_still_be_narrowed() {
        check("--wide", Ok((&Scenario::ALL, 10, 10, 1800)));
        check("--rounds=1 --wide --only mixed", Ok((&[Scenario::Mixed], 10, 1, 1800)));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        check("--only flood", Err("unknown scenario \"flood\""));
        check("--fast", Err("unknown option --fast"));
        check("--seconds 0", Err("option --seconds: \"0\" is not a number from 1 to 3600"));
    }
}
