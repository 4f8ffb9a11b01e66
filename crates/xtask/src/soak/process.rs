//! The proxy as a process: started, measured, told things by signals, ended.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use super::site::{FILES, Site};
use super::wait_for;

/// A running proxy, killed when dropped before its end.
pub(super) struct Proxy {
    child: Child,
    log: PathBuf,
    /// From the start of the process to the first right answer of every file.
    pub(super) started_in_ms: f64,
}

impl Proxy {
    /// Starts the proxy and waits until it serves all files of the site.
    pub(super) fn start(binary: &Path, site: &Site) -> anyhow::Result<Self> {
        let log = site.directory().join("proxy.log");
        let output = File::create(&log)?;
        let started = Instant::now();
        let child = Command::new(binary)
            .arg(format!("--configFile={}", site.static_file().display()))
            .current_dir(site.directory())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| binary.display().to_string())?;
        let mut proxy = Self { child, log, started_in_ms: 0.0 };
        let ready = wait_for("the first answers", START_LIMIT, || {
            proxy.check_running()?;
            Ok((0..FILES)
                .all(|file| site.probe(file).is_ok_and(|seen| seen.is_some()))
                .then_some(()))
        });
        ready.with_context(|| proxy.log_tail())?;
        proxy.started_in_ms = started.elapsed().as_secs_f64() * 1e3;
        Ok(proxy)
    }

    /// Sends a signal by its name without `SIG`.
    pub(super) fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status()?;
        ensure!(sent.success(), "signal {name} cannot be sent");
        Ok(())
    }

    /// Fails when the process has ended.
    pub(super) fn check_running(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the proxy ended with {status}:\n{}", self.log_tail()),
        }
    }

    /// Waits for the end of the process.
    pub(super) fn wait(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            ensure!(Instant::now() < end, "the proxy still runs after {limit:?}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Asks the process to end, and expects that it does so of its own accord.
    pub(super) fn end(mut self, limit: Duration) -> anyhow::Result<()> {
        self.check_running()?;
        self.signal("TERM")?;
        let status = self.wait(limit).context("after SIGTERM")?;
        ensure!(status.success(), "after SIGTERM: {status}:\n{}", self.log_tail());
        Ok(())
    }

    /// Resident memory.
    pub(super) fn resident_bytes(&self) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(&path).context(path)?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kilobytes: u64 = kilobytes.context("resident memory")?.trim().parse()?;
        Ok(kilobytes * 1024)
    }

    /// The last lines that the proxy wrote.
    pub(super) fn log_tail(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const START_LIMIT: Duration = Duration::from_secs(60);
const LOG_LINES_SHOWN: usize = 12;
