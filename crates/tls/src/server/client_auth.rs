//! Go's five ways to ask clients for certificates.

use std::sync::Arc;

use config::dynamic::ClientAuth;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, SignatureScheme};

use crate::Error;
use crate::algorithms::PROVIDER;
use crate::authorities::{Authorities, Purpose};

/// Makes the verifier for a mode. `listed` are the certificates in `caFiles`.
pub(super) fn verifier(
    settings: &ClientAuth,
    listed: &[CertificateDer<'static>],
    warnings: &mut Vec<String>,
) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let mode = match settings.client_auth_type.as_str() {
        "" if settings.ca_files.is_empty() => "NoClientCert",
        "" => "RequireAndVerifyClientCert",
        mode => mode,
    };
    let verified = |is_mandatory, warnings: &mut Vec<String>| {
        if settings.ca_files.is_empty() {
            return Err(Error::AuthoritiesRequired(mode.to_owned()));
        }
        let authorities = Authorities::new(listed.to_vec(), warnings)?;
        Ok(Arc::new(Verified::new(authorities, is_mandatory)?) as Arc<dyn ClientCertVerifier>)
    };
    match mode {
        "NoClientCert" => Ok(WebPkiClientVerifier::no_client_auth()),
        "RequestClientCert" => Ok(Arc::new(AnyCertificate { is_mandatory: false })),
        "RequireAnyClientCert" => Ok(Arc::new(AnyCertificate { is_mandatory: true })),
        "VerifyClientCertIfGiven" => verified(false, warnings),
        "RequireAndVerifyClientCert" => verified(true, warnings),
        unknown => Err(Error::ClientAuthType(unknown.to_owned())),
    }
}

/// Wants a certificate of one of the authorities.
#[derive(Debug)]
struct Verified {
    authorities: Authorities,
    chain: Arc<dyn ClientCertVerifier>,
}

impl Verified {
    fn new(authorities: Authorities, is_mandatory: bool) -> Result<Self, Error> {
        let roots = Arc::clone(&authorities.roots);
        let builder = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&PROVIDER));
        let builder = if is_mandatory { builder } else { builder.allow_unauthenticated() };
        // Without revocation lists it only fails for want of authorities.
        let chain = builder.build().map_err(|error| Error::Authorities(error.to_string()))?;
        Ok(Self { authorities, chain })
    }
}

impl ClientCertVerifier for Verified {
    fn client_auth_mandatory(&self) -> bool {
        self.chain.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if self.authorities.trusts_itself(leaf, now, Purpose::Client)? {
            return Ok(ClientCertVerified::assertion());
        }
        self.chain.verify_client_cert(leaf, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// Takes any certificate, but wants proof that the client has its key.
#[derive(Debug)]
struct AnyCertificate {
    is_mandatory: bool,
}

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        self.is_mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        ParsedCertificate::try_from(leaf).map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &PROVIDER.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &PROVIDER.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER.signature_verification_algorithms.supported_schemes()
    }
}
