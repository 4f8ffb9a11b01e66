//! Sections that can be written but do nothing yet.

use crate::diagnostic::Diagnostic;
use crate::node::{Key, Node, Value};

/// Gives one warning for each section of a static configuration that this version does not serve.
pub fn unsupported(node: &Node) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for pattern in UNSUPPORTED {
        let segments: Vec<&str> = pattern.split('.').collect();
        find(node, &segments, String::new(), &mut |path, key| {
            let message = format!("{path} is not supported yet and has no effect");
            diagnostics.push(
                Diagnostic::warning(CODE_NOT_SUPPORTED_YET, message).at(Some(key.place.clone())),
            );
        });
    }
    for (name, entry_point) in node.at("entryPoints").map_or(&[][..], Node::entries) {
        let Some(address) = entry_point.child("address") else { continue };
        let Value::Scalar(scalar) = &address.value else { continue };
        if scalar.text.to_ascii_lowercase().ends_with("/udp") {
            let message =
                format!("entryPoints.{} is not opened: UDP is not supported yet", name.text);
            diagnostics.push(
                Diagnostic::warning(CODE_NOT_SUPPORTED_YET, message)
                    .at(Some(address.place.clone())),
            );
        }
    }
    diagnostics
}

/// Calls `found` for every key that a pattern leads to; `*` is any key. A section switched off is
/// as good as absent.
fn find(node: &Node, segments: &[&str], path: String, found: &mut impl FnMut(&str, &Key)) {
    let Some((segment, rest)) = segments.split_first() else { return };
    for (key, child) in node.entries() {
        if *segment != "*" && !key.text.eq_ignore_ascii_case(segment) {
            continue;
        }
        let name = if *segment == "*" { key.text.as_str() } else { segment };
        let separator = if path.is_empty() { "" } else { "." };
        let path = format!("{path}{separator}{name}");
        if !rest.is_empty() {
            find(child, rest, path, found);
            continue;
        }
        let is_off = match &child.value {
            Value::Null => true,
            Value::Scalar(scalar) => scalar.text.eq_ignore_ascii_case("false"),
            _ => false,
        };
        if !is_off {
            found(&path, key);
        }
    }
}

/// Number of patterns, for the test that each of them is a key.
#[cfg(test)]
pub(super) const PATTERNS: usize = UNSUPPORTED.len();

/// Code of all these warnings.
pub const CODE_NOT_SUPPORTED_YET: &str = "not-supported-yet";

const UNSUPPORTED: &[&str] = &[
    "accessLog",
    "certificatesResolvers.*",
    "entryPoints.*.http.tls.certResolver",
    "entryPoints.*.http.tls.domains",
    "entryPoints.*.http2.maxEncoderHeaderTableSize",
    "entryPoints.*.http3",
    "entryPoints.*.observability",
    "entryPoints.*.proxyProtocol",
    "experimental.localPlugins",
    "experimental.otlpLogs",
    "experimental.plugins",
    "hostResolver",
    "log.compress",
    "log.maxAge",
    "log.maxBackups",
    "log.maxSize",
    "log.otlp",
    "metrics",
    "ocsp",
    "providers.consul",
    "providers.consulCatalog",
    "providers.docker",
    "providers.ecs",
    "providers.etcd",
    "providers.http",
    "providers.knative",
    "providers.kubernetesCRD",
    "providers.kubernetesGateway",
    "providers.kubernetesIngress",
    "providers.kubernetesIngressNGINX",
    "providers.nomad",
    "providers.plugin",
    "providers.redis",
    "providers.rest",
    "providers.swarm",
    "providers.zooKeeper",
    "serversTransport.spiffe",
    "spiffe",
    "tcpServersTransport",
    "tracing",
];
