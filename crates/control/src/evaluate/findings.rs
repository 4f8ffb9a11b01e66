//! Everything there is to say about a configuration, as diagnostics with places.

use std::collections::HashMap;
use std::sync::Arc;

use config::decode_dynamic::Kind;
use config::dynamic::{Middleware, Named, Router, Service};
use config::{Diagnostic, Place};
use routing::compile::{Runtime, Status};

use super::explain::{Cause, Missing, What, explain};
use super::kept::{NOTE, Shown};
use crate::Update;
use crate::aggregate::{Frame, Id, Merged, provider_of, qualify};

/// Turns what compile found into diagnostics.
pub(super) struct Findings {
    entry_points: Vec<String>,
    shown: Shown,
    written: Written,
}

/// Objects as they were written whose last good version is in service.
#[derive(Default)]
pub(super) struct Written {
    routers: Named<Arc<Router>>,
    services: Named<Arc<Service>>,
    middlewares: Named<Arc<Middleware>>,
}

impl Written {
    /// Notes an object before its last good version takes its place.
    pub(super) fn set_aside(&mut self, id: &Id, merged: &Merged) {
        let name = &id.name;
        let services = &merged.configuration.http.services;
        match id.kind {
            Kind::Router => {
                self.routers.extend(merged.routers.get(name).map(|r| (name.clone(), r.clone())));
            }
            Kind::Service => {
                self.services.extend(services.get(name).map(|s| (name.clone(), s.clone())));
            }
            Kind::Middleware => {
                let middlewares = &merged.configuration.http.middlewares;
                self.middlewares.extend(middlewares.get(name).map(|m| (name.clone(), m.clone())));
            }
            _ => {}
        }
    }
}

impl Findings {
    pub(super) fn new(frame: &Frame<'_>, shown: Shown, written: Written) -> Self {
        let entry_points = frame.entry_point_names().map(str::to_owned).collect();
        Self { entry_points, shown, written }
    }

    /// Collects what providers, the merge and compile found, in this order.
    pub(super) fn collect(
        &self,
        runtime: &Runtime,
        problems: &[Diagnostic],
        merged: &Merged,
        updates: &[&Update],
    ) -> Vec<Diagnostic> {
        let by_name = updates.iter().map(|update| (&*update.provider, *update)).collect();
        let mut collector = Collector {
            findings: self,
            runtime,
            merged,
            updates: by_name,
            suggestions: SUGGESTIONS_MAX,
            diagnostics: Vec::new(),
        };
        for update in updates {
            collector.of_provider(update);
        }
        collector.diagnostics.extend(merged.diagnostics.iter().cloned());
        collector.deprecated();
        problems.iter().for_each(|problem| collector.problem(problem));
        collector.objects();
        collector.diagnostics
    }
}

struct Collector<'a> {
    findings: &'a Findings,
    runtime: &'a Runtime,
    merged: &'a Merged,
    updates: HashMap<&'a str, &'a Update>,
    /// How many more names may be looked for: with thousands of dangling references, the first
    /// hints tell enough.
    suggestions: usize,
    diagnostics: Vec<Diagnostic>,
}

