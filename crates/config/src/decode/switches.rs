//! Which fields hold a section that may be switched on without any key of its own.
//!
//! Traefik marks them `allowEmpty`: `tls: {}`, `--api`, `compress: true`. A switch given as `false`
//! is absent. Any other section that is given empty is an error, as it would do nothing.

/// Whether `field` of the type `structure` is a switch. Both are names as serde sees them.
pub fn is_switch(structure: &str, field: &str) -> bool {
    SWITCHES.iter().any(|(name, fields)| *name == structure && fields.contains(&field))
}

const SWITCHES: &[(&str, &[&str])] = &[
    // Dynamic configuration.
    ("Configuration", &["http", "tcp", "udp", "tls"]),
    ("Router", &["tls"]),
    ("TcpRouter", &["tls"]),
    ("Sticky", &["cookie"]),
    ("ServersLoadBalancer", &["sticky"]),
    ("Mirroring", &["healthCheck"]),
    ("Failover", &["healthCheck"]),
    ("WeightedRoundRobin", &["healthCheck"]),
    ("HighestRandomWeight", &["healthCheck"]),
    ("ServersTransport", &["spiffe"]),
    ("Middleware", &["compress", "contentType"]),
    ("IpAllowList", &["ipStrategy"]),
    ("TcpServersLoadBalancer", &["proxyProtocol", "healthCheck"]),
    ("TcpWeightedRoundRobin", &["healthCheck"]),
    ("TcpServersTransport", &["proxyProtocol", "tls"]),
    ("TcpTlsClientConfig", &["spiffe"]),
    // Static configuration.
    (
        "StaticConfiguration",
        &["accessLog", "api", "hostResolver", "log", "ocsp", "ping", "tracing"],
    ),
    ("EntryPoint", &["http", "http3", "proxyProtocol"]),
    ("EntryPointHttp", &["tls"]),
    ("AccessLog", &["otlp"]),
    ("Log", &["otlp"]),
    ("OtlpLog", &["grpc", "http"]),
    ("Tracing", &["otlp"]),
    ("OtlpTracing", &["grpc", "http"]),
    ("Metrics", &["datadog", "influxDB2", "otlp", "prometheus", "statsD"]),
    ("OtlpMetrics", &["grpc", "http"]),
    ("CertificateResolver", &["tailscale"]),
    ("Acme", &["dnsChallenge", "httpChallenge", "tlsChallenge"]),
    ("DnsChallenge", &["propagation"]),
    ("Experimental", &["fastProxy"]),
    ("Plugin", &["settings"]),
    ("LocalPlugin", &["settings"]),
    (
        "Providers",
        &[
            "consul",
            "consulCatalog",
            "docker",
            "ecs",
            "etcd",
            "http",
            "knative",
            "kubernetesCRD",
            "kubernetesGateway",
            "kubernetesIngress",
            "kubernetesIngressNGINX",
            "nomad",
            "redis",
            "rest",
            "swarm",
            "zooKeeper",
        ],
    ),
    ("Knative", &["privateService", "publicService"]),
    ("GatewayStatusAddress", &["service"]),
    ("StaticServersTransport", &["spiffe"]),
    ("StaticTcpServersTransport", &["tls"]),
    ("StaticTcpTls", &["spiffe"]),
];
