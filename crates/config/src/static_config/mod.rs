//! Static configuration: every key of Traefik v3.7's, typed, with its default beside it.
//!
//! The types say what can be written, not what is done with it. [`effective`] adds what nobody
//! writes (implicit entry points), [`validate`] refuses what cannot work, [`unsupported`] says what
//! this version does not do yet, [`deprecated`] what Traefik itself no longer takes.

/// Defines a section: each field with its documentation and, where it is not empty, its default.
macro_rules! section {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $type:ty $(= $default:expr)?,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: section!(@default $($default)?),)* }
            }
        }
    };
    (@default) => { Default::default() };
    (@default $default:expr) => { $default.into() };
}

mod acme;
pub mod address;
pub mod deprecated;
pub mod effective;
mod entry_points;
mod experimental;
mod kubernetes;
mod metrics;
mod observability;
mod providers;
mod transports;
pub mod unsupported;
pub mod validate;

use std::collections::BTreeMap;

pub use acme::{
    Acme, CertificateResolver, DnsChallenge, DnsPropagation, ExternalAccountBinding, HttpChallenge,
    Tailscale, TlsChallenge,
};
pub use entry_points::{
    EncodedCharacters, EntryPoint, EntryPointDomain, EntryPointHttp, EntryPointObservability,
    EntryPointTls, ForwardedHeaders, Http2, Http3, LifeCycle, ProxyProtocol, RedirectEntryPoint,
    Redirections, RespondingTimeouts, Transport, Udp,
};
pub use experimental::{Experimental, FastProxy, LocalPlugin, Plugin, PluginSettings};
pub use kubernetes::{
    GatewayReference, GatewayService, GatewayStatusAddress, IngressEndpoint, IpAllowListStrategy,
    Knative, KubernetesCrd, KubernetesGateway, KubernetesIngress, KubernetesIngressNginx,
};
pub use metrics::{Datadog, InfluxDb2, Metrics, OtlpMetrics, Prometheus, StatsD};
pub use observability::{
    AccessLog, AccessLogFields, AccessLogFilters, FieldHeaders, FieldQueryParameters, Log,
    OtlpGrpc, OtlpHttp, OtlpLog, OtlpTracing, Tracing,
};
pub use providers::{
    ClientTls, Consul, ConsulCatalog, ConsulCatalogEndpoint, Docker, Ecs, Etcd, FileProvider,
    HttpAuth, HttpProvider, Nomad, NomadEndpoint, Providers, Redis, RedisSentinel, Rest, Swarm,
    ZooKeeper,
};
pub use transports::{
    StaticForwardingTimeouts, StaticServersTransport, StaticSpiffe, StaticTcpServersTransport,
    StaticTcpTls,
};

/// Free names to sections or texts, in the order of names.
pub type Named<T> = BTreeMap<String, T>;

section! {
    /// Everything that is read once at the start.
    pub struct StaticConfiguration {
        /// Settings that concern the whole program.
        pub global: Global,
        /// Defaults of the connections to HTTP servers.
        pub servers_transport: StaticServersTransport,
        /// Defaults of the connections to TCP servers.
        #[serde(rename = "tcpServersTransport")]
        pub tcp_servers_transport: StaticTcpServersTransport,
        /// Addresses to listen on, by name. Without any: `http` on `:80`.
        pub entry_points: Named<EntryPoint>,
        /// Where the dynamic configuration comes from.
        pub providers: Providers,
        /// The API and the dashboard. Default: off.
        pub api: Option<Api>,
        /// Metrics and where they go. Default: none.
        pub metrics: Option<Metrics>,
        /// The health endpoint `/ping`. Default: off.
        pub ping: Option<Ping>,
        /// The program's own log.
        pub log: Option<Log>,
        /// One record per request. Default: off.
        pub access_log: Option<AccessLog>,
        /// Spans per request. Default: off.
        pub tracing: Option<Tracing>,
        /// Follows CNAME records of the hosts in rules. Default: off.
        pub host_resolver: Option<HostResolver>,
        /// Sources of certificates, by name.
        pub certificates_resolvers: Named<CertificateResolver>,
        /// Features that may change.
        pub experimental: Option<Experimental>,
        /// Settings of routing.
        pub core: Option<Core>,
        /// The SPIFFE workload API.
        pub spiffe: Option<SpiffeClient>,
        /// OCSP stapling. Default: off.
        pub ocsp: Option<Ocsp>,
    }
}

section! {
    /// Settings that concern the whole program.
    pub struct Global {
        /// Looks for new versions. Default: true. Accepted for Traefik's sake: nothing is looked up.
        pub check_new_version: bool = true,
        /// Sends usage statistics. Default: false. Accepted for Traefik's sake: nothing is sent.
        pub send_anonymous_usage: bool,
        /// Leaves X-Forwarded-For as the client sent it, on every entry point. Default: false.
        pub not_append_x_forwarded_for: bool,
    }
}

section! {
    /// The API and the dashboard.
    pub struct Api {
        /// Path that both live under. Default: `/`.
        pub base_path: String = "/",
        /// Serves them on the entry point `traefik` (`:8080` unless defined). Default: false.
        pub insecure: bool,
        /// Serves the dashboard. Default: true.
        pub dashboard: bool = true,
        /// Title of the dashboard.
        pub dashboard_name: String,
        /// Adds runtime profiles. Default: false.
        pub debug: bool,
        /// Hides Traefik's advertisement, which there is none of here. Default: false.
        pub disable_dashboard_ad: bool,
    }
}

section! {
    /// The health endpoint `/ping`.
    pub struct Ping {
        /// Entry point that serves it. Default: `traefik`.
        pub entry_point: String = "traefik",
        /// Leaves the route to the user, who sends it to `ping@internal`. Default: false.
        pub manual_routing: bool,
        /// Status from the moment the program is told to stop. Default: 503.
        pub terminating_status_code: u16 = 503_u16,
    }
}

section! {
    /// Settings of routing.
    pub struct Core {
        /// Deprecated. Rule syntax of routers that name none: `v3` (default) or `v2`.
        pub default_rule_syntax: String = "v3",
        /// Disables routers with conflicting TLS options instead of using the default options.
        /// Default: false.
        #[serde(rename = "strictTLSOptions")]
        pub strict_tls_options: bool,
    }
}

section! {
    /// Follows CNAME records of the hosts in rules.
    pub struct HostResolver {
        /// Default: false.
        pub cname_flattening: bool,
        /// Default: `/etc/resolv.conf`.
        pub resolv_config: String = "/etc/resolv.conf",
        /// Longest chain of records. Default: 5.
        pub resolv_depth: i64 = 5,
    }
}

section! {
    /// The SPIFFE workload API.
    pub struct SpiffeClient {
        /// Its address, such as `unix:///run/spire.sock`.
        #[serde(rename = "workloadAPIAddr")]
        pub workload_api_addr: String,
    }
}

section! {
    /// OCSP stapling.
    pub struct Ocsp {
        /// Responders named in certificates to the ones to ask instead.
        pub responder_overrides: Named<String>,
    }
}

#[cfg(test)]
mod tests;
