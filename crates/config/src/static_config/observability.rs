//! Logs, access logs and traces.

use super::{ClientTls, Named};
use crate::Duration;

section! {
    /// The program's own log.
    pub struct Log {
        /// `TRACE`, `DEBUG`, `INFO` (default; Traefik: `ERROR`), `WARN`, `ERROR`, `FATAL` or `PANIC`.
        pub level: String = "INFO",
        /// `common` (default) or `json`.
        pub format: String = "common",
        /// Leaves colours out of `common`. Default: false.
        pub no_color: bool,
        /// File to write to. Default: standard output.
        pub file_path: String,
        /// Megabytes after which the file is rotated. 0 (default): 100.
        pub max_size: i64,
        /// Days that rotated files are kept. 0 (default): for ever.
        pub max_age: i64,
        /// Rotated files that are kept. 0 (default): all.
        pub max_backups: i64,
        /// Compresses rotated files. Default: false.
        pub compress: bool,
        /// Sends the log to an OpenTelemetry collector.
        pub otlp: Option<OtlpLog>,
    }
}

section! {
    /// One record per request.
    pub struct AccessLog {
        /// File to write to. Default: standard output.
        pub file_path: String,
        /// `common` (default), `genericCLF` or `json`.
        pub format: String = "common",
        /// Requests that are recorded. Default: all.
        pub filters: Option<AccessLogFilters>,
        /// Fields that are recorded.
        pub fields: Option<AccessLogFields>,
        /// Records kept in memory before they are written. Default: 0.
        pub buffering_size: i64,
        /// Records the program's own services too. Default: false.
        pub add_internals: bool,
        /// Writes to the file although OTLP is on. Default: false.
        pub dual_output: bool,
        /// Sends records to an OpenTelemetry collector.
        pub otlp: Option<OtlpLog>,
    }
}

section! {
    /// Requests that are recorded: those that meet one of these.
    pub struct AccessLogFilters {
        /// Codes and ranges such as `500-599`.
        pub status_codes: Vec<String>,
        /// At least one retry. Default: false.
        pub retry_attempts: bool,
        /// At least this long. 0 (default): any.
        pub min_duration: Duration,
    }
}

section! {
    /// Fields that are recorded.
    pub struct AccessLogFields {
        /// `keep` (default) or `drop`.
        pub default_mode: String = "keep",
        /// Modes by field.
        pub names: Named<String>,
        /// The request's headers.
        pub headers: Option<FieldHeaders>,
        /// The request's query.
        pub query_parameters: Option<FieldQueryParameters>,
    }
}

section! {
    /// Headers that are recorded.
    pub struct FieldHeaders {
        /// `keep`, `drop` (default) or `redact`.
        pub default_mode: String = "drop",
        /// Modes by header.
        pub names: Named<String>,
    }
}

section! {
    /// Query parameters that are recorded.
    pub struct FieldQueryParameters {
        /// `keep` (default) or `drop`.
        pub default_mode: String = "keep",
    }
}

section! {
    /// Logs for an OpenTelemetry collector.
    pub struct OtlpLog {
        /// Name of this service. Default: `traefik`.
        pub service_name: String = "traefik",
        /// Attributes of this service.
        pub resource_attributes: Named<String>,
        /// Sends over gRPC.
        pub grpc: Option<OtlpGrpc>,
        /// Sends over HTTP.
        pub http: Option<OtlpHttp>,
    }
}

section! {
    /// A collector over gRPC.
    pub struct OtlpGrpc {
        /// `host:port`. Default: `localhost:4317`.
        pub endpoint: String = "localhost:4317",
        /// Sends without TLS. Default: false.
        pub insecure: bool,
        /// Headers to send along.
        pub headers: Named<String>,
        /// TLS towards the collector.
        pub tls: Option<ClientTls>,
    }
}

section! {
    /// A collector over HTTP.
    pub struct OtlpHttp {
        /// URL. Default: `https://localhost:4318`.
        pub endpoint: String = "https://localhost:4318",
        /// Headers to send along.
        pub headers: Named<String>,
        /// TLS towards the collector.
        pub tls: Option<ClientTls>,
    }
}

section! {
    /// Spans per request.
    pub struct Tracing {
        /// Name of this service. Default: `traefik`.
        pub service_name: String = "traefik",
        /// Attributes of this service.
        pub resource_attributes: Named<String>,
        /// Deprecated: `resourceAttributes`.
        pub global_attributes: Named<String>,
        /// Request headers kept as attributes.
        pub captured_request_headers: Vec<String>,
        /// Response headers kept as attributes.
        pub captured_response_headers: Vec<String>,
        /// Query parameters that are not redacted.
        pub safe_query_params: Vec<String>,
        /// Share of the requests, 0 to 1. Default: 1.
        pub sample_rate: f64 = 1.0,
        /// Records the program's own services too. Default: false.
        pub add_internals: bool,
        /// The collector. Default: over HTTP at `https://localhost:4318`.
        pub otlp: Option<OtlpTracing>,
    }
}

section! {
    /// Spans for an OpenTelemetry collector.
    pub struct OtlpTracing {
        /// Sends over gRPC.
        pub grpc: Option<OtlpGrpc>,
        /// Sends over HTTP.
        pub http: Option<OtlpHttp>,
    }
}
