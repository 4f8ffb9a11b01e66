//! hot path
//!
//! A worker's connections to servers: the idle ones of HTTP/1.1, all of HTTP/2.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use codec::{HeadReader, Limits};
use foldhash::HashMap;
use routing::{InFlight, Server, Transport};

use crate::clock::Clock;
use crate::http::wire::Wire;
use crate::http2::upstream::group::Group;
use crate::net::Stream;

/// Largest response head; Go's default for clients is 10 MiB, ours is what a request may have.
const RESPONSE_LIMITS: Limits = Limits {
    head_bytes: 1 << 20,
    request_line_bytes: 1 << 20,
    fields: 1000,
    chunk_extension_bytes: 16 << 10,
    trailer_bytes: 64 << 10,
    trailer_fields: 256,
};

/// What tells connections apart: the server and how it is reached.
type Key = (u64, u64);

/// Holds a worker's connections.
#[derive(Default)]
pub(crate) struct Pool {
    servers: RefCell<HashMap<Key, Connections>>,
}

/// The connections to one server over one transport.
#[derive(Default)]
struct Connections {
    idle: Vec<Idle>,
    /// Of servers that may speak HTTP/2.
    group: Option<Rc<Group>>,
}

struct Idle {
    connection: Box<Upstream>,
    since: Instant,
    timeout: Option<Duration>,
    /// Gone when no snapshot has the server any more.
    server: Weak<Server>,
}

/// A connection to a server.
pub(crate) struct Upstream {
    pub(crate) wire: RefCell<Wire>,
    pub(crate) reader: RefCell<HeadReader>,
    /// The server speaks HTTP/2 too, which further requests shall have.
    pub(crate) is_single_use: bool,
}

/// A connection to a server, for one request.
pub(crate) struct Lease {
    pub(crate) connection: Box<Upstream>,
    server: Arc<Server>,
    transport: Arc<Transport>,
    pool: Rc<Pool>,
    /// The response said that the connection goes on.
    pub(crate) keeps_alive: Cell<bool>,
    /// Counts a tunnel as under way.
    pub(crate) in_flight: Cell<Option<InFlight>>,
}

impl Upstream {
    /// Starts HTTP/1.1 on a connected stream.
    pub(crate) fn of(stream: Stream) -> Self {
        Self {
            wire: RefCell::new(Wire::new(stream, BytesMut::new())),
            reader: RefCell::new(HeadReader::new(RESPONSE_LIMITS)),
            is_single_use: false,
        }
    }

    /// The limits on what servers send.
    pub(crate) fn limits() -> &'static Limits {
        &RESPONSE_LIMITS
    }
}

impl Pool {
    /// Takes an idle connection, the one used last. With `looks_twice` one that the server has
    /// closed by now is not taken, as far as the kernel knows; without, as far as the last turn of
    /// the event loop has shown.
    pub(crate) fn take(
        self: &Rc<Self>,
        server: &Arc<Server>,
        transport: &Arc<Transport>,
        looks_twice: bool,
    ) -> Option<Lease> {
        let mut servers = self.servers.borrow_mut();
        let connections = servers.get_mut(&(server.id, transport.id))?;
        while let Some(found) = connections.idle.pop() {
            let is_usable = {
                let wire = found.connection.wire.borrow();
                wire.stream.is_quiet() && (!looks_twice || wire.stream.is_quiet_now())
            };
            if is_usable {
                return Some(Lease {
                    connection: found.connection,
                    server: Arc::clone(server),
                    transport: Arc::clone(transport),
                    pool: Rc::clone(self),
                    keeps_alive: Cell::new(false),
                    in_flight: Cell::new(None),
                });
            }
        }
        None
    }

    /// Makes the lease of a new connection.
    pub(crate) fn adopt(
        self: &Rc<Self>,
        connection: Box<Upstream>,
        server: &Arc<Server>,
        transport: &Arc<Transport>,
    ) -> Lease {
        Lease {
            connection,
            server: Arc::clone(server),
            transport: Arc::clone(transport),
            pool: Rc::clone(self),
            keeps_alive: Cell::new(false),
            in_flight: Cell::new(None),
        }
    }

    /// Gives the HTTP/2 connections to a server.
    pub(crate) fn group(
        &self,
        server: &Arc<Server>,
        transport: &Arc<Transport>,
        clock: &Rc<Clock>,
    ) -> Rc<Group> {
        let mut servers = self.servers.borrow_mut();
        let connections = servers.entry((server.id, transport.id)).or_default();
        let group = &mut connections.group;
        Rc::clone(group.get_or_insert_with(|| Group::new(server, transport, clock)))
    }

    /// Closes all idle connections that carry one request at a time.
    pub(crate) fn clear(&self) {
        for connections in self.servers.borrow_mut().values_mut() {
            connections.idle.clear();
        }
    }

    /// Closes connections that were idle too long, were closed by the server, or whose server is
    /// in no snapshot any more.
    pub(crate) fn sweep(&self, now: Instant) {
        let mut servers = self.servers.borrow_mut();
        for connections in servers.values_mut() {
            connections.idle.retain(|idle| {
                idle.server.strong_count() > 0
                    && idle.timeout.is_none_or(|timeout| now - idle.since < timeout)
                    && idle.connection.wire.borrow().stream.is_quiet()
            });
            if let Some(group) = &connections.group {
                group.sweep(now);
            }
        }
        // A group knows what its server speaks, as long as there is the server.
        servers.retain(|_, connections| {
            !connections.idle.is_empty()
                || connections.group.as_ref().is_some_and(|group| group.is_wanted())
        });
    }
}

impl Lease {
    /// Gives the connection back for other requests, if the response left it clean.
    pub(crate) fn release(self, now: Instant) {
        let Self { connection, server, transport, pool, keeps_alive, in_flight: _ } = self;
        let is_clean = {
            let mut wire = connection.wire.borrow_mut();
            let clean = wire.read.is_empty() && wire.is_drained() && !wire.is_read_closed;
            wire.release_large_read();
            clean
        };
        if !is_clean || !keeps_alive.get() || connection.is_single_use {
            return;
        }
        let mut servers = pool.servers.borrow_mut();
        let idle = &mut servers.entry((server.id, transport.id)).or_default().idle;
        if idle.len() < transport.idle_max {
            let timeout = transport.idle_timeout;
            let server = Arc::downgrade(&server);
            idle.push(Idle { connection, since: now, timeout, server });
        }
    }
}
