//! What entry points add to their routers.

use std::collections::{HashMap, btree_map};
use std::iter::Peekable;
use std::sync::Arc;

use config::dynamic::{Named, Router, RouterObservability, TraceVerbosity};

use super::frame::{Model, Models};
use super::{Merged, qualify};

/// Routers as they are compiled, and for those that got a new name the one that was written.
pub(super) type Applied = (Named<Arc<Router>>, HashMap<String, String>);

/// Applies entry points' models. As in Traefik, a root router gets a copy of its own for every
/// entry point that has a model; if the router has several entry points, the copy is called
/// `<entry point>-<router>`. Children follow all copies of their parents. Of roots that are as they
/// were in `previous`, the copies are taken from there.
pub(super) fn apply(
    routers: &Named<Arc<Router>>,
    models: &Models,
    previous: Option<&Merged>,
) -> Applied {
    let previous = previous.filter(|previous| *previous.models == *models);
    let mut before = previous.map(Before::new);
    let mut roots = Vec::with_capacity(routers.len());
    let mut renamed = HashMap::new();
    for (name, router) in routers.iter().filter(|(_, router)| router.parent_refs.is_empty()) {
        let mut known = before.as_mut().and_then(|before| before.of(name, router));
        let entry_points = models.entry_points(router);
        let is_plain =
            |entry_point: &String| !models.by_entry_point.contains_key(entry_point.as_str());
        if entry_points.iter().all(is_plain) {
            let copy = known.as_mut().and_then(|known| known.same_name());
            let copy = copy.unwrap_or_else(|| completed(router, entry_points.to_vec(), models));
            roots.push((name.clone(), copy));
            continue;
        }
        let is_alone = entry_points.len() == 1;
        for entry_point in entry_points {
            let Some(model) = models.by_entry_point.get(entry_point.as_str()) else { continue };
            let new_name = if is_alone { name.clone() } else { format!("{entry_point}-{name}") };
            let copy = known.as_ref().and_then(|known| known.named(&new_name));
            let copy = copy.unwrap_or_else(|| with_model(router, entry_point, model));
            if !is_alone {
                renamed.insert(new_name.clone(), name.clone());
            }
            roots.push((new_name, copy));
        }
        let rest: Vec<String> =
            entry_points.iter().filter(|name| is_plain(name)).cloned().collect();
        if !rest.is_empty() {
            let copy = known.as_ref().and_then(|known| known.named(name));
            let copy = copy.unwrap_or_else(|| completed(router, rest, models));
            roots.push((name.clone(), copy));
        }
    }
    let mut applied: Named<Arc<Router>> = roots.into_iter().collect();
    let mut copies: HashMap<&str, Vec<&String>> = HashMap::new();
    for (copy, name) in &renamed {
        copies.entry(name).or_default().push(copy);
    }
    let children = routers.iter().filter(|(_, router)| !router.parent_refs.is_empty());
    for (name, router) in children {
        let mut parent_refs = Vec::with_capacity(router.parent_refs.len());
        for parent in &router.parent_refs {
            let parent = qualify(parent, name);
            let mut names: Vec<String> = copies
                .get(parent.as_str())
                .map(|copies| copies.iter().map(|copy| (*copy).clone()).collect())
                .unwrap_or_default();
            // Beside its copies, the parent may live on under its own name.
            names.sort();
            if names.is_empty() || applied.contains_key(&parent) {
                names.insert(0, parent);
            }
            parent_refs.extend(names);
        }
        let mut child = Router { parent_refs, ..Router::clone(router) };
        set_rule_syntax(&mut child, models);
        applied.insert(name.clone(), child.into());
    }
    (applied, renamed)
}

/// What came of the routers of the run before, asked in the order of names.
struct Before<'a> {
    merged: &'a Merged,
    written: InOrder<'a>,
    compiled: InOrder<'a>,
}

