//! The compiled form of routers, and the value that crosses from the control to the data plane.

use std::sync::Arc;

use exchange::Stage;
use foldhash::HashMap;

use crate::{RouterIndex, Service};

/// Everything the data plane needs of one configuration. Immutable; shared by all workers.
pub struct Snapshot {
    /// Counts published snapshots.
    pub generation: u64,
    pub entry_points: HashMap<Arc<str>, Arc<EntryPointRoutes>>,
}

/// What one entry point serves.
pub struct EntryPointRoutes {
    /// Routers for plain connections.
    pub plain: RouterIndex,
    /// Routers for TLS connections: Traefik keeps the two apart on one port.
    pub secure: RouterIndex,
    /// TLS settings by server name.
    pub tls: Arc<tls::ServerSettings>,
}

/// One router, ready to be matched and run.
pub struct Route {
    /// `name@provider`.
    pub name: Arc<str>,
    /// The middlewares, chains expanded, entry point's first.
    pub stages: Box<[Stage]>,
    pub next: Next,
    /// Name of the TLS options that must have been in force; for the 421 rule.
    pub tls_options: Option<Arc<str>>,
    /// Percent-encoded characters that make a request 400 after it was routed here.
    pub denied_characters: DeniedCharacters,
}

/// Where a route leads.
pub enum Next {
    Service(Arc<Service>),
    /// Multi-layer routing: the children see the request as the stages left it.
    Children(RouterIndex),
}

/// Percent-encoded characters an entry point refuses in paths: bytes such as `b'/'` for `%2F`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeniedCharacters(pub Box<[u8]>);

impl DeniedCharacters {
    /// Tells whether an escaped path has one of the characters.
    pub fn is_in(&self, path: &str) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let bytes = path.as_bytes();
        bytes.windows(3).any(|window| {
            window[0] == b'%'
                && hex(window[1])
                    .zip(hex(window[2]))
                    .is_some_and(|(high, low)| self.0.contains(&(high << 4 | low)))
        })
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}
