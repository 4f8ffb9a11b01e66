//! Services and the transports to their servers.

use serde::{Deserialize, Serialize};

use super::{Named, is_false, is_zero};
use crate::Duration;

/// A service: exactly one of the kinds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Service {
    /// Middlewares between the router's and the servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub middlewares: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer: Option<ServersLoadBalancer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub highest_random_weight: Option<HighestRandomWeight>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weighted: Option<WeightedRoundRobin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirroring: Option<Mirroring>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failover: Option<Failover>,
}

/// Balances over servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServersLoadBalancer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<Server>,
    /// `wrr` (default), `p2c`, `hrw`, `leasttime`, and beyond Traefik: `leastconn`, the server with
    /// the fewest requests under way for its weight, and `source`, by the client's address, evenly
    /// and whatever the order of the servers.
    pub strategy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<ServerHealthCheck>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passive_health_check: Option<PassiveServerHealthCheck>,
    /// How long a server that came up, or joined, takes to get its whole share of the requests; it
    /// grows evenly. Has no effect with `hrw` and `source`. Default: 0, at once. Not in Traefik.
    #[serde(skip_serializing_if = "Duration::is_zero")]
    pub slow_start: Duration,
    /// Forwards the client's Host header. Default: true.
    pub pass_host_header: Option<bool>,
    pub response_forwarding: Option<ResponseForwarding>,
    /// Name of the transport to the servers. Default: `default@internal`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub servers_transport: String,
}

impl Default for ServersLoadBalancer {
    fn default() -> Self {
        Self {
            sticky: None,
            servers: Vec::new(),
            strategy: "wrr".to_owned(),
            health_check: None,
            passive_health_check: None,
            slow_start: Duration::default(),
            pass_host_header: Some(true),
            response_forwarding: Some(ResponseForwarding::default()),
            servers_transport: String::new(),
        }
    }
}

/// Says when parts of a response are sent on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResponseForwarding {
    /// Longest time bytes wait to be sent on; negative: none. Default: 100ms.
    pub flush_interval: Duration,
}

impl Default for ResponseForwarding {
    fn default() -> Self {
        Self { flush_interval: std::time::Duration::from_millis(100).into() }
    }
}

/// One server of a load balancer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Server {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Share of the requests. Default: 1; 0: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i64>,
    /// Keeps the path of the URL in front of the request's. Default: false.
    #[serde(skip_serializing_if = "is_false")]
    pub preserve_path: bool,
}

/// Keeps a client with its server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sticky {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<StickyCookie>,
}

/// The cookie that names a client's server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StickyCookie {
    /// Default: `_` and the first five hexadecimal digits of a SHA-1 of the service's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "is_false")]
    pub secure: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub http_only: bool,
    /// `none`, `lax` or `strict`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub same_site: String,
    /// Seconds; 0: absent, negative: at once.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_age: i64,
    /// Default: `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub domain: String,
}

impl Default for StickyCookie {
    fn default() -> Self {
        Self {
            name: String::new(),
            secure: false,
            http_only: false,
            same_site: String::new(),
            max_age: 0,
            path: Some("/".to_owned()),
            domain: String::new(),
        }
    }
}

/// Asks servers whether they are well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerHealthCheck {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scheme: String,
    /// `http` (default) or `grpc`.
    pub mode: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// Expected status. Default: any from 200 to 399.
    #[serde(skip_serializing_if = "is_zero")]
    pub status: u16,
    #[serde(skip_serializing_if = "is_zero")]
    pub port: u16,
    /// Default: 30s.
    #[serde(skip_serializing_if = "Duration::is_zero")]
    pub interval: Duration,
    /// Interval for servers that are down. Default: `interval`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unhealthy_interval: Option<Duration>,
    /// Default: 5s.
    #[serde(skip_serializing_if = "Duration::is_zero")]
    pub timeout: Duration,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hostname: String,
    /// Default: true.
    pub follow_redirects: Option<bool>,
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub headers: Named<String>,
    /// Body of the request. Not in Traefik.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Good answers in a row that take in a server which is out. Default: 1. Not in Traefik.
    #[serde(skip_serializing_if = "is_zero")]
    pub rise: u32,
    /// Bad answers in a row that take out a server which is in. Default: 1. Not in Traefik.
    #[serde(skip_serializing_if = "is_zero")]
    pub fall: u32,
    /// What a good answer looks like. Not in Traefik.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<HealthCheckExpect>,
}

