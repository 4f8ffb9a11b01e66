//! Values that decode but cannot work together.

use std::collections::HashMap;

use super::address::Protocol;
use super::{EntryPoint, OtlpGrpc, StaticConfiguration};
use crate::diagnostic::Diagnostic;
use crate::node::Node;

/// Names that `providers.precedence` may list, in Traefik's documented order.
pub const PROVIDER_NAMES: &[&str] = &[
    "kubernetesgateway",
    "kubernetescrd",
    "kubernetes",
    "kubernetesingressnginx",
    "swarm",
    "docker",
    "file",
    "redis",
    "knative",
    "consul",
    "consulcatalog",
    "nomad",
    "etcd",
    "ecs",
    "http",
    "zookeeper",
    "rest",
];

/// Checks a configuration after [`StaticConfiguration::set_effective`]; `node` is the tree that it
/// was decoded from and gives the places.
pub fn validate(configuration: &StaticConfiguration, node: &Node) -> Vec<Diagnostic> {
    let mut findings = Findings { node, diagnostics: Vec::new() };
    entry_points(configuration, &mut findings);
    api_and_ping(configuration, &mut findings);
    certificates(configuration, &mut findings);
    providers(configuration, &mut findings);
    observability(configuration, &mut findings);
    findings.diagnostics
}

struct Findings<'a> {
    node: &'a Node,
    diagnostics: Vec<Diagnostic>,
}

impl Findings<'_> {
    fn error(&mut self, path: &str, message: impl Into<String>) {
        let diagnostic = Diagnostic::error(CODE, format!("{path}: {}", message.into()));
        self.push(path, diagnostic);
    }

    fn warning(&mut self, path: &str, message: impl Into<String>) {
        let diagnostic = Diagnostic::warning(CODE, format!("{path}: {}", message.into()));
        self.push(path, diagnostic);
    }

    /// The place is that of the longest part of the path that is written.
    fn push(&mut self, path: &str, diagnostic: Diagnostic) {
        let mut node = self.node;
        for key in path.split('.') {
            let Some(child) = node.child(key) else { break };
            node = child;
        }
        self.diagnostics.push(diagnostic.at(Some(node.place.clone())));
    }
}

fn entry_points(configuration: &StaticConfiguration, findings: &mut Findings<'_>) {
    let mut taken: HashMap<(String, u16, bool), &str> = HashMap::new();
    for (name, entry_point) in &configuration.entry_points {
        let path = format!("entryPoints.{name}");
        match entry_point.listen_address() {
            Err(problem) => findings.error(&format!("{path}.address"), problem),
            Ok(address) if address.port != 0 && !entry_point.reuse_port => {
                let is_udp = address.protocol == Protocol::Udp;
                if let Some(other) = taken.insert((address.host, address.port, is_udp), name) {
                    let message = format!("{} is the address of {other} too", entry_point.address);
                    findings.error(&format!("{path}.address"), message);
                }
            }
            Ok(_) => {}
        }
        entry_point_http(&path, entry_point, configuration, findings);
        let http2 = [
            ("maxConcurrentStreams", entry_point.http2.max_concurrent_streams),
            ("maxDecoderHeaderTableSize", entry_point.http2.max_decoder_header_table_size),
            ("maxEncoderHeaderTableSize", entry_point.http2.max_encoder_header_table_size),
        ];
        for (key, value) in http2.into_iter().filter(|(_, value)| *value < 0) {
            findings.error(&format!("{path}.http2.{key}"), format!("{value} is less than zero"));
        }
        let port = entry_point.http3.as_ref().map_or(0, |http3| http3.advertised_port);
        if port < 0 {
            findings.error(
                &format!("{path}.http3.advertisedPort"),
                format!("{port} is less than zero"),
            );
        }
    }
}

fn entry_point_http(
    path: &str,
    entry_point: &EntryPoint,
    configuration: &StaticConfiguration,
    findings: &mut Findings<'_>,
) {
    let http = &entry_point.http;
    let strategies = [
        ("aliasHeadersStrategy", &http.alias_headers_strategy),
        ("underscoreHeadersStrategy", &http.underscore_headers_strategy),
    ];
    for (key, strategy) in strategies {
        if !matches!(strategy.as_str(), "" | "keep" | "delete" | "reject") {
            let message = format!("{strategy:?} is not one of keep, delete, reject");
            findings.error(&format!("{path}.http.{key}"), message);
        }
    }
    if !http.underscore_headers_strategy.is_empty() {
        let key = format!("{path}.http.underscoreHeadersStrategy");
        findings.warning(&key, "is deprecated, use aliasHeadersStrategy");
    }
    let trusted = [
        ("forwardedHeaders", Some(&entry_point.forwarded_headers.trusted_ips)),
        ("proxyProtocol", entry_point.proxy_protocol.as_ref().map(|proxy| &proxy.trusted_ips)),
    ];
    for (section, addresses) in trusted {
        for address in addresses.into_iter().flatten() {
            if address.parse::<ipnet::IpNet>().is_err()
                && address.parse::<std::net::IpAddr>().is_err()
            {
                let message = format!("{address:?} is neither an address nor a CIDR range");
                findings.error(&format!("{path}.{section}.trustedIPs"), message);
            }
        }
    }
    let redirect =
        http.redirections.as_ref().and_then(|redirections| redirections.entry_point.as_ref());
    if let Some(redirect) = redirect {
        let key = format!("{path}.http.redirections.entryPoint.to");
        let is_port = redirect.to.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
        // Traefik: both are no more than a line in the log.
        if redirect.to.is_empty() {
            findings.warning(&key, "is missing, so nothing is redirected");
        } else if !is_port && !configuration.entry_points.contains_key(&redirect.to) {
            findings.warning(&key, format!("there is no entry point {:?}", redirect.to));
        }
    }
}

