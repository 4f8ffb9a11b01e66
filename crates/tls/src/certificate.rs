//! One certificate with its key, and what is told about it.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::Error;
use crate::algorithms::PROVIDER;
use crate::hosts::canonical;
use crate::material::Material;

/// A certificate chain with its private key, known to belong together.
#[derive(Debug)]
pub struct Certificate {
    key: Arc<CertifiedKey>,
    info: CertificateInfo,
    /// Of the PEM of chain and key, to recognise what did not change.
    digest: Digest,
}

/// Tells about a certificate, for the API, metrics and logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInfo {
    pub common_name: String,
    /// DNS names and IP addresses, in the certificate's order.
    pub sans: Vec<String>,
    /// Common name, DNS names and IP addresses in lower case, sorted, each once: what Traefik
    /// compares server names with.
    pub names: Vec<String>,
    pub issuer: String,
    /// Decimal.
    pub serial: String,
    /// Unix seconds.
    pub not_before: i64,
    /// Unix seconds.
    pub not_after: i64,
    /// SHA-256 of the certificate, in lower-case hexadecimal.
    pub fingerprint: String,
}

/// SHA-256.
pub(crate) type Digest = [u8; 32];

/// What was read of a certificate and its key, not yet parsed.
pub(crate) struct Pair<'a> {
    certificate: Material<'a>,
    key: Material<'a>,
    certificate_pem: std::borrow::Cow<'a, [u8]>,
    key_pem: std::borrow::Cow<'a, [u8]>,
}

impl<'a> Pair<'a> {
    pub(crate) fn read(certificate: &'a str, key: &'a str) -> Result<Self, Error> {
        if certificate.is_empty() {
            return Err(Error::Empty("certFile"));
        }
        if key.is_empty() {
            return Err(Error::Empty("keyFile"));
        }
        let (certificate, key) = (Material::new(certificate), Material::new(key));
        let (certificate_pem, key_pem) = (certificate.read()?, key.read()?);
        Ok(Self { certificate, key, certificate_pem, key_pem })
    }

    /// Identifies the contents.
    pub(crate) fn digest(&self) -> Digest {
        let mut both = sha256(&self.certificate_pem).to_vec();
        both.extend(sha256(&self.key_pem));
        sha256(&both)
    }

    pub(crate) fn parse(&self) -> Result<Certificate, Error> {
        let chain = self.certificate.certificates(&self.certificate_pem)?;
        let key = self.key.key(&self.key_pem)?;
        let what = || self.certificate.label();
        Certificate::new(chain, key, self.digest()).map_err(|fault| match fault {
            Fault::Certificate(reason) => Error::Certificate { what: what(), reason },
            Fault::Key(source) => Error::Key { what: self.key.label(), source },
            Fault::Mismatch => Error::KeyMismatch { certificate: what(), key: self.key.label() },
        })
    }
}

/// What is wrong with a chain and a key.
#[derive(Debug)]
pub(crate) enum Fault {
    Certificate(String),
    Key(rustls::Error),
    Mismatch,
}

impl Certificate {
    pub(crate) fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        digest: Digest,
    ) -> Result<Self, Fault> {
        let leaf = chain.first().ok_or_else(|| Fault::Certificate("empty chain".to_owned()))?;
        let parsed = parse(leaf).map_err(Fault::Certificate)?;
        let info = CertificateInfo::new(&parsed, leaf);
        let key = PROVIDER.key_provider.load_private_key(key).map_err(Fault::Key)?;
        // Not CertifiedKey::keys_match: webpki refuses X.509 v1, which clients may still take.
        if key.public_key().is_some_and(|key| key.as_ref() != parsed.public_key().raw) {
            return Err(Fault::Mismatch);
        }
        Ok(Self { key: Arc::new(CertifiedKey::new(chain, key)), info, digest })
    }

    /// Tells about it.
    pub fn info(&self) -> &CertificateInfo {
        &self.info
    }

    /// The chain in DER, leaf first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.key.cert
    }

    pub(crate) fn key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }

    pub(crate) fn digest(&self) -> &Digest {
        &self.digest
    }
}

impl CertificateInfo {
    fn new(parsed: &X509Certificate<'_>, leaf: &CertificateDer<'_>) -> Self {
        let common_name = parsed
            .subject()
            .iter_common_name()
            .next()
            .and_then(|name| name.as_str().ok())
            .unwrap_or_default()
            .to_owned();
        let sans: Vec<String> = parsed
            .subject_alternative_name()
            .ok()
            .flatten()
            .map(|extension| extension.value.general_names.as_slice())
            .unwrap_or_default()
            .iter()
            .filter_map(|name| match name {
                GeneralName::DNSName(name) => Some((*name).to_owned()),
                GeneralName::IPAddress(bytes) => address(bytes).map(|ip| ip.to_string()),
                _ => None,
            })
            .collect();
        let mut names: Vec<String> = std::iter::once(&common_name)
            .chain(&sans)
            .map(|name| canonical(name).into_owned())
            .filter(|name| !name.is_empty())
            .collect();
        names.sort_unstable();
        names.dedup();
        Self {
            common_name,
            sans,
            names,
            issuer: parsed.issuer().to_string(),
            serial: parsed.tbs_certificate.serial.to_string(),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            fingerprint: hexadecimal(&sha256(leaf)),
        }
    }
}

pub(crate) fn parse<'a>(leaf: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, String> {
    match X509Certificate::from_der(leaf) {
        Ok((_, parsed)) => Ok(parsed),
        Err(error) => Err(error.to_string()),
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    let mut output = Digest::default();
    output.copy_from_slice(digest(&SHA256, bytes).as_ref());
    output
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(|bytes| Ipv4Addr::from(bytes).into())
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).into()))
        .ok()
}
