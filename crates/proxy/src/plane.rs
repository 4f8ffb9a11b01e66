//! The data plane as the rest of the program sees it: start, publish, open and close, drain.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use routing::Snapshot;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};

use crate::http2::Counters;
use crate::net;
use crate::settings::EntryPointSettings;
use crate::worker::{self, LoadGuard, Order, Worker};

/// How long accepting rests when the process is out of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often a drain looks whether connections are left.
const DRAIN_POLL: Duration = Duration::from_millis(20);

/// The running data plane.
pub struct DataPlane {
    shared: Arc<Shared>,
    entry_points: Mutex<HashMap<Arc<str>, OpenEntryPoint>>,
}

/// Says why an entry point could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("entry point {name:?}: cannot listen on {address}: {source}")]
pub struct OpenError {
    pub name: Arc<str>,
    pub address: SocketAddr,
    pub source: io::Error,
}

/// What was done against abuse of HTTP/2 since the start, over all connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Http2Counts {
    /// Connections ended because of frames that carry nothing: PING, SETTINGS, PRIORITY, resets,
    /// empty DATA, needless WINDOW_UPDATE.
    pub frame_floods: u64,
    /// Connections ended because too many streams ended without their response.
    pub stream_floods: u64,
    /// Connections ended for breaking the protocol or its limits.
    pub protocol_errors: u64,
    /// Requests refused for being malformed.
    pub malformed_requests: u64,
    /// Streams refused because their connection had too much under way.
    pub refused_streams: u64,
}

/// What all workers share.
pub(crate) struct Shared {
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(crate) http2: Counters,
    workers: Vec<WorkerLine>,
}

/// A line to a worker.
struct WorkerLine {
    orders: UnboundedSender<Order>,
    load: Arc<AtomicUsize>,
}

/// One entry point as its connections see it.
pub(crate) struct EntryPoint {
    pub(crate) settings: ArcSwap<EntryPointSettings>,
}

struct OpenEntryPoint {
    entry_point: Arc<EntryPoint>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    stopped: oneshot::Receiver<()>,
}

/// Accepts one entry point's connections and hands them to the least loaded worker.
pub(crate) struct Acceptor {
    listener: std::net::TcpListener,
    entry_point: Arc<EntryPoint>,
    stop: watch::Receiver<bool>,
    /// Dropped when the last connection was accepted and the socket closed.
    _stopped: oneshot::Sender<()>,
}

impl DataPlane {
    /// Starts the workers, with an empty snapshot.
    ///
    /// # Errors
    /// When a thread or its runtime cannot be made.
    pub fn start(workers: NonZeroUsize) -> io::Result<Self> {
        let snapshot = Snapshot { generation: 0, entry_points: foldhash::HashMap::default() };
        let mut lines = Vec::new();
        let mut starts = Vec::new();
        for index in 0..workers.get() {
            let (orders, received) = unbounded_channel();
            let load = Arc::new(AtomicUsize::new(0));
            lines.push(WorkerLine { orders, load });
            starts.push((index, received));
        }
        let shared = Arc::new(Shared {
            snapshot: Arc::new(ArcSwap::from_pointee(snapshot)),
            http2: Counters::default(),
            workers: lines,
        });
        for (index, orders) in starts {
            let shared = Arc::clone(&shared);
            spawn(index, shared, orders)?;
        }
        Ok(Self { shared, entry_points: Mutex::default() })
    }

    /// Puts a snapshot in force, and gives the one that it replaces. Requests under way finish on
    /// the one they started with.
    pub fn publish(&self, snapshot: Arc<Snapshot>) -> Arc<Snapshot> {
        self.shared.snapshot.swap(snapshot)
    }

