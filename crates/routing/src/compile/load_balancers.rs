//! Load balancers and their servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use balance::{Failures, Health, Load, Sticky, Strategy};
use config::dynamic::ServersLoadBalancer;
use http::HeaderValue;

use super::qualify;
use super::server_url::ServerUrl;
use super::services::{Kept, Services};
use super::transports::DEFAULT_TRANSPORT;
use crate::{HealthCheck, LoadBalancer, PassiveCheck, Server, Service, ServiceKind, Transport};

static NEXT_SERVER: AtomicU64 = AtomicU64::new(1);

impl<'a> Services<'a> {
    pub(super) fn transport_of(
        &mut self,
        name: &str,
        balancer: &ServersLoadBalancer,
    ) -> Result<Arc<Transport>, String> {
        let transport = match balancer.servers_transport.as_str() {
            "" => DEFAULT_TRANSPORT.to_owned(),
            named => qualify(named, name),
        };
        self.transports.transport(&transport).map_err(|error| {
            let url =
                balancer.servers.first().map(|server| server.url.as_str()).unwrap_or_default();
            format!("error building proxy for server URL {url}: getting RoundTripper: {error}")
        })
    }

    pub(super) fn load_balancer(
        &self,
        name: &str,
        settings: &ServersLoadBalancer,
        transport: Arc<Transport>,
    ) -> Result<LoadBalancer, String> {
        let previous = self.previous.get(name).and_then(|kept| kept.service.load_balancer());
        let before = previous.map_or(&[][..], |balancer| &balancer.servers);
        let mut servers = Vec::new();
        for settings in &settings.servers {
            let url = ServerUrl::parse(&settings.url)?;
            let base_path = settings.preserve_path.then_some(url.path.as_str());
            let kept = before.iter().find(|server| {
                *server.url == *settings.url && server.base_path.as_deref() == base_path
            });
            servers.push(match kept {
                Some(server) => Arc::clone(server),
                None => {
                    let health =
                        if before.is_empty() { Health::default() } else { Health::joining() };
                    Arc::new(compile_server(&settings.url, &url, base_path, health)?)
                }
            });
        }
        let health_check = settings.health_check.as_ref().map(HealthCheck::new);
        let passive_check = passive_check(settings, &servers, previous);
        let weights: Vec<i64> = settings.servers.iter().map(|s| s.weight.unwrap_or(1)).collect();
        let urls: Vec<&str> = settings.servers.iter().map(|server| server.url.as_str()).collect();
        let start = first_pick(name, servers.len());
        let strategy = Strategy::new(&settings.strategy, &urls, &weights, start)
            .ok_or_else(|| unsupported(&settings.strategy))?;
        let cookie = settings.sticky.as_ref().and_then(|sticky| sticky.cookie.as_ref());
        // Who takes no part in the balancing is not held on to either.
        let takes_part = |index: usize| strategy.ignores_weights() || weights[index] > 0;
        let sticky = cookie
            .filter(|_| strategy.allows_cookies())
            .map(|cookie| Sticky::new(cookie, name, &urls).only(takes_part));
        let flush = settings.response_forwarding.clone().unwrap_or_default().flush_interval;
        let above_zero = |duration: config::Duration| {
            Some(duration.as_std()).filter(|duration| !duration.is_zero())
        };
        Ok(LoadBalancer {
            sticky,
            strategy,
            servers: servers.into(),
            pass_host_header: settings.pass_host_header.unwrap_or(true),
            flush_interval: above_zero(flush),
            slow_start: above_zero(settings.slow_start),
            health_check: health_check.transpose()?.map(Arc::new),
            passive_check,
            transport,
        })
    }

    /// Makes a service for one URL of a middleware's own.
    pub(crate) fn endpoint(
        &mut self,
        endpoint: &middleware::Endpoint,
    ) -> Result<Arc<Service>, String> {
        let url = ServerUrl::parse(&endpoint.url)?;
        let name = format!("{}@middleware", endpoint.url);
        let transport = self.transports.for_endpoint(&name, endpoint.tls.as_ref())?;
        let parts = vec![Arc::as_ptr(&transport) as usize];
        let settings = Arc::default();
        if let Some(kept) = self.unchanged(&name, &settings, &parts) {
            self.built.insert(name, Ok(kept.clone()));
            return Ok(kept.service);
        }
        let server = Arc::new(compile_server(&endpoint.url, &url, None, Health::default())?);
        let strategy =
            Strategy::new("wrr", &[&endpoint.url], &[1], 0).ok_or_else(|| unsupported("wrr"))?;
        let balancer = LoadBalancer {
            strategy,
            sticky: None,
            servers: [server].into(),
            pass_host_header: true,
            flush_interval: None,
            slow_start: None,
            health_check: None,
            passive_check: None,
            transport,
        };
        let service = Arc::new(Service {
            name: name.as_str().into(),
            stages: Box::default(),
            kind: ServiceKind::LoadBalancer(balancer),
        });
        let kept = Kept { settings, parts, service: Arc::clone(&service) };
        self.built.insert(name, Ok(kept));
        Ok(service)
    }
}

/// Refuses a load balancer before anything of it is built.
pub(super) fn check(settings: &ServersLoadBalancer) -> Result<(), String> {
    match Strategy::new::<&str>(&settings.strategy, &[], &[], 0) {
        Some(_) => Ok(()),
        None => Err(unsupported(&settings.strategy)),
    }
}

/// Goes on counting the failures of servers that were there before.
fn passive_check(
    settings: &ServersLoadBalancer,
    servers: &[Arc<Server>],
    previous: Option<&LoadBalancer>,
) -> Option<Arc<PassiveCheck>> {
    let check = settings.passive_health_check.as_ref()?;
    let failures = |server: &Arc<Server>| {
        let new = Failures::new(check.max_failed_attempts);
        let known = previous.and_then(|previous| {
            let index = previous.servers.iter().position(|other| Arc::ptr_eq(other, server))?;
            let known = previous.passive_check.as_ref()?.failures.get(index)?;
            (known.attempts_max() == new.attempts_max()).then(|| Arc::clone(known))
        });
        known.unwrap_or_else(|| Arc::new(new))
    };
    Some(Arc::new(PassiveCheck {
        window: check.failure_window.as_std(),
        has_active_check: settings.health_check.is_some(),
        failures: servers.iter().map(failures).collect(),
    }))
}

fn unsupported(strategy: &str) -> String {
    format!("unsupported load-balancer strategy {strategy:?}")
}

/// Where the first pick falls. Traefik shuffles; a hash of the name spreads services just as well
/// and keeps tests and restarts predictable.
pub(super) fn first_pick(name: &str, servers: usize) -> usize {
    let hash = name
        .bytes()
        .fold(0_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)));
    if servers == 0 { 0 } else { hash % servers }
}

fn compile_server(
    text: &str,
    url: &ServerUrl,
    base_path: Option<&str>,
    health: Health,
) -> Result<Server, String> {
    let host_header = HeaderValue::from_str(&url.authority)
        .map_err(|error| format!("error parsing server URL {text}: {error}"))?;
    Ok(Server {
        url: text.into(),
        scheme: url.scheme,
        host: url.host.as_str().into(),
        port: url.port,
        host_header,
        base_path: base_path.map(Arc::from),
        health,
        load: Load::default(),
        addresses: ArcSwap::from_pointee(url.address().into_iter().collect()),
        id: NEXT_SERVER.fetch_add(1, Ordering::Relaxed),
    })
}