/// Says what a good answer to a health check looks like. Not in Traefik.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthCheckExpect {
    /// Statuses, in place of `status`: codes (`204`), ranges (`200-399`) and regular expressions
    /// for the whole code (`(2|3)[0-9][0-9]`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<String>,
    /// Text that the first 64 KiB of the body have to contain.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// A regular expression that has to match somewhere in the first 64 KiB of the body.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body_regex: String,
}

impl Default for ServerHealthCheck {
    fn default() -> Self {
        Self {
            scheme: String::new(),
            mode: "http".to_owned(),
            path: String::new(),
            method: String::new(),
            status: 0,
            port: 0,
            interval: std::time::Duration::from_secs(30).into(),
            unhealthy_interval: None,
            timeout: std::time::Duration::from_secs(5).into(),
            hostname: String::new(),
            follow_redirects: Some(true),
            headers: Named::new(),
            body: String::new(),
            rise: 0,
            fall: 0,
            expect: None,
        }
    }
}

/// Takes a server out for a while after failures of real requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PassiveServerHealthCheck {
    /// Default: 10s.
    pub failure_window: Duration,
    /// Default: 1.
    pub max_failed_attempts: u32,
}

impl Default for PassiveServerHealthCheck {
    fn default() -> Self {
        Self { failure_window: std::time::Duration::from_secs(10).into(), max_failed_attempts: 1 }
    }
}

/// Turns health propagation on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthCheck {}

/// Balances over services by weight.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WeightedRoundRobin {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<WeightedService>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
}

/// Balances over services by rendezvous hashing of the client's address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HighestRandomWeight {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<WeightedService>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
}

/// A service and its share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WeightedService {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i64>,
}

impl Default for WeightedService {
    fn default() -> Self {
        Self { name: String::new(), weight: Some(1) }
    }
}

/// Copies requests to other services.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Mirroring {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// Default: true.
    pub mirror_body: Option<bool>,
    /// Bytes; -1 (default): no limit.
    pub max_body_size: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mirrors: Vec<MirrorService>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
}

impl Default for Mirroring {
    fn default() -> Self {
        Self {
            service: String::new(),
            mirror_body: Some(true),
            max_body_size: Some(-1),
            mirrors: Vec::new(),
            health_check: None,
        }
    }
}

/// A service that gets copies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MirrorService {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub percent: i64,
}

/// Falls back to another service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Failover {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fallback: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<FailoverErrors>,
}

/// Statuses that make a failover service fall back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FailoverErrors {
    /// Bytes; -1 (default): no limit.
    pub max_request_body_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<String>,
}

impl Default for FailoverErrors {
    fn default() -> Self {
        Self { max_request_body_bytes: Some(-1), status: Vec::new() }
    }
}

/// Says how servers are reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServersTransport {
    /// Name to send as SNI and to verify the certificate against.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server_name: String,
    #[serde(skip_serializing_if = "is_false")]
    pub insecure_skip_verify: bool,
    /// Certificate authorities: files or PEM. Default: the system's.
    #[serde(rename = "rootCAs", skip_serializing_if = "Vec::is_empty")]
    pub root_cas: Vec<String>,
    /// Client certificates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<super::TlsCertificate>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cipher_suites: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub min_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub max_version: String,
    /// Idle connections kept per server. 0: Go's default of 2; negative: none.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_idle_conns_per_host: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarding_timeouts: Option<ForwardingTimeouts>,
    #[serde(rename = "disableHTTP2", skip_serializing_if = "is_false")]
    pub disable_http2: bool,
    #[serde(rename = "peerCertURI", skip_serializing_if = "String::is_empty")]
    pub peer_cert_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spiffe: Option<Spiffe>,
}

/// SPIFFE identities to accept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spiffe {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub trust_domain: String,
}

/// Time limits towards servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ForwardingTimeouts {
    /// Default: 30s.
    pub dial_timeout: Duration,
    /// Time from the request's last byte to the response's head. 0 (default): no limit.
    pub response_header_timeout: Duration,
    /// Default: 90s.
    pub idle_conn_timeout: Duration,
    /// HTTP/2 only. 0 (default): no pings.
    pub read_idle_timeout: Duration,
    /// HTTP/2 only. Default: 15s.
    pub ping_timeout: Duration,
}

impl Default for ForwardingTimeouts {
    fn default() -> Self {
        let seconds = |n| std::time::Duration::from_secs(n).into();
        Self {
            dial_timeout: seconds(30),
            response_header_timeout: seconds(0),
            idle_conn_timeout: seconds(90),
            read_idle_timeout: seconds(0),
            ping_timeout: seconds(15),
        }
    }
}
