//! The `headers` middleware.

use serde::{Deserialize, Serialize};

use crate::dynamic::{Named, is_false};

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
