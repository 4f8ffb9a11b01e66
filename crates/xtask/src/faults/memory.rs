//! Memory is limited by a cgroup, and clients ask for far more than there is: nothing is buffered
//! that is not read, so the process lives, and others are served.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::site::{HOST, Site};
use super::slow::{self, Beside, LONG_PATH, connect_narrow};
use super::{Outcome, Report, Run};

pub(super) fn run(run: &Run) -> anyhow::Result<Outcome> {
    let group = match Group::create() {
        Ok(group) => group,
        Err(error) => {
            return Ok(Outcome::Skipped(format!("no cgroup with a memory limit: {error}")));
        }
    };
    let server = slow::serve()?;
    let site = Site::of_servers("", &[server.address])?;
    let mut proxy = site.start(run.binary())?;
    group.take(proxy.id())?;
    let beside = Beside::start(site.web());
    let clients = run.options.clients.min(CLIENTS_MAX);
    let mut readers = Vec::new();
    for number in 0..clients {
        let mut stream = connect_narrow(site.web())?;
        let request = match number % 2 {
            0 => format!("GET {LONG_PATH} HTTP/1.1\r\nHost: {HOST}\r\n\r\n"),
            _ => format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000000\r\n\r\n"),
        };
        stream.write_all(request.as_bytes())?;
        stream.set_nonblocking(true)?;
        readers.push(stream);
        server.keep_up(number)?;
    }
    let end = Instant::now() + run.options.fault;
    let piece = [b'a'; 64];
    while Instant::now() < end {
        proxy.check_running()?;
        // Uploads go on, as far as they are taken.
        for stream in readers.iter_mut().skip(1).step_by(2) {
            let _ = stream.write(&piece);
        }
        thread::sleep(Duration::from_millis(50));
    }
    let (latencies, failures) = beside.stop();
    let mut report = Report::default();
    report.figure(format!(
        "{clients} clients that ask for {} GiB under a limit of {} MiB: {:.1} MiB resident",
        clients / 2 * 64 / 1024,
        LIMIT >> 20,
        proxy.resident_bytes()? as f64 / 1048576.0
    ));
    report.figure(format!(
        "beside them {} answers, p99 {:.1?}, {} failed",
        latencies.count(),
        latencies.quantile(0.99),
        failures.len()
    ));
    report.expect(failures.is_empty(), || format!("the client beside them: {}", failures[0]));
    report.expect(proxy.check_running().is_ok(), || "the proxy is gone".to_owned());
    Ok(Outcome::Ran(report))
}

/// A cgroup with limited memory, of version 1 or 2, removed in the end.
struct Group(PathBuf);

impl Group {
    fn create() -> std::io::Result<Self> {
        let root = Path::new("/sys/fs/cgroup");
        let (parent, file) = if root.join("memory").is_dir() {
            (root.join("memory"), "memory.limit_in_bytes")
        } else {
            (root.to_owned(), "memory.max")
        };
        let path = parent.join(format!("ferrovia-faults-{}", std::process::id()));
        fs::create_dir(&path)?;
        let group = Self(path);
        fs::write(group.0.join(file), LIMIT.to_string())?;
        Ok(group)
    }

    fn take(&self, process: u32) -> std::io::Result<()> {
        fs::write(self.0.join("cgroup.procs"), process.to_string())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Only an empty group can be removed; the process has ended a moment ago.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

const LIMIT: u64 = 256 << 20;
const CLIENTS_MAX: usize = 4000;
