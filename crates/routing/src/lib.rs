//! The rule language, the index over routers, and `compile()`: configuration to [`Snapshot`].
//!
//! Everything a request needs to know is found here before it comes: rules are parsed, references
//! resolved, middlewares built, certificates read. What remains for the request is a look-up. No
//! sockets and no runtime; what compile needs built by others (middlewares, internal services) is
//! handed in.

pub mod compile;
mod health_check;
pub mod index;
mod route;
pub mod rule;
mod service;

pub use self::health_check::HealthCheck;
pub use self::index::RouterIndex;
pub use self::route::{DeniedCharacters, EntryPointRoutes, Next, Route, Snapshot};
pub use self::service::{
    Asking, Failover, HighestRandomWeight, InFlight, LoadBalancer, Mirror, Mirroring, PassiveCheck,
    Scheme, Server, Service, ServiceKind, StickyPick, Transport, Weighted,
};
