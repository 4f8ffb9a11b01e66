//! Middlewares: exactly one kind per name. Options are Traefik v3.7's.

use serde::{Deserialize, Serialize};

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

/// Sets headers of requests and responses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Headers {
    /// An empty value removes the header.
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub custom_request_headers: Named<String>,
    /// An empty value removes the header.
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub custom_response_headers: Named<String>,
    /// CORS.
    #[serde(skip_serializing_if = "is_false")]
    pub access_control_allow_credentials: bool,
    /// CORS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_allow_headers: Vec<String>,
    /// CORS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_allow_methods: Vec<String>,
    /// CORS: origins, or `*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_allow_origin_list: Vec<String>,
    /// CORS: Go regular expressions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_allow_origin_list_regex: Vec<String>,
    /// CORS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_expose_headers: Vec<String>,
    /// CORS, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_control_max_age: Option<i64>,
    /// Adds `Vary: Origin`.
    #[serde(skip_serializing_if = "is_false")]
    pub add_vary_header: bool,
    /// Hosts to answer; others get 500 Bad Host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_hosts: Vec<String>,
    /// Headers that may hold the host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts_proxy_headers: Vec<String>,
    /// Headers that say the client used TLS.
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub ssl_proxy_headers: Named<String>,
    /// Strict-Transport-Security max-age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sts_seconds: Option<i64>,
    #[serde(skip_serializing_if = "is_false")]
    pub sts_include_subdomains: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub sts_preload: bool,
    /// Also without TLS.
    #[serde(rename = "forceSTSHeader", skip_serializing_if = "is_false")]
    pub force_sts_header: bool,
    /// X-Frame-Options: DENY.
    #[serde(skip_serializing_if = "is_false")]
    pub frame_deny: bool,
    /// X-Frame-Options.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub custom_frame_options_value: String,
    /// X-Content-Type-Options: nosniff.
    #[serde(skip_serializing_if = "is_false")]
    pub content_type_nosniff: bool,
    /// X-XSS-Protection: 1; mode=block.
    #[serde(skip_serializing_if = "is_false")]
    pub browser_xss_filter: bool,
    /// X-XSS-Protection.
    #[serde(rename = "customBrowserXSSValue", skip_serializing_if = "String::is_empty")]
    pub custom_browser_xss_value: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub content_security_policy: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub content_security_policy_report_only: String,
    /// Public-Key-Pins.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub public_key: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub referrer_policy: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub permissions_policy: String,
    /// Turns the host and TLS checks off.
    #[serde(skip_serializing_if = "is_false")]
    pub is_development: bool,
    /// Deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature_policy: Option<String>,
    /// Deprecated, without effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_redirect: Option<bool>,
    /// Deprecated, without effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_temporary_redirect: Option<bool>,
    /// Deprecated, without effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_host: Option<String>,
    /// Deprecated, without effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_force_host: Option<bool>,
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

/// Limits requests per source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RateLimit {
    /// Requests per period. 0 (default): no limit.
    #[serde(skip_serializing_if = "is_zero")]
    pub average: i64,
    /// Default: 1s.
    #[serde(skip_serializing_if = "Duration::is_zero")]
    pub period: Duration,
    /// Default: 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub burst: i64,
    /// What a source is. Default: the peer's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_criterion: Option<SourceCriterion>,
    /// Shared state in Redis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redis: Option<serde_json::Value>,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            average: 0,
            period: std::time::Duration::from_secs(1).into(),
            burst: 1,
            source_criterion: None,
            redis: None,
        }
    }
}

/// Says what requests share a limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SourceCriterion {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_strategy: Option<IpStrategy>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request_header_name: String,
    #[serde(skip_serializing_if = "is_false")]
    pub request_host: bool,
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

/// Asks for a user name and a password.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BasicAuth {
    /// `name:hash` as htpasswd writes it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// File of such lines.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub users_file: String,
    /// Default: traefik.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub realm: String,
    /// Takes Authorization off the request.
    #[serde(skip_serializing_if = "is_false")]
    pub remove_header: bool,
    /// Header that gets the user name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub header_field: String,
}

/// Asks for a user name and a password by digest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DigestAuth {
    /// `name:realm:hash`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub users_file: String,
    #[serde(skip_serializing_if = "is_false")]
    pub remove_header: bool,
    /// Default: traefik.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub realm: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub header_field: String,
}

