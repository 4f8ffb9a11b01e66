//! Which objects an object refers to.

use config::decode_dynamic::Kind;
use config::dynamic::{Router, Service};

use crate::aggregate::{Frame, Id, Merged, qualify};

/// The objects that this one refers to, existing or not.
pub(super) fn references(id: &Id, merged: &Merged, frame: &Frame<'_>) -> Vec<Id> {
    let http = &merged.configuration.http;
    let mut found = References { owner: &id.name, ids: Vec::new() };
    match id.kind {
        Kind::Router => {
            if let Some(router) = merged.routers.get(&id.name) {
                found.of_router(router, frame);
            }
        }
        Kind::Service => {
            if let Some(service) = http.services.get(&id.name) {
                found.of_service(service);
            }
        }
        Kind::Middleware => {
            if let Some(middleware) = http.middlewares.get(&id.name) {
                let chain = middleware.chain.iter().flat_map(|chain| &chain.middlewares);
                chain.for_each(|name| found.add(Kind::Middleware, name));
                if let Some(errors) = &middleware.errors {
                    found.add(Kind::Service, &errors.service);
                }
            }
        }
        _ => {}
    }
    found.ids
}

struct References<'a> {
    owner: &'a str,
    ids: Vec<Id>,
}

impl References<'_> {
    fn add(&mut self, kind: Kind, name: &str) {
        if !name.is_empty() {
            self.ids.push(Id::new(kind, qualify(name, self.owner)));
        }
    }

    fn of_router(&mut self, router: &Router, frame: &Frame<'_>) {
        self.add(Kind::Service, &router.service);
        router.parent_refs.iter().for_each(|name| self.add(Kind::Router, name));
        router.middlewares.iter().for_each(|name| self.add(Kind::Middleware, name));
        let mut tls = router.tls.as_ref();
        let models = &frame.models;
        for entry_point in models.entry_points(router) {
            let Some(model) = models.by_entry_point.get(entry_point) else { continue };
            model.middlewares.iter().for_each(|name| self.add(Kind::Middleware, name));
            tls = tls.or(model.tls.as_ref());
        }
        match tls.map(|tls| tls.options.as_str()) {
            None => {}
            Some("" | "default") => self.ids.push(Id::new(Kind::TlsOptions, "default")),
            Some(options) => self.add(Kind::TlsOptions, options),
        }
    }

    fn of_service(&mut self, service: &Service) {
        service.middlewares.iter().for_each(|name| self.add(Kind::Middleware, name));
        if let Some(balancer) = &service.load_balancer {
            self.add(Kind::ServersTransport, &balancer.servers_transport);
        }
        let weighted = service.weighted.iter().flat_map(|weighted| &weighted.services);
        let hashed = service.highest_random_weight.iter().flat_map(|hashed| &hashed.services);
        weighted.chain(hashed).for_each(|child| self.add(Kind::Service, &child.name));
        if let Some(mirroring) = &service.mirroring {
            self.add(Kind::Service, &mirroring.service);
            mirroring.mirrors.iter().for_each(|mirror| self.add(Kind::Service, &mirror.name));
        }
        if let Some(failover) = &service.failover {
            self.add(Kind::Service, &failover.service);
            self.add(Kind::Service, &failover.fallback);
        }
    }
}
