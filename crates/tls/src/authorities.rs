//! Certificate authorities to trust, from files, PEM or the system.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, RootCertStore};
use x509_parser::time::ASN1Time;

use crate::Error;
use crate::algorithms::PROVIDER;
use crate::certificate;
use crate::material::Material;

/// Authorities and, as in Go, certificates that are trusted because they stand among them.
#[derive(Clone, Debug)]
pub(crate) struct Authorities {
    pub(crate) roots: Arc<RootCertStore>,
    /// What users listed. webpki does not take an authority's own certificate for a server's or a
    /// client's, but `openssl req -x509` makes exactly such ones, and Go trusts them.
    listed: Vec<CertificateDer<'static>>,
}

/// Which side a certificate is to speak for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Server,
    Client,
}

impl Authorities {
    /// Trusts these certificates. One that is unusable is left out, as in Go, with a warning.
    pub(crate) fn new(
        listed: Vec<CertificateDer<'static>>,
        warnings: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        let (added, ignored) = roots.add_parsable_certificates(listed.iter().cloned());
        if added == 0 {
            return Err(Error::Authorities("the list of certificate authorities".to_owned()));
        }
        if ignored > 0 {
            warnings.push(format!("{ignored} certificate authorities are unusable and left out"));
        }
        Ok(Self { roots: Arc::new(roots), listed })
    }

    /// The system's authorities, read once per process.
    pub(crate) fn system(warnings: &mut Vec<String>) -> Self {
        let roots = Arc::clone(&SYSTEM);
        if roots.is_empty() {
            let message = "the system has no certificate authorities: no certificate will verify";
            warnings.push(message.to_owned());
        }
        Self { roots, listed: Vec::new() }
    }

    /// Tells whether a certificate is trusted for itself: it is listed, in time and made for it.
    pub(crate) fn trusts_itself(
        &self,
        leaf: &CertificateDer<'_>,
        now: UnixTime,
        purpose: Purpose,
    ) -> Result<bool, rustls::Error> {
        if !self.listed.iter().any(|listed| listed == leaf) {
            return Ok(false);
        }
        let parsed = certificate::parse(leaf)
            .map_err(|_| rustls::Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let now =
            i64::try_from(now.as_secs()).ok().and_then(|now| ASN1Time::from_timestamp(now).ok());
        let validity = parsed.validity();
        if now.is_none_or(|now| now < validity.not_before) {
            return Err(CertificateError::NotValidYet.into());
        }
        if now.is_none_or(|now| now > validity.not_after) {
            return Err(CertificateError::Expired.into());
        }
        let fits = match parsed.extended_key_usage() {
            Ok(None) => true,
            Ok(Some(usage)) => {
                usage.value.any
                    || match purpose {
                        Purpose::Server => usage.value.server_auth,
                        Purpose::Client => usage.value.client_auth,
                    }
            }
            Err(_) => false,
        };
        if fits { Ok(true) } else { Err(CertificateError::InvalidPurpose.into()) }
    }

    /// Verifies a server's chain, but not its name.
    pub(crate) fn verify_server(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        if self.trusts_itself(leaf, now, Purpose::Server)? {
            return Ok(());
        }
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(leaf)?,
            &self.roots,
            intermediates,
            now,
            PROVIDER.signature_verification_algorithms.all,
        )
    }
}

/// Reads the certificates in files or PEM texts. Anything missing or unreadable is an error: a
/// shorter list of authorities would be a different rule.
pub(crate) fn read(texts: &[String]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let mut all = Vec::new();
    for text in texts {
        let material = Material::new(text);
        let bytes = material.read()?;
        all.extend(
            material.certificates(&bytes).map_err(|_| Error::Authorities(material.label()))?,
        );
    }
    Ok(all)
}

/// The files among them.
pub(crate) fn files(texts: &[String]) -> impl Iterator<Item = PathBuf> + '_ {
    texts.iter().filter_map(|text| Material::new(text).path().map(PathBuf::from))
}

static SYSTEM: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Arc::new(roots)
});
