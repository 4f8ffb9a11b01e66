//! The tree of services, built from the routers down: what no router needs is not built.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use balance::{Health, RoundRobin, Sticky};
use config::dynamic::{
    ServerHealthCheck, ServersLoadBalancer, Service as ServiceSettings, WeightedRoundRobin,
    WeightedService,
};
use http::HeaderValue;

use super::middlewares::Middlewares;
use super::runtime::{Runtime, ServerState, ServiceInfo, Status};
use super::server_url::ServerUrl;
use super::transports::{DEFAULT_TRANSPORT, Transports};
use super::{Input, is_same, qualify};
use crate::{LoadBalancer, Scheme, Server, Service, ServiceKind, Transport, Weighted};

const MULTIPLE_KINDS: &str = "cannot create service: multi-types service not supported, consider \
                              declaring two different pieces of service instead";

static NEXT_SERVER: AtomicU64 = AtomicU64::new(1);

/// A service and what it was built from.
#[derive(Clone)]
pub(crate) struct Kept {
    settings: Arc<ServiceSettings>,
    /// The transport, or the child services: if one of them changed, so did this.
    parts: Vec<usize>,
    service: Arc<Service>,
}

impl Kept {
    /// The servers, of a load balancer.
    pub(crate) fn servers(&self) -> &[Arc<Server>] {
        match &self.service.kind {
            ServiceKind::LoadBalancer(balancer) => &balancer.servers,
            ServiceKind::Weighted(_) | ServiceKind::Internal(_) => &[],
        }
    }
}

/// A load balancer whose servers are to be asked for their health.
#[derive(Clone)]
pub struct HealthChecked {
    pub service: Arc<Service>,
    pub settings: ServerHealthCheck,
}

/// What `finish` hands back: services and transports for the next run, checked load balancers,
/// problems of transports.
pub(crate) type Finished = (
    HashMap<String, Kept>,
    HashMap<String, super::transports::Kept>,
    Vec<HealthChecked>,
    Vec<config::Diagnostic>,
);

/// Builds services.
pub(crate) struct Services<'a> {
    input: &'a Input<'a>,
    previous: &'a HashMap<String, Kept>,
    built: HashMap<String, Result<Kept, String>>,
    /// Names on the way down, to find circles.
    path: Vec<String>,
    /// Services found in a circle.
    circular: Vec<(String, String)>,
    /// Services of which a part is not supported yet.
    later: Vec<(String, String)>,
    pub(crate) transports: Transports<'a>,
}

impl<'a> Services<'a> {
    pub(crate) fn new(
        input: &'a Input<'a>,
        previous: &'a HashMap<String, Kept>,
        transports: Transports<'a>,
    ) -> Self {
        Self {
            input,
            previous,
            built: HashMap::new(),
            path: Vec::new(),
            circular: Vec::new(),
            later: Vec::new(),
            transports,
        }
    }

    /// Gives the service of that qualified name.
    pub(crate) fn service(
        &mut self,
        name: &str,
        middlewares: &mut Middlewares<'a>,
    ) -> Result<Arc<Service>, String> {
        if let Some(built) = self.built.get(name) {
            return built.as_ref().map(|kept| Arc::clone(&kept.service)).map_err(Clone::clone);
        }
        if let Some(start) = self.path.iter().position(|on_way| on_way == name) {
            let circle = self.path[start..].join("->service:");
            let error = format!(
                "could not instantiate service {name}: recursion detected in \
                 service:{circle}->service:{name}"
            );
            self.circular.push((name.to_owned(), error.clone()));
            return Err(error);
        }
        self.path.push(name.to_owned());
        let built = self.build(name, middlewares);
        self.path.pop();
        let service = built.as_ref().map(|kept| Arc::clone(&kept.service)).map_err(Clone::clone);
        self.built.insert(name.to_owned(), built);
        service
    }