/// Asks another server whether a request may pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ForwardAuth {
    /// URL of that server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTls>,
    /// Three-valued as in Traefik: absent, false, true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_forward_header: Option<bool>,
    /// Headers to copy from the answer to the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub auth_response_headers: Vec<String>,
    /// Go regular expression for such headers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub auth_response_headers_regex: String,
    /// Headers that server gets. Default: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub auth_request_headers: Vec<String>,
    /// Bytes. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_response_body_size: Option<i64>,
    /// Cookies to copy to the response.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_auth_cookies_to_response: Vec<String>,
    /// Header that holds the user name for the access log.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub header_field: String,
    #[serde(skip_serializing_if = "is_false")]
    pub forward_body: bool,
    /// Bytes; -1 (default): no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_body_size: Option<i64>,
    #[serde(skip_serializing_if = "is_false")]
    pub preserve_location_header: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub preserve_request_method: bool,
    /// 401 becomes 302 to this URL.
    #[serde(rename = "authSigninURL", skip_serializing_if = "String::is_empty")]
    pub auth_signin_url: String,
}

impl Default for ForwardAuth {
    fn default() -> Self {
        Self {
            address: String::new(),
            tls: None,
            trust_forward_header: None,
            auth_response_headers: Vec::new(),
            auth_response_headers_regex: String::new(),
            auth_request_headers: Vec::new(),
            max_response_body_size: None,
            add_auth_cookies_to_response: Vec::new(),
            header_field: String::new(),
            forward_body: false,
            max_body_size: Some(-1),
            preserve_location_header: false,
            preserve_request_method: false,
            auth_signin_url: String::new(),
        }
    }
}

/// TLS towards an authentication server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientTls {
    /// File or PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ca: String,
    /// File or PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cert: String,
    /// File or PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    #[serde(skip_serializing_if = "is_false")]
    pub insecure_skip_verify: bool,
    /// Deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_optional: Option<bool>,
}

/// Limits simultaneous requests per source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InFlightReq {
    #[serde(skip_serializing_if = "is_zero")]
    pub amount: i64,
    /// Default: the request's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_criterion: Option<SourceCriterion>,
}

/// Reads bodies whole before passing them on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Buffering {
    #[serde(skip_serializing_if = "is_zero")]
    pub max_request_body_bytes: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub mem_request_body_bytes: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub max_response_body_bytes: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub mem_response_body_bytes: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub retry_expression: String,
}

/// Stops calling servers that fail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CircuitBreaker {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub expression: String,
    #[serde(skip_serializing_if = "Duration::is_zero")]
    pub check_period: Duration,
    #[serde(skip_serializing_if = "Duration::is_zero")]
    pub fallback_duration: Duration,
    #[serde(skip_serializing_if = "Duration::is_zero")]
    pub recovery_duration: Duration,
    #[serde(skip_serializing_if = "is_zero")]
    pub response_code: u16,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self {
            expression: String::new(),
            check_period: std::time::Duration::from_millis(100).into(),
            fallback_duration: std::time::Duration::from_secs(10).into(),
            recovery_duration: std::time::Duration::from_secs(10).into(),
            response_code: 503,
        }
    }
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

/// Tells servers about the client's certificate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PassTlsClientCert {
    #[serde(skip_serializing_if = "is_false")]
    pub pem: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<TlsClientCertificateInfo>,
}

/// Says which parts of the certificate are told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsClientCertificateInfo {
    #[serde(skip_serializing_if = "is_false")]
    pub not_after: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub not_before: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub sans: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub serial_number: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<TlsClientCertificateSubject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<TlsClientCertificateIssuer>,
}

/// Parts of the subject.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsClientCertificateSubject {
    #[serde(skip_serializing_if = "is_false")]
    pub country: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub province: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub locality: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub organization: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub organizational_unit: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub common_name: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub serial_number: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub domain_component: bool,
}

/// Parts of the issuer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsClientCertificateIssuer {
    #[serde(skip_serializing_if = "is_false")]
    pub country: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub province: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub locality: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub organization: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub common_name: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub serial_number: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub domain_component: bool,
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
