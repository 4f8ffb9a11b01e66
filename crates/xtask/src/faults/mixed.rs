//! Traffic of all kinds and reloads: memory and descriptors stay what they were.

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::events::Events;
use super::load::Load;
use super::site::{Site, routes};
use super::slow::Beside;
use super::upstream::Upstream;
use super::{Report, Run};
use crate::surroundings::wait_for;

/// What the process has at a moment.
#[derive(Clone, Copy)]
struct Sample {
    resident: u64,
    descriptors: usize,
}

pub(super) fn run(run: &Run) -> anyhow::Result<Report> {
    let events = Events::default();
    let servers = [Upstream::start("one", &events)?, Upstream::start("two", &events)?];
    let site = Site::create("", "")?;
    site.write("routes.yml", &text(&servers, 0))?;
    let mut proxy = site.start(run.binary())?;
    let load = Load::start(site.web(), CLIENTS, &["/mixed"], REST);
    let misfits = super::load::Misfits::start(site.web(), site.secure());
    let beside = Beside::start(site.web());
    let mut samples = Vec::new();
    let (mut version, mut slowest) = (0, Duration::ZERO);
    let end = Instant::now() + run.options.mixed;
    let mut reload = Instant::now();
    while Instant::now() < end {
        proxy.check_running()?;
        if Instant::now() >= reload {
            reload += run.options.reload;
            version += 1;
            site.write("routes.yml", &text(&servers, version))?;
            let written = Instant::now();
            let path = format!("/version-{version}");
            wait_for("a reload", RELOAD_MAX, || Ok(site.answers(&path).then_some(())))
                .with_context(|| format!("version {version}\n{}", proxy.log_tail()))?;
            slowest = slowest.max(written.elapsed());
        }
        thread::sleep(SAMPLING);
        samples
            .push(Sample { resident: proxy.resident_bytes()?, descriptors: proxy.descriptors()? });
    }
    let asked = load.stop();
    let (latencies, failures) = beside.stop();
    let misfits = misfits.stop();
    let mut report = Report::default();
    let failed: Vec<_> = asked.iter().filter(|asked| asked.result.is_err()).collect();
    report.figure(format!(
        "{} requests and {misfits} misfits in {:.0?}, {} failed, p99 beside them {:.1?}",
        asked.len(),
        run.options.mixed,
        failed.len() + failures.len(),
        latencies.quantile(0.99)
    ));
    report.figure(format!("{version} reloads, the slowest live after {slowest:.0?}"));
    report.expect(failed.is_empty(), || format!("requests failed, such as {:?}", failed[0]));
    report.expect(failures.is_empty(), || format!("requests failed, such as {}", failures[0]));
    // The first fifth is for pools, caches and the allocator to grow into.
    let (early, late) = (median(&samples, 1), median(&samples, 4));
    report.figure(format!(
        "{:.1} MiB and {} descriptors early, {:.1} MiB and {} late",
        early.resident as f64 / 1048576.0,
        early.descriptors,
        late.resident as f64 / 1048576.0,
        late.descriptors
    ));
    let growth = late.resident.saturating_sub(early.resident);
    report.expect(growth <= early.resident / 10, || "memory grows".to_owned());
    report.expect(late.descriptors <= early.descriptors + 10, || "descriptors grow".to_owned());
    Ok(report)
}

/// The median of a fifth of all samples.
fn median(samples: &[Sample], fifth: usize) -> Sample {
    let length = samples.len() / 5;
    let mut part = samples[fifth * length..(fifth + 1) * length].to_vec();
    part.sort_by_key(|sample| sample.resident);
    let resident = part[part.len() / 2].resident;
    part.sort_by_key(|sample| sample.descriptors);
    Sample { resident, descriptors: part[part.len() / 2].descriptors }
}

/// Many routers, one of which tells the version.
fn text(servers: &[Upstream], version: u32) -> String {
    let addresses: Vec<_> = servers.iter().map(Upstream::address).collect();
    let mut routers = format!(
        "  routers:\n    version: {{rule: Path(`/version-{version}`), priority: 1000, service: app}}\n    \
         absent: {{rule: PathPrefix(`/version-`), service: nobody}}\n"
    );
    for number in 0..ROUTERS {
        let _ = writeln!(
            routers,
            "    r{number}: {{rule: \"Host(`h{number}.test`) && PathPrefix(`/v{version}`)\", \
             service: app}}"
        );
    }
    let text = routes(&addresses, "");
    text.replacen("  routers:\n", &routers, 1) + "    nobody: {loadBalancer: {servers: []}}\n"
}

const CLIENTS: usize = 8;
const ROUTERS: usize = 500;
const REST: Duration = Duration::from_millis(5);
const SAMPLING: Duration = Duration::from_millis(200);
const RELOAD_MAX: Duration = Duration::from_secs(20);
