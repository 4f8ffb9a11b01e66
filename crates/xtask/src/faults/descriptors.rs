//! No descriptors are left: who is served is served on, servers are not held to be down, nothing
//! spins, and a moment after there are some again everything is as before.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::site::{HOST, Site, routes};
use super::slow::{self, Beside};
use super::{Report, Run};
use crate::client::Client;
use crate::surroundings::wait_for;

pub(super) fn run(run: &Run) -> anyhow::Result<Report> {
    let server = slow::serve()?;
    let site = Site::create("", "")?;
    let check = ", healthCheck: {path: /health, interval: 200ms, timeout: 200ms}, \
                 passiveHealthCheck: {failureWindow: 5s, maxFailedAttempts: 1}";
    let first = routes(&[server.address], check);
    site.write("routes.yml", &first)?;
    let mut proxy = site.start(run.binary())?;
    let beside = Beside::start(site.web());
    let mut accepted =
        Client::connect(site.web()).map_err(|failure| anyhow::anyhow!("{failure}"))?;
    accepted.get(HOST, "/").map_err(|failure| anyhow::anyhow!("{failure}"))?;

    let before = proxy.descriptors()?;
    let limit = before + ROOM;
    proxy.limit("nofile", &limit.to_string())?;
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        crowd.push(TcpStream::connect(site.web())?);
    }
    // All of them send a request at once: those that are served need connections to the server.
    for client in &mut crowd {
        client.write_all(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes())?;
    }
    let mut report = Report::default();
    let (from, used) = (Instant::now(), proxy.processor_time()?);
    // A change that cannot be read now has to be read later.
    let second = first.replace("service: app}", "service: app, middlewares: [v]}").replace(
        "  services:\n",
        "  middlewares:\n    v: {headers: {customResponseHeaders: {X-Version: \"2\"}}}\n  services:\n",
    );
    site.write("routes.yml", &second)?;
    thread::sleep(run.options.fault);
    let share = (proxy.processor_time()? - used).as_secs_f64() / from.elapsed().as_secs_f64();
    proxy.check_running()?;
    let (latencies, failures) = beside.take();
    report.figure(format!("{} descriptors, {CROWD} clients", limit));
    report.figure(format!("{:.0} % of a processor while exhausted", share * 100.0));
    report.figure(format!(
        "a client beside them: {} answers, p99 {:.1?}, {} failed",
        latencies.count(),
        latencies.quantile(0.99),
        failures.len()
    ));
    report.expect(share <= SHARE_MAX, || "the proxy spins".to_owned());
    report.expect(failures.is_empty(), || {
        format!("{} requests failed beside them, such as: {:?}", failures.len(), failures[0])
    });
    let served = accepted.get(HOST, "/").map(|answer| answer.status);
    report.expect(matches!(served, Ok(200)), || {
        format!("who was accepted before is not served: {served:?}")
    });
    let (whole, failed) = answers(&mut crowd)?;
    report.figure(format!("of the crowd {whole} answered, {failed} failed, the others wait"));
    report.expect(failed == 0, || format!("{failed} of the crowd failed"));

    drop(crowd);
    let left = Instant::now();
    wait_for("new connections to be served", Duration::from_secs(20), || {
        proxy.check_running()?;
        Ok(site.answers("/").then_some(()))
    })
    .context("after the crowd left")?;
    let recovered = left.elapsed();
    proxy.limit("nofile", &(limit + CROWD).to_string())?;
    let changed = wait_for("the change to be in force", Duration::from_secs(5), || {
        let mut client =
            Client::connect(site.web()).map_err(|failure| anyhow::anyhow!("{failure}"))?;
        client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes());
        let head = client.answer().map(|answer| answer.head.contains("X-Version: 2"));
        Ok(head.is_ok_and(|is_new| is_new).then_some(left.elapsed()))
    });
    report.figure(format!("recovered after {recovered:.0?}"));
    match changed {
        Ok(after) => report.figure(format!("a change made meanwhile is live {after:.0?} after")),
        Err(_) => report.problems.push("a change made meanwhile is lost".to_owned()),
    }
    report.expect(recovered <= RECOVERY_MAX, || "recovery takes too long".to_owned());
    let (_, failures) = beside.stop();
    report.expect(failures.is_empty(), || format!("after the crowd left: {failures:?}"));
    Ok(report)
}

/// Counts whole answers and failures among clients of which nothing was read yet.
fn answers(crowd: &mut [TcpStream]) -> anyhow::Result<(usize, usize)> {
    use std::io::Read as _;
    let (mut whole, mut failed) = (0, 0);
    for client in crowd {
        client.set_nonblocking(true)?;
        let mut bytes = [0; 1024];
        match client.read(&mut bytes) {
            Ok(count) if bytes[..count].starts_with(b"HTTP/1.1 200") => whole += 1,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            _ => failed += 1,
        }
    }
    Ok((whole, failed))
}

/// Descriptors above those in use at the start.
const ROOM: usize = 100;
const CROWD: usize = 400;
/// Share of a processor that a proxy may need which has one client and cannot do more.
const SHARE_MAX: f64 = 0.25;
const RECOVERY_MAX: Duration = Duration::from_secs(1);
