//! The log cannot be written: requests do not notice, and lines come again when there is room.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::site::{Site, routes};
use super::slow::{self, Beside};
use super::{Outcome, Report, Run};
use crate::proxy::Proxy;
use crate::surroundings::wait_for;

/// RLIMIT_FSIZE: the log file has reached the size that files may have.
pub(super) fn limit(run: &Run) -> anyhow::Result<Report> {
    let site = site(None)?;
    let log = site.directory().join("ferrovia.log");
    check(run, &site, &log, |proxy, is_full| match is_full {
        true => proxy.limit("fsize", &fs::metadata(&log)?.len().to_string()),
        false => proxy.limit("fsize", "unlimited"),
    })
}

/// ENOSPC: the log's file system is full.
pub(super) fn full(run: &Run) -> anyhow::Result<Outcome> {
    let mount = match Mount::create(&std::env::temp_dir())? {
        Ok(mount) => mount,
        Err(reason) => return Ok(Outcome::Skipped(reason)),
    };
    let log = mount.0.join("ferrovia.log");
    let site = site(Some(&log))?;
    let ballast = mount.0.join("ballast");
    let report = check(run, &site, &log, |_, is_full| {
        if !is_full {
            return Ok(fs::remove_file(&ballast)?);
        }
        // Fails when the disk is full, which is the purpose.
        let written = fs::write(&ballast, vec![0; 4 << 20]);
        ensure!(written.is_err(), "the disk is not full");
        Ok(())
    })?;
    Ok(Outcome::Ran(report))
}

fn site(log: Option<&Path>) -> anyhow::Result<Site> {
    let log = log.map_or("ferrovia.log".to_owned(), |log| log.display().to_string());
    let site = Site::create("", &format!("log: {{level: DEBUG, filePath: \"{log}\"}}"))?;
    // A server that nobody listens on, to have something to write about.
    let check = ", healthCheck: {path: /health, interval: 10ms, timeout: 1s}";
    let nobody = testkit::ports::ReservedPort::claim()?;
    let nobody = ([127, 0, 0, 1], nobody.number()).into();
    site.write("routes.yml", &routes(&[slow::serve()?.address, nobody], check))?;
    Ok(site)
}

/// `set` makes the disk full, and then not.
fn check(
    run: &Run,
    site: &Site,
    log: &Path,
    set: impl Fn(&Proxy, bool) -> anyhow::Result<()>,
) -> anyhow::Result<Report> {
    let mut proxy = site.start(run.binary())?;
    let length = || fs::metadata(log).map_or(0, |log| log.len());
    // Both servers were found to be what they are.
    let grows = |proxy: &mut Proxy, limit| {
        let (from, began) = (length(), Instant::now());
        wait_for("the log to grow", limit, || {
            proxy.check_running()?;
            Ok((length() > from).then(|| began.elapsed()))
        })
    };
    for _ in 0..3 {
        grows(&mut proxy, PATIENCE)?;
    }
    let beside = Beside::start(site.web());
    thread::sleep(BASELINE);
    let (alone, _) = beside.take();
    set(&proxy, true)?;
    let (from, used, at) = (Instant::now(), proxy.processor_time()?, length());
    thread::sleep(run.options.fault);
    let share = (proxy.processor_time()? - used).as_secs_f64() / from.elapsed().as_secs_f64();
    let mut report = Report::default();
    report.expect(proxy.check_running().is_ok(), || "the proxy ended".to_owned());
    let (latencies, failures) = beside.stop();
    report.figure(format!(
        "{} answers without log, p99 {:.1?} (before {:.1?}), {} failed",
        latencies.count(),
        latencies.quantile(0.99),
        alone.quantile(0.99),
        failures.len()
    ));
    report.figure(format!("{:.0} % of a processor", share * 100.0));
    report.expect(failures.is_empty(), || format!("requests fail without log: {}", failures[0]));
    report.expect(latencies.count() > 0, || "nothing is answered".to_owned());
    report.expect(share <= SHARE_MAX, || "the proxy spins".to_owned());
    report.expect(length() < at + 8192, || "the log was not full".to_owned());
    if report.problems.is_empty() {
        set(&proxy, false)?;
        let after = grows(&mut proxy, PATIENCE)?;
        report.figure(format!("writes again {after:.0?} after"));
        report.expect(after <= RECOVERY_MAX, || "writing takes too long to go on".to_owned());
    }
    Ok(report)
}

/// A small file system of its own, unmounted in the end.
struct Mount(std::path::PathBuf);

impl Mount {
    /// Mounts one; the inner error says why this machine does not let us.
    fn create(parent: &Path) -> anyhow::Result<Result<Self, String>> {
        let path = parent.join(format!("ferrovia-faults-disk-{}", std::process::id()));
        fs::create_dir(&path)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=256k", "ferrovia-faults"])
            .arg(&path)
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Ok(Ok(Self(path)));
        }
        fs::remove_dir(&path)?;
        Ok(Err("a file system cannot be mounted, which needs root".to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
const BASELINE: Duration = Duration::from_secs(1);
const RECOVERY_MAX: Duration = Duration::from_secs(1);
/// Share of a processor for one client's requests and a check every 10 ms.
const SHARE_MAX: f64 = 0.35;
