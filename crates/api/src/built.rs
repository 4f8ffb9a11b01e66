//! What building does to objects, as Traefik's API shows it: routers get the priority that their
//! rule gives them, names that were resolved are qualified, cookies get the names they go by. What
//! no router leads to is not built, and shown as written.

use std::collections::BTreeSet;
use std::sync::Arc;

use balance::Sticky as BuiltSticky;
use config::dynamic::{Service, Sticky};
use routing::compile::{RouterInfo, Runtime};
use routing::rule::default_priority;

use crate::views::provider;

/// Gives the runtime with the marks of building on it.
pub(crate) fn as_built(runtime: &Runtime) -> Runtime {
    let mut shown = runtime.clone();
    shown.populate_used_by();
    let mut services = Names::default();
    let mut middlewares = Names::default();
    for (name, info) in &mut shown.routers {
        if !is_built(info) {
            continue;
        }
        let router = Arc::make_mut(&mut info.router);
        if router.priority == 0 {
            router.priority = default_priority(&router.rule);
        }
        for middleware in &mut router.middlewares {
            *middleware = qualify(middleware, name);
            middlewares.add(middleware.clone());
        }
        services.add(qualify(&router.service, name));
    }
    // Services lead to middlewares and, through error pages, middlewares to services.
    loop {
        if let Some(name) = services.next() {
            let Some(info) = shown.services.get_mut(&name) else { continue };
            for middleware in &info.service.middlewares {
                middlewares.add(qualify(middleware, &name));
            }
            build_service(Arc::make_mut(&mut info.service), &name);
            for child in children(&info.service) {
                services.add(qualify(child, &name));
            }
        } else if let Some(name) = middlewares.next() {
            let Some(info) = shown.middlewares.get_mut(&name) else { continue };
            let middleware = Arc::make_mut(&mut info.middleware);
            for middleware in middleware.chain.iter_mut().flat_map(|c| &mut c.middlewares) {
                *middleware = qualify(middleware, &name);
                middlewares.add(middleware.clone());
            }
            if let Some(errors) = &info.middleware.errors {
                services.add(qualify(&errors.service, &name));
            }
        } else {
            return shown;
        }
    }
}

/// Names that are still to be visited; each is visited once.
#[derive(Default)]
struct Names {
    known: BTreeSet<String>,
    waiting: Vec<String>,
}

impl Names {
    fn add(&mut self, name: String) {
        if self.known.insert(name.clone()) {
            self.waiting.push(name);
        }
    }

    fn next(&mut self) -> Option<String> {
        self.waiting.pop()
    }
}

/// A root router is built for the entry points that take it, a child unless its place in the tree
/// is wrong.
fn is_built(info: &RouterInfo) -> bool {
    let is_misplaced = |error: &String| {
        error == "router is not reachable"
            || error.starts_with("non-root router cannot have ")
            || error.starts_with("parent router ")
    };
    let is_child = !info.router.parent_refs.is_empty();
    !info.using.is_empty() || (is_child && !info.errors.iter().any(is_misplaced))
}

fn build_service(service: &mut Service, name: &str) {
    if let Some(balancer) = &mut service.load_balancer {
        if !balancer.servers_transport.is_empty() {
            balancer.servers_transport = qualify(&balancer.servers_transport, name);
        }
        name_cookie(balancer.sticky.as_mut(), name);
    }
    if let Some(weighted) = &mut service.weighted {
        name_cookie(weighted.sticky.as_mut(), name);
    }
}

fn name_cookie(sticky: Option<&mut Sticky>, service: &str) {
    let Some(cookie) = sticky.and_then(|sticky| sticky.cookie.as_mut()) else { return };
    let built = BuiltSticky::new::<&str>(cookie, service, &[]);
    cookie.name = built.name().to_owned();
}

/// The services that a service leads to, as written.
fn children(service: &Service) -> Vec<&str> {
    let mut names = Vec::new();
    if let Some(weighted) = &service.weighted {
        names.extend(weighted.services.iter().map(|child| child.name.as_str()));
    }
    if let Some(hashed) = &service.highest_random_weight {
        names.extend(hashed.services.iter().map(|child| child.name.as_str()));
    }
    if let Some(mirroring) = &service.mirroring {
        names.push(&mirroring.service);
        names.extend(mirroring.mirrors.iter().map(|mirror| mirror.name.as_str()));
    }
    if let Some(failover) = &service.failover {
        names.extend([failover.service.as_str(), failover.fallback.as_str()]);
    }
    names
}

