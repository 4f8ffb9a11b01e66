//! The command line of `cargo xtask bench`.

use std::path::PathBuf;

use anyhow::bail;

use super::peer::Peer;
use super::row::Row;
use crate::command_line::Words;

/// What `cargo xtask bench --help` prints.
pub(super) const USAGE: &str = "\
usage: cargo xtask bench [--only row,row] [--peers a,b] [--ferrovia PATH] [--seconds N] [--rounds N]
       cargo xtask bench instructions [--help]

  --only      rows to measure; default: all of http1, tls, handshake, body1m, routers10k,
              routers10k-hostpath, routers10k-path, memory
  --peers     proxies to measure; default: ferrovia,haproxy,nginx,traefik,envoy,caddy
  --ferrovia  the binary to measure; default: built here with the profile `dist`
  --seconds   length of one run of the load; default 2
  --rounds    runs per row and proxy, interleaved; the median counts; default 7
";

/// What the user asked for.
#[derive(Debug, PartialEq)]
pub(super) struct Options {
    pub(super) rows: Vec<Row>,
    pub(super) peers: Vec<Peer>,
    pub(super) ferrovia: Option<PathBuf>,
    /// Length of one run, 1 to 60 seconds.
    pub(super) seconds: u64,
    /// Runs per row and proxy, 1 to 100.
    pub(super) rounds: usize,
}

impl Options {
    /// Reads the words after `bench`; `None` when the user asked for help.
    pub(super) fn parse(args: &[String]) -> anyhow::Result<Option<Self>> {
        let mut options = Self {
            rows: Row::ALL.to_vec(),
            peers: Peer::ALL.to_vec(),
            ferrovia: None,
            seconds: 2,
            rounds: 7,
        };
        let mut words = Words::new(args);
        while let Some(word) = words.next() {
            if word.asks_for_help() {
                return Ok(None);
            }
            match word.flag {
                "--only" => options.rows = word.list("row", USAGE, Row::from_name)?,
                "--peers" => options.peers = word.list("proxy", USAGE, Peer::from_name)?,
                "--ferrovia" => options.ferrovia = Some(word.value()?.into()),
                "--seconds" => options.seconds = word.number(60)?,
                "--rounds" => options.rounds = word.number(100)? as usize,
                flag => bail!("unknown option {flag}\n{USAGE}"),
            }
        }
        Ok(Some(options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Expected<'a> = Result<(&'a [Row], &'a [Peer], u64, usize), &'a str>;

    fn check(line: &str, expected: Expected<'_>) {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match (Options::parse(&args), expected) {
            (Ok(Some(options)), Ok((rows, peers, seconds, rounds))) => {
                assert_eq!(options.rows, rows);
                assert_eq!(options.peers, peers);
                assert_eq!((options.seconds, options.rounds), (seconds, rounds));
            }
            (Err(error), Err(expected)) => {
                assert!(error.to_string().starts_with(expected), "{error}");
            }
            (got, expected) => panic!("{line}: got {got:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn measures_everything_by_default() {
        check("", Ok((&Row::ALL, &Peer::ALL, 2, 7)));
    }

    #[test]
    fn narrows_rows_and_peers() {
        let rows = [Row::Tls, Row::Http1];
        check(
            "--only tls,http1,tls --peers=nginx --seconds 3 --rounds=1",
            Ok((&rows, &[Peer::Nginx], 3, 1)),
        );
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        check("--only http9", Err("unknown row \"http9\""));
        check("--peers squid", Err("unknown proxy \"squid\""));
        check("--fast", Err("unknown option --fast"));
        check("--seconds 0", Err("option --seconds: \"0\" is not a number from 1 to 60"));
        check("--rounds", Err("option --rounds: a value is missing"));
    }
}