/// What came of a router that is as it was.
struct Known<'b, 'a> {
    name: &'b str,
    before: &'b mut Before<'a>,
}

impl<'a> Before<'a> {
    fn new(merged: &'a Merged) -> Self {
        let compiled = InOrder(merged.configuration.http.routers.iter().peekable());
        Self { merged, written: InOrder(merged.routers.iter().peekable()), compiled }
    }

    fn of<'b>(&'b mut self, name: &'b str, router: &Arc<Router>) -> Option<Known<'b, 'a>> {
        let known = self.written.find(name)?;
        Arc::ptr_eq(known, router).then_some(Known { name, before: self })
    }
}

impl Known<'_, '_> {
    /// The only copy, which has the name that was written.
    fn same_name(&mut self) -> Option<Arc<Router>> {
        let copy = self.before.compiled.find(self.name)?;
        self.is_own(self.name).then(|| Arc::clone(copy))
    }

    /// The copy of that name.
    fn named(&self, name: &str) -> Option<Arc<Router>> {
        let copy = self.before.merged.configuration.http.routers.get(name)?;
        self.is_own(name).then(|| Arc::clone(copy))
    }

    /// Copies can come to the names of other routers and of their copies, and the last one stays.
    fn is_own(&self, name: &str) -> bool {
        let Merged { routers, renamed, .. } = self.before.merged;
        if name == self.name {
            return renamed.is_empty() || !renamed.contains_key(name);
        }
        renamed.get(name).is_some_and(|of| of == self.name) && !routers.contains_key(name)
    }
}

/// Finds names that are asked for in their order, which is faster than looking each of them up.
struct InOrder<'a>(Peekable<btree_map::Iter<'a, String, Arc<Router>>>);

impl<'a> InOrder<'a> {
    fn find(&mut self, name: &str) -> Option<&'a Arc<Router>> {
        while self.0.next_if(|(before, _)| before.as_str() < name).is_some() {}
        self.0.next_if(|(before, _)| *before == name).map(|(_, router)| router)
    }
}

fn with_model(router: &Router, entry_point: &str, model: &Model) -> Arc<Router> {
    let mut copy = Router { entry_points: vec![entry_point.to_owned()], ..router.clone() };
    if copy.tls.is_none() {
        copy.tls.clone_from(&model.tls);
    }
    copy.middlewares.splice(0..0, model.middlewares.iter().cloned());
    let observability = copy.observability.get_or_insert_default();
    fill(observability, &model.observability);
    fill(observability, &everything());
    if copy.rule_syntax.is_empty() {
        copy.rule_syntax.clone_from(&model.rule_syntax);
    }
    copy.into()
}

fn completed(router: &Router, entry_points: Vec<String>, models: &Models) -> Arc<Router> {
    let mut router = Router { entry_points, ..router.clone() };
    fill(router.observability.get_or_insert_default(), &everything());
    set_rule_syntax(&mut router, models);
    router.into()
}

/// With `core` set every entry point has a model, and all of them the same rule syntax.
fn set_rule_syntax(router: &mut Router, models: &Models) {
    if router.rule_syntax.is_empty()
        && let Some(model) = models.by_entry_point.values().next()
    {
        router.rule_syntax.clone_from(&model.rule_syntax);
    }
}

/// Takes over what is not set.
fn fill(observability: &mut RouterObservability, from: &RouterObservability) {
    let RouterObservability { access_logs, metrics, tracing, trace_verbosity } = observability;
    *access_logs = access_logs.or(from.access_logs);
    *metrics = metrics.or(from.metrics);
    *tracing = tracing.or(from.tracing);
    *trace_verbosity = trace_verbosity.or(from.trace_verbosity);
}

/// What holds if nobody says otherwise.
fn everything() -> RouterObservability {
    RouterObservability {
        access_logs: Some(true),
        metrics: Some(true),
        tracing: Some(true),
        trace_verbosity: Some(TraceVerbosity::Minimal),
    }
}
