//! What entry points add to their routers.

use std::collections::HashMap;

use config::dynamic::{Named, Router, RouterObservability, TraceVerbosity};

use super::frame::Model;
use super::{Frame, qualify};

/// Routers as they are compiled, and for those that got a new name the one that was written.
pub(super) type Applied = (Named<Router>, HashMap<String, String>);

/// Applies entry points' models. As in Traefik, a root router gets a copy of its own for every
/// entry point that has a model; if the router has several entry points, the copy is called
/// `<entry point>-<router>`. Children follow all copies of their parents.
pub(super) fn apply(routers: &Named<Router>, frame: &Frame<'_>) -> Applied {
    let mut roots = Vec::with_capacity(routers.len());
    let mut renamed = HashMap::new();
    for (name, router) in routers.iter().filter(|(_, router)| router.parent_refs.is_empty()) {
        let is_plain = |entry_point: &String| !frame.models.contains_key(entry_point.as_str());
        if router.entry_points.iter().all(is_plain) {
            roots.push((name.clone(), completed(router.clone(), frame)));
            continue;
        }
        let is_alone = router.entry_points.len() == 1;
        for entry_point in &router.entry_points {
            let Some(model) = frame.models.get(entry_point.as_str()) else { continue };
            let copy = with_model(router, entry_point, model);
            if is_alone {
                roots.push((name.clone(), copy));
                continue;
            }
            let new_name = format!("{entry_point}-{name}");
            renamed.insert(new_name.clone(), name.clone());
            roots.push((new_name, copy));
        }
        let rest: Vec<String> =
            router.entry_points.iter().filter(|name| is_plain(name)).cloned().collect();
        if !rest.is_empty() {
            let rest = Router { entry_points: rest, ..router.clone() };
            roots.push((name.clone(), completed(rest, frame)));
        }
    }
    let mut applied: Named<Router> = roots.into_iter().collect();
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
        let mut child = Router { parent_refs, ..router.clone() };
        set_rule_syntax(&mut child, frame);
        applied.insert(name.clone(), child);
    }
    (applied, renamed)
}

fn with_model(router: &Router, entry_point: &str, model: &Model<'_>) -> Router {
    let mut copy = Router { entry_points: vec![entry_point.to_owned()], ..router.clone() };
    if copy.tls.is_none() {
        copy.tls.clone_from(&model.tls);
    }
    copy.middlewares.splice(0..0, model.middlewares.iter().cloned());
    let observability = copy.observability.get_or_insert_default();
    fill(observability, &model.observability);
    fill(observability, &everything());
    if copy.rule_syntax.is_empty() {
        copy.rule_syntax = model.rule_syntax.to_owned();
    }
    copy
}

fn completed(mut router: Router, frame: &Frame<'_>) -> Router {
    fill(router.observability.get_or_insert_default(), &everything());
    set_rule_syntax(&mut router, frame);
    router
}

/// With `core` set every entry point has a model, and all of them the same rule syntax.
fn set_rule_syntax(router: &mut Router, frame: &Frame<'_>) {
    if router.rule_syntax.is_empty()
        && let Some(model) = frame.models.values().next()
    {
        router.rule_syntax = model.rule_syntax.to_owned();
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
