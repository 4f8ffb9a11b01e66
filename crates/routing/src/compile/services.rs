//! The tree of services, built from the routers down: what no router needs is not built.

use std::collections::HashMap;
use std::sync::Arc;

use config::dynamic::Service as ServiceSettings;

use super::middlewares::{Middlewares, Owner};
use super::runtime::{Runtime, ServerState, ServiceInfo, Status};
use super::transports::Transports;
use super::{Input, groups, is_same, load_balancers, qualify};
use crate::{Server, Service, ServiceKind};

const MULTIPLE_KINDS: &str = "cannot create service: multi-types service not supported, consider \
                              declaring two different pieces of service instead";

/// A service and what it was built from.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(super) settings: Arc<ServiceSettings>,
    /// The transport, or the child services: if one of them changed, so did this.
    pub(super) parts: Vec<usize>,
    pub(super) service: Arc<Service>,
}

impl Kept {
    /// The servers, of a load balancer.
    pub(crate) fn servers(&self) -> &[Arc<Server>] {
        self.service.load_balancer().map_or(&[], |balancer| &balancer.servers)
    }
}

/// What `finish` hands back: services and transports for the next run, checked load balancers,
/// problems of transports.
pub(crate) type Finished = (
    HashMap<String, Kept>,
    HashMap<String, super::transports::Kept>,
    Vec<Arc<Service>>,
    Vec<config::Diagnostic>,
);

/// Builds services.
pub(crate) struct Services<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) previous: &'a HashMap<String, Kept>,
    pub(super) built: HashMap<String, Result<Kept, String>>,
    /// Names on the way down, to find circles.
    path: Vec<String>,
    /// Services found in a circle.
    circular: Vec<(String, String)>,
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
        let stages = middlewares.stages(&settings.middlewares, Owner::Service(name), self)?;
        let mut parts: Vec<usize> = stages.iter().map(super::middlewares::address).collect();
        let kind = if let Some(balancer) = &settings.load_balancer {
            load_balancers::check(balancer)?;
            let transport = self.transport_of(name, balancer)?;
            parts.push(Arc::as_ptr(&transport) as usize);
            if let Some(kept) = self.unchanged(name, settings, &parts) {
                return Ok(kept);
            }
            ServiceKind::LoadBalancer(self.load_balancer(name, balancer, transport)?)
        } else {
            let children = self.children(name, settings, middlewares)?;
            parts.extend(children.iter().map(|child| Arc::as_ptr(child) as usize));
            if let Some(kept) = self.unchanged(name, settings, &parts) {
                return Ok(kept);
            }
            groups::compile(name, settings, children)?
        };
        let service = Arc::new(Service { name: name.into(), stages: stages.into(), kind });
        Ok(Kept { settings: Arc::clone(settings), parts, service })
    }

    pub(super) fn unchanged(
        &self,
        name: &str,
        settings: &Arc<ServiceSettings>,
        parts: &[usize],
    ) -> Option<Kept> {
        let kept = self.previous.get(name)?;
        (is_same(&kept.settings, settings) && kept.parts == parts).then(|| kept.clone())
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
                    let check = kept.service.load_balancer().and_then(|b| b.health_check.as_ref());
                    if let Some(info) = info {
                        info.servers = server_states(&kept.service);
                    }
                    if check.is_some() {
                        checked.push(Arc::clone(&kept.service));
                    }
                    kept_services.insert(name, kept);
                }
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
    let servers = service.load_balancer().map_or(&[][..], |balancer| &balancer.servers);
    servers.iter().map(|server| ServerState(Arc::clone(server))).collect()
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