    fn build(&mut self, name: &str, middlewares: &mut Middlewares<'a>) -> Result<Kept, String> {
        if let Some(internal) = self.input.internal.get(name) {
            let kind = ServiceKind::Internal(Arc::clone(internal));
            let service = Service { name: name.into(), stages: Box::default(), kind };
            let settings = Arc::default();
            return Ok(Kept { settings, parts: Vec::new(), service: Arc::new(service) });
        }
        let configuration = self.input.configuration;
        let Some(settings) = configuration.http.services.get(name) else {
            return Err(missing(name));
        };
        check_kind(name, settings)?;
        let stages = middlewares.stages(&settings.middlewares, name, self)?;
        let mut parts: Vec<usize> = stages.iter().map(super::middlewares::address).collect();
        let weighted = self.as_weighted(name, settings);
        let kind = match (&settings.load_balancer, &weighted) {
            (Some(balancer), _) => {
                self.check_support(name, balancer)?;
                let transport = self.transport_of(name, balancer)?;
                parts.push(Arc::as_ptr(&transport) as usize);
                if let Some(kept) = self.unchanged(name, settings, &parts) {
                    return Ok(kept);
                }
                ServiceKind::LoadBalancer(self.load_balancer(name, balancer, transport)?)
            }
            (None, Some(weighted)) => {
                let children = self.children(name, weighted, middlewares)?;
                parts.extend(children.iter().map(|child| Arc::as_ptr(child) as usize));
                if let Some(kept) = self.unchanged(name, settings, &parts) {
                    return Ok(kept);
                }
                ServiceKind::Weighted(compile_weighted(name, weighted, children))
            }
            (None, None) => {
                return Err(format!("the service {name:?} does not have any type defined"));
            }
        };
        let service = Arc::new(Service { name: name.into(), stages: stages.into(), kind });
        Ok(Kept { settings: Arc::clone(settings), parts, service })
    }

    /// Gives the weighted service that stands for kinds which are not supported yet, with a word on
    /// what is missing.
    fn as_weighted(
        &mut self,
        name: &str,
        settings: &ServiceSettings,
    ) -> Option<WeightedRoundRobin> {
        let only = |service: &str| WeightedRoundRobin {
            services: vec![WeightedService { name: service.to_owned(), weight: Some(1) }],
            ..WeightedRoundRobin::default()
        };
        let (stand_in, missing) = if let Some(hrw) = &settings.highest_random_weight {
            let services = hrw.services.clone();
            let text = "highestRandomWeight is not supported yet, weighted is used instead";
            (WeightedRoundRobin { services, ..WeightedRoundRobin::default() }, text)
        } else if let Some(mirroring) = &settings.mirroring {
            let text = "mirroring is not supported yet, requests go to the main service only";
            (only(&mirroring.service), text)
        } else if let Some(failover) = &settings.failover {
            let text = "failover is not supported yet, requests go to the main service only";
            (only(&failover.service), text)
        } else {
            return settings.weighted.clone();
        };
        self.later.push((name.to_owned(), missing.to_owned()));
        Some(stand_in)
    }

    fn unchanged(
        &self,
        name: &str,
        settings: &Arc<ServiceSettings>,
        parts: &[usize],
    ) -> Option<Kept> {
        let kept = self.previous.get(name)?;
        (is_same(&kept.settings, settings) && kept.parts == parts).then(|| kept.clone())
    }

    fn check_support(&mut self, name: &str, settings: &ServersLoadBalancer) -> Result<(), String> {
        match settings.strategy.as_str() {
            "" | "wrr" => {}
            "p2c" | "hrw" | "leasttime" => self.later.push((
                name.to_owned(),
                format!(
                    "strategy {:?} is not supported yet, wrr is used instead",
                    settings.strategy
                ),
            )),
            other => return Err(format!("unsupported load-balancer strategy {other:?}")),
        }
        if settings.passive_health_check.is_some() {
            let text = "passiveHealthCheck is not supported yet and has no effect".to_owned();
            self.later.push((name.to_owned(), text));
        }
        Ok(())
    }

