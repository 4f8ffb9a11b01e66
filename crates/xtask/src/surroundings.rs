//! What a run needs around it: a directory of its own, enough descriptors, patience.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

/// A directory for the files of a run, removed in the end.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    /// Makes an empty directory that no other process uses.
    pub(crate) fn create(name: &str) -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("ferrovia-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Lets this process and those that it starts open `count` files.
pub(crate) fn raise_open_files(count: u64) -> anyhow::Result<()> {
    let limits = fs::read_to_string("/proc/self/limits").context("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    if soft.is_some_and(|soft| soft == "unlimited" || soft.parse().is_ok_and(|n: u64| n >= count)) {
        return Ok(());
    }
    // `N:` raises the soft limit alone, which needs no privilege below the hard limit.
    let pid = std::process::id().to_string();
    for limit in [format!("{count}:"), format!("{count}:{count}")] {
        let raised = Command::new("prlimit")
            .args(["--pid", &pid, &format!("--nofile={limit}")])
            .stderr(Stdio::null())
            .status()
            .context("prlimit")?;
        if raised.success() {
            return Ok(());
        }
    }
    bail!("the limit of open files cannot be raised to {count}: run `ulimit -n {count}` first")
}

/// Asks again and again until `observe` gives something.
pub(crate) fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut observe: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(observed) = observe()? {
            return Ok(observed);
        }
        ensure!(Instant::now() < end, "waited {limit:?} in vain for {what}");
        thread::sleep(POLL);
    }
}

const POLL: Duration = Duration::from_micros(500);
