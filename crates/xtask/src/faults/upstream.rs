//! Upstream servers with faults on demand. Each is a process of its own, so that one can really be
//! killed or stopped; it writes down every request before it does anything about it, and what it
//! wrote outlives it in a pipe.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};
use socket2::SockRef;
use testkit::ports::ReservedPort;
use testkit::wire::{Framing, Wire};

use super::events::{Event, Events};

/// The word after `faults` that makes this program an upstream server.
pub(super) const WORD: &str = "upstream";
/// Where servers are asked whether they are well; such requests are not written down.
pub(super) const HEALTH_PATH: &str = "/health";

/// What a server does with requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Mode {
    /// Answers with its name.
    Well,
    /// Answers 500.
    Errors,
    /// Resets the connection before it answers.
    Reset,
    /// Resets the connection within the body of its answer.
    Cut,
    /// Closes its connections and does not listen.
    Refuse,
}

/// A server.
pub(super) struct Upstream {
    pub(super) name: &'static str,
    port: ReservedPort,
    running: Option<Running>,
    events: Events,
}

struct Running {
    child: Child,
    orders: ChildStdin,
}

impl Upstream {
    /// Starts a server that writes down its requests in `events`.
    pub(super) fn start(name: &'static str, events: &Events) -> anyhow::Result<Self> {
        let port = ReservedPort::claim()?;
        let mut upstream = Self { name, port, running: None, events: events.clone() };
        upstream.revive()?;
        Ok(upstream)
    }

    pub(super) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port.number()))
    }

    /// Has the server do something else from now on.
    pub(super) fn set(&mut self, mode: Mode) -> anyhow::Result<()> {
        let running = self.running.as_mut().context("a server that was killed")?;
        Ok(writeln!(running.orders, "{}", mode.word())?)
    }

    /// Ends the server's process, as SIGKILL does.
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        let mut running = self.running.take().context("a server that was killed")?;
        running.child.kill()?;
        running.child.wait()?;
        Ok(())
    }

    /// Starts the server's process again, on the port that it had.
    pub(super) fn revive(&mut self) -> anyhow::Result<()> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["faults", WORD, self.name, &self.port.number().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("an upstream server")?;
        let orders = child.stdin.take().context("its standard input")?;
        let mut lines = BufReader::new(child.stdout.take().context("its standard output")?).lines();
        let first = lines.next().context("a server that ended at once")??;
        ensure!(first == "ready", "upstream {}: {first:?}", self.name);
        let (name, events) = (self.name, self.events.clone());
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(event) = Event::parse(name, &line) {
                    events.add(event);
                }
            }
        });
        self.running = Some(Running { child, orders });
        Ok(())
    }

    /// Sends a signal by its name without `SIG`.
    pub(super) fn signal(&self, name: &str) -> anyhow::Result<()> {
        let running = self.running.as_ref().context("a server that was killed")?;
        let pid = running.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status()?;
        ensure!(sent.success(), "signal {name} cannot be sent");
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Mode {
    const ALL: [Self; 5] = [Self::Well, Self::Errors, Self::Reset, Self::Cut, Self::Refuse];

    fn word(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Errors => "errors",
            Self::Reset => "reset",
            Self::Cut => "cut",
            Self::Refuse => "refuse",
        }
    }
}

/// Is an upstream server until whoever started it is gone.
pub(super) fn serve(name: &str, port: u16) -> anyhow::Result<()> {
    let server = Arc::new(Server {
        name: name.to_owned(),
        address: SocketAddr::from(([127, 0, 0, 1], port)),
        mode: AtomicU8::new(Mode::Well as u8),
        connections: Mutex::default(),
        changed: Condvar::new(),
    });
    let listener = TcpListener::bind(server.address)?;
    println!("ready");
    let listening = Arc::clone(&server);
    thread::spawn(move || listening.listen(listener));
    for order in std::io::stdin().lines().map_while(Result::ok) {
        if let Some(mode) = Mode::ALL.into_iter().find(|mode| mode.word() == order) {
            server.set(mode);
        }
    }
    Ok(())
}

struct Server {
    name: String,
    address: SocketAddr,
    mode: AtomicU8,
    connections: Mutex<HashMap<u64, TcpStream>>,
    changed: Condvar,
}

impl Server {
    fn mode(&self) -> Mode {
        Mode::ALL[usize::from(self.mode.load(Ordering::SeqCst))]
    }

    fn set(&self, mode: Mode) {
        let connections = self.connections();
        self.mode.store(mode as u8, Ordering::SeqCst);
        self.changed.notify_all();
        if mode == Mode::Refuse {
            for stream in connections.values() {
                let _ = stream.shutdown(Shutdown::Read);
            }
            drop(connections);
            // Wakes the thread that accepts.
            let _ = TcpStream::connect(self.address);
        }
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<u64, TcpStream>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(self: Arc<Self>, mut listener: TcpListener) {
        for number in 0.. {
            let Ok((stream, _)) = listener.accept() else { return };
            if self.mode() == Mode::Refuse {
                drop((stream, listener));
                let connections = self.connections();
                let refuses = |_: &mut HashMap<u64, TcpStream>| self.mode() == Mode::Refuse;
                drop(self.changed.wait_while(connections, refuses));
                match TcpListener::bind(self.address) {
                    Ok(bound) => listener = bound,
                    Err(error) => return println!("cannot listen again: {error}"),
                }
                continue;
            }
            let Ok(copy) = stream.try_clone() else { continue };
            self.connections().insert(number, copy);
            println!("connection");
            let server = Arc::clone(&self);
            thread::spawn(move || {
                server.answer_all(stream);
                server.connections().remove(&number);
            });
        }
    }

    /// Answers requests until the connection ends, one way or another.
    fn answer_all(&self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let mut wire = Wire::new(stream);
        while let Some((method, path)) = request(&mut wire) {
            if path != HEALTH_PATH {
                println!("{method} {path}");
            }
            let (status, name) = (if self.mode() == Mode::Errors { 500 } else { 200 }, &self.name);
            let response =
                format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{name}", name.len());
            let (sent, goes_on) = match self.mode() {
                Mode::Reset => (0, false),
                Mode::Cut => (response.len() - 1, false),
                _ => (response.len(), true),
            };
            if wire.stream.write_all(&response.as_bytes()[..sent]).is_err() {
                return;
            }
            if !goes_on {
                let _ = SockRef::from(&wire.stream).set_linger(Some(Duration::ZERO));
                return;
            }
        }
    }
}

/// Reads a whole request; gives its method and path.
pub(super) fn request(wire: &mut Wire<impl Read>) -> Option<(String, String)> {
    let head = wire.head().ok()??;
    let mut words = head.first_line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    wire.body(head.framing(Framing::None)).complete.then_some((method, path))
}
