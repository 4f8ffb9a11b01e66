//! Middlewares: exactly one kind per name. Options are Traefik v3.7's.

mod auth;
mod client_certificate;
mod headers;
mod limits;

use serde::{Deserialize, Serialize};

pub use self::auth::{BasicAuth, ClientTls, DigestAuth, ForwardAuth};
pub use self::client_certificate::{
    PassTlsClientCert, TlsClientCertificateInfo, TlsClientCertificateIssuer,
    TlsClientCertificateSubject,
};
pub use self::headers::Headers;
pub use self::limits::{Buffering, CircuitBreaker, InFlightReq, RateLimit, SourceCriterion};

use super::{Named, is_false, is_zero};
use crate::Duration;
/// A middleware: exactly one of the kinds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Middleware {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_prefix: Option<AddPrefix>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip_prefix: Option<StripPrefix>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip_prefix_regex: Option<StripPrefixRegex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_path: Option<ReplacePath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_path_regex: Option<ReplacePathRegex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
    #[serde(rename = "ipWhiteList", skip_serializing_if = "Option::is_none")]
    pub ip_white_list: Option<IpAllowList>,
    #[serde(rename = "ipAllowList", skip_serializing_if = "Option::is_none")]
    pub ip_allow_list: Option<IpAllowList>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Headers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoded_characters: Option<EncodedCharacters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<ErrorPage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_regex: Option<RedirectRegex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_scheme: Option<RedirectScheme>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest_auth: Option<DigestAuth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_auth: Option<ForwardAuth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight_req: Option<InFlightReq>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffering: Option<Buffering>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit_breaker: Option<CircuitBreaker>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compress: Option<Compress>,
    #[serde(rename = "passTLSClientCert", skip_serializing_if = "Option::is_none")]
    pub pass_tls_client_cert: Option<PassTlsClientCert>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<ContentType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc_web: Option<GrpcWeb>,
    /// Plug-ins by name. Not supported yet; kept so that the name is known.
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub plugin: Named<serde_json::Value>,
}

/// Puts a prefix before the path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AddPrefix {
    /// The prefix, such as `/api`. Required.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}

/// Takes a prefix off the path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StripPrefix {
    /// The first that the path has is taken off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<String>,
    /// Deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_slash: Option<bool>,
}

/// Takes a matching prefix off the path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StripPrefixRegex {
    /// Go regular expressions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regex: Vec<String>,
}

/// Replaces the path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReplacePath {
    /// The new path.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
}

/// Replaces the path by a regular expression.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReplacePathRegex {
    /// Go regular expression.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub regex: String,
    /// With `$1` or `${name}`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub replacement: String,
}

/// Runs other middlewares.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Chain {
    /// Names, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub middlewares: Vec<String>,
}

/// Lets only some addresses pass.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IpAllowList {
    /// Addresses or CIDR ranges. Required.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_range: Vec<String>,
    /// How the client's address is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_strategy: Option<IpStrategy>,
    /// Default: 403.
    #[serde(skip_serializing_if = "is_zero")]
    pub reject_status_code: u16,
}

/// Finds the client's address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IpStrategy {
    /// Position in X-Forwarded-For, from the right. 0 (default): the peer.
    #[serde(skip_serializing_if = "is_zero")]
    pub depth: i64,
    /// Rightmost address of X-Forwarded-For that is not in this list.
    #[serde(rename = "excludedIPs", skip_serializing_if = "Vec::is_empty")]
    pub excluded_ips: Vec<String>,
    /// Bits of an IPv6 address that count.
    #[serde(rename = "ipv6Subnet", skip_serializing_if = "Option::is_none")]
    pub ipv6_subnet: Option<u8>,
}

/// Refuses some percent-encoded characters in paths; all are refused unless allowed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EncodedCharacters {
    #[serde(skip_serializing_if = "is_false")]
    pub allow_encoded_slash: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub allow_encoded_back_slash: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub allow_encoded_null_character: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub allow_encoded_semicolon: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub allow_encoded_percent: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub allow_encoded_question_mark: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub allow_encoded_hash: bool,
}

/// Answers errors with pages of another service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ErrorPage {
    /// Codes or ranges, such as `500-599`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<String>,
    /// Codes or ranges to the code the client sees.
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub status_rewrites: Named<u16>,
    /// The service that has the pages.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// Path of the page, with `{status}`, `{originalStatus}` and `{url}`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// Headers the page request carries. Default: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub error_request_headers: Vec<String>,
}

/// Redirects by a regular expression.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RedirectRegex {
    /// Go regular expression over the whole URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub regex: String,
    /// With `$1` or `${name}`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub replacement: String,
    /// 301 or 308, not 302 or 307.
    #[serde(skip_serializing_if = "is_false")]
    pub permanent: bool,
}

/// Redirects to another scheme.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RedirectScheme {
    /// Required.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scheme: String,
    /// Default: the scheme's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub port: String,
    /// 301 or 308, not 302 or 307.
    #[serde(skip_serializing_if = "is_false")]
    pub permanent: bool,
}

/// Compresses responses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Compress {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_content_types: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub included_content_types: Vec<String>,
    /// Default: 1024.
    #[serde(skip_serializing_if = "is_zero")]
    pub min_response_body_bytes: i64,
    /// Default: gzip, br, zstd.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encodings: Vec<String>,
    /// For clients without Accept-Encoding. Default: none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub default_encoding: String,
}

impl Default for Compress {
    fn default() -> Self {
        Self {
            excluded_content_types: Vec::new(),
            included_content_types: Vec::new(),
            min_response_body_bytes: 0,
            encodings: ["gzip", "br", "zstd"].map(str::to_owned).to_vec(),
            default_encoding: String::new(),
        }
    }
}

/// Tries again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Retry {
    /// Tries in all. Required.
    #[serde(skip_serializing_if = "is_zero")]
    pub attempts: i64,
    /// Time for all tries. 0 (default): no limit.
    #[serde(skip_serializing_if = "is_zero")]
    pub timeout: Duration,
    /// First wait of an exponential back-off. 0 (default): none.
    #[serde(skip_serializing_if = "is_zero")]
    pub initial_interval: Duration,
    /// Largest body kept for another try. Default: 2 MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_request_body_bytes: Option<i64>,
    /// Codes or ranges that are tried again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub disable_retry_on_network_error: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub retry_non_idempotent_method: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 0,
            timeout: Duration::default(),
            initial_interval: Duration::default(),
            max_request_body_bytes: Some(2_097_152),
            status: Vec::new(),
            disable_retry_on_network_error: false,
            retry_non_idempotent_method: false,
        }
    }
}

/// Guesses missing content types.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContentType {
    /// Deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_detect: Option<bool>,
}

/// Translates gRPC-Web.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GrpcWeb {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_origins: Vec<String>,
}
