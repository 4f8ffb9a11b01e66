//! The `passTLSClientCert` middleware.

use serde::{Deserialize, Serialize};

use crate::dynamic::is_false;

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