    /// Opens an entry point; gives the address that it got, with the port the kernel chose for
    /// port 0.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn open(&self, settings: EntryPointSettings) -> Result<SocketAddr, OpenError> {
        let name = Arc::clone(&settings.name);
        let address = settings.address;
        let failed = |source| OpenError { name: Arc::clone(&settings.name), address, source };
        let listener = net::listen(address, settings.reuse_port).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let entry_point = Arc::new(EntryPoint { settings: ArcSwap::from_pointee(settings) });
        let (stop, stop_received) = watch::channel(false);
        let (stopped_sender, stopped) = oneshot::channel();
        let acceptor = Acceptor {
            listener,
            entry_point: Arc::clone(&entry_point),
            stop: stop_received,
            _stopped: stopped_sender,
        };
        // One worker accepts for all; its share of connections is what is left to it.
        if let Some(line) = self.shared.workers.first() {
            let _ = line.orders.send(Order::Accept(acceptor));
        }
        let open = OpenEntryPoint { entry_point, address, stop, stopped };
        self.lock().insert(name, open);
        Ok(address)
    }

    /// Changes an open entry point's settings for connections that come from now on. The address
    /// stays what it is.
    pub fn reconfigure(&self, settings: EntryPointSettings) {
        if let Some(open) = self.lock().get(&settings.name) {
            open.entry_point.settings.store(Arc::new(settings));
        }
    }

    /// Closes an entry point: connections in the listener's queue are still served, and open
    /// connections live on.
    pub fn close(&self, name: &str) {
        if let Some(open) = self.lock().remove(name) {
            let _ = open.stop.send(true);
        }
    }

    /// The addresses of all entry points.
    pub fn addresses(&self) -> Vec<(Arc<str>, SocketAddr)> {
        let entry_points = self.lock();
        entry_points.iter().map(|(name, open)| (Arc::clone(name), open.address)).collect()
    }

    /// Counts open client connections.
    pub fn connections(&self) -> usize {
        self.shared.workers.iter().map(|line| line.load.load(Ordering::Relaxed)).sum()
    }

    /// What was done against abuse of HTTP/2.
    pub fn http2_counts(&self) -> Http2Counts {
        let counters = &self.shared.http2;
        Http2Counts {
            frame_floods: counters.frame_floods.load(Ordering::Relaxed),
            stream_floods: counters.stream_floods.load(Ordering::Relaxed),
            protocol_errors: counters.protocol_errors.load(Ordering::Relaxed),
            malformed_requests: counters.malformed_requests.load(Ordering::Relaxed),
            refused_streams: counters.refused_streams.load(Ordering::Relaxed),
        }
    }

    /// Ends all service: serves the listeners' queues until they are empty and closes the
    /// listeners, lets requests, streams and tunnels finish for `grace`, closes idle connections.
    /// Tells how many connections were still open at the end.
    pub async fn drain(&self, grace: Duration) -> usize {
        let deadline = tokio::time::Instant::now() + grace;
        let open: Vec<OpenEntryPoint> = self.lock().drain().map(|(_, open)| open).collect();
        for open in &open {
            let _ = open.stop.send(true);
        }
        for line in &self.shared.workers {
            let _ = line.orders.send(Order::Drain);
        }
        for open in open {
            let _ = open.stopped.await;
        }
        while self.connections() > 0 && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(DRAIN_POLL).await;
        }
        self.connections()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, OpenEntryPoint>> {
        self.entry_points.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for DataPlane {
    /// Ends the workers, and with them all connections.
    fn drop(&mut self) {
        for line in &self.shared.workers {
            let _ = line.orders.send(Order::End);
        }
    }
}

/// Starts a worker's thread.
fn spawn(index: usize, shared: Arc<Shared>, orders: UnboundedReceiver<Order>) -> io::Result<()> {
    std::thread::Builder::new().name(format!("worker-{index}")).spawn(move || {
        match Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
            Ok(runtime) => runtime.block_on(worker::run(shared, orders)),
            Err(error) => tracing::error!(%error, "cannot start a worker"),
        }
    })?;
    Ok(())
}

impl Acceptor {
    /// Accepts until told to stop, then until the queue is empty.
    pub(crate) async fn run(self, worker: &std::rc::Rc<Worker>, shared: &Shared) {
        let Self { listener, entry_point, mut stop, _stopped } = self;
        let listener = match TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                return;
            }
        };
        loop {
            // The stop is looked at first: connections may come faster than they are accepted.
            let accepted = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                accepted = net::accept(&listener) => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    shared.hand_over(worker, stream, peer, &entry_point);
                    if net::is_short_of_descriptors() {
                        tracing::warn!("few descriptors are left: accepting rests");
                        tokio::select! {
                            biased;
                            _ = stop.wait_for(|stop| *stop) => break,
                            () = rest() => {}
                        }
                    }
                }
                Err(error) if is_passing(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections for the moment");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        // What the kernel holds is asked for without tokio, which would say that there is nothing
        // when it has not looked yet or when this task has had its turn.
        let Ok(listener) = listener.into_std() else { return };
        for _ in 0..=net::LISTEN_BACKLOG {
            let Ok((stream, peer)) = listener.accept() else { return };
            if stream.set_nonblocking(true).is_ok()
                && let Ok(stream) = TcpStream::from_std(stream)
            {
                shared.hand_over(worker, stream, peer, &entry_point);
            }
        }
    }
}

/// Waits until there are descriptors again.
async fn rest() {
    loop {
        tokio::time::sleep(ACCEPT_PAUSE).await;
        if !net::is_short_of_descriptors() {
            return;
        }
    }
}

/// Tells errors of one connection from those of the process.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
            | io::ErrorKind::WouldBlock
    )
}

impl Shared {
    fn hand_over(
        &self,
        worker: &std::rc::Rc<Worker>,
        stream: TcpStream,
        peer: SocketAddr,
        entry_point: &Arc<EntryPoint>,
    ) {
        if net::prepare(&stream).is_err() {
            return;
        }
        let loads = self.workers.iter().map(|line| line.load.load(Ordering::Relaxed)).enumerate();
        let Some((index, _)) = loads.min_by_key(|(_, load)| *load) else { return };
        // Counted from here on, so that the next one goes elsewhere and a drain waits for this one.
        let guard = LoadGuard::new(Arc::clone(&self.workers[index].load));
        // The accepting worker is the first one.
        if index == 0 {
            worker.serve(stream, peer, Arc::clone(entry_point), guard);
            return;
        }
        match stream.into_std() {
            Ok(stream) => {
                let entry_point = Arc::clone(entry_point);
                let order = Order::Serve { stream, peer, entry_point, guard };
                let _ = self.workers[index].orders.send(order);
            }
            Err(error) => tracing::debug!(%error, "cannot hand a connection over"),
        }
    }
}
