//! Certificates, stores and options.

use serde::{Deserialize, Serialize};

use super::{Named, TlsDomain, is_false};

/// Holds the `tls` section.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsConfiguration {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificateAndStores>,
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub options: Named<TlsOptions>,
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub stores: Named<TlsStore>,
}

/// A certificate and the stores it goes to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CertificateAndStores {
    /// Path of a PEM file, or PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cert_file: String,
    /// Path of a PEM file, or PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key_file: String,
    /// Default: the store `default`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<String>,
}

/// A certificate and its key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsCertificate {
    /// Path of a PEM file, or PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cert_file: String,
    /// Path of a PEM file, or PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key_file: String,
}

/// Says what TLS a client may use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsOptions {
    /// `VersionTLS12` or `VersionTLS13`; older ones are raised to 1.2. Default: 1.2.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub min_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub max_version: String,
    /// TLS 1.2 suites by their Go names. Default: all that are safe.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cipher_suites: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub curve_preferences: Vec<String>,
    #[serde(skip_serializing_if = "super::is_zero")]
    pub client_auth: ClientAuth,
    /// Refuses clients whose server name no certificate has.
    #[serde(skip_serializing_if = "is_false")]
    pub sni_strict: bool,
    /// Default: `h2`, `http/1.1`, `acme-tls/1`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alpn_protocols: Vec<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub disable_session_tickets: bool,
    /// Deprecated, without effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefer_server_cipher_suites: Option<bool>,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            min_version: String::new(),
            max_version: String::new(),
            cipher_suites: Vec::new(),
            curve_preferences: Vec::new(),
            client_auth: ClientAuth::default(),
            sni_strict: false,
            alpn_protocols: ["h2", "http/1.1", "acme-tls/1"].map(str::to_owned).to_vec(),
            disable_session_tickets: false,
            prefer_server_cipher_suites: None,
        }
    }
}

/// Asks clients for certificates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientAuth {
    /// Files or PEM.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ca_files: Vec<String>,
    /// Go's name of the mode. Default: `NoClientCert`, with `caFiles` alone
    /// `RequireAndVerifyClientCert`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_auth_type: String,
}

/// Holds a store's default certificate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsStore {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_certificate: Option<TlsCertificate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_generated_cert: Option<GeneratedCertificate>,
}

/// Orders the default certificate from a resolver.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GeneratedCertificate {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resolver: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<TlsDomain>,
}
