//! Measures processor time per request: short runs, interleaved, the median counts.

use std::time::Duration;

use anyhow::{Context, ensure};

use super::Bench;
use super::findings::{Findings, Sample, Speed};
use super::handshake;
use super::install::InstalledPeer;
use super::peer::Peer;
use super::process::busy_time;
use super::row::{Request, Routers, Row};
use super::site::Serving;
use super::wrk::{self, Load};

/// Measures one row for every peer that it concerns.
///
/// All proxies of the row run at the same time but only one is loaded: interleaving keeps a change
/// of the machine's speed from favouring anyone, and starting each anew would cost more than a run.
pub(super) fn measure(
    bench: &Bench,
    peers: &[InstalledPeer],
    row: Row,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let mut contenders = Vec::new();
    for (place, (installed, routers)) in line_up(peers, row).into_iter().enumerate() {
        let peer = installed.peer;
        let started = Serving::start(bench, peer, &installed.program, routers)
            .map(|serving| Contender::new(place, serving, peer, routers, row))
            .and_then(|contender| contender.run(bench, row, WARM_UP_SECONDS).map(|_| contender));
        match started {
            Ok(contender) => contenders.push(contender),
            Err(error) => {
                findings.notes.push(format!("{}: {} left out: {error:#}", row.name(), peer.name()));
            }
        }
    }
    for round in 1..=bench.rounds {
        eprintln!("{}: round {round} of {}", row.name(), bench.rounds);
        // There and back again, so that a steady drift of the machine favours nobody.
        contenders.reverse();
        for contender in &mut contenders {
            let run = contender.run(bench, row, bench.seconds);
            if let Err(error) = &run {
                let name = contender.peer.name();
                findings.notes.push(format!("{}: {name}: a run failed: {error:#}", row.name()));
            }
            contender.rounds.push(run.ok());
        }
    }
    contenders.sort_by_key(|contender| contender.place);
    let measured = contenders.into_iter().filter_map(|contender| {
        Speed::new(row, contender.peer, contender.routers, contender.rounds)
    });
    findings.speed.extend(measured);
    Ok(())
}

/// Who takes part in a row, with which routing table. Rows with many routers are for the peers that
/// read Traefik's files, each with many routers and Ferrovia with one as well.
fn line_up(peers: &[InstalledPeer], row: Row) -> Vec<(&InstalledPeer, Routers)> {
    if row.routers() == Routers::One {
        return peers.iter().map(|peer| (peer, Routers::One)).collect();
    }
    let mut line_up = Vec::new();
    for peer in peers.iter().filter(|peer| peer.peer.reads_traefik_files()) {
        line_up.push((peer, row.routers()));
        if peer.peer == Peer::Ferrovia {
            line_up.push((peer, Routers::One));
        }
    }
    line_up
}

struct Contender {
    /// Its line in the table.
    place: usize,
    serving: Serving,
    peer: Peer,
    routers: Routers,
    requests: Vec<Request>,
    rounds: Vec<Option<Sample>>,
}

impl Contender {
    fn new(place: usize, serving: Serving, peer: Peer, routers: Routers, row: Row) -> Self {
        let requests = row.requests(routers);
        Self { place, serving, peer, routers, requests, rounds: Vec::new() }
    }

    fn run(&self, bench: &Bench, row: Row, seconds: u64) -> anyhow::Result<Sample> {
        let accepted = bench.upstream.accepted()?;
        let core = bench.cores.proxy;
        let (before, core_before) = (self.serving.running.processor_time()?, busy_time(core)?);
        let load = self.load(bench, row, seconds)?;
        let cpu = self.serving.running.processor_time()? - before;
        let others = (busy_time(core)? - core_before).saturating_sub(cpu);
        let opened = bench.upstream.accepted()? - accepted;
        ensure!(load.requests > 0, "no request was answered");
        ensure!(load.errors == 0, "{} of {} requests failed", load.errors, load.requests);
        // Beyond a connection to each server for each of the load's, and one per hundred requests,
        // the proxy is not keeping its connections to the upstream servers alive.
        let most = 4 * wrk::CONNECTIONS as u64 + load.requests / 100;
        ensure!(opened <= most, "{opened} upstream connections for {} requests", load.requests);
        Ok(sample(&load, cpu, others))
    }

    fn load(&self, bench: &Bench, row: Row, seconds: u64) -> anyhow::Result<Load> {
        let plain = ("http", self.serving.plain_port);
        let secure = ("https", self.serving.tls_port);
        match row {
            Row::Handshake => {
                let request = self.requests.first().context("a request")?;
                handshake::run(self.serving.tls_port, &bench.handshakes, request, seconds)
            }
            Row::Tls => {
                wrk::run(bench.dir.path(), bench.cores.load, secure, &self.requests, seconds)
            }
            _ => wrk::run(bench.dir.path(), bench.cores.load, plain, &self.requests, seconds),
        }
    }
}

fn sample(load: &Load, cpu: Duration, others: Duration) -> Sample {
    let elapsed = load.elapsed.as_secs_f64();
    Sample {
        cpu_micros: cpu.as_secs_f64() * 1e6 / load.requests as f64,
        requests_per_second: load.requests as f64 / elapsed,
        p50: load.p50,
        p99: load.p99,
        busy: cpu.as_secs_f64() / elapsed,
        others: others.as_secs_f64() / elapsed,
    }
}

const WARM_UP_SECONDS: u64 = 1;