/// Gives a name the provider of the object that refers to it, unless it has one.
fn qualify(name: &str, owner: &str) -> String {
    if name.contains('@') { name.to_owned() } else { format!("{name}@{}", provider(owner)) }
}

#[cfg(test)]
mod tests {
    use config::dynamic::{
        Chain, ErrorPage, Middleware, Router, ServersLoadBalancer, StickyCookie,
        WeightedRoundRobin, WeightedService,
    };
    use routing::compile::{MiddlewareInfo, ServiceInfo};

    use super::*;

    fn router(using: &[&str], parents: &[&str], errors: &[&str]) -> RouterInfo {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        let router = Router {
            rule: "Path(`/x`)".to_owned(),
            middlewares: texts(&["chain"]),
            parent_refs: texts(parents),
            service: "outer".to_owned(),
            ..Router::default()
        };
        RouterInfo {
            router: router.into(),
            using: using.iter().copied().map(Arc::from).collect(),
            errors: texts(errors),
            ..RouterInfo::default()
        }
    }

    fn check_router(info: RouterInfo, priority: i64, middleware: &str) {
        let routers = [("r@file".to_owned(), info)].into();
        let shown = as_built(&Runtime { routers, ..Runtime::default() });
        let router = &shown.routers["r@file"].router;
        assert_eq!((router.priority, router.middlewares[0].as_str()), (priority, middleware));
    }

    #[test]
    fn routers_that_are_built_are_completed() {
        check_router(router(&["web"], &[], &[]), 10, "chain@file");
        check_router(router(&["web"], &[], &["an error"]), 10, "chain@file");
        check_router(router(&[], &[], &["no valid entryPoint for this router"]), 0, "chain");
        check_router(router(&[], &["parent@file"], &[]), 10, "chain@file");
        check_router(router(&[], &["parent@file"], &["unsupported function: X"]), 10, "chain@file");
        check_router(router(&[], &["parent@file"], &["router is not reachable"]), 0, "chain");
    }

    /// Expects what a router leads to through a chain and a weighted service to be completed, or
    /// to be as written.
    fn check_reach(using: &[&str], transport: &str, cookie: &str, chained: &str) {
        let cookie_settings = Sticky { cookie: Some(StickyCookie::default()) };
        let balancer = ServersLoadBalancer {
            sticky: Some(cookie_settings),
            servers_transport: "t".to_owned(),
            ..ServersLoadBalancer::default()
        };
        let inner = Service { load_balancer: Some(balancer), ..Service::default() };
        let child = WeightedService { name: "inner".to_owned(), weight: None };
        let weighted = WeightedRoundRobin { services: vec![child], ..Default::default() };
        let outer = Service { weighted: Some(weighted), ..Service::default() };
        let chain = Chain { middlewares: vec!["errors".to_owned()] };
        let errors = ErrorPage { service: "outer".to_owned(), ..ErrorPage::default() };
        let service =
            |service| ServiceInfo { service: Arc::new(service), ..ServiceInfo::default() };
        let middleware = |middleware| MiddlewareInfo {
            middleware: Arc::new(middleware),
            ..MiddlewareInfo::default()
        };
        let chain = Middleware { chain: Some(chain), ..Middleware::default() };
        let errors = Middleware { errors: Some(errors), ..Middleware::default() };
        let mut info = router(using, &[], &[]);
        Arc::make_mut(&mut info.router).service = "elsewhere".to_owned();
        let runtime = Runtime {
            routers: [("r@file".to_owned(), info)].into(),
            services: [
                ("inner@file".to_owned(), service(inner)),
                ("outer@file".to_owned(), service(outer)),
            ]
            .into(),
            middlewares: [
                ("chain@file".to_owned(), middleware(chain)),
                ("errors@file".to_owned(), middleware(errors)),
            ]
            .into(),
        };
        let shown = as_built(&runtime);
        let balancer = shown.services["inner@file"].service.load_balancer.as_ref().unwrap();
        assert_eq!(balancer.servers_transport, transport);
        let found = balancer.sticky.as_ref().unwrap().cookie.as_ref().unwrap();
        assert_eq!(found.name.is_empty(), cookie.is_empty());
        let chain = shown.middlewares["chain@file"].middleware.chain.as_ref().unwrap();
        assert_eq!(chain.middlewares, [chained]);
    }

    #[test]
    fn what_no_router_leads_to_is_shown_as_written() {
        check_reach(&["web"], "t@file", "named", "errors@file");
        check_reach(&[], "t", "", "errors");
    }
}
