//! Counts of everything, and which features are on.

use config::static_config::{Metrics, Providers, StaticConfiguration};
use routing::compile::{Runtime, Status};
use serde::Serialize;

/// `/api/overview`.
#[derive(Serialize)]
pub(crate) struct Overview {
    http: Scheme,
    tcp: Scheme,
    udp: RoutersAndServices,
    certificates: Counts,
    features: Features,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    providers: Vec<String>,
}

#[derive(Default, Serialize)]
struct Scheme {
    routers: Counts,
    services: Counts,
    middlewares: Counts,
}

#[derive(Default, Serialize)]
struct RoutersAndServices {
    routers: Counts,
    services: Counts,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Counts {
    total: usize,
    warnings: usize,
    errors: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Features {
    tracing: &'static str,
    metrics: &'static str,
    access_log: bool,
}

impl Overview {
    pub(crate) fn new(runtime: &Runtime, configuration: &StaticConfiguration) -> Self {
        let http = Scheme {
            routers: Counts::new(runtime.routers.values().map(|info| info.status)),
            services: Counts::new(runtime.services.values().map(|info| info.status)),
            middlewares: Counts::new(runtime.middlewares.values().map(|info| info.status)),
        };
        let features = Features {
            tracing: if configuration.tracing.is_some() { "OTLP" } else { "" },
            metrics: configuration.metrics.as_ref().map_or("", metrics),
            access_log: configuration.access_log.is_some(),
        };
        Self {
            http,
            tcp: Scheme::default(),
            udp: RoutersAndServices::default(),
            certificates: Counts::default(),
            features,
            providers: providers(&configuration.providers),
        }
    }
}

impl Counts {
    fn new(statuses: impl Iterator<Item = Status>) -> Self {
        statuses.fold(Self::default(), |mut counts, status| {
            counts.total += 1;
            match status {
                Status::Enabled => {}
                Status::Warning => counts.warnings += 1,
                Status::Disabled => counts.errors += 1,
            }
            counts
        })
    }
}

/// The first kind of metrics that is on, in Traefik's order.
fn metrics(metrics: &Metrics) -> &'static str {
    let kinds = [
        (metrics.prometheus.is_some(), "Prometheus"),
        (metrics.datadog.is_some(), "Datadog"),
        (metrics.statsd.is_some(), "StatsD"),
        (metrics.influxdb2.is_some(), "InfluxDB2"),
    ];
    kinds.iter().find(|(is_on, _)| *is_on).map_or("", |(_, name)| name)
}

/// The providers that are on, in Traefik's order and words.
fn providers(providers: &Providers) -> Vec<String> {
    let kinds = [
        (providers.docker.is_some(), "Docker"),
        (providers.swarm.is_some(), "Swarm"),
        (providers.file.is_some(), "File"),
        (providers.kubernetes_ingress.is_some(), "KubernetesIngress"),
        (providers.kubernetes_ingress_nginx.is_some(), "KubernetesIngressNGINX"),
        (providers.kubernetes_crd.is_some(), "KubernetesCRD"),
        (providers.kubernetes_gateway.is_some(), "KubernetesGateway"),
        (providers.knative.is_some(), "Knative"),
        (providers.rest.is_some(), "Rest"),
        (providers.consul_catalog.is_some(), "ConsulCatalog"),
        (providers.nomad.is_some(), "Nomad"),
        (providers.ecs.is_some(), "Ecs"),
        (providers.consul.is_some(), "Consul"),
        (providers.etcd.is_some(), "Etcd"),
        (providers.zookeeper.is_some(), "ZooKeeper"),
        (providers.redis.is_some(), "Redis"),
        (providers.http.is_some(), "HTTP"),
    ];
    kinds.iter().filter(|(is_on, _)| *is_on).map(|(_, name)| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_counted_by_status() {
        let statuses = [Status::Enabled, Status::Warning, Status::Disabled, Status::Disabled];
        let counts = Counts::new(statuses.into_iter());
        assert_eq!(counts, Counts { total: 4, warnings: 1, errors: 2 });
    }
}
