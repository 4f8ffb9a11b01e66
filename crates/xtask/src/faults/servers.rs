//! One of three servers has a fault, again and again, while clients ask without end.
//!
//! The proxy is configured as its users would: `retry`, active and passive health checks, timeouts
//! towards servers. Two services share the servers, one for each of two strategies.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use super::events::Events;
use super::load::{Asked, Load, Wrong};
use super::site::Site;
use super::upstream::{HEALTH_PATH, Mode, Upstream};
use super::{Report, Run};
use crate::latency::Histogram;
use crate::surroundings::wait_for;

/// What happens to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// SIGKILL; later it is started again.
    Killed,
    /// SIGSTOP, then SIGCONT.
    Stopped,
    /// It closes its connections and its listener.
    Refuse,
    /// It resets connections before it answers.
    Reset,
    /// It resets connections within its answer.
    Cut,
    /// It answers 500.
    Errors,
}

/// A fault of one server, from its begin to the time after it.
struct Bout {
    victim: &'static str,
    begun: Instant,
    ended: Instant,
    /// When it got a request again.
    recovered: Instant,
    /// End of the time after the recovery that its share is measured in.
    measured: Instant,
}

impl Fault {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Stopped => "stopped",
            Self::Refuse => "refuse",
            Self::Reset => "reset",
            Self::Cut => "cut",
            Self::Errors => "errors",
        }
    }

    fn begin(self, server: &mut Upstream) -> anyhow::Result<()> {
        match self {
            Self::Killed => server.kill(),
            Self::Stopped => server.signal("STOP"),
            Self::Refuse => server.set(Mode::Refuse),
            Self::Reset => server.set(Mode::Reset),
            Self::Cut => server.set(Mode::Cut),
            Self::Errors => server.set(Mode::Errors),
        }
    }

    fn end(self, server: &mut Upstream) -> anyhow::Result<()> {
        match self {
            Self::Killed => server.revive(),
            Self::Stopped => server.signal("CONT"),
            _ => server.set(Mode::Well),
        }
    }
}

/// Runs a fault as often as asked for.
pub(super) fn run(run: &Run, fault: Fault) -> anyhow::Result<Report> {
    let events = Events::default();
    let mut servers = Vec::new();
    for name in ["one", "two", "three"] {
        servers.push(Upstream::start(name, &events)?);
    }
    let site = Site::create("", "")?;
    site.write("routes.yml", &routes(&servers))?;
    let mut proxy = site.start(run.binary())?;
    let load = Load::start(site.web(), CLIENTS, &STRATEGIES, REST);
    load.answer(WARM_UP)?;
    let mut bouts = Vec::new();
    for round in 0..run.options.rounds {
        let victim = round % servers.len();
        let server = &mut servers[victim];
        let begun = Instant::now();
        fault.begin(server)?;
        thread::sleep(run.options.fault);
        fault.end(server)?;
        let (ended, sent) = (Instant::now(), load.sent());
        let recovered = wait_for("the server to get requests again", RECOVERY_LIMIT, || {
            proxy.check_running()?;
            Ok(events.first_after(server.name, sent))
        })?;
        thread::sleep(MEASURED);
        let measured = Instant::now();
        bouts.push(Bout { victim: server.name, begun, ended, recovered, measured });
    }
    let asked = load.stop();
    let mut report = Report::default();
    judge(&mut report, fault, &asked, &bouts);
    judge_posts(&mut report, &asked, &events);
    judge_recovery(&mut report, &bouts, &events);
    report.expect(proxy.check_running().is_ok(), || "the proxy is gone".to_owned());
    Ok(report)
}

/// What requests came to.
fn judge(report: &mut Report, fault: Fault, asked: &[Asked], bouts: &[Bout]) {
    let is_within = |asked: &Asked| {
        bouts.iter().any(|bout| (bout.begun - FLIGHT..bout.recovered + FLIGHT).contains(&asked.at))
    };
    let gets: Vec<_> = asked.iter().filter(|asked| !asked.is_post).collect();
    let failed: Vec<_> = gets.iter().filter(|asked| asked.result.is_err()).collect();
    let cut = failed.iter().filter(|asked| matches!(asked.result, Err(Wrong::Cut(_)))).count();
    let during = gets.iter().filter(|asked| is_within(asked)).count();
    let mut latencies = Histogram::new();
    gets.iter().for_each(|asked| latencies.add(asked.took));
    report.figure(format!("{} GET, {} failed", gets.len(), failed.len() - cut));
    let lost = if fault == Fault::Cut {
        // An answer that has begun cannot be taken back: it has to be seen that it is not whole, and
        // the passive check has to keep their number down.
        report.figure(format!("{cut} of {during} during the fault cut for all to see"));
        report.expect(cut * 10 <= during, || "the server that cuts answers stays in".to_owned());
        failed.len() - cut
    } else {
        failed.len()
    };
    report.expect(lost == 0, || {
        let mut text = format!("{lost} idempotent requests failed:");
        for asked in failed.iter().take(FAILURES_SHOWN) {
            let _ = write!(text, " {} {:?} after {:.0?};", asked.path, asked.result, asked.took);
        }
        text
    });
    report.figure(format!(
        "p50 {:.1?} p99 {:.1?} max {:.0?}",
        latencies.quantile(0.5),
        latencies.quantile(0.99),
        latencies.max()
    ));
    let posts = asked.iter().filter(|asked| asked.is_post);
    let outside = posts.filter(|asked| asked.result.is_err() && !is_within(asked)).count();
    report.expect(outside == 0, || format!("{outside} POST failed without a fault"));
}

