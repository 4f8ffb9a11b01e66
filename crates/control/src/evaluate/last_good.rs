//! Which objects to take back to their last good version.

use std::collections::{BTreeMap, BTreeSet};

use config::decode_dynamic::Kind;
use routing::compile::{Runtime, Status};

use super::references::references;
use crate::aggregate::{Frame, Id, Merged, Previous};

/// The objects that compile could not build.
pub(super) fn broken(runtime: &Runtime, merged: &Merged) -> BTreeSet<Id> {
    let routers = runtime.routers.iter().filter(|(_, info)| info.status == Status::Disabled);
    let services = runtime.services.iter().filter(|(_, info)| info.status == Status::Disabled);
    let middlewares =
        runtime.middlewares.iter().filter(|(_, info)| info.status == Status::Disabled);
    routers
        .map(|(name, _)| Id::new(Kind::Router, merged.written_name(name)))
        .chain(services.map(|(name, _)| Id::new(Kind::Service, name)))
        .chain(middlewares.map(|(name, _)| Id::new(Kind::Middleware, name)))
        .collect()
}

/// Decides what to take back next. What is broken itself comes before what is broken because of
/// it, so that a router whose service broke gets the old service and keeps its own news.
pub(super) fn plan(
    broken: &BTreeSet<Id>,
    merged: &Merged,
    good: &Previous<'_>,
    done: &BTreeMap<Id, bool>,
    frame: &Frame<'_>,
) -> Vec<Id> {
    let can_go_back =
        |id: &Id| !done.contains_key(id) && good.has_good(id) && !merged.is_same(good.merged, id);
    let changed: Vec<&Id> = broken.iter().filter(|id| can_go_back(id)).collect();
    let is_cause = |id: &&&Id| {
        let below = reachable(id, merged, frame);
        !below.iter().any(|below| broken.contains(below) && can_go_back(below))
    };
    let causes: Vec<Id> = changed.iter().filter(is_cause).map(|id| (**id).clone()).collect();
    if !causes.is_empty() {
        return causes;
    }
    // A circle has no innermost member.
    if !changed.is_empty() {
        return changed.into_iter().cloned().collect();
    }
    // The rest is as it was when it worked: what it refers to is gone, or bad without a status.
    let mut below = BTreeSet::new();
    for id in broken.iter().filter(|id| good.has_good(id)) {
        below.extend(reachable(id, merged, frame).into_iter().filter(can_go_back));
    }
    below.into_iter().filter(|id| !merged.has(id) || is_mute(id)).collect()
}

/// Tells whether the runtime has no entry for such objects, so that only those that use them can
/// be reported as broken.
pub(super) fn is_mute(id: &Id) -> bool {
    matches!(id.kind, Kind::ServersTransport | Kind::TlsOptions)
}

/// Everything below an object.
fn reachable(id: &Id, merged: &Merged, frame: &Frame<'_>) -> BTreeSet<Id> {
    let mut found = BTreeSet::new();
    let mut next = vec![id.clone()];
    while let Some(id) = next.pop() {
        for reference in references(&id, merged, frame) {
            if found.insert(reference.clone()) {
                next.push(reference);
            }
        }
    }
    found
}
