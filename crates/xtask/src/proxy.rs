//! The proxy as a process: built, started, measured, limited, told things by signals, ended.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::surroundings::wait_for;

/// A running proxy, killed when dropped before its end.
pub(crate) struct Proxy {
    child: Child,
    log: PathBuf,
}

impl Proxy {
    /// Starts a binary on a static file; its output goes to `proxy.log` in `directory`.
    pub(crate) fn start(
        binary: &Path,
        static_file: &Path,
        directory: &Path,
    ) -> anyhow::Result<Self> {
        let log = directory.join("proxy.log");
        let output = File::create(&log)?;
        let child = Command::new(binary)
            .arg(format!("--configFile={}", static_file.display()))
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| binary.display().to_string())?;
        Ok(Self { child, log })
    }

    /// Asks again and again until `is_ready`; fails when the process ends before.
    pub(crate) fn await_ready(&mut self, mut is_ready: impl FnMut() -> bool) -> anyhow::Result<()> {
        let ready = wait_for("the first answers", START_LIMIT, || {
            self.check_running()?;
            Ok(is_ready().then_some(()))
        });
        ready.with_context(|| self.log_tail())
    }

    /// Sends a signal by its name without `SIG`.
    pub(crate) fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status()?;
        ensure!(sent.success(), "signal {name} cannot be sent");
        Ok(())
    }

    /// Fails when the process has ended.
    pub(crate) fn check_running(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the proxy ended with {status}:\n{}", self.log_tail()),
        }
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
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
    pub(crate) fn end(mut self, limit: Duration) -> anyhow::Result<()> {
        self.check_running()?;
        self.signal("TERM")?;
        let status = self.wait(limit).context("after SIGTERM")?;
        ensure!(status.success(), "after SIGTERM: {status}:\n{}", self.log_tail());
        Ok(())
    }

    /// Resident memory.
    pub(crate) fn resident_bytes(&self) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(&path).context(path)?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kilobytes: u64 = kilobytes.context("resident memory")?.trim().parse()?;
        Ok(kilobytes * 1024)
    }

    /// Open descriptors.
    pub(crate) fn descriptors(&self) -> anyhow::Result<usize> {
        let path = format!("/proc/{}/fd", self.child.id());
        Ok(fs::read_dir(&path).context(path)?.count())
    }

    /// Processor time since the start.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = fs::read_to_string(&path).context(path)?;
        // The second field is the program's name in brackets; user and system time are the 14th
        // and 15th, in hundredths of a second (proc_pid_stat(5)).
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        let ticks: u64 = ticks.sum::<Result<_, _>>()?;
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Changes one of the limits of prlimit(1), such as `nofile`; the hard limit stays.
    pub(crate) fn limit(&self, resource: &str, soft: &str) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        let done = Command::new("prlimit")
            .args(["--pid", &pid, &format!("--{resource}={soft}:")])
            .status()
            .context("prlimit")?;
        ensure!(done.success(), "limit {resource} cannot be set to {soft}");
        Ok(())
    }

    /// The process's number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The last lines that the proxy wrote.
    pub(crate) fn log_tail(&self) -> String {
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

/// Builds the release binary of this workspace.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    eprintln!("building ferrovia");
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--release", "--package", "ferrovia"])
        .current_dir(&root)
        .status()
        .context("cargo")?;
    ensure!(built.success(), "ferrovia cannot be built");
    let directory =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(directory.join("release/ferrovia"))
}

const START_LIMIT: Duration = Duration::from_secs(60);
const LOG_LINES_SHOWN: usize = 12;
