//! hot path
//!
//! A worker's HTTP/2 connections to one server: how requests share them, and how new ones come to
//! be. However many requests wait for a connection, one is made at a time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use exchange::{Failure, FailureKind};
use routing::{Scheme, Server, Transport};
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::http::connect::{Protocols, connect_stream};
use crate::http::pool::Upstream;
use crate::http2::upstream::connection::Connection;

/// Connections to one server. Beyond them requests wait for another to end.
const CONNECTIONS_MAX: usize = 1024;

/// The connections of a worker to one server over one transport.
pub(crate) struct Group {
    /// Gone when no snapshot has the server any more.
    server: Weak<Server>,
    idle_timeout: Option<Duration>,
    clock: Rc<Clock>,
    connections: RefCell<Vec<Rc<Connection>>>,
    dial: RefCell<Option<Rc<Dial>>>,
    /// What the server chose last; HTTP/1.1 connections are not shared and not waited for.
    speaks_http1: Cell<bool>,
    /// A dial is over, or there may be room on a connection.
    changed: Notify,
}

/// A connection that is being made.
#[derive(Default)]
struct Dial {
    failure: RefCell<Option<Failure>>,
    /// The server chose HTTP/1.1: one of those who wait gets the connection.
    http1: RefCell<Option<Box<Upstream>>>,
}

/// How a request gets to the server.
pub(super) enum Way {
    Http1(Box<Upstream>),
    Http2(Slot),
}

/// A place for one request on a connection.
pub(super) struct Slot {
    pub(super) connection: Rc<Connection>,
    group: Rc<Group>,
    /// The connection carried requests before this one.
    pub(super) is_used: bool,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.connection.leave(self.group.clock.now());
        self.group.changed.notify_one();
    }
}

impl Group {
    pub(crate) fn new(server: &Arc<Server>, transport: &Transport, clock: &Rc<Clock>) -> Rc<Self> {
        Rc::new(Self {
            server: Arc::downgrade(server),
            idle_timeout: transport.idle_timeout,
            clock: Rc::clone(clock),
            connections: RefCell::default(),
            dial: RefCell::default(),
            speaks_http1: Cell::new(false),
            changed: Notify::new(),
        })
    }

    /// Finds a way to the server: room on a connection, or a new connection.
    pub(super) async fn way(
        self: &Rc<Self>,
        server: &Arc<Server>,
        transport: &Arc<Transport>,
    ) -> Result<Way, Failure> {
        loop {
            // Registered before anything is looked at, so that no change is missed.
            let changed = self.changed.notified();
            if let Some(slot) = self.find() {
                return Ok(Way::Http2(slot));
            }
            if self.speaks_http1.get() {
                match establish(server, transport, &self.clock).await? {
                    Established::Http1(upstream) => return Ok(Way::Http1(upstream)),
                    Established::Http2(connection) => self.add(connection),
                }
                continue;
            }
            let dial = self.dial(server, transport);
            changed.await;
            let Some(dial) = dial else { continue };
            if let Some(failure) = dial.failure.borrow().clone() {
                return Err(failure);
            }
            if let Some(upstream) = dial.http1.borrow_mut().take() {
                return Ok(Way::Http1(upstream));
            }
        }
    }

    /// Gives room on the first connection that has some, so that the others can end.
    fn find(self: &Rc<Self>) -> Option<Slot> {
        let connections = self.connections.borrow();
        let is_fit = |connection: &&Rc<Connection>| connection.has_room() && connection.is_open();
        let connection = connections.iter().find(is_fit)?;
        let is_used = connection.enter();
        Some(Slot { connection: Rc::clone(connection), group: Rc::clone(self), is_used })
    }

    fn add(&self, connection: Rc<Connection>) {
        self.speaks_http1.set(false);
        self.connections.borrow_mut().push(connection);
        self.changed.notify_waiters();
    }

    /// Gives the dial under way, or starts one; `None`: there are connections enough.
    fn dial(self: &Rc<Self>, server: &Arc<Server>, transport: &Arc<Transport>) -> Option<Rc<Dial>> {
        if let Some(dial) = &*self.dial.borrow() {
            return Some(Rc::clone(dial));
        }
        let mut connections = self.connections.borrow_mut();
        connections.retain(|connection| connection.is_open());
        if connections.len() >= CONNECTIONS_MAX {
            return None;
        }
        drop(connections);
        let dial = Rc::new(Dial::default());
        *self.dial.borrow_mut() = Some(Rc::clone(&dial));
        let (group, made) = (Rc::clone(self), Rc::clone(&dial));
        let (server, transport) = (Arc::clone(server), Arc::clone(transport));
        // A task of its own: the request that began it may go away, and others wait too.
        tokio::task::spawn_local(async move {
            match establish(&server, &transport, &group.clock).await {
                Ok(Established::Http2(connection)) if connection.has_room() => {
                    group.dial.take();
                    group.add(connection);
                    return;
                }
                Ok(Established::Http2(_)) => {
                    let failure = Failure::before_sending(FailureKind::ConnectFailed)
                        .detail("the server takes no requests on its connections");
                    *made.failure.borrow_mut() = Some(failure);
                }
                Ok(Established::Http1(upstream)) => {
                    group.speaks_http1.set(true);
                    *made.http1.borrow_mut() = Some(upstream);
                }
                Err(failure) => *made.failure.borrow_mut() = Some(failure),
            }
            group.dial.take();
            group.changed.notify_waiters();
        });
        Some(dial)
    }

    /// Lets go of connections that were idle too long, that ended, or whose server is in no
    /// snapshot any more. What is under way on them goes on.
    pub(crate) fn sweep(&self, now: Instant) {
        let mut connections = self.connections.borrow_mut();
        if !self.is_wanted() {
            connections.clear();
            return;
        }
        connections.retain(|connection| {
            connection.is_open() && !connection.is_idle_for(now, self.idle_timeout)
        });
    }

    /// Tells whether any snapshot has the server.
    pub(crate) fn is_wanted(&self) -> bool {
        self.server.strong_count() > 0
    }
}

enum Established {
    Http1(Box<Upstream>),
    Http2(Rc<Connection>),
}

/// Makes a connection that speaks what the server's URL or the server says.
async fn establish(
    server: &Server,
    transport: &Transport,
    clock: &Rc<Clock>,
) -> Result<Established, Failure> {
    let stream = connect_stream(server, transport, Protocols::Any).await?;
    if server.scheme == Scheme::H2c || stream.speaks_http2() {
        return Ok(Established::Http2(Connection::start(stream, transport, clock).await?));
    }
    Ok(Established::Http1(Box::new(Upstream::of(stream))))
}
