//! Middlewares that bound what clients may do.

use serde::{Deserialize, Serialize};

use crate::Duration;
use crate::dynamic::{IpStrategy, is_false, is_zero};

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
    /// Requests that may come at once. Default: 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub burst: i64,
    /// What a source is. Default: the peer's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_criterion: Option<SourceCriterion>,
    /// Shared state in Redis. Not supported yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redis: Option<serde_json::Value>,
    /// Logs what would be refused or delayed, and lets it pass. Default: false. Not in Traefik.
    #[serde(skip_serializing_if = "is_false")]
    pub report_only: bool,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            average: 0,
            period: std::time::Duration::from_secs(1).into(),
            burst: 1,
            source_criterion: None,
            redis: None,
            report_only: false,
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

/// Limits simultaneous requests per source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InFlightReq {
    #[serde(skip_serializing_if = "is_zero")]
    pub amount: i64,
    /// Default: the request's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_criterion: Option<SourceCriterion>,
    /// Logs what would be refused, and lets it pass. Default: false. Not in Traefik.
    #[serde(skip_serializing_if = "is_false")]
    pub report_only: bool,
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
