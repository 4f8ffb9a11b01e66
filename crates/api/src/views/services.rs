//! Services and the health of their servers.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Instant;

use balance::Moment;
use config::dynamic::Service;
use routing::compile::{Runtime, ServiceInfo};
use serde::Serialize;

use super::{names, provider, sort};
use crate::list::Wish;

/// What both forms begin with.
#[derive(Serialize)]
struct ServiceFacts<'a> {
    #[serde(flatten)]
    service: &'a Service,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    error: &'a [String],
    status: &'static str,
    #[serde(rename = "usedBy", skip_serializing_if = "Vec::is_empty")]
    used_by: Vec<&'a str>,
}

/// A service as `/api/rawdata` shows it.
#[derive(Serialize)]
pub(crate) struct RawService<'a> {
    #[serde(flatten)]
    facts: ServiceFacts<'a>,
    #[serde(rename = "serverStatus", skip_serializing_if = "BTreeMap::is_empty")]
    server_status: BTreeMap<&'a str, &'static str>,
}

/// A service as `/api/http/services` shows it.
#[derive(Serialize)]
pub(crate) struct ServiceView<'a> {
    #[serde(flatten)]
    facts: ServiceFacts<'a>,
    name: &'a str,
    provider: &'a str,
    #[serde(rename = "type", skip_serializing_if = "str::is_empty")]
    kind: &'static str,
    #[serde(rename = "serverStatus", skip_serializing_if = "BTreeMap::is_empty")]
    server_status: BTreeMap<&'a str, &'static str>,
}

impl<'a> ServiceFacts<'a> {
    fn new(info: &'a ServiceInfo) -> Self {
        Self {
            service: &info.service,
            error: &info.errors,
            status: info.status.as_str(),
            used_by: names(&info.used_by),
        }
    }
}

impl<'a> RawService<'a> {
    pub(crate) fn new(info: &'a ServiceInfo) -> Self {
        Self { facts: ServiceFacts::new(info), server_status: server_status(info) }
    }
}

impl<'a> ServiceView<'a> {
    pub(crate) fn new(name: &'a str, info: &'a ServiceInfo) -> Self {
        Self {
            facts: ServiceFacts::new(info),
            name,
            provider: provider(name),
            kind: kind(&info.service),
            server_status: server_status(info),
        }
    }
}

/// The wanted services in the wanted order.
pub(crate) fn list<'a>(runtime: &'a Runtime, wish: &Wish) -> Vec<ServiceView<'a>> {
    let mut views: Vec<_> = runtime
        .services
        .iter()
        .filter(|(name, info)| wish.wants_status(info.status.as_str()) && wish.finds(&[name]))
        .map(|(name, info)| ServiceView::new(name, info))
        .collect();
    sort(&mut views, wish, |view| view.name, |a, b| compare(&wish.sort_by, a, b));
    views
}

fn compare(column: &str, a: &ServiceView<'_>, b: &ServiceView<'_>) -> Ordering {
    match column {
        "type" => a.kind.cmp(b.kind),
        "servers" => servers(a).cmp(&servers(b)),
        "provider" => a.provider.cmp(b.provider),
        "status" => a.facts.status.cmp(b.facts.status),
        _ => Ordering::Equal,
    }
}

fn servers(view: &ServiceView<'_>) -> usize {
    view.facts.service.load_balancer.as_ref().map_or(0, |balancer| balancer.servers.len())
}

/// The kind of a service, in the order of Traefik's fields; empty for internal services.
fn kind(service: &Service) -> &'static str {
    let kinds = [
        (service.load_balancer.is_some(), "loadbalancer"),
        (service.highest_random_weight.is_some(), "highestrandomweight"),
        (service.weighted.is_some(), "weighted"),
        (service.mirroring.is_some(), "mirroring"),
        (service.failover.is_some(), "failover"),
    ];
    kinds.iter().find(|(is_set, _)| *is_set).map_or("", |(_, kind)| kind)
}

fn server_status(info: &ServiceInfo) -> BTreeMap<&str, &'static str> {
    let now = Moment::of(Instant::now());
    let status = |is_up| if is_up { "UP" } else { "DOWN" };
    let servers = info.servers.iter().map(|server| &server.0);
    servers.map(|server| (&*server.url, status(server.health.is_up(now)))).collect()
}
