//! Thousands of clients that take their time: a client beside them does not notice, each costs
//! little, and they are gone when their time is over.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use socket2::{Domain, SockRef, Socket, Type};
use testkit::wire::Wire;

use super::site::{HOST, Site};
use super::upstream::request;
use super::{Report, Run};
use crate::client::Client;
use crate::latency::Histogram;
use crate::proxy::Proxy;
use crate::surroundings::wait_for;

/// What clients are slow at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slowness {
    /// The head of a request comes a byte at a time.
    Heads,
    /// The body of a request comes a byte at a time.
    Bodies,
    /// A long response is hardly read.
    Reads,
    /// Nothing comes after a request.
    Idle,
}

impl Slowness {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Heads => "slow-heads",
            Self::Bodies => "slow-bodies",
            Self::Reads => "slow-reads",
            Self::Idle => "idle",
        }
    }

    /// The setting that ends such clients.
    fn setting(self) -> &'static str {
        match self {
            Self::Heads | Self::Bodies => "readTimeout",
            Self::Reads => "writeTimeout",
            Self::Idle => "idleTimeout",
        }
    }

    /// What a client sends at once.
    fn beginning(self) -> String {
        match self {
            Self::Heads => format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nX-Slow: "),
            Self::Bodies => {
                format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 100000\r\n\r\n")
            }
            Self::Reads => format!("GET {LONG_PATH} HTTP/1.1\r\nHost: {HOST}\r\n\r\n"),
            Self::Idle => format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"),
        }
    }
}

/// A slow client.
struct Slow {
    stream: TcpStream,
    begun: Instant,
    /// When it saw the end of its connection.
    ended: Option<Instant>,
}

pub(super) fn run(run: &Run, slowness: Slowness) -> anyhow::Result<Report> {
    let server = serve()?;
    let transport =
        format!("respondingTimeouts: {{{}: {}s}}", slowness.setting(), DEADLINE.as_secs());
    let site = Site::of_servers(&transport, &[server.address])?;
    let mut proxy = site.start(run.binary())?;
    let beside = Beside::start(site.web());
    thread::sleep(BASELINE);
    let (alone, _) = beside.take();
    let (resident, descriptors) = (proxy.resident_bytes()?, proxy.descriptors()?);

    let mut clients = Vec::with_capacity(run.options.clients);
    let beginning = slowness.beginning();
    for number in 0..run.options.clients {
        clients.push(Slow::connect(site.web(), &beginning, slowness)?);
        if matches!(slowness, Slowness::Bodies | Slowness::Reads) {
            server.keep_up(number)?;
        }
    }
    let connected = clients.last().context("clients")?.begun - clients[0].begun;
    let full = Instant::now();
    let mut most = 0;
    let mut round = 0;
    while clients.iter().any(|client| client.ended.is_none()) {
        proxy.check_running()?;
        if clients.iter().all(|client| client.ended.is_none()) {
            most = most.max(proxy.resident_bytes()?);
        }
        let left = clients.iter().filter(|client| client.ended.is_none()).count();
        ensure!(
            full.elapsed() < DEADLINE + LATE_MAX * 5,
            "{left} of {} slow clients are never cut off",
            clients.len()
        );
        thread::sleep(LOOK);
        // Slow clients do not act in step with each other: some of them send a byte each time.
        round += 1;
        for (number, client) in clients.iter_mut().enumerate() {
            client.go_on(slowness, (number + round).is_multiple_of(LOOKS_PER_DRIP));
        }
        // A reset that meets a full window is answered with a challenge (RFC 5961), of which the kernel
        // sends so many a second: the few left out cannot see that they are gone.
        if slowness == Slowness::Reads && proxy.descriptors()? <= descriptors + 10 {
            clients.iter_mut().for_each(Slow::end);
        }
    }
    let (beside_them, failures) = beside.stop();
    let mut report = Report::default();
    let kept = clients.iter().filter_map(|client| Some(client.ended? - client.begun));
    let (soonest, latest) = (kept.clone().min().context("ends")?, kept.max().context("ends")?);
    let each = most.saturating_sub(resident) / run.options.clients as u64;
    report.figure(format!(
        "{} clients within {connected:.1?}, {:.1} KiB each",
        clients.len(),
        each as f64 / 1024.0
    ));
    report.figure(format!(
        "cut off after {soonest:.2?} to {latest:.2?} ({} {DEADLINE:?})",
        slowness.setting()
    ));
    report.figure(format!(
        "beside them p50 {:.1?} p99 {:.1?} max {:.1?}, alone {:.1?} {:.1?} {:.1?}",
        beside_them.quantile(0.5),
        beside_them.quantile(0.99),
        beside_them.max(),
        alone.quantile(0.5),
        alone.quantile(0.99),
        alone.max(),
    ));
    report.expect(most > 0, || "the first client was cut off before the last had come".to_owned());
    report.expect(each <= EACH_MAX, || format!("a slow client costs {each} bytes"));
    report.expect(soonest + EARLY_MAX >= DEADLINE && latest <= DEADLINE + LATE_MAX, || {
        "clients were not cut off in time".to_owned()
    });
    let bound = (alone.quantile(0.99) * 3).max(DELAY_MAX);
    report.expect(beside_them.quantile(0.99) <= bound, || "a client beside them waits".to_owned());
    report.expect(failures.is_empty(), || format!("the client beside them: {failures:?}"));
    let left = descriptors_left(&proxy, descriptors)?;
    report.expect(left <= descriptors + 10, || format!("{left} descriptors, {descriptors} before"));
    Ok(report)
}

