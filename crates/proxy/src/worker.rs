//! One thread of the data plane and what its connections share.

use std::cell::{Cell, OnceCell, RefCell};
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use arc_swap::cache::Cache;
use exchange::Upstreams;
use http::HeaderValue;
use routing::Snapshot;
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::clock::{Clock, TICK};
use crate::http::pool::Pool;
use crate::http::{self as http1, Subrequests};
use crate::http2::Counters;
use crate::net;
use crate::plane::{Acceptor, EntryPoint, Shared};
use crate::spares::Spares;

/// How often idle upstream connections are looked at.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// What the connections of a worker share.
pub(crate) struct Worker {
    pub(crate) clock: Rc<Clock>,
    pub(crate) pool: Rc<Pool>,
    pub(crate) spares: Spares,
    pub(crate) hostname: HeaderValue,
    /// How many copies of requests are under way to mirrors.
    pub(crate) mirrored: Rc<Cell<usize>>,
    shared: Arc<Shared>,
    snapshot: RefCell<Cache<Arc<ArcSwap<Snapshot>>, Arc<Snapshot>>>,
    upstreams: OnceCell<Rc<dyn Upstreams>>,
    is_draining: Cell<bool>,
}

/// What a worker is told from outside.
pub(crate) enum Order {
    /// Serve this connection.
    Serve {
        stream: std::net::TcpStream,
        peer: SocketAddr,
        entry_point: Arc<EntryPoint>,
        guard: LoadGuard,
    },
    /// Accept connections for all workers.
    Accept(Acceptor),
    /// Finish what is under way and close what is idle.
    Drain,
    /// Drop everything and end the thread.
    End,
}

impl Worker {
    fn new(shared: Arc<Shared>) -> Rc<Self> {
        let snapshot = RefCell::new(Cache::new(Arc::clone(&shared.snapshot)));
        Rc::new_cyclic(|this: &Weak<Self>| {
            let upstreams: Rc<dyn Upstreams> = Rc::new(Subrequests(Weak::clone(this)));
            Self {
                clock: Rc::new(Clock::new()),
                pool: Rc::default(),
                spares: Spares::default(),
                hostname: hostname(),
                mirrored: Rc::default(),
                shared,
                snapshot,
                upstreams: OnceCell::from(upstreams),
                is_draining: Cell::new(false),
            }
        })
    }

    /// The configuration in force.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(self.snapshot.borrow_mut().load())
    }

    /// What was done against abuse of HTTP/2.
    pub(crate) fn http2(&self) -> &Counters {
        &self.shared.http2
    }

    /// What middlewares reach other services through.
    pub(crate) fn upstreams(&self) -> Rc<dyn Upstreams> {
        Rc::clone(self.upstreams.get().expect("set when the worker is made"))
    }

    /// Tells whether connections shall end with their current request.
    pub(crate) fn is_draining(&self) -> bool {
        self.is_draining.get()
    }

    /// Serves a connection on this worker.
    pub(crate) fn serve(
        self: &Rc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        entry_point: Arc<EntryPoint>,
        guard: LoadGuard,
    ) {
        let worker = Rc::clone(self);
        tokio::task::spawn_local(async move {
            http1::serve(worker, stream, peer, entry_point).await;
            drop(guard);
        });
    }
}

/// Counts a connection as long as it lives.
pub(crate) struct LoadGuard(Arc<AtomicUsize>);

impl LoadGuard {
    pub(crate) fn new(load: Arc<AtomicUsize>) -> Self {
        load.fetch_add(1, Ordering::Relaxed);
        Self(load)
    }
}

impl Drop for LoadGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs a worker until the plane is dropped.
pub(crate) async fn run(shared: Arc<Shared>, mut orders: UnboundedReceiver<Order>) {
    let worker = Worker::new(shared);
    let ticking = Rc::clone(&worker);
    tokio::task::spawn_local(async move { tick(&ticking).await });
    while let Some(order) = orders.recv().await {
        match order {
            Order::Serve { stream, peer, entry_point, guard } => {
                match TcpStream::from_std(stream) {
                    Ok(stream) => worker.serve(stream, peer, entry_point, guard),
                    Err(error) => tracing::debug!(%error, "cannot take a connection over"),
                }
            }
            Order::Accept(acceptor) => {
                let worker = Rc::clone(&worker);
                let shared = Arc::clone(&worker.shared);
                tokio::task::spawn_local(async move { acceptor.run(&worker, &shared).await });
            }
            Order::Drain => {
                worker.is_draining.set(true);
                worker.clock.wake_all();
            }
            Order::End => return,
        }
    }
}

async fn tick(worker: &Worker) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut swept = worker.clock.now();
    loop {
        interval.tick().await;
        worker.clock.tick();
        let now = worker.clock.now();
        if now - swept >= SWEEP_INTERVAL {
            swept = now;
            // An idle worker lets go of the old configuration too, and so of its servers.
            drop(worker.snapshot());
            worker.pool.sweep(now);
            if net::is_short_of_descriptors() {
                worker.pool.clear();
            }
        }
    }
}

/// The machine's name, for `X-Forwarded-Server`.
fn hostname() -> HeaderValue {
    HeaderValue::from_bytes(rustix::system::uname().nodename().to_bytes())
        .unwrap_or(HeaderValue::from_static("localhost"))
}
