//! Upstream servers: each is a process of its own, so that one can really go.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

/// The word after `soak` that makes this program an upstream server.
pub(super) const WORD: &str = "upstream";

/// A server that answers with its name, the host, the path and the length of the request's body.
pub(super) struct Upstream {
    pub(super) name: String,
    pub(super) address: SocketAddr,
    child: Child,
    orders: ChildStdin,
}

impl Upstream {
    pub(super) fn start(name: String) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["soak", WORD, &name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("an upstream server")?;
        let orders = child.stdin.take().context("its standard input")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("its standard output")?).read_line(&mut line)?;
        let address = line.trim().parse().with_context(|| format!("upstream {name}: {line:?}"))?;
        Ok(Self { name, address, child, orders })
    }

    /// Ends the server, which no request may reach any more: it waits for quiet, then is gone with
    /// all its connections.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        self.orders.write_all(b"stop\n")?;
        let status = self.child.wait()?;
        ensure!(
            status.success(),
            "upstream server {} still gets requests after it left",
            self.name
        );
        Ok(())
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is an upstream server until told to stop, or until whoever started it is gone.
pub(super) fn serve(name: &str) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("{}", listener.local_addr()?);
    let begun = Arc::new(AtomicU64::new(0));
    let name: Arc<str> = name.into();
    let seen = Arc::clone(&begun);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (name, begun) = (Arc::clone(&name), Arc::clone(&begun));
            thread::spawn(move || answer_all(stream, &name, &begun));
        }
    });
    let mut order = String::new();
    std::io::stdin().read_line(&mut order)?;
    if order.is_empty() {
        return Ok(());
    }
    let end = Instant::now() + QUIET_LIMIT;
    let mut last = u64::MAX;
    while Instant::now() < end {
        let now = seen.load(Ordering::Relaxed);
        if now == last {
            return Ok(());
        }
        last = now;
        thread::sleep(QUIET);
    }
    bail!("requests keep coming")
}

/// Answers requests until the connection ends, one way or another.
fn answer_all(mut stream: TcpStream, name: &str, begun: &AtomicU64) {
    let _ = stream.set_nodelay(true);
    let mut read = Vec::new();
    while let Some((host, path, length)) = request(&mut stream, &mut read) {
        begun.fetch_add(1, Ordering::Relaxed);
        if path.contains(SLOW_PATH) {
            thread::sleep(SLOW);
        }
        let body = format!("{name} {host} {path} {length}");
        let response = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(response.as_bytes()).is_err() {
            return;
        }
    }
}

/// Reads a request: its host, its path and the length of its body.
fn request(stream: &mut TcpStream, read: &mut Vec<u8>) -> Option<(String, String, usize)> {
    let mut fill = |read: &mut Vec<u8>| {
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).ok().filter(|count| *count > 0)?;
        read.extend_from_slice(&piece[..count]);
        Some(())
    };
    let head_length = loop {
        match read.windows(4).position(|window| window == b"\r\n\r\n") {
            Some(end) => break end + 4,
            None => fill(read)?,
        }
    };
    let head = String::from_utf8_lossy(&read[..head_length]).into_owned();
    let mut lines = head.split("\r\n");
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let fields: Vec<_> = lines.filter_map(|line| line.split_once(": ")).collect();
    let field = |wanted: &str| {
        fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value)
    };
    let host = field("host")?.to_owned();
    let length = field("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    while read.len() < head_length + length {
        fill(read)?;
    }
    read.drain(..head_length + length);
    Some((host, path, length))
}

/// Requests whose path holds it are answered after [`SLOW`].
pub(super) const SLOW_PATH: &str = "/slow";
/// Time that an answer to [`SLOW_PATH`] takes.
pub(super) const SLOW: Duration = Duration::from_millis(700);
/// A server without a new request for this long has seen its last one.
const QUIET: Duration = Duration::from_millis(150);
const QUIET_LIMIT: Duration = Duration::from_secs(5);
