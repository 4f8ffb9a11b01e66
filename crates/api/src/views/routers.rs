//! Routers.

use std::borrow::Cow;
use std::cmp::Ordering;

use config::dynamic::{Router, RouterTls};
use routing::compile::{RouterInfo, Runtime};
use serde::Serialize;

use super::{provider, sort};
use crate::list::Wish;

/// A router as `/api/rawdata` shows it.
#[derive(Serialize)]
pub(crate) struct RouterFacts<'a> {
    #[serde(flatten)]
    router: Cow<'a, Router>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    error: &'a [String],
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    using: Vec<&'a str>,
}

/// A router as `/api/http/routers` shows it.
#[derive(Serialize)]
pub(crate) struct RouterView<'a> {
    #[serde(flatten)]
    facts: RouterFacts<'a>,
    name: &'a str,
    provider: &'a str,
    /// JavaScript cannot hold the priorities of internal routers.
    #[serde(rename = "priorityStr")]
    priority_text: String,
}

impl<'a> RouterFacts<'a> {
    pub(crate) fn new(info: &'a RouterInfo) -> Self {
        Self {
            router: Cow::Borrowed(&info.router),
            error: &info.errors,
            status: info.status.as_str(),
            using: info.using.iter().map(|name| &**name).collect(),
        }
    }
}

impl<'a> RouterView<'a> {
    pub(crate) fn new(name: &'a str, info: &'a RouterInfo) -> Self {
        let mut facts = RouterFacts::new(info);
        if facts.router.tls.as_ref().is_some_and(|tls| tls.options.is_empty()) {
            let router = facts.router.to_mut();
            let tls = router.tls.take().unwrap_or_default();
            router.tls = Some(RouterTls { options: DEFAULT_OPTIONS.to_owned(), ..tls });
        }
        let priority_text = facts.router.priority.to_string();
        Self { facts, name, provider: provider(name), priority_text }
    }
}

/// The wanted routers in the wanted order.
pub(crate) fn list<'a>(runtime: &'a Runtime, wish: &Wish) -> Vec<RouterView<'a>> {
    let mut views: Vec<_> = runtime
        .routers
        .iter()
        .filter(|(name, info)| {
            let router = &info.router;
            let chain = &router.middlewares;
            wish.wants_status(info.status.as_str())
                && wish.finds(&[&router.rule, name])
                && refers(&wish.service_name, &[&router.service], name)
                && (wish.middleware_name.is_empty()
                    || chain.iter().any(|used| refers(&wish.middleware_name, &[used], name)))
        })
        .map(|(name, info)| RouterView::new(name, info))
        .collect();
    sort(&mut views, wish, |view| view.name, |a, b| compare(&wish.sort_by, a, b));
    views
}

/// Tells whether one of the names, as `owner` means it, is the wanted one; all are if none is
/// wanted.
fn refers(wanted: &str, used: &[&str], owner: &str) -> bool {
    wanted.is_empty()
        || used.iter().any(|used| {
            *used == wanted
                || (!used.contains('@') && format!("{used}@{}", provider(owner)) == wanted)
        })
}

fn compare(column: &str, a: &RouterView<'_>, b: &RouterView<'_>) -> Ordering {
    let (left, right) = (&a.facts.router, &b.facts.router);
    match column {
        "provider" => a.provider.cmp(b.provider),
        "priority" => left.priority.cmp(&right.priority),
        "status" => a.facts.status.cmp(b.facts.status),
        "rule" => left.rule.cmp(&right.rule),
        "service" => left.service.cmp(&right.service),
        // Traefik: their number is what counts.
        "entryPoints" => left.entry_points.len().cmp(&right.entry_points.len()),
        _ => Ordering::Equal,
    }
}

const DEFAULT_OPTIONS: &str = "default";
