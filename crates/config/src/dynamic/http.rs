//! Routers and the HTTP section.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Middleware, Named, ServersTransport, Service, is_zero};

/// Holds the `http` section. Objects are shared: what did not change from one configuration to the
/// next is the same value in memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpConfiguration {
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub routers: Named<Arc<Router>>,
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub services: Named<Arc<Service>>,
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub middlewares: Named<Arc<Middleware>>,
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub servers_transports: Named<ServersTransport>,
}

/// Connects requests that a rule matches to a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Router {
    /// Entry points the router listens on. Default: every default entry point.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entry_points: Vec<String>,
    /// Middlewares, in the order requests pass them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub middlewares: Vec<String>,
    /// The service that answers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// The rule, such as ``Host(`example.org`) && PathPrefix(`/api`)``.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule: String,
    /// Parent routers in multi-layer routing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parent_refs: Vec<String>,
    /// `v3` (default) or the deprecated `v2`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule_syntax: String,
    /// Higher wins. 0 (default): the length of the rule.
    #[serde(skip_serializing_if = "is_zero")]
    pub priority: i64,
    /// Present: the router answers TLS connections only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<RouterTls>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observability: Option<RouterObservability>,
}

/// Holds a router's TLS settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RouterTls {
    /// Name of the TLS options. Default: `default`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub options: String,
    /// Name of the certificate resolver.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cert_resolver: String,
    /// Domains to order certificates for. Default: those of the rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<TlsDomain>,
}

/// Names one certificate's domains.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsDomain {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub main: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sans: Vec<String>,
}

/// Says what is recorded about a router's requests. Absent fields take the entry point's value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RouterObservability {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_logs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracing: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_verbosity: Option<TraceVerbosity>,
}

/// Says how many spans a request gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TraceVerbosity {
    #[default]
    Minimal,
    Detailed,
}
