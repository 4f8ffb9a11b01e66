//! Routers: rules parsed, chains and services found, the index of every entry point built.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use config::dynamic::Router;

use super::middlewares::{Middlewares, Owner};
use super::parents::Tree;
use super::runtime::{Runtime, Status};
use super::services::Services;
use super::tls_options::{self, Conflict, Hosts, TlsBuilt};
use super::{Input, provider_of, qualify};
use crate::index::Entry;
use crate::route::{DeniedCharacters, Next, Route};
use crate::rule::{self, Rule, Syntax};
use crate::{RouterIndex, Service};

/// The highest priority a user may give (Traefik keeps those above for itself).
const USER_PRIORITY_MAX: i64 = i64::MAX - 1000;
/// What a router is told whose TLS options conflict, with `core.strictTLSOptions`.
const STRICT_CONFLICT: &str = "router's TLSOptions configuration is conflicting with other routers \
                               on the same entrypoint and host";
/// Routers inside each other, at most.
const DEPTH_MAX: usize = 64;

/// Parsed rules by syntax and text.
pub(crate) type RuleCache = HashMap<(Syntax, String), Arc<Rule>>;

/// One entry point, built.
pub(crate) struct Built {
    pub(crate) plain: RouterIndex,
    pub(crate) secure: RouterIndex,
    pub(crate) tls: Arc<tls::ServerSettings>,
}

/// All entry points, and the rules for the next run.
pub(crate) struct BuiltRouters {
    pub(crate) entry_points: Vec<(Arc<str>, Built)>,
    pub(crate) rules: RuleCache,
}

/// Builds the routers of all entry points.
pub(crate) fn build<'a>(
    input: &'a Input<'a>,
    services: &mut Services<'a>,
    middlewares: &mut Middlewares<'a>,
    tls: &TlsBuilt,
    previous: &RuleCache,
    runtime: &mut Runtime,
) -> BuiltRouters {
    check_entry_points(input, runtime);
    let tree = Tree::new(runtime);
    complete(runtime);
    let mut builder =
        Builder { input, services, middlewares, tree, previous, rules: HashMap::new() };
    let mut by_entry_point: HashMap<String, Vec<(String, Router)>> = HashMap::new();
    for (name, info) in &runtime.routers {
        if info.router.parent_refs.is_empty() && info.status != Status::Disabled {
            for entry_point in &info.using {
                let root = (name.clone(), info.router.clone());
                match by_entry_point.get_mut(entry_point) {
                    Some(roots) => roots.push(root),
                    None => {
                        by_entry_point.insert(entry_point.clone(), vec![root]);
                    }
                }
            }
        }
    }
    let mut entry_points = Vec::new();
    for entry_point in input.entry_points {
        let roots = by_entry_point.remove(&*entry_point.name).unwrap_or_default();
        let built = builder.entry_point(&roots, &entry_point.denied_characters, tls, runtime);
        entry_points.push((Arc::clone(&entry_point.name), built));
    }
    BuiltRouters { entry_points, rules: builder.rules }
}

/// Finds out which entry points serve a router, and reports those that do not exist.
fn check_entry_points(input: &Input<'_>, runtime: &mut Runtime) {
    let known: HashSet<&str> = input.entry_points.iter().map(|entry| &*entry.name).collect();
    for info in runtime.routers.values_mut() {
        if !info.router.parent_refs.is_empty() {
            continue;
        }
        let mut unknown = Vec::new();
        for entry_point in &info.router.entry_points {
            if known.contains(entry_point.as_str()) {
                info.using.insert(entry_point.clone());
            } else {
                unknown.push(format!("entryPoint {entry_point:?} doesn't exist"));
            }
        }
        for error in unknown {
            info.warn(error);
        }
        if info.using.is_empty() {
            info.disable("no valid entryPoint for this router");
        }
    }
}

struct Builder<'b, 'a> {
    input: &'a Input<'a>,
    services: &'b mut Services<'a>,
    middlewares: &'b mut Middlewares<'a>,
    tree: Tree,
    previous: &'b RuleCache,
    rules: RuleCache,
}

