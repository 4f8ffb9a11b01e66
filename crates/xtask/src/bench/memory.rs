//! Measures resident memory: with one router, with 10,000, and for idle connections.

use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::Bench;
use super::client::Connection;
use super::findings::{Findings, Memory, median};
use super::install::InstalledPeer;
use super::row::{Routers, Row};
use super::site::Serving;

/// Measures every peer, one after another: each runs alone.
pub(super) fn measure(
    bench: &Bench,
    peers: &[InstalledPeer],
    findings: &mut Findings,
) -> anyhow::Result<()> {
    for installed in peers {
        let name = installed.peer.name();
        eprintln!("memory: {name}");
        match of(bench, installed) {
            Ok(memory) => findings.memory.push(memory),
            Err(error) => findings.notes.push(format!("memory: {name} left out: {error:#}")),
        }
    }
    Ok(())
}

fn of(bench: &Bench, installed: &InstalledPeer) -> anyhow::Result<Memory> {
    let InstalledPeer { peer, program, .. } = installed;
    // Every measure is of a new process, for memory freed by one use would serve the next; and of
    // several, for a garbage collected program differs a lot from one start to another.
    let start = |routers| {
        let serving = Serving::start(bench, *peer, program, routers)?;
        warm_up(&serving, routers)?;
        let bytes = settled(&serving)?;
        Ok::<_, anyhow::Error>((serving, bytes))
    };
    let routers_bytes = if peer.reads_traefik_files() {
        let runs = (0..STARTS).map(|_| Ok(start(Row::Memory.routers())?.1));
        Some(middle(runs.collect::<anyhow::Result<_>>()?)?)
    } else {
        None
    };
    let (plain, first) = start(Routers::One)?;
    let plain_connection_bytes = per_connection(&plain, || Connection::plain(plain.plain_port))?;
    drop(plain);
    let (tls, second) = start(Routers::One)?;
    let connect = || Connection::tls(tls.tls_port, &bench.handshakes);
    let tls_connection_bytes = per_connection(&tls, connect)?;
    drop(tls);
    let (_, third) = start(Routers::One)?;
    Ok(Memory {
        peer: *peer,
        one_router_bytes: middle(vec![first, second, third])?,
        routers_bytes,
        plain_connection_bytes,
        tls_connection_bytes,
    })
}

fn middle(bytes: Vec<u64>) -> anyhow::Result<u64> {
    let middle = median(bytes.into_iter().map(|bytes| bytes as f64).collect());
    Ok(middle.context("a running proxy")? as u64)
}

/// Lets the proxy allocate what it needs for any traffic at all.
fn warm_up(serving: &Serving, routers: Routers) -> anyhow::Result<()> {
    let mut connection = Connection::plain(serving.plain_port)?;
    for request in Row::Memory.requests(routers).iter().cycle().take(WARM_UP_REQUESTS) {
        let status = connection.get(request)?.status;
        ensure!(status == 200, "status {status} for {request:?}");
    }
    Ok(())
}

/// Bytes that each further idle connection takes, once it has seen one request.
fn per_connection(
    serving: &Serving,
    connect: impl Fn() -> anyhow::Result<Connection>,
) -> anyhow::Result<f64> {
    let request = Routers::One.request(0);
    let before = settled(serving)?;
    let mut connections = Vec::with_capacity(IDLE_CONNECTIONS);
    for _ in 0..IDLE_CONNECTIONS {
        let mut connection = connect()?;
        let status = connection.get(&request)?.status;
        ensure!(status == 200, "status {status}");
        connections.push(connection);
    }
    let after = settled(serving)?;
    Ok((after as f64 - before as f64) / IDLE_CONNECTIONS as f64)
}

/// Resident memory once it stays the same, or after a few seconds.
fn settled(serving: &Serving) -> anyhow::Result<u64> {
    let mut last = serving.running.resident_bytes()?;
    for _ in 0..8 {
        thread::sleep(Duration::from_millis(500));
        let now = serving.running.resident_bytes()?;
        if now.abs_diff(last) < last / 200 {
            return Ok(now);
        }
        last = now;
    }
    Ok(last)
}

const STARTS: usize = 3;
const IDLE_CONNECTIONS: usize = 5_000;
const WARM_UP_REQUESTS: usize = 640;
