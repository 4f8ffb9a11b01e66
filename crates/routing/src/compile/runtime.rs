//! What the API and diagnostics say of every object: its settings, status, errors and users.

use std::collections::BTreeSet;
use std::sync::Arc;

use config::dynamic::{Configuration, Middleware, Router, Service};

use super::{Named, qualify};
use crate::Server;
use crate::rule::Rule;

/// An object's status, as Traefik names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    #[default]
    Enabled,
    /// Works, but not as written.
    Warning,
    /// Is left out.
    Disabled,
}

impl Status {
    /// The word the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Warning => "warning",
            Self::Disabled => "disabled",
        }
    }
}

/// All objects of a configuration and how they fare.
#[derive(Clone, Debug, Default)]
pub struct Runtime {
    pub routers: Named<RouterInfo>,
    pub services: Named<ServiceInfo>,
    pub middlewares: Named<MiddlewareInfo>,
}

/// A router and how it fares.
#[derive(Clone, Debug, Default)]
pub struct RouterInfo {
    pub router: Arc<Router>,
    pub status: Status,
    pub errors: Vec<String>,
    /// The entry points that serve it, in the order of names.
    pub using: Vec<Arc<str>>,
    /// What its rule means, when that was needed and the rule is good.
    pub rule: Option<Arc<Rule>>,
}

/// A service and how it fares.
#[derive(Clone, Debug, Default)]
pub struct ServiceInfo {
    pub service: Arc<Service>,
    pub status: Status,
    pub errors: Vec<String>,
    /// The routers that lead to it; see [`Runtime::populate_used_by`].
    pub used_by: BTreeSet<String>,
    /// The servers, when the service was built.
    pub servers: Vec<ServerState>,
}

/// A middleware and how it fares.
#[derive(Clone, Debug, Default)]
pub struct MiddlewareInfo {
    pub middleware: Arc<Middleware>,
    pub status: Status,
    pub errors: Vec<String>,
    /// The routers whose chain has it; see [`Runtime::populate_used_by`].
    pub used_by: BTreeSet<String>,
}

/// A server whose health can be asked at any time.
#[derive(Clone)]
pub struct ServerState(pub Arc<Server>);

impl std::fmt::Debug for ServerState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ServerState").field(&self.0.url).finish()
    }
}

/// Adds an error once, and lowers the status.
fn add(status: &mut Status, errors: &mut Vec<String>, error: String, severity: Status) {
    *status = (*status).max(severity);
    if !errors.contains(&error) {
        errors.push(error);
    }
}

impl RouterInfo {
    /// Takes the router out of service.
    pub(crate) fn disable(&mut self, error: impl Into<String>) {
        add(&mut self.status, &mut self.errors, error.into(), Status::Disabled);
    }

    /// Says what is wrong with a router that works.
    pub(crate) fn warn(&mut self, error: impl Into<String>) {
        add(&mut self.status, &mut self.errors, error.into(), Status::Warning);
    }
}

impl ServiceInfo {
    pub(crate) fn disable(&mut self, error: impl Into<String>) {
        add(&mut self.status, &mut self.errors, error.into(), Status::Disabled);
    }
}

impl MiddlewareInfo {
    pub(crate) fn disable(&mut self, error: impl Into<String>) {
        add(&mut self.status, &mut self.errors, error.into(), Status::Disabled);
    }
}

impl Runtime {
    /// Lists all objects. Rules of routers that are as they were are taken over.
    pub(crate) fn new(configuration: &Configuration, previous: Option<&Self>) -> Self {
        let http = &configuration.http;
        let mut before = previous.into_iter().flat_map(|previous| &previous.routers).peekable();
        let routers = http.routers.iter().map(|(name, router)| {
            while before.next_if(|(before, _)| *before < name).is_some() {}
            let known = before.next_if(|(before, _)| *before == name).map(|(_, info)| info);
            let rule = known.filter(|info| Arc::ptr_eq(&info.router, router));
            let rule = rule.and_then(|info| info.rule.clone());
            let router = Arc::clone(router);
            (name.clone(), RouterInfo { router, rule, ..RouterInfo::default() })
        });
        let services = http.services.iter().map(|(name, service)| {
            let service = Arc::clone(service);
            (name.clone(), ServiceInfo { service, ..ServiceInfo::default() })
        });
        let middlewares = http.middlewares.iter().map(|(name, middleware)| {
            let middleware = Arc::clone(middleware);
            (name.clone(), MiddlewareInfo { middleware, ..MiddlewareInfo::default() })
        });
        Self {
            routers: routers.collect(),
            services: services.collect(),
            middlewares: middlewares.collect(),
        }
    }

    /// Finds out who uses what, from the names alone. This is for those who show it: nothing is
    /// decided by it, and with many objects it takes time and memory.
    pub fn populate_used_by(&mut self) {
        for (name, info) in &self.routers {
            if !info.router.service.is_empty()
                && let Some(service) = self.services.get_mut(&qualify(&info.router.service, name))
            {
                service.used_by.insert(name.clone());
            }
            for middleware in &info.router.middlewares {
                if let Some(middleware) = self.middlewares.get_mut(&qualify(middleware, name)) {
                    middleware.used_by.insert(name.clone());
                }
            }
        }
    }
}
