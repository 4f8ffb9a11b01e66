//! The certificate of last resort: self-signed, made once per process.

use std::sync::{Arc, OnceLock};
use std::thread;

use aws_lc_rs::rand;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd,
};
use rustls::SignatureScheme;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;

use crate::Error;
use crate::certificate::{Certificate, Digest, Fault, hexadecimal};

/// A self-signed certificate.
///
/// Traefik: RSA-2048 for a year, anew at each reload. Here ECDSA P-256, which is thirty times
/// cheaper to sign with, without end and the same over reloads; and an RSA twin for clients or
/// options that only take RSA.
#[derive(Debug)]
pub(super) struct Generated {
    pub(super) certificate: Arc<Certificate>,
    rsa: Arc<OnceLock<Certificate>>,
}

impl Generated {
    /// The certificate of this process.
    pub(super) fn shared() -> Result<&'static Self, Error> {
        static SHARED: OnceLock<Generated> = OnceLock::new();
        if let Some(shared) = SHARED.get() {
            return Ok(shared);
        }
        let generated = Self::new()?;
        Ok(SHARED.get_or_init(|| generated))
    }

    /// The RSA twin takes about a tenth of a second, so nothing waits for it: until it is there,
    /// the few clients that need it are refused.
    fn new() -> Result<Self, Error> {
        let certificate = self_signed(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)?;
        let rsa = Arc::new(OnceLock::new());
        let slot = Arc::clone(&rsa);
        let generate = move || {
            let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048);
            if let Ok(twin) = key.map_err(Error::from).and_then(self_signed) {
                slot.get_or_init(|| twin);
            }
        };
        // Without a thread to spare there is no twin.
        drop(thread::Builder::new().name("default-certificate".to_owned()).spawn(generate));
        Ok(Self { certificate: Arc::new(certificate), rsa })
    }

    /// The one of the twins that a client with these signature schemes can verify.
    pub(super) fn key(&self, schemes: &[SignatureScheme]) -> &Arc<CertifiedKey> {
        if schemes.contains(&SignatureScheme::ECDSA_NISTP256_SHA256) {
            return self.certificate.key();
        }
        self.rsa.get().unwrap_or(&self.certificate).key()
    }

    #[cfg(test)]
    pub(super) fn rsa(&self) -> &Certificate {
        self.rsa.wait()
    }
}

fn self_signed(key: KeyPair) -> Result<Certificate, Error> {
    let mut random = [0; 32];
    rand::fill(&mut random).map_err(|_| rcgen::Error::RingUnspecified)?;
    let name = hexadecimal(&random);
    let (first, second) = name.split_at(32);

    let mut params = CertificateParams::new(vec![format!("{first}.{second}.ferrovia.default")])?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "FERROVIA DEFAULT CERT");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = date_time_ymd(2025, 1, 1);
    // "No well-defined expiration date": RFC 5280 section 4.1.2.5.
    params.not_after = date_time_ymd(9999, 12, 31);
    let certificate = params.self_signed(&key)?;
    let chain = vec![certificate.der().clone()];
    let key =
        PrivateKeyDer::try_from(key.serialize_der()).map_err(|_| Error::NoKey(WHAT.to_owned()))?;
    Certificate::new(chain, key, Digest::default()).map_err(|fault| match fault {
        Fault::Certificate(reason) => Error::Certificate { what: WHAT.to_owned(), reason },
        Fault::Key(source) => Error::Key { what: WHAT.to_owned(), source },
        Fault::Mismatch => {
            Error::KeyMismatch { certificate: WHAT.to_owned(), key: WHAT.to_owned() }
        }
    })
}

const WHAT: &str = "generated certificate";
