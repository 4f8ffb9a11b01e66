//! The program under test: started on a static file, watched, stopped.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A running proxy. Killed if dropped before [`Proxy::stop`].
pub struct Proxy {
    child: Child,
    log: PathBuf,
}

impl Proxy {
    /// Starts `binary` on a static file, its output going to `proxy.log` in `directory`.
    pub fn start(binary: &Path, static_file: &Path, directory: &Path) -> Result<Self> {
        let log = directory.join("proxy.log");
        let output = File::create(&log)?;
        let mut command = Command::new(binary);
        for (name, _) in std::env::vars() {
            let upper = name.to_uppercase();
            if upper.starts_with("TRAEFIK_") || upper.ends_with("_PROXY") {
                command.env_remove(name);
            }
        }
        let child = command
            .arg(format!("--configFile={}", static_file.display()))
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("starting {}", binary.display()))?;
        Ok(Self { child, log })
    }

    /// Fails with the end of its log if the program has ended.
    pub fn check_running(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the proxy ended with {status}:\n{}", self.log_tail()),
        }
    }

    /// The last lines it wrote.
    pub fn log_tail(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }

    /// Asks it to end (SIGTERM) and fails unless it does so in time with exit code 0.
    pub fn stop(mut self) -> Result<()> {
        Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status()?;
        let deadline = Instant::now() + STOP_PATIENCE;
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("after SIGTERM: {status}:\n{}", self.log_tail()),
                None if Instant::now() > deadline => {
                    bail!("still runs {STOP_PATIENCE:?} after SIGTERM")
                }
                None => thread::sleep(Duration::from_millis(2)),
            }
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const STOP_PATIENCE: Duration = Duration::from_secs(15);
const LOG_LINES_SHOWN: usize = 15;
