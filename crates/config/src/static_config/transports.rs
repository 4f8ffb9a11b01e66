//! Defaults of the connections to servers.

use crate::Duration;

section! {
    /// Defaults of the connections to HTTP servers.
    pub struct StaticServersTransport {
        /// Accepts any certificate. Default: false.
        pub insecure_skip_verify: bool,
        /// Certificates to trust servers by: files or PEM. Default: the system's.
        #[serde(rename = "rootCAs")]
        pub root_cas: Vec<String>,
        /// Idle connections kept per server. Default: 200.
        pub max_idle_conns_per_host: i64 = 200,
        /// Time limits.
        pub forwarding_timeouts: Option<StaticForwardingTimeouts>,
        /// Identities that servers must have.
        pub spiffe: Option<StaticSpiffe>,
    }
}

section! {
    /// Time limits towards servers.
    pub struct StaticForwardingTimeouts {
        /// For connecting. 0: none. Default: 30s.
        pub dial_timeout: Duration = Duration::from_secs(30),
        /// From the request's last byte to the response's head. 0 (default): none.
        pub response_header_timeout: Duration,
        /// For an idle connection. Default: 90s.
        pub idle_conn_timeout: Duration = Duration::from_secs(90),
    }
}

section! {
    /// SPIFFE identities to accept.
    pub struct StaticSpiffe {
        /// Identities.
        pub ids: Vec<String>,
        /// Trust domain.
        pub trust_domain: String,
    }
}

section! {
    /// Defaults of the connections to TCP servers.
    pub struct StaticTcpServersTransport {
        /// For connecting. 0: none. Default: 30s.
        pub dial_timeout: Duration = Duration::from_secs(30),
        /// Between TCP keep-alive probes. Negative: none. Default: 15s.
        pub dial_keep_alive: Duration = Duration::from_secs(15),
        /// Time the other side has to finish after one has. Default: 0.
        pub termination_delay: Duration,
        /// TLS towards servers.
        pub tls: Option<StaticTcpTls>,
    }
}

section! {
    /// TLS towards TCP servers.
    pub struct StaticTcpTls {
        /// Accepts any certificate. Default: false.
        pub insecure_skip_verify: bool,
        /// Certificates to trust servers by: files or PEM. Default: the system's.
        #[serde(rename = "rootCAs")]
        pub root_cas: Vec<String>,
        /// Identities that servers must have.
        pub spiffe: Option<StaticSpiffe>,
    }
}
