//! hot path
//!
//! A worker's idle connections to servers.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use codec::{HeadReader, Limits};
use foldhash::HashMap;
use routing::{InFlight, Server, Transport};

use crate::http::wire::Wire;

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

/// Holds a worker's idle connections.
#[derive(Default)]
pub(crate) struct Pool {
    idle: RefCell<HashMap<Key, Vec<Idle>>>,
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
    pub(crate) fn new(wire: Wire) -> Self {
        Self { wire: RefCell::new(wire), reader: RefCell::new(HeadReader::new(RESPONSE_LIMITS)) }
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
        let mut idle = self.idle.borrow_mut();
        let connections = idle.get_mut(&(server.id, transport.id))?;
        while let Some(found) = connections.pop() {
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
        connection: Upstream,
        server: &Arc<Server>,
        transport: &Arc<Transport>,
    ) -> Lease {
        Lease {
            connection: Box::new(connection),
            server: Arc::clone(server),
            transport: Arc::clone(transport),
            pool: Rc::clone(self),
            keeps_alive: Cell::new(false),
            in_flight: Cell::new(None),
        }
    }

    /// Closes all idle connections.
    pub(crate) fn clear(&self) {
        self.idle.borrow_mut().clear();
    }

    /// Closes connections that were idle too long, were closed by the server, or whose server is
    /// in no snapshot any more.
    pub(crate) fn sweep(&self, now: Instant) {
        let mut idle = self.idle.borrow_mut();
        for connections in idle.values_mut() {
            connections.retain(|idle| {
                idle.server.strong_count() > 0
                    && idle.timeout.is_none_or(|timeout| now - idle.since < timeout)
                    && idle.connection.wire.borrow().stream.is_quiet()
            });
        }
        idle.retain(|_, connections| !connections.is_empty());
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
        if !is_clean || !keeps_alive.get() {
            return;
        }
        let mut idle = pool.idle.borrow_mut();
        let connections = idle.entry((server.id, transport.id)).or_default();
        if connections.len() < transport.idle_max {
            let timeout = transport.idle_timeout;
            let server = Arc::downgrade(&server);
            connections.push(Idle { connection, since: now, timeout, server });
        }
    }
}
