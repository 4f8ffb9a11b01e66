//! Options of older versions: those that Traefik refuses to start with, and those it warns about.

use crate::diagnostic::Diagnostic;
use crate::node::{Key, Node};

/// Reports every deprecated option in a static configuration.
pub fn check(node: &Node) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for (path, advice) in REMOVED {
        if let Some((key, _)) = find(node, path) {
            let diagnostic =
                Diagnostic::error("removed-option", format!("{path} was removed in v3"));
            diagnostics.push(diagnostic.at(Some(key.place.clone())).hint(*advice));
        }
    }
    for (path, advice) in DEPRECATED {
        if let Some((key, _)) = find(node, path) {
            let message = format!("{path} is deprecated and will be removed");
            let diagnostic = Diagnostic::warning("deprecated-option", message);
            diagnostics.push(diagnostic.at(Some(key.place.clone())).hint(*advice));
        }
    }
    diagnostics
}

fn find<'a>(node: &'a Node, path: &str) -> Option<&'a (Key, Node)> {
    let (parent, last) = match path.rsplit_once('.') {
        Some((parent, last)) => (node.at(parent)?, last),
        None => (node, path),
    };
    parent.entries().iter().find(|(key, _)| key.text.eq_ignore_ascii_case(last))
}

const CA_OPTIONAL: &str = "remove it; client authentication is not decided by the client";
const NAMESPACE: &str = "use namespaces, which takes a list";
const TRACER: &str = "use tracing.otlp, which all of these systems understand";

const REMOVED: &[(&str, &str)] = &[
    ("pilot", "remove it; the service was closed"),
    ("experimental.http3", "remove it; HTTP/3 is switched on by entryPoints.<name>.http3"),
    ("providers.docker.swarmMode", "use providers.swarm"),
    ("providers.docker.tls.caOptional", CA_OPTIONAL),
    ("providers.swarm.tls.caOptional", CA_OPTIONAL),
    ("providers.consul.tls.caOptional", CA_OPTIONAL),
    ("providers.etcd.tls.caOptional", CA_OPTIONAL),
    ("providers.redis.tls.caOptional", CA_OPTIONAL),
    ("providers.http.tls.caOptional", CA_OPTIONAL),
    ("providers.consulCatalog.endpoint.tls.caOptional", CA_OPTIONAL),
    ("providers.nomad.endpoint.tls.caOptional", CA_OPTIONAL),
    ("providers.consul.namespace", NAMESPACE),
    ("providers.consulCatalog.namespace", NAMESPACE),
    ("providers.nomad.namespace", NAMESPACE),
    ("providers.marathon", "remove it; the provider was removed"),
    ("providers.rancher", "remove it; the provider was removed"),
    ("tracing.spanNameLimit", "remove it; names of spans are not cut any more"),
    ("tracing.jaeger", TRACER),
    ("tracing.zipkin", TRACER),
    ("tracing.datadog", TRACER),
    ("tracing.instana", TRACER),
    ("tracing.haystack", TRACER),
    ("tracing.elastic", TRACER),
];

const DEPRECATED: &[(&str, &str)] = &[
    ("core.defaultRuleSyntax", "write all rules in v3 syntax, then remove it"),
    ("experimental.kubernetesGateway", "remove it; providers.kubernetesGateway is enough"),
    (
        "experimental.kubernetesIngressNGINX",
        "remove it; providers.kubernetesIngressNGINX is enough",
    ),
    ("tracing.globalAttributes", "use tracing.resourceAttributes"),
    (
        "providers.kubernetesIngress.disableIngressClassLookup",
        "use providers.kubernetesIngress.disableClusterScopeResources",
    ),
];
