//! Programs that run pinned to one core, what they cost, and their certain end.

use std::collections::HashMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// A program by the words that start it: a path, or a loader and its arguments before the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program(pub(super) Vec<String>);

impl Program {
    pub(super) fn at(path: &Path) -> Self {
        Self(vec![path.display().to_string()])
    }

    /// A command for the program that runs here and now, without pinning.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.0[0]);
        command.args(&self.0[1..]);
        command
    }

    /// Starts the program on one core with `dir` as its folder; its output goes to `<name>.log`.
    ///
    /// Must be called on the main thread: the kernel ends the program when that thread ends.
    pub(super) fn start(&self, name: &str, launch: &Launch<'_>) -> anyhow::Result<Running> {
        let log = launch.dir.join(format!("{name}.log"));
        let output = File::create(&log).with_context(|| log.display().to_string())?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "taskset", "-c", &launch.core.to_string()])
            .args(&self.0)
            .args(&launch.args)
            .envs(launch.env.iter().copied())
            .current_dir(launch.dir)
            .stdin(Stdio::null())
            .stdout(output.try_clone().context("log file")?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("{name}: setpriv"))?;
        Ok(Running { child, name: name.to_owned(), log })
    }
}

/// How a program is started.
#[derive(Debug)]
pub(super) struct Launch<'a> {
    pub(super) args: Vec<String>,
    pub(super) env: Vec<(&'static str, &'a str)>,
    pub(super) dir: &'a Path,
    pub(super) core: usize,
}

/// A started program, ended when this value is dropped.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Running {
    /// Waits until the program accepts connections on a loopback port.
    pub(super) fn wait_for_port(&mut self, port: u16, limit: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + limit;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}: {}", self.name, self.last_output());
            }
            if Instant::now() > end {
                bail!("{}: port {port} is still closed: {}", self.name, self.last_output());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Asks the program to end and waits for it.
    pub(super) fn terminate(mut self, limit: Duration) -> anyhow::Result<()> {
        send_signal("TERM", &[self.child.id()]);
        let end = Instant::now() + limit;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > end {
                bail!("{} did not end within {limit:?} of SIGTERM", self.name);
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Processor time of the program and its children since they started.
    pub(super) fn processor_time(&self) -> anyhow::Result<Duration> {
        let mut ticks = 0;
        for pid in self.pids()? {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
                .with_context(|| format!("{}: process {pid}", self.name))?;
            let stat = Stat::parse(&stat).with_context(|| format!("/proc/{pid}/stat"))?;
            ticks += stat.utime + stat.stime;
        }
        from_ticks(ticks)
    }

    /// Resident memory in bytes. Not by share: what the upstream nginx has in common with a measured
    /// one would be halved.
    pub(super) fn resident_bytes(&self) -> anyhow::Result<u64> {
        let mut kilobytes = 0;
        for pid in self.pids()? {
            let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
                .with_context(|| format!("{}: process {pid}", self.name))?;
            kilobytes += rollup
                .lines()
                .find_map(|line| line.strip_prefix("Rss:")?.split_whitespace().next()?.parse().ok())
                .unwrap_or(0u64);
        }
        Ok(kilobytes * 1024)
    }

    fn pids(&self) -> anyhow::Result<Vec<u32>> {
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        for entry in fs::read_dir("/proc")?.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // A process may end between the listing and the reading.
            let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
            if let Some(stat) = Stat::parse(&stat) {
                children.entry(stat.parent).or_default().push(pid);
            }
        }
        let mut pids = vec![self.child.id()];
        let mut next = 0;
        while next < pids.len() {
            pids.extend(children.remove(&pids[next]).unwrap_or_default());
            next += 1;
        }
        Ok(pids)
    }

    fn last_output(&self) -> String {
        let output = fs::read(&self.log).unwrap_or_default();
        let tail = &output[output.len().saturating_sub(600)..];
        String::from_utf8_lossy(tail).trim().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let pids = self.pids().unwrap_or_default();
            send_signal("KILL", &pids);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The fields of /proc/PID/stat that count here; see proc_pid_stat(5).
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    utime: u64,
    stime: u64,
}

impl Stat {
    fn parse(line: &str) -> Option<Self> {
        // The second field is the program's name in brackets and may hold blanks and brackets.
        let (_, rest) = line.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            utime: fields.get(11)?.parse().ok()?,
            stime: fields.get(12)?.parse().ok()?,
        })
    }
}

/// Time that a core was not idle since the machine started, by whatever program.
pub(super) fn busy_time(core: usize) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/stat").context("/proc/stat")?;
    from_ticks(busy_ticks(&stat, core).with_context(|| format!("/proc/stat: core {core}"))?)
}

/// See proc_stat(5); guest time is part of user time.
fn busy_ticks(stat: &str, core: usize) -> Option<u64> {
    let name = format!("cpu{core}");
    let mut lines = stat.lines().map(str::split_whitespace);
    let line = lines.find_map(|mut line| (line.next()? == name).then_some(line))?;
    let ticks: Vec<u64> = line.map_while(|word| word.parse().ok()).collect();
    let &[user, nice, system, _idle, _iowait, irq, softirq, steal, ..] = ticks.as_slice() else {
        return None;
    };
    Some(user + nice + system + irq + softirq + steal)
}

/// A loopback port that was free a moment ago.
pub(super) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("a free port")?;
    Ok(listener.local_addr()?.port())
}

fn send_signal(signal: &str, pids: &[u32]) {
    let pids = pids.iter().map(u32::to_string);
    // A process that has already ended makes `kill` complain, and that is fine.
    let _ =
        Command::new("kill").arg(format!("-{signal}")).args(pids).stderr(Stdio::null()).status();
}

fn from_ticks(ticks: u64) -> anyhow::Result<Duration> {
    let output = Command::new("getconf").arg("CLK_TCK").output().context("getconf")?;
    let per_second = String::from_utf8_lossy(&output.stdout).trim().parse();
    let per_second: f64 = per_second.context("getconf CLK_TCK")?;
    Ok(Duration::from_secs_f64(ticks as f64 / per_second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<Stat>) {
        assert_eq!(Stat::parse(line), expected, "{line}");
    }

    #[test]
    fn reads_stat_with_brackets_in_the_name() {
        check(
            "77 (a) b (c)) S 12 77 77 0 -1 4194560 5 0 0 0 41 42 0 0 20 0 1 0 9 1 1",
            Some(Stat { parent: 12, utime: 41, stime: 42 }),
        );
        check("77 (short) S 12", None);
        check("", None);
    }

    #[test]
    fn a_core_is_busy_with_all_but_idling() {
        let stat = "cpu 9 9 9 9 9 9 9 9 9 9\ncpu0 1 2 3 400 500 6 7 8 0 0\ncpu1 1 1\nintr 5\n";
        assert_eq!(busy_ticks(stat, 0), Some(27));
        assert_eq!(busy_ticks(stat, 1), None);
        assert_eq!(busy_ticks(stat, 2), None);
    }

    #[test]
    fn a_running_program_ends_with_its_value() {
        let dir = std::env::temp_dir();
        let core = crate::bench::cores::allowed().unwrap()[0];
        let launch = Launch { args: vec!["60".to_owned()], env: Vec::new(), dir: &dir, core };
        let name = format!("xtask-bench-sleep-{}", std::process::id());
        let running = Program(vec!["sleep".to_owned()]).start(&name, &launch).unwrap();
        let pid = running.child.id();
        let log = running.log.clone();
        assert!(running.processor_time().is_ok());
        drop(running);
        fs::remove_file(log).unwrap();
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }
}
