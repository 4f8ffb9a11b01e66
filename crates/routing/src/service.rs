//! Compiled services: what the data plane forwards to.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use balance::{
    Failures, Health, Load, Members, Moment, Rendezvous, RoundRobin, Sticky, Strategy, is_mirrored,
};
use exchange::{InternalService, Stage, StatusRanges};
use http::{HeaderMap, HeaderValue};

use crate::HealthCheck;

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
    HighestRandomWeight(HighestRandomWeight),
    Mirroring(Mirroring),
    Failover(Failover),
    /// Answers from inside the process.
    Internal(Arc<dyn InternalService>),
}

/// Balances over servers.
pub struct LoadBalancer {
    pub servers: Box<[Arc<Server>]>,
    pub strategy: Strategy,
    pub sticky: Option<Sticky>,
    /// Forwards the client's Host; else the server URL's.
    pub pass_host_header: bool,
    /// How long response bytes may wait; `None`: each read is sent on at once.
    pub flush_interval: Option<Duration>,
    /// How long a server that came up takes to get its whole share.
    pub slow_start: Option<Duration>,
    pub health_check: Option<Arc<HealthCheck>>,
    pub passive_check: Option<Arc<PassiveCheck>>,
    pub transport: Arc<Transport>,
}

/// Takes servers out whose real requests fail.
pub struct PassiveCheck {
    /// Failures count for that long, and that long a server stays out.
    pub window: Duration,
    /// Whether active checks take servers in again, rather than time.
    pub has_active_check: bool,
    /// Of each server. Shared by all snapshots in which neither the server nor the number of
    /// failures that are too many has changed.
    pub failures: Box<[Arc<Failures>]>,
}

/// Balances over services by weight. Services of weight zero are not among them.
pub struct Weighted {
    pub services: Box<[Arc<Service>]>,
    pub strategy: RoundRobin,
    pub sticky: Option<Sticky>,
    /// Whether the health of the children counts.
    pub is_health_aware: bool,
}

/// Balances over services by the client's address.
pub struct HighestRandomWeight {
    pub services: Box<[Arc<Service>]>,
    pub strategy: Rendezvous,
    /// Whether the health of the children counts.
    pub is_health_aware: bool,
}

/// Sends copies of requests to other services, whose answers nobody sees.
pub struct Mirroring {
    /// The service that answers.
    pub service: Arc<Service>,
    pub mirrors: Box<[Mirror]>,
    /// Whether mirrors get bodies; for that they are read into memory first.
    pub mirrors_body: bool,
    /// Requests with larger bodies are not mirrored.
    pub body_bytes_max: u64,
    /// Requests so far.
    pub turns: AtomicU64,
}

/// A service that gets copies.
pub struct Mirror {
    pub service: Arc<Service>,
    /// 0 to 100.
    pub percent: u8,
}

/// Falls back to another service when the first is down, or answers with certain statuses.
pub struct Failover {
    pub service: Arc<Service>,
    pub fallback: Arc<Service>,
    /// Whether the fallback's health counts.
    pub watches_fallback: bool,
    /// Statuses of the first service that the fallback answers in place of.
    pub statuses: StatusRanges,
    /// Larger request bodies are refused where statuses count, for they could not be sent twice.
    pub body_bytes_max: u64,
}

/// What a pick depends on.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// The request's headers, for sticky cookies.
    pub headers: &'a HeaderMap,
    /// The client's address as text, for strategies that go by it.
    pub client: &'a [u8],
    pub now: Moment,
}

/// A server picked, and the cookie to set if the client must learn it.
pub struct StickyPick<'a, T> {
    pub picked: &'a T,
    /// Where it stands among the others.
    pub index: usize,
    pub set_cookie: Option<HeaderValue>,
}

/// The protocols of server URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    Http,
    Https,
    /// HTTP/2 by prior knowledge, without TLS.
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
    /// What the server has to do, for strategies that ask; others do not count it.
    pub load: Load,
    /// Where to connect. Set at once for addresses; the control plane resolves names.
    pub addresses: ArcSwap<Vec<SocketAddr>>,
    /// Unique in the process; pools are keyed by it.
    pub id: u64,
}

/// How servers are reached.
pub struct Transport {
    /// `name@provider`.
    pub name: Arc<str>,
    /// For `https` servers; offers HTTP/2 unless [`Self::is_http2_disabled`].
    pub tls: Arc<rustls::ClientConfig>,
    /// For `https` servers and what only HTTP/1.1 can carry: changes of protocol.
    pub http1_tls: Arc<rustls::ClientConfig>,
    /// Never speaks HTTP/2 with `https` servers.
    pub is_http2_disabled: bool,
    /// Name to send as SNI and to verify; default: the server URL's host.
    pub server_name: Option<Arc<str>>,
    pub dial_timeout: Option<Duration>,
    pub response_header_timeout: Option<Duration>,
    pub idle_timeout: Option<Duration>,
    /// HTTP/2: silence after which a server is pinged; `None`: never.
    pub read_idle_timeout: Option<Duration>,
    /// HTTP/2: time for the answer to a ping, after which the connection counts as lost.
    pub ping_timeout: Duration,
    /// Idle connections kept per server and worker.
    pub idle_max: usize,
    /// Unique in the process; pools are keyed by it.
    pub id: u64,
}

/// Counts a request of a server as under way for as long as it lives.
pub struct InFlight(Arc<Server>);

