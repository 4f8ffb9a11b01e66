//! Routers: rules parsed, chains and services found, the index of every entry point built.

use std::collections::HashMap;
use std::sync::Arc;

use config::dynamic::Router;

use super::middlewares::{Middlewares, Owner};
use super::parents::Tree;
use super::runtime::{RouterInfo, Runtime, Status};
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

/// One entry point, built.
pub(crate) struct Built {
    pub(crate) plain: RouterIndex,
    pub(crate) secure: RouterIndex,
    pub(crate) tls: Arc<tls::ServerSettings>,
}

/// Builds the routers of all entry points.
pub(crate) fn build<'a>(
    input: &'a Input<'a>,
    services: &mut Services<'a>,
    middlewares: &mut Middlewares<'a>,
    tls: &TlsBuilt,
    runtime: &mut Runtime,
) -> Vec<(Arc<str>, Built)> {
    check_entry_points(input, runtime);
    let tree = Tree::new(runtime);
    let roots = roots(input, runtime);
    let mut builder = Builder { input, services, middlewares, tree };
    let mut entry_points = Vec::new();
    for entry_point in input.entry_points {
        let is_served = |root: &&Root| root.using.contains(&entry_point.name);
        let roots: Vec<&Root> = roots.iter().filter(is_served).collect();
        let built = builder.entry_point(&roots, &entry_point.denied_characters, tls, runtime);
        entry_points.push((Arc::clone(&entry_point.name), built));
    }
    entry_points
}

/// Finds out which entry points serve a router, and reports those that do not exist.
fn check_entry_points(input: &Input<'_>, runtime: &mut Runtime) {
    let known: HashMap<&str, &Arc<str>> =
        input.entry_points.iter().map(|entry| (&*entry.name, &entry.name)).collect();
    for info in runtime.routers.values_mut() {
        let router = Arc::clone(&info.router);
        if !router.parent_refs.is_empty() {
            continue;
        }
        info.using.reserve_exact(router.entry_points.len());
        for entry_point in &router.entry_points {
            match known.get(entry_point.as_str()) {
                Some(name) => info.using.push(Arc::clone(name)),
                None => info.warn(format!("entryPoint {entry_point:?} doesn't exist")),
            }
        }
        info.using.sort();
        info.using.dedup();
        if info.using.is_empty() {
            info.disable("no valid entryPoint for this router");
        }
    }
}

/// A router without parents that is to be served.
struct Root {
    name: Arc<str>,
    router: Arc<Router>,
    rule: Result<Arc<Rule>, String>,
    using: Vec<Arc<str>>,
}

/// The routers without parents that are in order so far.
fn roots(input: &Input<'_>, runtime: &mut Runtime) -> Vec<Root> {
    let routers = runtime
        .routers
        .iter_mut()
        .filter(|(_, info)| info.router.parent_refs.is_empty() && info.status != Status::Disabled);
    let root = |(name, info): (&String, &mut RouterInfo)| Root {
        name: name.as_str().into(),
        router: Arc::clone(&info.router),
        rule: rule(info, input),
        using: info.using.clone(),
    };
    routers.map(root).collect()
}

/// Gives the rule of a router, which is parsed only once.
fn rule(info: &mut RouterInfo, input: &Input<'_>) -> Result<Arc<Rule>, String> {
    let syntax = match info.router.rule_syntax.as_str() {
        "" => input.default_rule_syntax,
        "v2" => Syntax::V2,
        _ => Syntax::V3,
    };
    if let Some(rule) = info.rule.as_ref().filter(|rule| rule.syntax() == syntax) {
        return Ok(Arc::clone(rule));
    }
    let rule = Arc::new(Rule::parse(&info.router.rule, syntax)?);
    info.rule = Some(Arc::clone(&rule));
    Ok(rule)
}

struct Builder<'b, 'a> {
    input: &'a Input<'a>,
    services: &'b mut Services<'a>,
    middlewares: &'b mut Middlewares<'a>,
    tree: Tree,
}

impl<'a> Builder<'_, 'a> {
    fn entry_point(
        &mut self,
        roots: &[&Root],
        denied: &DeniedCharacters,
        tls: &TlsBuilt,
        runtime: &mut Runtime,
    ) -> Built {
        let mut hosts = Hosts::default();
        for Root { name, router, rule, .. } in roots {
            if let Some(options) = tls_options::options_of(router, name)
                && let Ok(rule) = rule
            {
                hosts.add(name, &router.rule, rule.hosts().to_vec(), options);
            }
        }
        let (settings, conflicts) = hosts.settle(tls);
        let mut plain = Vec::with_capacity(roots.len());
        let mut secure = Vec::new();
        for root in roots {
            let name = &*root.name;
            let mut options = tls_options::options_of(&root.router, name);
            if let Some(wanted) = &options {
                let conflict = conflicts.get(name).map(Conflict::to_string);
                match self.settle_options(wanted, conflict, tls, name, runtime) {
                    Some(settled) => options = Some(settled),
                    None => continue,
                }
            }
            let options = options.map(Arc::from);
            match self.entry(root, options, denied, runtime, 0) {
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
        root: &Root,
        options: Option<Arc<str>>,
        denied: &DeniedCharacters,
        runtime: &mut Runtime,
        depth: usize,
    ) -> Result<Entry, String> {
        let (name, router) = (&*root.name, &*root.router);
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
        let rule = root.rule.clone()?;
        let route = Route {
            name: Arc::clone(&root.name),
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
            let Some(info) = runtime.routers.get_mut(name) else { continue };
            if info.status == Status::Disabled {
                skipped += 1;
                continue;
            }
            let child = Root {
                name: name.as_str().into(),
                router: Arc::clone(&info.router),
                rule: rule(info, self.input),
                using: Vec::new(),
            };
            match self.entry(&child, None, denied, runtime, depth + 1) {
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

    /// Rank among routers of equal priority: the place of its provider in the list, last if it
    /// has none.
    fn precedence(&self, name: &str) -> i64 {
        let provider = provider_of(name);
        let is_listed = |listed: &String| listed.eq_ignore_ascii_case(provider);
        let listed = self.input.precedence.iter().position(is_listed);
        listed.map_or(i64::MAX, |index| index as i64)
    }
}

fn disable(runtime: &mut Runtime, name: &str, error: String) {
    if let Some(info) = runtime.routers.get_mut(name) {
        info.disable(error);
    }
}