    fn transport_of(
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

    fn load_balancer(
        &self,
        name: &str,
        settings: &ServersLoadBalancer,
        transport: Arc<Transport>,
    ) -> Result<LoadBalancer, String> {
        let before = self.previous.get(name).and_then(|kept| match &kept.service.kind {
            ServiceKind::LoadBalancer(balancer) => Some(balancer),
            _ => None,
        });
        let mut servers = Vec::new();
        let mut weights = Vec::new();
        for settings in &settings.servers {
            let weight = settings.weight.unwrap_or(1);
            let url = ServerUrl::parse(&settings.url)?;
            let base_path = settings.preserve_path.then_some(url.path.as_str());
            let kept = before.and_then(|before| {
                before.servers.iter().find(|server| {
                    *server.url == *settings.url && server.base_path.as_deref() == base_path
                })
            });
            servers.push(match kept {
                Some(server) => Arc::clone(server),
                None => Arc::new(compile_server(&settings.url, &url, base_path)?),
            });
            weights.push(weight);
        }
        let sticky = settings.sticky.as_ref().and_then(|sticky| sticky.cookie.as_ref());
        let urls: Vec<&str> = settings.servers.iter().map(|server| server.url.as_str()).collect();
        let flush = settings.response_forwarding.clone().unwrap_or_default().flush_interval;
        Ok(LoadBalancer {
            strategy: RoundRobin::new(&weights, first_pick(name, servers.len())),
            sticky: sticky.map(|cookie| Sticky::new(cookie, name, &urls)),
            servers: servers.into(),
            pass_host_header: settings.pass_host_header.unwrap_or(true),
            flush_interval: Some(flush.as_std()).filter(|interval| !interval.is_zero()),
            transport,
        })
    }

    fn children(
        &mut self,
        name: &str,
        settings: &WeightedRoundRobin,
        middlewares: &mut Middlewares<'a>,
    ) -> Result<Vec<Arc<Service>>, String> {
        if settings.health_check.is_some() {
            self.check_children_health(name, settings)?;
        }
        settings
            .services
            .iter()
            .map(|child| {
                self.service(&qualify(&child.name, name), middlewares)
                    .map_err(|error| format!("building HTTP service {:?}: {error}", child.name))
            })
            .collect()
    }

    /// Health goes up the tree only if every service on the way has a health check.
    fn check_children_health(
        &self,
        name: &str,
        settings: &WeightedRoundRobin,
    ) -> Result<(), String> {
        for child in &settings.services {
            let Some(service) =
                self.input.configuration.http.services.get(&qualify(&child.name, name))
            else {
                continue;
            };
            let balancer = service.load_balancer.as_ref();
            let has_check = balancer
                .is_some_and(|lb| lb.health_check.is_some() || lb.passive_health_check.is_some())
                || service.weighted.as_ref().is_some_and(|w| w.health_check.is_some());
            if !has_check {
                return Err(format!(
                    "cannot register {} as updater for {name}: healthCheck not enabled in config \
                     for this WRR service",
                    child.name
                ));
            }
        }
        Ok(())
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
        let server = Arc::new(compile_server(&endpoint.url, &url, None)?);
        let balancer = LoadBalancer {
            strategy: RoundRobin::new(&[1], 0),
            sticky: None,
            servers: [server].into(),
            pass_host_header: true,
            flush_interval: None,
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

    /// Tells the runtime what became of the services.
    pub(crate) fn finish(self, runtime: &mut Runtime) -> Finished {
        let mut kept_services = HashMap::new();
        let mut checked = Vec::new();
        for (name, error) in self.circular {
            if let Some(info) = runtime.services.get_mut(&name) {
                info.disable(error);
            }
        }
        for (name, built) in self.built {
            let info = runtime.services.get_mut(&name);
            match built {
                Err(error) => {
                    if let Some(info) = info {
                        info.disable(error);
                    }
                }
                Ok(kept) => {
                    if let Some(info) = info {
                        info.servers = server_states(&kept.service);
                    }
                    let check = kept.settings.load_balancer.as_ref();
                    if let Some(settings) = check.and_then(|lb| lb.health_check.clone()) {
                        let service = Arc::clone(&kept.service);
                        checked.push(HealthChecked { service, settings });
                    }
                    kept_services.insert(name, kept);
                }
            }
        }
        for (name, text) in self.later {
            if let Some(info) = runtime.services.get_mut(&name) {
                info.warn(text);
            }
        }
        for (name, info) in &mut runtime.services {
            complete(name, info);
        }
        let (transports, problems) = self.transports.finish();
        (kept_services, transports, checked, problems)
    }
}

fn server_states(service: &Service) -> Vec<ServerState> {
    match &service.kind {
        ServiceKind::LoadBalancer(balancer) => {
            balancer.servers.iter().map(|server| ServerState(Arc::clone(server))).collect()
        }
        ServiceKind::Weighted(_) | ServiceKind::Internal(_) => Vec::new(),
    }
}

fn check_kind(name: &str, settings: &ServiceSettings) -> Result<(), String> {
    let kinds = [
        settings.load_balancer.is_some(),
        settings.weighted.is_some(),
        settings.mirroring.is_some(),
        settings.failover.is_some(),
        settings.highest_random_weight.is_some(),
    ];
    match kinds.iter().filter(|is_set| **is_set).count() {
        0 => Err(format!("the service {name:?} does not have any type defined")),
        1 => Ok(()),
        _ => Err(MULTIPLE_KINDS.to_owned()),
    }
}

/// Services of Ferrovia's own that users may refer to, when their part is switched on.
const INTERNAL: [&str; 5] = ["api", "dashboard", "ping", "prometheus", "rest"];

fn missing(name: &str) -> String {
    match name.strip_suffix("@internal") {
        Some(internal) if INTERNAL.contains(&internal) => format!("{internal} is not enabled"),
        Some(_) => format!("unknown internal service {name}"),
        None => format!("the service {name:?} does not exist"),
    }
}

/// Writes into a service what the API shows of one that was built: qualified names, the cookie's
/// effective name.
fn complete(name: &str, info: &mut ServiceInfo) {
    let is_built = !info.servers.is_empty() || info.status == Status::Disabled;
    let ServiceSettings { load_balancer, weighted, .. } = &*info.service;
    let transport = load_balancer.as_ref().map_or("", |balancer| &balancer.servers_transport);
    let sticky = load_balancer.as_ref().map(|balancer| &balancer.sticky);
    let has_cookie = sticky.or(weighted.as_ref().map(|weighted| &weighted.sticky));
    if !is_built || (transport.is_empty() && has_cookie.is_none_or(Option::is_none)) {
        return;
    }
    let service = Arc::make_mut(&mut info.service);
    if let Some(balancer) = &mut service.load_balancer {
        let transport = &mut balancer.servers_transport;
        if !transport.is_empty() && !transport.contains('@') {
            *transport = qualify(transport, name);
        }
    }
    let sticky = match service {
        ServiceSettings { load_balancer: Some(balancer), .. } => balancer.sticky.as_mut(),
        ServiceSettings { weighted: Some(weighted), .. } => weighted.sticky.as_mut(),
        _ => None,
    };
    if let Some(cookie) = sticky.and_then(|sticky| sticky.cookie.as_mut()) {
        cookie.name = balance::cookie_name(cookie, name);
    }
}

/// Where the first pick falls. Traefik shuffles; a hash of the name spreads services just as well
/// and keeps tests and restarts predictable.
fn first_pick(name: &str, servers: usize) -> usize {
    let hash = name
        .bytes()
        .fold(0_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)));
    if servers == 0 { 0 } else { hash % servers }
}

fn compile_weighted(
    name: &str,
    settings: &WeightedRoundRobin,
    children: Vec<Arc<Service>>,
) -> Weighted {
    let weights: Vec<i64> = settings.services.iter().map(|s| s.weight.unwrap_or(1)).collect();
    let names: Vec<&str> = settings.services.iter().map(|s| s.name.as_str()).collect();
    let sticky = settings.sticky.as_ref().and_then(|sticky| sticky.cookie.as_ref());
    Weighted {
        strategy: RoundRobin::new(&weights, first_pick(name, children.len())),
        sticky: sticky.map(|cookie| Sticky::new(cookie, name, &names)),
        services: children.into(),
        is_health_aware: settings.health_check.is_some(),
    }
}

fn compile_server(text: &str, url: &ServerUrl, base_path: Option<&str>) -> Result<Server, String> {
    if url.scheme == Scheme::H2c {
        return Err(format!("server URL {text}: h2c servers are not supported yet"));
    }
    let host_header = HeaderValue::from_str(&url.authority)
        .map_err(|error| format!("error parsing server URL {text}: {error}"))?;
    Ok(Server {
        url: text.into(),
        scheme: url.scheme,
        host: url.host.as_str().into(),
        port: url.port,
        host_header,
        base_path: base_path.map(Arc::from),
        health: Health::default(),
        addresses: ArcSwap::from_pointee(url.address().into_iter().collect()),
        id: NEXT_SERVER.fetch_add(1, Ordering::Relaxed),
    })
}