impl LoadBalancer {
    /// Picks a server: the one the client's cookie names if it is up, else the strategy's next
    /// that is up. `None` when there is none. `avoid` is passed over while another is up.
    pub fn pick(
        &self,
        asking: Asking<'_>,
        avoid: Option<u64>,
    ) -> Option<StickyPick<'_, Arc<Server>>> {
        let now = asking.now;
        if let Some(sticky) = &self.sticky
            && let Some(found) = sticky.find(asking.headers)
            && self.servers[found.index].health.is_up(now)
            && avoid != Some(self.servers[found.index].id)
        {
            let set_cookie = found.is_outdated.then(|| sticky.cookie(found.index));
            return Some(StickyPick {
                picked: &self.servers[found.index],
                index: found.index,
                set_cookie,
            });
        }
        let others = Candidates { balancer: self, now, avoid };
        let mut index = self.strategy.pick(asking.client, &others);
        if index.is_none() && avoid.is_some() {
            index = self.strategy.pick(asking.client, &Candidates { avoid: None, ..others });
        }
        let index = index?;
        let set_cookie = self.sticky.as_ref().map(|sticky| sticky.cookie(index));
        Some(StickyPick { picked: &self.servers[index], index, set_cookie })
    }
}

/// The servers that a pick may fall on.
struct Candidates<'a> {
    balancer: &'a LoadBalancer,
    now: Moment,
    avoid: Option<u64>,
}

impl Members for Candidates<'_> {
    fn is_usable(&self, index: usize) -> bool {
        let server = &self.balancer.servers[index];
        server.health.is_up(self.now) && self.avoid != Some(server.id)
    }

    fn load(&self, index: usize) -> &Load {
        &self.balancer.servers[index].load
    }

    fn share(&self, index: usize) -> f64 {
        match self.balancer.slow_start {
            None => 1.0,
            Some(time) => self.balancer.servers[index].health.share(self.now, time),
        }
    }
}

impl PassiveCheck {
    /// Takes note of how server number `index` of a load balancer did; tells whether it was taken
    /// out for it.
    pub fn note(&self, index: usize, server: &Server, is_well: bool, now: Moment) -> bool {
        let Some(failures) = self.failures.get(index) else { return false };
        if is_well {
            failures.forget();
            return false;
        }
        if !failures.add(now, self.window) {
            return false;
        }
        let window =
            if self.has_active_check { self.window.max(CHECKED_WINDOW) } else { self.window };
        server.health.set_down_until(now.after(window), now)
    }
}

/// How long a server stays out which active checks are to take in. Not for ever: the checks may
/// have ended meanwhile, with a new configuration.
const CHECKED_WINDOW: Duration = Duration::from_secs(600);

impl Weighted {
    /// Picks a service as [`LoadBalancer::pick`] picks a server.
    pub fn pick(&self, asking: Asking<'_>) -> Option<StickyPick<'_, Arc<Service>>> {
        let is_up = |index: usize| !self.is_health_aware || self.services[index].is_up(asking.now);
        if let Some(sticky) = &self.sticky
            && let Some(found) = sticky.find(asking.headers)
            && is_up(found.index)
        {
            let set_cookie = found.is_outdated.then(|| sticky.cookie(found.index));
            return Some(StickyPick {
                picked: &self.services[found.index],
                index: found.index,
                set_cookie,
            });
        }
        let index = self.strategy.next(is_up)?;
        let set_cookie = self.sticky.as_ref().map(|sticky| sticky.cookie(index));
        Some(StickyPick { picked: &self.services[index], index, set_cookie })
    }
}

impl HighestRandomWeight {
    /// Picks the client's service among those that are up.
    pub fn pick(&self, asking: Asking<'_>) -> Option<&Arc<Service>> {
        let is_up = |index: usize| !self.is_health_aware || self.services[index].is_up(asking.now);
        self.strategy.pick(asking.client, is_up).map(|index| &self.services[index])
    }
}

impl Mirroring {
    /// Counts a request, and gives the services that get a copy of it.
    pub fn next_mirrors(&self) -> Vec<Arc<Service>> {
        let turn = self.turns.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let due = self.mirrors.iter().filter(|mirror| is_mirrored(turn, mirror.percent));
        due.map(|mirror| Arc::clone(&mirror.service)).collect()
    }
}

impl Failover {
    /// Tells whether requests may go to the fallback.
    pub fn is_fallback_up(&self, now: Moment) -> bool {
        !self.watches_fallback || self.fallback.is_up(now)
    }
}

impl Service {
    /// Tells whether any server below is up.
    pub fn is_up(&self, now: Moment) -> bool {
        match &self.kind {
            ServiceKind::LoadBalancer(balancer) => {
                balancer.servers.iter().any(|server| server.health.is_up(now))
            }
            ServiceKind::Weighted(weighted) => {
                weighted.services.iter().any(|service| service.is_up(now))
            }
            ServiceKind::HighestRandomWeight(hashed) => {
                hashed.services.iter().any(|service| service.is_up(now))
            }
            ServiceKind::Mirroring(mirroring) => mirroring.service.is_up(now),
            ServiceKind::Failover(failover) => {
                failover.service.is_up(now) || failover.is_fallback_up(now)
            }
            ServiceKind::Internal(_) => true,
        }
    }

    /// The load balancer, of a service that is one.
    pub fn load_balancer(&self) -> Option<&LoadBalancer> {
        match &self.kind {
            ServiceKind::LoadBalancer(balancer) => Some(balancer),
            _ => None,
        }
    }
}

impl InFlight {
    /// Counts a request in.
    pub fn new(server: &Arc<Server>) -> Self {
        server.load.enter();
        Self(Arc::clone(server))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.load.leave();
    }
}