/// No POST may reach a server twice, and none that was answered may have reached no server.
fn judge_posts(report: &mut Report, asked: &[Asked], events: &Events) {
    let received = events.paths("POST");
    let twice = received.windows(2).filter(|pair| pair[0] == pair[1]).count();
    let received: HashSet<_> = received.into_iter().collect();
    let posts: Vec<_> = asked.iter().filter(|asked| asked.is_post).collect();
    let failed = posts.iter().filter(|asked| asked.result.is_err()).count();
    let invented =
        posts.iter().filter(|asked| asked.result.is_ok() && !received.contains(&asked.path));
    let invented = invented.count();
    report.figure(format!("{} POST, {failed} failed, {twice} sent twice", posts.len()));
    report.expect(twice == 0, || format!("{twice} POST were sent twice"));
    report.expect(invented == 0, || format!("{invented} POST were answered but never received"));
}

/// What the server got when it was well again.
fn judge_recovery(report: &mut Report, bouts: &[Bout], events: &Events) {
    let slowest = bouts.iter().map(|bout| bout.recovered - bout.ended).max().unwrap_or_default();
    report.figure(format!("back in after at most {slowest:.0?}"));
    for strategy in STRATEGIES {
        let mut largest = 0.0_f64;
        for bout in bouts {
            let (own, all) = events.share(bout.victim, strategy, bout.recovered, bout.measured);
            largest = largest.max(own as f64 / all.max(1) as f64);
        }
        report.figure(format!("share with {} {:.0} %", &strategy[1..], largest * 100.0));
        report.expect(largest <= SHARE_MAX, || "the recovered server got a stampede".to_owned());
    }
    let connections = bouts
        .iter()
        .map(|bout| events.connections(bout.victim, bout.ended, bout.measured))
        .max()
        .unwrap_or_default();
    report.figure(format!("with {connections} connections"));
}

fn routes(servers: &[Upstream]) -> String {
    let urls: Vec<_> =
        servers.iter().map(|server| format!("{{url: \"http://{}\"}}", server.address())).collect();
    let urls = urls.join(", ");
    let service = |strategy: &str| {
        format!(
            "    {strategy}:\n      loadBalancer:\n        strategy: {strategy}\n        \
             servers: [{urls}]\n        serversTransport: quick\n        \
             healthCheck: {{path: {HEALTH_PATH}, interval: 200ms, timeout: 200ms}}\n        \
             passiveHealthCheck: {{failureWindow: 2s, maxFailedAttempts: 3}}\n"
        )
    };
    let router = |strategy: &str| {
        format!(
            "    {strategy}: {{rule: PathPrefix(`/{strategy}`), service: {strategy}, \
             middlewares: [again]}}\n"
        )
    };
    let names = STRATEGIES.map(|prefix| &prefix[1..]);
    let (routers, services) = (names.map(router).concat(), names.map(service).concat());
    format!(
        "http:\n  routers:\n{routers}    ready: {{rule: Path(`/ready`), service: wrr}}\n  \
         services:\n{services}  \
         middlewares:\n    again: {{retry: {{attempts: 3, initialInterval: 1ms, \
         status: [\"500-599\"]}}}}\n  \
         serversTransports:\n    quick:\n      forwardingTimeouts: {{dialTimeout: 500ms, \
         responseHeaderTimeout: 500ms}}\n"
    )
}

/// Prefixes of paths, each named like the strategy behind it.
const STRATEGIES: [&str; 2] = ["/wrr", "/leastconn"];
const CLIENTS: usize = 16;
/// Keeps a small machine from being all load.
const REST: Duration = Duration::from_millis(4);
const WARM_UP: u64 = 500;
/// Longer than a request that meets a fault takes.
const FLIGHT: Duration = Duration::from_millis(100);
const RECOVERY_LIMIT: Duration = Duration::from_secs(20);
/// Time after the recovery that the server's share is measured in.
const MEASURED: Duration = Duration::from_secs(1);
/// A third is right; a stampede would be nearly all.
const SHARE_MAX: f64 = 0.45;
const FAILURES_SHOWN: usize = 5;
