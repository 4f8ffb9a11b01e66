//! The certificates of one configuration.

mod generated;
mod index;
mod load;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use config::dynamic::TlsConfiguration;
use rustls::SignatureScheme;
use rustls::sign::CertifiedKey;

use crate::hosts::canonical;
use crate::{Certificate, Problem};

use self::generated::Generated;
use self::index::Index;

/// The certificate store shared by all TLS options of a snapshot. Immutable.
///
/// A name gets what Traefik gives it: of the certificates that have the name, or the name with its
/// first label replaced by `*`, the one whose sorted list of names comes last. Common names count.
#[derive(Debug)]
pub struct Certificates {
    /// In the order of the configuration; broken ones are missing.
    entries: Vec<Entry>,
    default: DefaultCertificate,
    served: Index,
    /// The store `acme-tls/1`: answers to ACME's TLS-ALPN challenge (RFC 8737).
    challenges: Index,
    files: Vec<PathBuf>,
}

/// One certificate of the configuration.
#[derive(Debug)]
struct Entry {
    /// The path, empty for inline PEM.
    cert_file: Box<str>,
    certificate: Arc<Certificate>,
    is_served: bool,
    is_challenge: bool,
}

/// What names without a certificate get.
#[derive(Debug)]
enum DefaultCertificate {
    Configured {
        /// The path, empty for inline PEM or one of the entries.
        cert_file: Box<str>,
        certificate: Arc<Certificate>,
    },
    Generated(&'static Generated),
    /// The system could not even generate one.
    None,
}

impl Certificates {
    /// Reads every certificate of a configuration.
    ///
    /// What did not change is taken over from `previous` without being parsed again; when nothing
    /// did, `previous` itself is returned. A file that became unusable keeps its last good
    /// certificate. Time is linear in the number of certificates. Blocks on file reads.
    pub fn load(
        config: &TlsConfiguration,
        previous: Option<&Arc<Self>>,
    ) -> (Arc<Self>, Vec<Problem>) {
        load::load(config, previous)
    }

    /// The certificates that are served by name, in the order of the configuration, duplicates
    /// included, the default one left out.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        self.entries.iter().filter(|entry| entry.is_served).map(|entry| &entry.certificate)
    }

    /// The files to watch: whatever the configuration names, readable or not.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Finds the certificate for a server name; `None` means the default certificate.
    pub fn find(&self, server_name: &str) -> Option<&Arc<Certificate>> {
        self.served.find(&canonical(server_name))
    }

    /// Finds the certificate for clients that connected to this address without a server name.
    pub fn find_address(&self, local_ip: IpAddr) -> Option<&Arc<Certificate>> {
        self.served.find_address(local_ip)
    }

    /// The default certificate.
    pub fn default_certificate(&self) -> Option<&Arc<Certificate>> {
        match &self.default {
            DefaultCertificate::Configured { certificate, .. } => Some(certificate),
            DefaultCertificate::Generated(generated) => Some(&generated.certificate),
            DefaultCertificate::None => None,
        }
    }

    /// Tells whether anything but the default certificate answers to a canonical name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.served.find(name).is_some() || self.challenges.find(name).is_some()
    }

    /// Finds the answer to an ACME challenge for a canonical name.
    pub(crate) fn find_challenge(&self, name: &str) -> Option<&Arc<Certificate>> {
        self.challenges.find(name)
    }

    /// The default certificate in a form the client can verify.
    pub(crate) fn default_key(&self, schemes: &[SignatureScheme]) -> Option<&Arc<CertifiedKey>> {
        match &self.default {
            DefaultCertificate::Configured { certificate, .. } => Some(certificate.key()),
            DefaultCertificate::Generated(generated) => Some(generated.key(schemes)),
            DefaultCertificate::None => None,
        }
    }
}
