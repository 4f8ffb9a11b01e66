//! Entry points: where the program listens, and what holds for every request there.

use crate::Duration;

section! {
    /// One address to listen on.
    pub struct EntryPoint {
        /// `[host]:port[/tcp|/udp]`. Required.
        pub address: String,
        /// Lets user routers answer ACME challenges first. Default: false.
        #[serde(rename = "allowACMEByPass")]
        pub allow_acme_by_pass: bool,
        /// Sets SO_REUSEPORT on the listener. Default: false.
        pub reuse_port: bool,
        /// Takes routers that name no entry point. Default: false; if no entry point has it, all
        /// TCP ones but `traefik` take them.
        pub as_default: bool,
        /// Time limits and connection lifetimes.
        pub transport: Transport,
        /// Reads the PROXY protocol. Default: off.
        pub proxy_protocol: Option<ProxyProtocol>,
        /// Whom X-Forwarded headers are believed.
        pub forwarded_headers: ForwardedHeaders,
        /// What holds for every HTTP request.
        pub http: EntryPointHttp,
        /// Limits of HTTP/2.
        pub http2: Http2,
        /// HTTP/3 on the same port over UDP. Default: off.
        pub http3: Option<Http3>,
        /// Limits of UDP.
        pub udp: Udp,
        /// What is recorded about requests; routers may differ. Default: everything.
        pub observability: Option<EntryPointObservability>,
    }
}

section! {
    /// Time limits and connection lifetimes.
    pub struct Transport {
        /// What happens at the end of the program.
        pub life_cycle: LifeCycle,
        /// Time limits of a connection.
        pub responding_timeouts: RespondingTimeouts,
        /// Age at which a keep-alive connection is closed. 0 (default): none.
        pub keep_alive_max_time: Duration,
        /// Requests after which a keep-alive connection is closed. 0 (default): no limit.
        pub keep_alive_max_requests: i64,
    }
}

section! {
    /// What happens at the end of the program.
    pub struct LifeCycle {
        /// Time during which new requests are still accepted. Default: 0.
        pub request_accept_grace_timeout: Duration,
        /// Time that requests in flight have after that. Default: 10s.
        #[serde(rename = "graceTimeOut")]
        pub grace_time_out: Duration = Duration::from_secs(10),
    }
}

section! {
    /// Time limits of a connection.
    pub struct RespondingTimeouts {
        /// For reading a whole request, body included. 0: none. Default: 60s.
        pub read_timeout: Duration = Duration::from_secs(60),
        /// For writing a whole response. 0 (default): none.
        pub write_timeout: Duration,
        /// Between two requests of a connection. 0: none. Default: 180s.
        pub idle_timeout: Duration = Duration::from_secs(180),
    }
}

section! {
    /// Reads the PROXY protocol.
    pub struct ProxyProtocol {
        /// Believes every peer. Default: false.
        pub insecure: bool,
        /// Believes these addresses and CIDR ranges.
        #[serde(rename = "trustedIPs")]
        pub trusted_ips: Vec<String>,
    }
}

section! {
    /// Whom X-Forwarded headers are believed.
    pub struct ForwardedHeaders {
        /// Believes every peer. Default: false.
        pub insecure: bool,
        /// Believes these addresses and CIDR ranges.
        #[serde(rename = "trustedIPs")]
        pub trusted_ips: Vec<String>,
        /// Headers that may stay listed in Connection.
        pub connection: Vec<String>,
        /// Leaves X-Forwarded-For as it came. Default: false.
        pub not_append_x_forwarded_for: bool,
    }
}

section! {
    /// What holds for every HTTP request of an entry point.
    pub struct EntryPointHttp {
        /// Redirects everything to another entry point.
        pub redirections: Option<Redirections>,
        /// Middlewares before those of the router.
        pub middlewares: Vec<String>,
        /// Makes every router of the entry point a TLS router.
        pub tls: Option<EntryPointTls>,
        /// Encodes semicolons of the query instead of reading them as separators. Default: false.
        pub encode_query_semicolons: bool,
        /// Removes `//`, `/./` and `/../` from paths before routing. Default: true.
        pub sanitize_path: bool = true,
        /// Longest head of a request, bytes. Default: 1048576.
        pub max_header_bytes: i64 = 1_048_576,
        /// Encoded characters that paths may have. Default: all.
        pub encoded_characters: Option<EncodedCharacters>,
        /// `keep` (as by default), `delete` or `reject` header names with characters other than
        /// letters, digits and `-`.
        pub alias_headers_strategy: String,
        /// Deprecated: `aliasHeadersStrategy` for underscores only.
        pub underscore_headers_strategy: String,
    }
}

section! {
    /// Redirects everything to another entry point.
    pub struct Redirections {
        /// To which, and how.
        pub entry_point: Option<RedirectEntryPoint>,
    }
}

section! {
    /// The entry point that requests are redirected to.
    pub struct RedirectEntryPoint {
        /// Name of the entry point, or a port such as `:443`.
        pub to: String,
        /// Default: `https`.
        pub scheme: String = "https",
        /// Default: true.
        pub permanent: bool = true,
        /// Priority of the router that redirects. Default: the highest but one.
        pub priority: i64 = i64::MAX - 1,
    }
}

section! {
    /// TLS settings of routers that have none of their own.
    pub struct EntryPointTls {
        /// Name of the TLS options. Default: `default`.
        pub options: String,
        /// Name of the certificate resolver.
        pub cert_resolver: String,
        /// Domains to order certificates for.
        pub domains: Vec<EntryPointDomain>,
    }
}

section! {
    /// One certificate's domains.
    pub struct EntryPointDomain {
        /// The main one.
        pub main: String,
        /// The others.
        pub sans: Vec<String>,
    }
}

section! {
    /// Encoded characters that paths may have; a request with another gets 400.
    pub struct EncodedCharacters {
        /// `%2F`. Default: true.
        pub allow_encoded_slash: bool = true,
        /// `%5C`. Default: true.
        pub allow_encoded_back_slash: bool = true,
        /// `%00`. Default: true.
        pub allow_encoded_null_character: bool = true,
        /// `%3B`. Default: true.
        pub allow_encoded_semicolon: bool = true,
        /// `%25`. Default: true.
        pub allow_encoded_percent: bool = true,
        /// `%3F`. Default: true.
        pub allow_encoded_question_mark: bool = true,
        /// `%23`. Default: true.
        pub allow_encoded_hash: bool = true,
    }
}

section! {
    /// Limits of HTTP/2.
    pub struct Http2 {
        /// Streams of one connection at a time. Default: 250.
        pub max_concurrent_streams: i32 = 250,
        /// HPACK table for reading, bytes. Default: 4096.
        pub max_decoder_header_table_size: i32 = 4096,
        /// HPACK table for writing, bytes. Default: 4096.
        pub max_encoder_header_table_size: i32 = 4096,
    }
}

section! {
    /// HTTP/3.
    pub struct Http3 {
        /// Port in Alt-Svc. 0 (default): that of the entry point.
        pub advertised_port: i32,
    }
}

section! {
    /// Limits of UDP.
    pub struct Udp {
        /// Idle time after which a session ends. Default: 3s.
        pub timeout: Duration = Duration::from_secs(3),
    }
}

section! {
    /// What is recorded about requests.
    pub struct EntryPointObservability {
        /// Default: true.
        pub access_logs: Option<bool> = true,
        /// Default: true.
        pub metrics: Option<bool> = true,
        /// Default: true.
        pub tracing: Option<bool> = true,
        /// `minimal` (default) or `detailed`.
        pub trace_verbosity: String = "minimal",
    }
}