impl<'a> Builder<'_, 'a> {
    fn entry_point(
        &mut self,
        roots: &[(String, Router)],
        denied: &DeniedCharacters,
        tls: &TlsBuilt,
        runtime: &mut Runtime,
    ) -> Built {
        let mut hosts = Hosts::default();
        for (name, router) in roots {
            if let Some(options) = tls_options::options_of(router, name)
                && let Ok(rule) = self.rule(router)
            {
                hosts.add(name, &router.rule, rule.hosts(), options);
            }
        }
        let (settings, conflicts) = hosts.settle(tls);
        let mut plain = Vec::new();
        let mut secure = Vec::new();
        for (name, router) in roots {
            let mut options = tls_options::options_of(router, name);
            if let Some(wanted) = &options {
                let conflict = conflicts.get(name).map(Conflict::to_string);
                match self.settle_options(wanted, conflict, tls, name, runtime) {
                    Some(settled) => options = Some(settled),
                    None => continue,
                }
            }
            let options = options.map(Arc::from);
            match self.entry(name, router, options, denied, runtime, 0) {
                Ok(entry) if entry.route.tls_options.is_some() => secure.push(entry),
                Ok(entry) => plain.push(entry),
                Err(error) => disable(runtime, name, error),
            }
        }
        Built {
            plain: RouterIndex::build(plain),
            secure: RouterIndex::build(secure),
            tls: settings,
        }
    }

    /// Gives the options that are in force for a router; `None`: it is disabled.
    fn settle_options(
        &self,
        wanted: &str,
        conflict: Option<String>,
        tls: &TlsBuilt,
        name: &str,
        runtime: &mut Runtime,
    ) -> Option<String> {
        if let Some(fault) = tls.fault(wanted) {
            disable(runtime, name, format!("building router handler: {fault}"));
            return None;
        }
        let Some(conflict) = conflict else { return Some(wanted.to_owned()) };
        let info = runtime.routers.get_mut(name)?;
        if self.input.strict_tls_options {
            info.disable(STRICT_CONFLICT);
            return None;
        }
        info.warn(conflict);
        Some(tls_options::DEFAULT_OPTIONS.to_owned())
    }

    fn entry(
        &mut self,
        name: &str,
        router: &Router,
        options: Option<Arc<str>>,
        denied: &DeniedCharacters,
        runtime: &mut Runtime,
        depth: usize,
    ) -> Result<Entry, String> {
        let is_internal = provider_of(name) == "internal";
        if router.priority > USER_PRIORITY_MAX && !is_internal {
            return Err(format!(
                "the router priority {} exceeds the max user-defined priority {USER_PRIORITY_MAX}",
                router.priority
            ));
        }
        let children = self.tree.children(name).to_vec();
        let next = if children.is_empty() {
            Next::Service(self.service(name, router, runtime)?)
        } else {
            Next::Children(self.children(&children, denied, runtime, depth)?)
        };
        let owner = Owner::Router(name);
        let stages = self.middlewares.stages(&router.middlewares, owner, self.services)?;
        let rule = self.rule(router)?;
        let route = Route {
            name: name.into(),
            stages: stages.into(),
            next,
            tls_options: options,
            denied_characters: denied.clone(),
        };
        let route = Arc::new(route);
        let priority = match router.priority {
            0 => rule::default_priority(&router.rule),
            priority => priority,
        };
        let tie = (self.precedence(name), Arc::clone(&route.name));
        Ok(Entry { rule, priority, tie, route })
    }

    fn service(
        &mut self,
        name: &str,
        router: &Router,
        runtime: &mut Runtime,
    ) -> Result<Arc<Service>, String> {
        if router.service.is_empty() {
            if let Some(info) = runtime.routers.get_mut(name) {
                info.disable("router has no service and no child routers");
            }
            return Err("router must have either a service or child routers".to_owned());
        }
        self.services.service(&qualify(&router.service, name), self.middlewares)
    }

    fn children(
        &mut self,
        names: &[String],
        denied: &DeniedCharacters,
        runtime: &mut Runtime,
        depth: usize,
    ) -> Result<RouterIndex, String> {
        if depth >= DEPTH_MAX {
            return Err("routers nest too deep".to_owned());
        }
        let mut entries = Vec::new();
        let mut skipped = 0;
        for name in names {
            let info = &runtime.routers[name];
            if info.status == Status::Disabled {
                skipped += 1;
                continue;
            }
            let router = info.router.clone();
            match self.entry(name, &router, None, denied, runtime, depth + 1) {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    skipped += 1;
                    disable(runtime, name, error);
                }
            }
        }
        if entries.is_empty() {
            return Err(format!(
                "building child routers muxer: no child routers could be added to muxer ({skipped} skipped)"
            ));
        }
        Ok(RouterIndex::build(entries))
    }

    fn rule(&mut self, router: &Router) -> Result<Arc<Rule>, String> {
        let syntax = match router.rule_syntax.as_str() {
            "" => self.input.default_rule_syntax,
            "v2" => Syntax::V2,
            _ => Syntax::V3,
        };
        let key = (syntax, router.rule.clone());
        if let Some(rule) = self.rules.get(&key) {
            return Ok(Arc::clone(rule));
        }
        let rule = match self.previous.get(&key) {
            Some(rule) => Arc::clone(rule),
            None => Arc::new(Rule::parse(&router.rule, syntax)?),
        };
        self.rules.insert(key, Arc::clone(&rule));
        Ok(rule)
    }

    /// Rank among routers of equal priority: the place of its provider in the list, last if it
    /// has none.
    fn precedence(&self, name: &str) -> i64 {
        let provider = provider_of(name).to_ascii_lowercase();
        let listed = self.input.precedence.iter().position(|listed| *listed == provider);
        listed.map_or(i64::MAX, |index| index as i64)
    }
}

/// Writes into the routers what the API shows of those that are looked at: the effective priority
/// and the qualified names of the middlewares.
fn complete(runtime: &mut Runtime) {
    for (name, info) in &mut runtime.routers {
        if info.status == Status::Disabled {
            continue;
        }
        let router = &mut info.router;
        if router.priority == 0 {
            router.priority = rule::default_priority(&router.rule);
        }
        for middleware in &mut router.middlewares {
            if !middleware.contains('@') {
                *middleware = qualify(middleware, name);
            }
        }
    }
}

fn disable(runtime: &mut Runtime, name: &str, error: String) {
    if let Some(info) = runtime.routers.get_mut(name) {
        info.disable(error);
    }
}
