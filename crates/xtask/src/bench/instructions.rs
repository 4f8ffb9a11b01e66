//! Counts instructions per request under callgrind (`cargo xtask bench instructions`).
//!
//! Unlike time, the count hardly depends on the machine's mood: it shows changes far smaller than
//! the benchmark's noise. It leaves out the kernel, so it says nothing about system calls.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::client::Connection;
use super::cores::Cores;
use super::handshake;
use super::install;
use super::peer::Peer;
use super::process::{Launch, Program};
use super::row::Row;
use super::site::{Certificate, Site};
use super::upstream::Upstream;
use super::work_dir::WorkDir;

const USAGE: &str = "\
usage: cargo xtask bench instructions [--row ROW] [--ferrovia PATH] [--requests N]

  --row       http1, tls, routers10k, routers10k-hostpath or routers10k-path; default http1
  --ferrovia  the binary to count; default: built here with the profile `release`
  --requests  requests that are counted; default 2000

The profile of the longer run stays in target/bench-peers/callgrind.out (see callgrind_annotate).
";

/// Prints the instructions that Ferrovia needs for one request.
pub(crate) fn instructions(args: &[String]) -> anyhow::Result<()> {
    let Some(options) = Options::parse(args)? else {
        print!("{USAGE}");
        return Ok(());
    };
    if install::on_path("valgrind").is_none() {
        bail!("valgrind is not installed");
    }
    let ferrovia = match &options.ferrovia {
        Some(path) => install::named(path)?,
        None => install::build_ferrovia("release")?,
    };
    let nginx = install::upstream_program()?;
    let cores = Cores::claim()?;
    let dir = WorkDir::create(&install::peers_dir())?;
    let certificate = Certificate::create(dir.path())?;
    let upstream = Upstream::start(&nginx, dir.path(), cores.load)?;
    let count = |requests| {
        Count {
            ferrovia: &ferrovia,
            cores,
            dir: dir.path(),
            certificate: &certificate,
            upstream: &upstream,
        }
        .of(options.row, requests)
    };
    let (few, _) = count(WARM_UP_REQUESTS)?;
    let (many, profile) = count(WARM_UP_REQUESTS + options.requests)?;
    let kept = install::peers_dir().join("callgrind.out");
    fs::copy(&profile, &kept).with_context(|| kept.display().to_string())?;
    ensure!(many > few, "the longer run took fewer instructions: {many} after {few}");
    let per_request = (many - few) / options.requests as u64;
    println!("{}: {per_request} instructions per request", options.row.name());
    Ok(())
}

struct Options {
    row: Row,
    ferrovia: Option<PathBuf>,
    requests: usize,
}

impl Options {
    fn parse(args: &[String]) -> anyhow::Result<Option<Self>> {
        let mut options = Self { row: Row::Http1, ferrovia: None, requests: 2000 };
        let mut words = args.iter();
        while let Some(flag) = words.next() {
            if matches!(flag.as_str(), "--help" | "-h") {
                return Ok(None);
            }
            let value =
                words.next().with_context(|| format!("option {flag}: a value is missing"))?;
            match flag.as_str() {
                "--row" => {
                    options.row = Row::from_name(value)
                        .filter(|row| !matches!(row, Row::Handshake | Row::Body1m | Row::Memory))
                        .with_context(|| format!("unknown row {value:?}\n{USAGE}"))?;
                }
                "--ferrovia" => options.ferrovia = Some(value.into()),
                "--requests" => match value.parse() {
                    Ok(requests @ 1..=1_000_000) => options.requests = requests,
                    _ => bail!("option {flag}: {value:?} is not a number from 1 to 1000000"),
                },
                _ => bail!("unknown option {flag}\n{USAGE}"),
            }
        }
        Ok(Some(options))
    }
}

struct Count<'a> {
    ferrovia: &'a Program,
    cores: Cores,
    dir: &'a Path,
    certificate: &'a Certificate,
    upstream: &'a Upstream,
}

impl Count<'_> {
    /// Instructions of the worker in a run with `requests` requests, and the file with its profile.
    fn of(&self, row: Row, requests: usize) -> anyhow::Result<(u64, PathBuf)> {
        eprintln!("{}: {requests} requests under callgrind", row.name());
        let name = format!("callgrind-{requests}");
        let site = Site::create(self.dir, &name, row.routers(), self.upstream, self.certificate)?;
        let (args, env) = Peer::Ferrovia.configure(&site)?;
        let profile = site.dir.join("callgrind.out");
        let mut words = vec![
            "valgrind".to_owned(),
            "--quiet".to_owned(),
            "--tool=callgrind".to_owned(),
            // The control plane's threads do as much as the machine's mood gives them time for.
            "--separate-threads=yes".to_owned(),
            format!("--callgrind-out-file={}", profile.display()),
        ];
        words.extend(self.ferrovia.0.iter().cloned());
        let launch = Launch { args, env, dir: &site.dir, core: self.cores.proxy };
        let serving = site.start(Peer::Ferrovia, &Program(words), &launch, START_LIMIT)?;
        let config = handshake::client_config()?;
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(match row {
                Row::Tls => Connection::tls(serving.tls_port, &config)?,
                _ => Connection::plain(serving.plain_port)?,
            });
        }
        let list = row.requests(site.routers);
        for (index, request) in list.iter().cycle().take(requests).enumerate() {
            let status = connections[index % CONNECTIONS].get(request)?.status;
            ensure!(status == 200, "status {status} for {request:?}");
        }
        drop(connections);
        serving.running.terminate(END_LIMIT)?;
        worker_profile(&site.dir)
    }
}

/// The profile of the thread that served connections, with its total.
fn worker_profile(dir: &Path) -> anyhow::Result<(u64, PathBuf)> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let is_thread = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("callgrind.out-"));
        if !is_thread {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        if text.contains("proxy::http::connection::serve") {
            return Ok((total(&text).context("the profile of callgrind has no total")?, path));
        }
    }
    bail!("callgrind has left no profile of a worker")
}

/// The total of all instructions in callgrind's output.
fn total(profile: &str) -> Option<u64> {
    profile
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("totals:").or_else(|| line.strip_prefix("summary:")))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
}

const CONNECTIONS: usize = 8;
/// In both runs: starting up, first connections and caches cancel out.
const WARM_UP_REQUESTS: usize = 200;
const START_LIMIT: Duration = Duration::from_secs(120);
const END_LIMIT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(profile: &str, expected: Option<u64>) {
        assert_eq!(total(profile), expected, "{profile}");
    }

    #[test]
    fn reads_the_total_of_a_profile() {
        check("events: Ir\nsummary: 12\n\nfn=(1)\n1 12\ntotals: 345\n", Some(345));
        check("events: Ir\nsummary: 12\n", Some(12));
        check("events: Ir\n", None);
    }
}
