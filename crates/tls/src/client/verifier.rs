//! What a server's certificate must have.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};
use x509_parser::extensions::GeneralName;

use crate::algorithms::PROVIDER;
use crate::authorities::Authorities;
use crate::certificate::parse;

#[derive(Debug)]
pub(super) struct ServerVerifier {
    /// `None`: any chain will do.
    pub(super) authorities: Option<Authorities>,
    pub(super) verifies_name: bool,
    /// One of the certificate's alternative names.
    pub(super) uri: Option<String>,
}

impl ServerVerifier {
    /// With `insecureSkipVerify` the key is anybody's, so what it signed proves nothing; and
    /// webpki refuses keys that such servers have and Go takes: RSA of 1024 bits, X.509 v1.
    fn takes_any_key(&self) -> bool {
        self.authorities.is_none()
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(authorities) = &self.authorities {
            authorities.verify_server(leaf, intermediates, now)?;
        }
        if self.verifies_name {
            verify_server_name(&ParsedCertificate::try_from(leaf)?, server_name)?;
        }
        if let Some(uri) = &self.uri
            && !has_uri(leaf, uri)
        {
            return Err(CertificateError::NotValidForName.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if self.takes_any_key() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &PROVIDER.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if self.takes_any_key() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &PROVIDER.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER.signature_verification_algorithms.supported_schemes()
    }
}

fn has_uri(leaf: &CertificateDer<'_>, wanted: &str) -> bool {
    let Ok(parsed) = parse(leaf) else { return false };
    let Ok(Some(extension)) = parsed.subject_alternative_name() else { return false };
    let mut names = extension.value.general_names.iter();
    names.any(|name| matches!(name, GeneralName::URI(uri) if *uri == wanted))
}
