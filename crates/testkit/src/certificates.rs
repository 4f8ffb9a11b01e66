//! Certificates made on the fly: every name asked for exists.
//!
//! A name is `[authority/]san[+san…]`: `example.org`, `*.example.org+127.0.0.1`,
//! `other/client`. Without an authority the one called `ca` signs. `bad` as a name is refused by
//! nobody but trusted by nobody either: it is signed like the others, by whoever is asked.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::Engine as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SerialNumber,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The authorities and certificates of one scenario, written as PEM files into a directory.
pub struct Certificates {
    directory: PathBuf,
    authorities: BTreeMap<String, CertifiedIssuer<'static, KeyPair>>,
    issued: BTreeMap<String, Issued>,
}

/// A certificate with its key.
pub struct Issued {
    /// The leaf.
    pub certificate: CertificateDer<'static>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
    /// PEM file of the leaf.
    pub certificate_path: PathBuf,
    /// PEM file of the key.
    pub key_path: PathBuf,
}

impl Certificates {
    /// Certificates that will be written to `directory`, which must exist.
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            authorities: BTreeMap::new(),
            issued: BTreeMap::new(),
        }
    }

    /// The certificate of that name, issued at the first call.
    pub fn issue(&mut self, name: &str) -> Result<&Issued> {
        if !self.issued.contains_key(name) {
            let issued = self.create(name).with_context(|| format!("certificate {name:?}"))?;
            self.issued.insert(name.to_owned(), issued);
        }
        Ok(&self.issued[name])
    }

    /// The PEM file of the authority of that name.
    pub fn authority_path(&mut self, name: &str) -> Result<PathBuf> {
        self.authority(name)?;
        Ok(self.directory.join(format!("{name}.ca.pem")))
    }

    /// The certificate of the authority of that name.
    pub fn authority_certificate(&mut self, name: &str) -> Result<CertificateDer<'static>> {
        Ok(self.authority(name)?.der().clone())
    }

    /// The name under which a certificate was issued here.
    pub fn name_of(&self, certificate: &CertificateDer<'_>) -> Option<&str> {
        self.issued
            .iter()
            .find(|(_, issued)| issued.certificate.as_ref() == certificate.as_ref())
            .map(|(name, _)| name.as_str())
    }

    /// Every issued certificate as name and base64 of its DER form.
    pub fn encoded(&self) -> impl Iterator<Item = (&str, String)> {
        let encode = |issued: &Issued| {
            base64::engine::general_purpose::STANDARD.encode(issued.certificate.as_ref())
        };
        self.issued.iter().map(move |(name, issued)| (name.as_str(), encode(issued)))
    }

    fn create(&mut self, name: &str) -> Result<Issued> {
        let (authority, sans) = name.split_once('/').unwrap_or((DEFAULT_AUTHORITY, name));
        let sans: Vec<String> = sans.split('+').map(str::to_owned).collect();
        let mut params = CertificateParams::new(sans.clone())?;
        params.distinguished_name.push(DnType::CommonName, sans[0].clone());
        params.distinguished_name.push(DnType::OrganizationName, "Ferrovia tests");
        params.serial_number = Some(SerialNumber::from(4242_u64));
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, self.authority(authority)?)?;

        let file = name.replace('*', "_").replace('/', "-");
        let certificate_path = self.directory.join(format!("{file}.crt"));
        let key_path = self.directory.join(format!("{file}.key"));
        fs::write(&certificate_path, certificate.pem())?;
        fs::write(&key_path, key.serialize_pem())?;
        Ok(Issued {
            certificate: certificate.der().clone(),
            key: key.into(),
            certificate_path,
            key_path,
        })
    }

    fn authority(&mut self, name: &str) -> Result<&CertifiedIssuer<'static, KeyPair>> {
        if !self.authorities.contains_key(name) {
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.distinguished_name.push(DnType::CommonName, format!("Test authority {name}"));
            let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
            fs::write(self.directory.join(format!("{name}.ca.pem")), authority.pem())?;
            self.authorities.insert(name.to_owned(), authority);
        }
        Ok(&self.authorities[name])
    }
}

const DEFAULT_AUTHORITY: &str = "ca";
