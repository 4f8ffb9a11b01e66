//! Two processor cores: one for the proxy under measurement, one for everything else.

use std::fs;
use std::process::Command;

use anyhow::{Context, bail};

/// The cores of a benchmark.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cores {
    pub(super) proxy: usize,
    pub(super) load: usize,
}

impl Cores {
    /// Picks the first two cores that this process may use and pins the process to the second.
    pub(super) fn claim() -> anyhow::Result<Self> {
        let allowed = allowed()?;
        let &[proxy, load, ..] = allowed.as_slice() else {
            bail!("two processor cores are needed, this process may use {allowed:?}");
        };
        let cores = Self { proxy, load };
        // By the program rather than the system call: this crate has no unsafe code.
        let pinned = Command::new("taskset")
            .args(["-a", "-p", "-c", &load.to_string(), &std::process::id().to_string()])
            .output()
            .context("taskset")?;
        if !pinned.status.success() {
            bail!("taskset: {}", String::from_utf8_lossy(&pinned.stderr).trim());
        }
        Ok(cores)
    }
}

/// The cores that this process may use.
pub(super) fn allowed() -> anyhow::Result<Vec<usize>> {
    let status = fs::read_to_string("/proc/self/status").context("/proc/self/status")?;
    let allowed = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .context("/proc/self/status: Cpus_allowed_list is missing")?;
    parse_list(allowed)
}

/// Reads the kernel's list format: `0-3,8`.
fn parse_list(list: &str) -> anyhow::Result<Vec<usize>> {
    let mut cores = Vec::new();
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let read = |core: &str| core.parse().with_context(|| format!("processor list {list:?}"));
        let (first, last): (usize, usize) = (read(first)?, read(last)?);
        cores.extend(first..=last);
    }
    Ok(cores)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &str, expected: Option<&[usize]>) {
        assert_eq!(parse_list(list).ok().as_deref(), expected, "{list}");
    }

    #[test]
    fn reads_ranges_and_single_cores() {
        check("\t0-3,8\n", Some(&[0, 1, 2, 3, 8]));
        check("5", Some(&[5]));
        check("x-2", None);
        check("", None);
    }
}
