//! Compiled services: what the data plane forwards to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use balance::{Health, RoundRobin, Sticky};
use exchange::{InternalService, Stage};
use http::HeaderValue;

/// A service as routers reach it.
pub struct Service {
    /// `name@provider`.
    pub name: Arc<str>,
    /// The service's own middlewares; they run after the router's.
    pub stages: Box<[Stage]>,
    pub kind: ServiceKind,
}

/// The kinds of services the data plane can forward to.
pub enum ServiceKind {
    LoadBalancer(LoadBalancer),
    Weighted(Weighted),
    /// Answers from inside the process.
    Internal(Arc<dyn InternalService>),
}

/// Balances over servers.
pub struct LoadBalancer {
    pub servers: Box<[Arc<Server>]>,
    pub strategy: RoundRobin,
    pub sticky: Option<Sticky>,
    /// Forwards the client's Host; else the server URL's.
    pub pass_host_header: bool,
    /// How long response bytes may wait; `None`: each read is sent on at once.
    pub flush_interval: Option<Duration>,
    pub transport: Arc<Transport>,
}

/// Balances over services.
pub struct Weighted {
    pub services: Box<[Arc<Service>]>,
    pub strategy: RoundRobin,
    pub sticky: Option<Sticky>,
    /// Whether the health of the children counts.
    pub is_health_aware: bool,
}

/// A server picked, and the cookie to set if the client must learn it.
pub struct StickyPick<'a, T> {
    pub picked: &'a T,
    pub set_cookie: Option<HeaderValue>,
}

/// The protocols of server URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    Http,
    Https,
    /// HTTP/2 by prior knowledge; not supported yet.
    H2c,
}

/// One server of a load balancer. Shared by all snapshots in which it did not change, so that its
/// health, addresses and pooled connections live on.
pub struct Server {
    /// The URL as written: the server's name in the API, the log and the sticky cookie.
    pub url: Arc<str>,
    pub scheme: Scheme,
    /// Host name or address without brackets.
    pub host: Arc<str>,
    pub port: u16,
    /// The Host header when the client's is not passed.
    pub host_header: HeaderValue,
    /// The URL's escaped path, put before the request's, with `preservePath`.
    pub base_path: Option<Arc<str>>,
    pub health: Health,
    /// Where to connect. Set at once for addresses; the control plane resolves names.
    pub addresses: ArcSwap<Vec<SocketAddr>>,
    /// Unique in the process; pools are keyed by it.
    pub id: u64,
}

/// How servers are reached.
pub struct Transport {
    /// `name@provider`.
    pub name: Arc<str>,
    /// For `https` servers.
    pub tls: Arc<rustls::ClientConfig>,
    /// Name to send as SNI and to verify; default: the server URL's host.
    pub server_name: Option<Arc<str>>,
    pub dial_timeout: Option<Duration>,
    pub response_header_timeout: Option<Duration>,
    pub idle_timeout: Option<Duration>,
    /// Idle connections kept per server and worker.
    pub idle_max: usize,
    /// Unique in the process; pools are keyed by it.
    pub id: u64,
}

impl LoadBalancer {
    /// Picks a server: the one the client's cookie names if it is up, else the next in turn that
    /// is up. `None` when there is none. `avoid` is passed over while another is up.
    pub fn pick(
        &self,
        headers: &http::HeaderMap,
        avoid: Option<u64>,
    ) -> Option<StickyPick<'_, Arc<Server>>> {
        let is_up = |index: usize| self.servers[index].health.is_up();
        if let Some(sticky) = &self.sticky
            && let Some(found) = sticky.find(headers)
            && is_up(found.index)
            && avoid != Some(self.servers[found.index].id)
        {
            let set_cookie = found.is_outdated.then(|| sticky.cookie(found.index));
            return Some(StickyPick { picked: &self.servers[found.index], set_cookie });
        }
        let index = self
            .strategy
            .next(|index| is_up(index) && avoid != Some(self.servers[index].id))
            .or_else(|| self.strategy.next(is_up))?;
        let set_cookie = self.sticky.as_ref().map(|sticky| sticky.cookie(index));
        Some(StickyPick { picked: &self.servers[index], set_cookie })
    }
}

impl Weighted {
    /// Picks a service as [`LoadBalancer::pick`] picks a server.
    pub fn pick(&self, headers: &http::HeaderMap) -> Option<StickyPick<'_, Arc<Service>>> {
        let is_up = |index: usize| !self.is_health_aware || self.services[index].is_up();
        if let Some(sticky) = &self.sticky
            && let Some(found) = sticky.find(headers)
            && is_up(found.index)
        {
            let set_cookie = found.is_outdated.then(|| sticky.cookie(found.index));
            return Some(StickyPick { picked: &self.services[found.index], set_cookie });
        }
        let index = self.strategy.next(is_up)?;
        let set_cookie = self.sticky.as_ref().map(|sticky| sticky.cookie(index));
        Some(StickyPick { picked: &self.services[index], set_cookie })
    }
}

impl Service {
    /// Tells whether any server below is up.
    pub fn is_up(&self) -> bool {
        match &self.kind {
            ServiceKind::LoadBalancer(balancer) => {
                balancer.servers.iter().any(|server| server.health.is_up())
            }
            ServiceKind::Weighted(weighted) => {
                weighted.services.iter().any(|service| service.is_up())
            }
            ServiceKind::Internal(_) => true,
        }
    }
}
