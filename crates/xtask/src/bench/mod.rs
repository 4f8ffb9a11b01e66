//! Measures Ferrovia beside other proxies on this machine (`cargo xtask bench`).
//!
//! Every proxy runs alone on one core, the load and the upstream servers on another, so that the
//! proxy's processor time per request can be compared as a ratio; see docs/benchmarks.md for the
//! method. Nothing here leaves loopback, every step is bounded in time, and all processes end with
//! this one. It must not know how any of the proxies works inside: they are programs with
//! configuration files, Ferrovia among them.

mod client;
mod cores;
mod findings;
mod goals;
mod handshake;
mod install;
pub(crate) mod instructions;
mod memory;
mod options;
mod peer;
mod process;
mod report;
mod row;
mod site;
mod speed;
mod upstream;
mod work_dir;
mod wrk;

use std::sync::Arc;

use anyhow::{Context, bail};

use self::cores::Cores;
use self::findings::Findings;
use self::install::Installed;
use self::options::Options;
use self::site::Certificate;
use self::upstream::Upstream;
use self::work_dir::WorkDir;

/// Runs the benchmark that `args` ask for and prints its tables; see [`options::USAGE`].
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    if let Some(("instructions", rest)) = args.split_first().map(|(word, rest)| (&**word, rest)) {
        return instructions::instructions(rest);
    }
    let Some(options) = Options::parse(args)? else {
        print!("{}", options::USAGE);
        return Ok(());
    };
    if install::on_path("wrk").is_none() {
        bail!("wrk is not installed (Debian's package is called wrk too)");
    }
    let mut findings = Findings::default();
    // Found, built and installed before the pinning below: a build may use every core.
    let installed = Installed::resolve(&options, &mut findings.notes)?;
    if installed.peers.is_empty() {
        bail!("none of the proxies that were asked for could be found or installed");
    }
    let bench = Bench::prepare(&installed, &options)?;
    for peer in &installed.peers {
        findings.versions.push((peer.peer, peer.version.clone(), peer.origin));
    }
    for &row in &options.rows {
        if row.is_speed() {
            speed::measure(&bench, &installed.peers, row, &mut findings)?;
        } else {
            memory::measure(&bench, &installed.peers, &mut findings)?;
        }
    }
    print!("{}", report::render(&findings, &options));
    Ok(())
}

/// What all measurements share: the cores, the upstream servers, the certificate, a folder.
struct Bench {
    // Fields drop in order: the upstream ends before its folder goes.
    upstream: Upstream,
    certificate: Certificate,
    handshakes: Arc<rustls::ClientConfig>,
    cores: Cores,
    seconds: u64,
    rounds: usize,
    dir: WorkDir,
}

impl Bench {
    fn prepare(installed: &Installed, options: &Options) -> anyhow::Result<Self> {
        let cores = Cores::claim()?;
        crate::surroundings::raise_open_files(OPEN_FILES)?;
        let dir = WorkDir::create(&install::peers_dir())?;
        let certificate = Certificate::create(dir.path())?;
        let upstream = Upstream::start(&installed.nginx, dir.path(), cores.load)
            .context("the upstream servers")?;
        let handshakes = handshake::client_config()?;
        Ok(Self {
            upstream,
            certificate,
            handshakes,
            cores,
            seconds: options.seconds,
            rounds: options.rounds,
            dir,
        })
    }
}

/// Idle connections need one descriptor here and one in the proxy, which inherits the limit.
const OPEN_FILES: u64 = 16_384;
