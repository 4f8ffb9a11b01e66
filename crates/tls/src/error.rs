//! Why a certificate, an option or a transport cannot be used.

use std::io;

/// Says what is wrong with what a user configured. Never shows PEM: it may be a key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{what}: {source}")]
    Read { what: String, source: io::Error },
    #[error("{what}: not valid PEM: {reason}")]
    Pem { what: String, reason: String },
    #[error("{0}: no certificate found")]
    NoCertificate(String),
    #[error("{0}: no private key found (encrypted keys are not supported)")]
    NoKey(String),
    #[error("{what}: unable to parse certificate: {reason}")]
    Certificate { what: String, reason: String },
    #[error("{what}: unusable private key: {source}")]
    Key { what: String, source: rustls::Error },
    #[error("{key}: private key does not belong to {certificate}")]
    KeyMismatch { certificate: String, key: String },
    #[error("{0} is empty")]
    Empty(&'static str),
    #[error("invalid certificate(s) in {0}")]
    Authorities(String),
    #[error("invalid CipherSuite: {0}")]
    CipherSuite(String),
    #[error("invalid CurveID in curvePreferences: {0}")]
    Curve(String),
    #[error("curvePreferences: none of the curves is supported")]
    NoCurve,
    #[error("maxVersion: {0} is not supported, VersionTLS12 is the lowest")]
    MaxVersion(String),
    #[error("minVersion is above maxVersion")]
    VersionOrder,
    #[error("cipherSuites: none of them is supported, and maxVersion leaves out TLS 1.3")]
    NoCipherSuite,
    #[error("invalid clientAuthType: {0}, CAFiles is required")]
    AuthoritiesRequired(String),
    #[error("unknown client auth type {0:?}")]
    ClientAuthType(String),
    #[error("both TLS cert and key must be defined")]
    CertificateWithoutKey,
    #[error("SPIFFE is enabled for this transport, but not configured")]
    Spiffe,
    #[error("unable to generate the default certificate: {0}")]
    Generate(#[from] rcgen::Error),
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}
