//! hot path
//!
//! Which certificate a ClientHello gets.

use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::Certificates;
use crate::hosts::canonical;

/// Chooses by server name.
#[derive(Debug)]
pub(super) struct Resolver {
    pub(super) certificates: Arc<Certificates>,
    /// Refuses names without a certificate of their own.
    pub(super) is_strict: bool,
    /// Takes the place of the default certificate: chosen by the address the client connected to.
    pub(super) for_address: Option<Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(canonical);
        if hello.alpn().is_some_and(|mut offered| offered.any(|offer| offer == ACME_TLS)) {
            // RFC 8737 section 3: nothing but the challenge's certificate will do.
            let challenge = self.certificates.find_challenge(name.as_deref()?)?;
            return Some(Arc::clone(challenge.key()));
        }
        let found = name.and_then(|name| self.certificates.find(&name));
        if let Some(certificate) = found {
            return Some(Arc::clone(certificate.key()));
        }
        if let Some(key) = &self.for_address {
            return Some(Arc::clone(key));
        }
        if self.is_strict {
            return None;
        }
        self.certificates.default_key(hello.signature_schemes()).cloned()
    }
}

const ACME_TLS: &[u8] = b"acme-tls/1";
