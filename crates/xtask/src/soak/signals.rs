//! SIGHUP under load: a storm of them, and entry points that come and go with the static file.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use testkit::ports::ReservedPort;

use super::load::Load;
use super::site::{Ask, PATH, Site};
use crate::client::{Client, Failure};
use crate::proxy::Proxy;
use crate::surroundings::wait_for;

/// Sends the signals; gives a line on what was seen.
pub(super) fn run(site: &Site, proxy: &mut Proxy, load: &Load) -> anyhow::Result<String> {
    load.answer(REQUESTS_BETWEEN, proxy)?;
    for number in 0..SIGNALS {
        proxy.check_running()?;
        proxy.signal("HUP")?;
        // One half as fast as they can be sent, the other far enough apart to be taken singly.
        let pause = if number < SIGNALS / 2 { 2 } else { 150 };
        thread::sleep(Duration::from_millis(pause));
    }
    load.answer(REQUESTS_BETWEEN, proxy)?;

    let port = ReservedPort::claim()?;
    let address = SocketAddr::from(([127, 0, 0, 1], port.number()));
    let mut opened = Vec::new();
    let mut closed = Vec::new();
    for round in 0..ENTRY_POINT_ROUNDS {
        let (open_after, close_after) =
            come_and_go(site, proxy, address).with_context(|| format!("round {round}"))?;
        opened.push(open_after);
        closed.push(close_after);
        load.answer(REQUESTS_BETWEEN / 4, proxy)?;
    }
    Ok(format!(
        "  {SIGNALS} SIGHUPs; an entry point came after {:.0} ms and went after {:.0} ms, at most",
        worst(&opened),
        worst(&closed)
    ))
}

/// Adds an entry point and removes it again; gives the times until that was seen.
fn come_and_go(
    site: &Site,
    proxy: &mut Proxy,
    address: SocketAddr,
) -> anyhow::Result<(Duration, Duration)> {
    let (ask, host) = (Ask::Plain(1), Ask::Plain(1).host());
    let judge = |client: &mut Client| {
        let answer = client.get(&host, PATH).map_err(|failure| anyhow!("{failure}"))?;
        site.expected.judge(ask, 0, &answer)
    };
    site.write_static(&format!("  more: {{address: \"{address}\"}}\n"))?;
    proxy.signal("HUP")?;
    let signalled = Instant::now();
    let mut client = wait_for("the new entry point to open", LIMIT, || {
        proxy.check_running()?;
        Ok(Client::connect(address).ok())
    })?;
    wait_for("the new entry point to route", LIMIT, || {
        let answer = client.get(&host, PATH).map_err(|failure| anyhow!("{failure}"))?;
        Ok((answer.status == 200).then_some(()))
    })?;
    judge(&mut client)?;
    let open_after = signalled.elapsed();

    site.write_static("")?;
    proxy.signal("HUP")?;
    let signalled = Instant::now();
    wait_for("the removed entry point to close", LIMIT, || {
        proxy.check_running()?;
        Ok(matches!(Client::connect(address), Err(Failure::Refused)).then_some(()))
    })?;
    let close_after = signalled.elapsed();
    // What a client gets on a connection to an entry point that is gone is up to the proxy: an
    // answer, or an orderly end; but not a reset.
    let reset = matches!(client.get(&host, PATH), Err(Failure::Reset | Failure::Broken(_)));
    ensure!(!reset, "an open connection was reset when its entry point was removed");
    Ok((open_after, close_after))
}

fn worst(durations: &[Duration]) -> f64 {
    durations.iter().max().map_or(0.0, |worst| worst.as_secs_f64() * 1e3)
}

const SIGNALS: usize = 50;
const ENTRY_POINT_ROUNDS: usize = 5;
const REQUESTS_BETWEEN: u64 = 5_000;
const LIMIT: Duration = Duration::from_secs(20);