impl Collector<'_> {
    fn of_provider(&mut self, update: &Update) {
        let rejected: HashMap<String, Id> = update
            .rejected
            .iter()
            .map(|rejected| {
                let id = Id::of_provider(rejected.kind, &rejected.name, &update.provider);
                (format!("{} {:?}", rejected.kind, rejected.name), id)
            })
            .collect();
        for diagnostic in &update.diagnostics {
            let mut diagnostic = diagnostic.clone();
            if let Some(object) = diagnostic.object.take() {
                let id = rejected.get(&object);
                if diagnostic.is_error() && id.is_some_and(|id| self.merged.kept.contains(id)) {
                    add_hint(&mut diagnostic, NOTE);
                }
                diagnostic.object = Some(qualified_object(&object, &update.provider));
            }
            self.diagnostics.push(diagnostic);
        }
    }

    fn deprecated(&mut self) {
        for (name, router) in &self.merged.routers {
            let is_own = router.rule_syntax == "default";
            if router.rule_syntax.is_empty() || is_own {
                continue;
            }
            let id = Id::new(Kind::Router, name);
            let diagnostic = Diagnostic::warning("deprecated", "ruleSyntax is deprecated")
                .about(id.to_string())
                .at(self.place(&id, "ruleSyntax"))
                .hint("write the rule in the syntax of v3 and remove the option");
            self.diagnostics.push(diagnostic);
        }
    }

    /// What certificates, TLS options and transports had to report.
    fn problem(&mut self, problem: &Diagnostic) {
        let mut diagnostic = problem.clone();
        let object = diagnostic.object.as_deref().unwrap_or_default();
        let position = object.strip_prefix("tls.certificates[").and_then(|o| o.strip_suffix(']'));
        if let Some(position) = position.and_then(|position| position.parse::<usize>().ok()) {
            if let Some((provider, position)) = self.merged.certificate_origins.get(position) {
                let places = self.updates.get(&**provider).map(|update| &update.places);
                diagnostic.place =
                    places.and_then(|places| places.certificates.get(*position).cloned().flatten());
                if *position != usize::MAX {
                    diagnostic.object = Some(format!("tls.certificates[{position}] of {provider}"));
                }
            }
        } else {
            let kinds = [
                ("TLS options ", Kind::TlsOptions),
                ("TLS store ", Kind::TlsStore),
                ("serversTransport ", Kind::ServersTransport),
            ];
            let found = kinds.iter().find_map(|(prefix, kind)| {
                let name = object.strip_prefix(prefix)?.trim_matches('"');
                Some(Id::new(*kind, name))
            });
            if let Some(id) = found {
                diagnostic.place = self.place(&id, "");
                diagnostic.object = Some(id.to_string());
            }
        }
        self.diagnostics.push(diagnostic);
    }

    fn objects(&mut self) {
        let Runtime { routers, services, middlewares } = self.runtime;
        for (name, info) in routers.iter().filter(|(_, info)| !info.errors.is_empty()) {
            let written = Id::new(Kind::Router, self.merged.written_name(name));
            self.object(&Id::new(Kind::Router, name), &written, info.status, &info.errors);
        }
        for (name, info) in services.iter().filter(|(_, info)| !info.errors.is_empty()) {
            let id = Id::new(Kind::Service, name);
            self.object(&id, &id, info.status, &info.errors);
        }
        for (name, info) in middlewares.iter().filter(|(_, info)| !info.errors.is_empty()) {
            let id = Id::new(Kind::Middleware, name);
            self.object(&id, &id, info.status, &info.errors);
        }
    }

    fn object(&mut self, id: &Id, written: &Id, status: Status, errors: &[String]) {
        if self.findings.shown.unreadable.contains(written) {
            return;
        }
        let is_kept = errors.last().is_some_and(|error| error == NOTE);
        for error in errors.iter().filter(|error| *error != NOTE) {
            let cause = self.cause(written, error);
            let mut diagnostic = if status == Status::Disabled || is_kept {
                Diagnostic::error(cause.code, error)
            } else {
                Diagnostic::warning(cause.code, error)
            };
            diagnostic = diagnostic.about(id.to_string()).at(self.place(written, &cause.field));
            if let Some(hint) = cause.missing.and_then(|missing| self.hint(&missing, written)) {
                add_hint(&mut diagnostic, &hint);
            }
            if is_kept {
                add_hint(&mut diagnostic, NOTE);
            }
            self.diagnostics.push(diagnostic);
        }
    }

    /// Finds the value that an error is about.
    fn cause(&self, id: &Id, error: &str) -> Cause {
        let Self { runtime, merged, .. } = self;
        let is_of_service = |name: &str| {
            runtime.services.get(name).is_some_and(|info| info.errors.iter().any(|e| e == error))
        };
        let is_of_middleware = |name: &str| {
            runtime.middlewares.get(name).is_some_and(|info| info.errors.iter().any(|e| e == error))
        };
        let written = &self.findings.written;
        let router = written.routers.get(&id.name).or_else(|| merged.routers.get(&id.name));
        let services = &merged.configuration.http.services;
        let service = written.services.get(&id.name).or_else(|| services.get(&id.name));
        let broken = |field: String| Cause { code: "broken-reference", field, missing: None };
        if let Some(router) = router.filter(|_| id.kind == Kind::Router) {
            if is_of_service(&qualify(&router.service, &id.name)) {
                return broken("service".to_owned());
            }
            let mut middlewares = router.middlewares.iter();
            if let Some(index) =
                middlewares.position(|name| is_of_middleware(&qualify(name, &id.name)))
            {
                return broken(format!("middlewares[{index}]"));
            }
            return explain(error, id, |field| router_field(router, field));
        }
        if let Some(service) = service.filter(|_| id.kind == Kind::Service) {
            let children = service.weighted.iter().flat_map(|weighted| &weighted.services);
            let mut children = children.map(|child| qualify(&child.name, &id.name));
            if let Some(index) = children.position(|name| name != id.name && is_of_service(&name)) {
                return broken(format!("weighted.services[{index}].name"));
            }
            return explain(error, id, |field| service_field(service, field));
        }
        let middleware = written.middlewares.get(&id.name);
        let middlewares = &merged.configuration.http.middlewares;
        match middleware.or_else(|| middlewares.get(&id.name)) {
            Some(middleware) => explain(error, id, |field| middleware_field(middleware, field)),
            None => explain(error, id, |_| Vec::new()),
        }
    }

    fn hint(&mut self, missing: &Missing, owner: &Id) -> Option<String> {
        let What::Object(kind) = missing.what else {
            let names = self.findings.entry_points.iter().map(String::as_str);
            let nearest = config::suggest::nearest(&missing.name, names)?;
            return Some(format!("did you mean {nearest:?}?"));
        };
        if self.merged.unreadable.contains(&Id::new(kind, &*missing.name)) {
            return Some("it is defined, but could not be read".to_owned());
        }
        self.suggestions = self.suggestions.checked_sub(1)?;
        let http = &self.merged.configuration.http;
        let (wanted, provider) = provider_of(&missing.name);
        let mut names: Vec<&str> = match kind {
            Kind::Router => self.merged.routers.keys().map(String::as_str).collect(),
            Kind::Service => http.services.keys().map(String::as_str).collect(),
            Kind::Middleware => http.middlewares.keys().map(String::as_str).collect(),
            Kind::ServersTransport => http.servers_transports.keys().map(String::as_str).collect(),
            Kind::TlsOptions => {
                self.merged.configuration.tls.options.keys().map(String::as_str).collect()
            }
            _ => Vec::new(),
        };
        // It may still be there for those that had it.
        names.retain(|name| *name != missing.name);
        // The same name at another provider is what was meant more often than a similar one.
        let elsewhere = names.iter().find(|name| {
            let (base, provider_of_it) = provider_of(name);
            base == wanted && provider_of_it != provider && provider_of_it.is_some()
        });
        if let Some(name) = elsewhere {
            return Some(format!("did you mean {name:?}?"));
        }
        let same_provider =
            names.iter().map(|name| provider_of(name)).filter(|(_, p)| *p == provider);
        let nearest = config::suggest::nearest(wanted, same_provider.map(|(base, _)| base))?;
        match provider {
            // As it would be written: the owner's provider goes without saying.
            Some(provider) if provider_of(&owner.name).1 != Some(provider) => {
                Some(format!("did you mean {:?}?", format!("{nearest}@{provider}")))
            }
            _ => Some(format!("did you mean {nearest:?}?")),
        }
    }

    /// Where a value of an object stands, or the object.
    fn place(&self, id: &Id, field: &str) -> Option<Place> {
        let (name, provider) = provider_of(&id.name);
        if let Some(provider) = provider {
            return self.updates.get(provider)?.places.find(id.kind, name, field);
        }
        self.updates.values().find_map(|update| update.places.find(id.kind, name, field))
    }
}

