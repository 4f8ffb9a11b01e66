//! Clients that ask all the time, and what became of every request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use testkit::client::{Connection, TlsOptions};

use super::site::HOST;
use crate::client::{Client, Failure};

/// Threads with a connection each, which send a request and rest a little, again and again.
pub(super) struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Vec<Asked>>>,
}

/// A request and what came of it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) at: Instant,
    pub(super) took: Duration,
    pub(super) is_post: bool,
    pub(super) path: String,
    pub(super) result: Result<(), Wrong>,
}

/// How a request went wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It was answered with another status than 200.
    Status(u16),
    /// The answer began and did not look complete.
    Cut(String),
    /// There was no answer.
    None(String),
}

struct Shared {
    address: SocketAddr,
    stops: AtomicBool,
    answered: AtomicU64,
    number: AtomicU64,
    prefixes: Vec<&'static str>,
}

impl Load {
    /// Starts clients. Paths begin with one of `prefixes`, in turn, and are all different.
    pub(super) fn start(
        address: SocketAddr,
        clients: usize,
        prefixes: &[&'static str],
        rest: Duration,
    ) -> Self {
        let shared = Arc::new(Shared {
            address,
            stops: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            number: AtomicU64::new(0),
            prefixes: prefixes.to_vec(),
        });
        let start = |_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.ask_all(rest))
        };
        Self { threads: (0..clients).map(start).collect(), shared }
    }

    /// Waits until so many more requests are answered.
    pub(super) fn answer(&self, count: u64) -> anyhow::Result<()> {
        let wanted = self.shared.answered.load(Ordering::Relaxed) + count;
        crate::surroundings::wait_for("answers", PATIENCE, || {
            Ok((self.shared.answered.load(Ordering::Relaxed) >= wanted).then_some(()))
        })
    }

    /// How many requests were sent so far; also the number of the next one.
    pub(super) fn sent(&self) -> u64 {
        self.shared.number.load(Ordering::Relaxed)
    }

    /// Ends the clients after the requests that are under way; gives all requests.
    pub(super) fn stop(self) -> Vec<Asked> {
        self.shared.stops.store(true, Ordering::Relaxed);
        let asked = self.threads.into_iter().map(|thread| thread.join().expect("no panic"));
        asked.flatten().collect()
    }
}

impl Shared {
    fn ask_all(&self, rest: Duration) -> Vec<Asked> {
        let mut all = Vec::new();
        let mut client = None;
        while !self.stops.load(Ordering::Relaxed) {
            let number = self.number.fetch_add(1, Ordering::Relaxed);
            let prefix = self.prefixes[number as usize % self.prefixes.len()];
            // Every tenth request must not be sent twice, of each prefix in turn.
            let is_post = number as usize / self.prefixes.len() % 10 == 9;
            let path = format!("{prefix}/{number}");
            let at = Instant::now();
            let result = self.ask(&mut client, is_post, &path);
            if result.is_ok() {
                self.answered.fetch_add(1, Ordering::Relaxed);
            }
            all.push(Asked { at, took: at.elapsed(), is_post, path, result });
            thread::sleep(rest);
        }
        all
    }

    fn ask(&self, kept: &mut Option<Client>, is_post: bool, path: &str) -> Result<(), Wrong> {
        let mut client = match kept.take() {
            Some(client) => client,
            None => Client::connect(self.address)
                .map_err(|failure| Wrong::None(format!("{failure}")))?,
        };
        let (method, body) =
            if is_post { ("POST", "Content-Length: 4\r\n\r\nonce") } else { ("GET", "\r\n") };
        client.send(format!("{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n{body}").as_bytes());
        let answer = client.answer().map_err(|failure| match failure {
            Failure::Broken(what) => Wrong::Cut(what),
            other => Wrong::None(other.to_string()),
        })?;
        let (status, closes) = (answer.status, answer.closes);
        if !closes {
            *kept = Some(client);
        }
        if status == 200 { Ok(()) } else { Err(Wrong::Status(status)) }
    }
}

const PATIENCE: Duration = Duration::from_secs(20);

/// Clients that do what one does not do, one after the other, over new connections in clear text and
/// with TLS: leave within a head, a body or a response, send what is no request.
pub(super) struct Misfits {
    stops: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Misfits {
    pub(super) fn start(web: SocketAddr, secure: SocketAddr) -> Self {
        let stops = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stops);
        let thread = thread::spawn(move || {
            let mut count = 0;
            while !told.load(Ordering::Relaxed) {
                misbehave(web, secure, count);
                count += 1;
                thread::sleep(Duration::from_millis(10));
            }
            count
        });
        Self { stops, thread }
    }

    /// Ends them; tells how many there were.
    pub(super) fn stop(self) -> u64 {
        self.stops.store(true, Ordering::Relaxed);
        self.thread.join().expect("no panic")
    }
}

fn misbehave(web: SocketAddr, secure: SocketAddr, number: u64) {
    let head = format!("GET /misfit HTTP/1.1\r\nHost: {HOST}\r\n");
    let chunked =
        format!("POST /misfit HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n");
    let bytes = match number % 5 {
        0 => head,
        1 => format!("{chunked}5\r\nhel"),
        2 => format!("{chunked}5\r\nhello\r\n0\r\n\r\n"),
        3 => format!("{head}\r\n"),
        _ => "\r\nno request\r\n\r\n".to_owned(),
    };
    let connection = if number.is_multiple_of(2) {
        Connection::plain(web).ok()
    } else {
        Connection::tls(secure, &TlsOptions::default()).ok().flatten()
    };
    let Some(mut connection) = connection else { return };
    connection.send(bytes.as_bytes());
    if matches!(number % 5, 2 | 4) {
        connection.response("POST", b"", b"");
    }
}
