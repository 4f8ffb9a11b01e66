//! One request and its response in flight, and the two-phase middleware traits.
//!
//! An [`Exchange`] is what the data plane, the router and every middleware see of a request: it
//! was brought into its one canonical form at the door, and whoever changes it changes it for all
//! that come after. Nothing here does I/O, reads the clock or knows a protocol version's wire
//! format; bodies are polled through a trait that the data plane implements.

mod body;
mod connection;
mod failure;
mod middleware;
mod request;
mod response;
mod status;
mod upstream;

pub use self::body::{Body, BodyError, BodyStream, Buffered, Frame};
pub use self::connection::{Connection, TlsInfo};
pub use self::failure::{Failure, FailureKind, Side};
pub use self::middleware::{
    AsyncMiddleware, Flow, LocalFuture, Memo, Middleware, Phases, Stage, ready,
};
pub use self::request::{Authority, Request};
pub use self::response::{Response, Upgrade};
pub use self::status::{StatusRanges, status_text};
pub use self::upstream::{InternalService, ServiceHandle, Upstreams};

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// Holds one request and its response while the data plane works on them.
pub struct Exchange {
    /// The client's connection.
    pub connection: Rc<Connection>,
    /// The request as the next stage shall see it.
    pub request: Request,
    /// The response, meaningful from the response phase on.
    pub response: Response,
    /// Why Ferrovia made the response itself, when it did.
    pub failure: Option<Failure>,
    /// Reaches other services for middlewares that must ask.
    pub upstreams: Rc<dyn Upstreams>,
    /// When the request's head was complete.
    pub started: Instant,
    /// What the access log and the metrics will say of this exchange.
    pub record: Record,
}

/// Collects what observers are told once the exchange is over.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The router that took the request, as `name@provider`.
    pub router: Option<Arc<str>>,
    /// The service that answered, as `name@provider`.
    pub service: Option<Arc<str>>,
    /// The URL of the server that was tried last.
    pub server: Option<Arc<str>>,
    /// Tries beyond the first.
    pub retries: u32,
    /// The user that an authentication middleware let in.
    pub user: Option<String>,
    /// The middleware that answered instead of the service.
    pub answered_by: Option<Arc<str>>,
}