fn api_and_ping(configuration: &StaticConfiguration, findings: &mut Findings<'_>) {
    if let Some(api) = &configuration.api {
        let is_path_character = |c: char| c.is_ascii_alphanumeric() || "/_.:~-".contains(c);
        if !api.base_path.starts_with('/') || !api.base_path.chars().all(is_path_character) {
            let message = format!("{:?} is not an absolute path", api.base_path);
            findings.error("api.basePath", message);
        }
    }
    if let Some(ping) = &configuration.ping
        && !ping.manual_routing
        && !configuration.entry_points.contains_key(&ping.entry_point)
    {
        findings
            .error("ping.entryPoint", format!("there is no entry point {:?}", ping.entry_point));
    }
    if let Some(core) = &configuration.core
        && !matches!(core.default_rule_syntax.as_str(), "v2" | "v3")
    {
        let message = format!("{:?} is neither v2 nor v3", core.default_rule_syntax);
        findings.error("core.defaultRuleSyntax", message);
    }
}

fn certificates(configuration: &StaticConfiguration, findings: &mut Findings<'_>) {
    for (name, resolver) in &configuration.certificates_resolvers {
        let path = format!("certificatesResolvers.{name}");
        if resolver.acme.is_some() && resolver.tailscale.is_some() {
            findings.error(&path, "acme and tailscale cannot be used together");
        }
        if resolver.acme.as_ref().is_some_and(|acme| acme.storage.is_empty()) {
            findings.error(&format!("{path}.acme.storage"), "is missing");
        }
    }
    if let Some(ocsp) = &configuration.ocsp {
        for (responder, _) in ocsp.responder_overrides.iter().filter(|(_, other)| other.is_empty())
        {
            findings
                .error("ocsp.responderOverrides", format!("the value of {responder:?} is empty"));
        }
    }
}

fn providers(configuration: &StaticConfiguration, findings: &mut Findings<'_>) {
    let providers = &configuration.providers;
    for name in &providers.precedence {
        let is_plugin = name.to_lowercase().starts_with("plugin-");
        if !is_plugin && !PROVIDER_NAMES.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            let message = format!("{name:?} is not one of {}", PROVIDER_NAMES.join(", "));
            findings.error("providers.precedence", message);
        }
    }
    if let Some(file) = &providers.file
        && file.directory.is_empty()
        && file.filename.is_empty()
    {
        findings.error("providers.file", "neither filename nor directory is given");
    }
    if let Some(nginx) = &providers.kubernetes_ingress_nginx
        && !nginx.watch_namespace.is_empty()
        && !nginx.watch_namespace_selector.is_empty()
    {
        let message = "watchNamespace and watchNamespaceSelector cannot be used together";
        findings.error("providers.kubernetesIngressNGINX", message);
    }
    let has_knative = configuration.experimental.as_ref().is_some_and(|features| features.knative);
    if providers.knative.is_some() && !has_knative {
        findings.error("providers.knative", "needs experimental.knative");
    }
}

fn observability(configuration: &StaticConfiguration, findings: &mut Findings<'_>) {
    let has_otlp_logs =
        configuration.experimental.as_ref().is_some_and(|features| features.otlp_logs);
    if let Some(log) = &configuration.log {
        const LEVELS: [&str; 7] = ["trace", "debug", "info", "warn", "error", "fatal", "panic"];
        if !LEVELS.iter().any(|level| level.eq_ignore_ascii_case(&log.level)) {
            // Traefik: not fatal either.
            let message =
                format!("{:?} is not one of {}; ERROR is used", log.level, LEVELS.join(", "));
            findings.warning("log.level", message);
        }
        if !matches!(log.format.as_str(), "common" | "json") {
            let message = format!("{:?} is neither common nor json; common is used", log.format);
            findings.warning("log.format", message);
        }
    }
    let log = configuration.log.as_ref().and_then(|log| log.otlp.as_ref());
    let access_log = configuration.access_log.as_ref().and_then(|log| log.otlp.as_ref());
    for (path, otlp) in [("log.otlp", log), ("accessLog.otlp", access_log)] {
        let Some(otlp) = otlp else { continue };
        if !has_otlp_logs {
            findings.error(path, "needs experimental.otlpLogs");
        }
        grpc(path, otlp.grpc.as_ref(), findings);
    }
    let tracing = configuration.tracing.as_ref().and_then(|tracing| tracing.otlp.as_ref());
    grpc("tracing.otlp", tracing.and_then(|otlp| otlp.grpc.as_ref()), findings);
    let metrics = configuration.metrics.as_ref().and_then(|metrics| metrics.otlp.as_ref());
    grpc("metrics.otlp", metrics.and_then(|otlp| otlp.grpc.as_ref()), findings);
}

fn grpc(path: &str, grpc: Option<&OtlpGrpc>, findings: &mut Findings<'_>) {
    if grpc.is_some_and(|grpc| grpc.insecure && grpc.tls.is_some()) {
        findings.error(&format!("{path}.grpc"), "tls and insecure cannot be used together");
    }
}

const CODE: &str = "invalid-value";
