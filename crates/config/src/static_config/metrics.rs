//! Metrics and where they go.

use super::{Named, OtlpGrpc, OtlpHttp};
use crate::Duration;

section! {
    /// Metrics and where they go.
    pub struct Metrics {
        /// Counts the program's own services too. Default: false.
        pub add_internals: bool,
        /// A page for Prometheus.
        pub prometheus: Option<Prometheus>,
        /// Sends to a Datadog agent.
        pub datadog: Option<Datadog>,
        /// Sends to StatsD.
        #[serde(rename = "statsD")]
        pub statsd: Option<StatsD>,
        /// Sends to InfluxDB 2.
        #[serde(rename = "influxDB2")]
        pub influxdb2: Option<InfluxDb2>,
        /// Sends to an OpenTelemetry collector.
        pub otlp: Option<OtlpMetrics>,
    }
}

section! {
    /// A page for Prometheus.
    pub struct Prometheus {
        /// Borders of the duration histograms, seconds. Default: 0.1, 0.3, 1.2, 5.
        pub buckets: Vec<f64> = [0.1, 0.3, 1.2, 5.0],
        /// Default: true.
        pub add_entry_points_labels: bool = true,
        /// Default: false.
        pub add_routers_labels: bool,
        /// Default: true.
        pub add_services_labels: bool = true,
        /// Entry point that serves `/metrics`. Default: `traefik`.
        pub entry_point: String = "traefik",
        /// Leaves the route to the user, who sends it to `prometheus@internal`. Default: false.
        pub manual_routing: bool,
        /// Labels to the request headers that they take their values from.
        pub header_labels: Named<String>,
    }
}

section! {
    /// Sends to a Datadog agent.
    pub struct Datadog {
        /// Default: `localhost:8125`.
        pub address: String = "localhost:8125",
        /// Default: 10s.
        pub push_interval: Duration = Duration::from_secs(10),
        /// Default: true.
        pub add_entry_points_labels: bool = true,
        /// Default: false.
        pub add_routers_labels: bool,
        /// Default: true.
        pub add_services_labels: bool = true,
        /// Default: `traefik`.
        pub prefix: String = "traefik",
    }
}

section! {
    /// Sends to StatsD.
    pub struct StatsD {
        /// Default: `localhost:8125`.
        pub address: String = "localhost:8125",
        /// Default: 10s.
        pub push_interval: Duration = Duration::from_secs(10),
        /// Default: true.
        pub add_entry_points_labels: bool = true,
        /// Default: false.
        pub add_routers_labels: bool,
        /// Default: true.
        pub add_services_labels: bool = true,
        /// Default: `traefik`.
        pub prefix: String = "traefik",
    }
}

section! {
    /// Sends to InfluxDB 2.
    pub struct InfluxDb2 {
        /// Default: `http://localhost:8086`.
        pub address: String = "http://localhost:8086",
        /// Access token.
        pub token: String,
        /// Organisation.
        pub org: String,
        /// Bucket.
        pub bucket: String,
        /// Default: 10s.
        pub push_interval: Duration = Duration::from_secs(10),
        /// Default: true.
        pub add_entry_points_labels: bool = true,
        /// Default: false.
        pub add_routers_labels: bool,
        /// Default: true.
        pub add_services_labels: bool = true,
        /// Tags of every point.
        pub additional_labels: Named<String>,
    }
}

section! {
    /// Sends to an OpenTelemetry collector.
    pub struct OtlpMetrics {
        /// Sends over gRPC.
        pub grpc: Option<OtlpGrpc>,
        /// Sends over HTTP.
        pub http: Option<OtlpHttp>,
        /// Default: true.
        pub add_entry_points_labels: bool = true,
        /// Default: false.
        pub add_routers_labels: bool,
        /// Default: true.
        pub add_services_labels: bool = true,
        /// Borders of the histograms, seconds. Default: 0.005 to 10.
        pub explicit_boundaries: Vec<f64> = [
            0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
        ],
        /// Default: 10s.
        pub push_interval: Duration = Duration::from_secs(10),
        /// Name of this service. Default: `traefik`.
        pub service_name: String = "traefik",
        /// Attributes of this service.
        pub resource_attributes: Named<String>,
    }
}