/// The descriptors when no more are closed; connections to servers end a moment after clients'.
fn descriptors_left(proxy: &Proxy, before: usize) -> anyhow::Result<usize> {
    let end = Instant::now() + LATE_MAX * 2;
    loop {
        let left = proxy.descriptors()?;
        if left <= before + 10 || Instant::now() > end {
            return Ok(left);
        }
        thread::sleep(LOOK);
    }
}

impl Slow {
    fn connect(address: SocketAddr, beginning: &str, slowness: Slowness) -> anyhow::Result<Self> {
        let mut stream = match slowness {
            Slowness::Reads => connect_narrow(address)?,
            _ => TcpStream::connect(address)?,
        };
        let begun = Instant::now();
        stream.write_all(beginning.as_bytes())?;
        if slowness == Slowness::Idle {
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            let count = stream.read(&mut [0; 512])?;
            ensure!(count > 0, "a request before an idle time was not answered");
        }
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            begun: if slowness == Slowness::Idle { Instant::now() } else { begun },
            ended: None,
        })
    }

    /// Sends one byte, or reads some, or just looks whether the connection is still there.
    fn go_on(&mut self, slowness: Slowness, drips: bool) {
        if self.ended.is_some() {
            return;
        }
        let is_there = match slowness {
            Slowness::Heads | Slowness::Bodies => {
                if drips {
                    let _ = self.stream.write(b"a");
                }
                is_open(self.stream.read(&mut [0; 512]))
            }
            // An orderly end would come behind all that the kernels hold, so a reset is expected.
            Slowness::Reads => matches!(SockRef::from(&self.stream).take_error(), Ok(None)),
            Slowness::Idle => is_open(self.stream.read(&mut [0; 512])),
        };
        if !is_there {
            self.end();
        }
    }

    fn end(&mut self) {
        self.ended.get_or_insert_with(Instant::now);
    }
}

/// Connects as one who reads slowly: the kernel shall not read in his place.
pub(super) fn connect_narrow(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_recv_buffer_size(4096)?;
    socket.connect(&address.into())?;
    Ok(socket.into())
}

fn is_open(read: io::Result<usize>) -> bool {
    match read {
        Ok(count) => count > 0,
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    }
}

/// A client that asks all the time, beside others.
pub(super) struct Beside {
    stops: Arc<AtomicBool>,
    shared: Arc<Mutex<(Histogram, Vec<String>)>>,
    thread: JoinHandle<()>,
}

