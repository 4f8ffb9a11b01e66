//! Which certificate to show a server that asks for one.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

use crate::Certificate;
use crate::certificate::parse;

/// Certificates of our own, in the user's order of preference.
#[derive(Debug)]
pub(super) struct Identities(Vec<Identity>);

#[derive(Debug)]
struct Identity {
    key: Arc<CertifiedKey>,
    /// Who issued the certificates of the chain: distinguished names in DER.
    issuers: Vec<Vec<u8>>,
}

impl Identities {
    pub(super) fn new(certificates: &[Certificate]) -> Self {
        let identity = |certificate: &Certificate| Identity {
            key: Arc::clone(certificate.key()),
            issuers: certificate
                .chain()
                .iter()
                .filter_map(|der| parse(der).ok().map(|parsed| parsed.issuer().as_raw().to_vec()))
                .collect(),
        };
        Self(certificates.iter().map(identity).collect())
    }
}

impl ResolvesClientCert for Identities {
    /// The first that the server's authorities issued. If none is, the first that the server can
    /// verify at all, as servers do not always name every authority; Go would send none.
    fn resolve(
        &self,
        authorities: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let usable = || self.0.iter().filter(|one| one.key.key.choose_scheme(schemes).is_some());
        usable()
            .find(|one| one.issuers.iter().any(|issuer| authorities.contains(&issuer.as_slice())))
            .or_else(|| usable().next())
            .map(|one| Arc::clone(&one.key))
    }

    fn has_certs(&self) -> bool {
        !self.0.is_empty()
    }
}