/// The values of a router's list, or of its only value.
fn router_field(router: &Router, field: &str) -> Vec<String> {
    match field {
        "service" => vec![router.service.clone()],
        "middlewares" => router.middlewares.clone(),
        "entryPoints" => router.entry_points.clone(),
        "parentRefs" => router.parent_refs.clone(),
        _ => Vec::new(),
    }
}

fn service_field(service: &Service, field: &str) -> Vec<String> {
    match field {
        "middlewares" => service.middlewares.clone(),
        "servers" => {
            let servers = service.load_balancer.iter().flat_map(|balancer| &balancer.servers);
            servers.map(|server| server.url.clone()).collect()
        }
        "children" => {
            let children = service.weighted.iter().flat_map(|weighted| &weighted.services);
            children.map(|child| child.name.clone()).collect()
        }
        _ => Vec::new(),
    }
}

fn middleware_field(middleware: &Middleware, field: &str) -> Vec<String> {
    match field {
        "chain.middlewares" => {
            middleware.chain.iter().flat_map(|chain| chain.middlewares.clone()).collect()
        }
        "errors.service" => middleware.errors.iter().map(|page| page.service.clone()).collect(),
        _ => Vec::new(),
    }
}

/// `router "web"` of a provider is `router "web@provider"` to everybody else.
fn qualified_object(object: &str, provider: &str) -> String {
    let is_shared = matches!(object, "TLS options \"default\"" | "TLS store \"default\"");
    match object.strip_suffix('"') {
        Some(start) if !is_shared && !object.contains('@') => format!("{start}@{provider}\""),
        _ => object.to_owned(),
    }
}

fn add_hint(diagnostic: &mut Diagnostic, text: &str) {
    diagnostic.hint = Some(match diagnostic.hint.take() {
        Some(hint) => format!("{hint}; {text}"),
        None => text.to_owned(),
    });
}

/// Looking for the nearest of ten thousand names takes milliseconds.
const SUGGESTIONS_MAX: usize = 50;
