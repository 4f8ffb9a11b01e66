//! What the API shows of each kind of object: its own output types, in Traefik's key order.

pub(crate) mod entry_points;
pub(crate) mod middlewares;
pub(crate) mod overview;
pub(crate) mod routers;
pub(crate) mod services;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use routing::compile::Runtime;
use serde::Serialize;

use crate::list::{Direction, Wish};

/// Everything at once: `/api/rawdata`.
#[derive(Serialize)]
pub(crate) struct RawData<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    routers: BTreeMap<&'a str, routers::RouterFacts<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    middlewares: BTreeMap<&'a str, middlewares::MiddlewareFacts<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    services: BTreeMap<&'a str, services::RawService<'a>>,
}

impl<'a> RawData<'a> {
    pub(crate) fn new(runtime: &'a Runtime) -> Self {
        Self {
            routers: runtime
                .routers
                .iter()
                .map(|(name, info)| (name.as_str(), routers::RouterFacts::new(info)))
                .collect(),
            middlewares: runtime
                .middlewares
                .iter()
                .map(|(name, info)| (name.as_str(), middlewares::MiddlewareFacts::new(info)))
                .collect(),
            services: runtime
                .services
                .iter()
                .map(|(name, info)| (name.as_str(), services::RawService::new(info)))
                .collect(),
        }
    }
}

/// Sorts by `compare`, then by name, in the wanted direction.
fn sort<T>(
    items: &mut [T],
    wish: &Wish,
    name: impl Fn(&T) -> &str,
    compare: impl Fn(&T, &T) -> Ordering,
) {
    items.sort_by(|a, b| {
        let order = compare(a, b).then_with(|| name(a).cmp(name(b)));
        match wish.direction {
            Direction::Ascending => order,
            Direction::Descending => order.reverse(),
        }
    });
}

/// The provider of `name@provider`.
pub(crate) fn provider(name: &str) -> &str {
    name.split_once('@').map_or("", |(_, provider)| provider)
}

fn names(set: &BTreeSet<String>) -> Vec<&str> {
    set.iter().map(String::as_str).collect()
}