impl Beside {
    pub(super) fn start(address: SocketAddr) -> Self {
        let stops = Arc::new(AtomicBool::new(false));
        let shared = Arc::new(Mutex::new((Histogram::new(), Vec::new())));
        let (told, noted) = (Arc::clone(&stops), Arc::clone(&shared));
        let thread = thread::spawn(move || {
            let mut kept = None;
            while !told.load(Ordering::Relaxed) {
                let asked = Instant::now();
                let result = ask(&mut kept, address);
                let mut noted = lock(&noted);
                match result {
                    Ok(()) => noted.0.add(asked.elapsed()),
                    Err(failure) => noted.1.push(failure),
                }
                drop(noted);
                thread::sleep(REST);
            }
        });
        Self { stops, shared, thread }
    }

    /// Takes what was measured so far.
    pub(super) fn take(&self) -> (Histogram, Vec<String>) {
        std::mem::replace(&mut *lock(&self.shared), (Histogram::new(), Vec::new()))
    }

    /// Ends it; gives what was measured since the last time.
    pub(super) fn stop(self) -> (Histogram, Vec<String>) {
        self.stops.store(true, Ordering::Relaxed);
        let _ = self.thread.join();
        std::mem::replace(&mut *lock(&self.shared), (Histogram::new(), Vec::new()))
    }
}

fn ask(kept: &mut Option<Client>, address: SocketAddr) -> Result<(), String> {
    let mut client = match kept.take() {
        Some(client) => client,
        None => Client::connect(address).map_err(|failure| failure.to_string())?,
    };
    let answer = client.get(HOST, "/").map_err(|failure| failure.to_string())?;
    if answer.status != 200 {
        return Err(format!("status {}", answer.status));
    }
    if !answer.closes {
        *kept = Some(client);
    }
    Ok(())
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a server that answers everything, and a long body to [`LONG_PATH`]. It lives as long as
/// this program.
pub(super) fn serve() -> anyhow::Result<Server> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    // The standard library's queue of 128 is short for thousands that come at once.
    SockRef::from(&listener).listen(4096)?;
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::Relaxed);
            let builder = thread::Builder::new().stack_size(STACK);
            let _ = builder.spawn(move || answer_all(stream));
        }
    });
    Ok(Server { address, accepted })
}

/// A server within this program.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    /// Connections so far.
    accepted: Arc<AtomicUsize>,
}

impl Server {
    /// Waits until all but a few of so many connections have come: a server whose queue overflows is
    /// not what is looked at.
    pub(super) fn keep_up(&self, connections: usize) -> anyhow::Result<()> {
        wait_for("connections to the server", PATIENCE, || {
            let accepted = self.accepted.load(Ordering::Relaxed);
            Ok((accepted + QUEUE_MAX >= connections).then_some(()))
        })
    }
}

fn answer_all(stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut wire = Wire::new(stream);
    loop {
        let (_, path) = request(&mut wire)?;
        let stream = &mut wire.stream;
        if path != LONG_PATH {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").ok()?;
            continue;
        }
        SockRef::from(&*stream).set_send_buffer_size(PIECE.len()).ok()?;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LONG}\r\n\r\n");
        stream.write_all(head.as_bytes()).ok()?;
        for _ in 0..LONG / PIECE.len() {
            stream.write_all(&PIECE).ok()?;
        }
    }
}

/// Where a server has a long response.
pub(super) const LONG_PATH: &str = "/long";
/// More than all the kernel's buffers on the way hold.
const LONG: usize = 64 << 20;
static PIECE: [u8; 16 << 10] = [b'a'; 16 << 10];
/// Connections that wait for a server to accept them.
const QUEUE_MAX: usize = 500;
const PATIENCE: Duration = Duration::from_secs(20);
const STACK: usize = 64 << 10;
const DEADLINE: Duration = Duration::from_secs(6);
/// Deadlines are set from a clock that is up to 50 ms behind.
const EARLY_MAX: Duration = Duration::from_millis(100);
/// Thousands are cut off at the same time, on a machine that has their other ends too.
const LATE_MAX: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(50);
/// Slow clients send a byte a second.
const LOOKS_PER_DRIP: usize = 20;
const REST: Duration = Duration::from_millis(2);
const BASELINE: Duration = Duration::from_secs(1);
/// Memory that a slow client may cost.
const EACH_MAX: u64 = 24 << 10;
/// A delay that nobody minds.
const DELAY_MAX: Duration = Duration::from_millis(50);
