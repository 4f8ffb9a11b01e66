//! Transport settings as rustls configurations.

use std::path::PathBuf;
use std::sync::Arc;

use config::dynamic::{ClientTls, ServersTransport, TcpTlsClientConfig, TlsCertificate};
use rustls::ClientConfig;
use rustls::client::Resumption;

use crate::algorithms::Wanted;
use crate::authorities::{self, Authorities};
use crate::certificate::Pair;
use crate::{Certificate, Error};

use super::identity::Identities;
use super::verifier::ServerVerifier;

/// TLS towards a server. Without anything set: the system's authorities, TLS 1.2 and 1.3.
///
/// The name to send and to verify is up to who dials.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientSettings {
    /// Files or PEM. They take the place of the system's.
    pub root_cas: Vec<String>,
    /// Files or PEM.
    pub certificates: Vec<TlsCertificate>,
    pub insecure_skip_verify: bool,
    /// Go's names.
    pub cipher_suites: Vec<String>,
    pub min_version: String,
    pub max_version: String,
    /// A URI that the server's certificate must have. With `insecure_skip_verify` the chain is
    /// verified nevertheless, only the name is not.
    pub peer_cert_uri: String,
    /// Protocols to offer, in order of preference.
    pub alpn_protocols: Vec<String>,
}

impl ClientSettings {
    /// The files to watch, readable or not.
    pub fn files(&self) -> Vec<PathBuf> {
        let pairs = self.certificates.iter();
        let texts: Vec<String> = pairs
            .flat_map(|pair| [pair.cert_file.clone(), pair.key_file.clone()])
            .filter(|text| !text.is_empty())
            .chain(self.root_cas.iter().cloned())
            .collect();
        authorities::files(&texts).collect()
    }

    /// Offers these protocols.
    #[must_use]
    pub fn with_alpn(mut self, protocols: &[&str]) -> Self {
        self.alpn_protocols = protocols.iter().map(|&protocol| protocol.to_owned()).collect();
        self
    }
}

impl TryFrom<&ServersTransport> for ClientSettings {
    type Error = Error;

    fn try_from(transport: &ServersTransport) -> Result<Self, Error> {
        if transport.spiffe.is_some() {
            return Err(Error::Spiffe);
        }
        Ok(Self {
            root_cas: transport.root_cas.clone(),
            certificates: transport.certificates.clone(),
            insecure_skip_verify: transport.insecure_skip_verify,
            cipher_suites: transport.cipher_suites.clone(),
            min_version: transport.min_version.clone(),
            max_version: transport.max_version.clone(),
            peer_cert_uri: transport.peer_cert_uri.clone(),
            alpn_protocols: Vec::new(),
        })
    }
}

impl TryFrom<&TcpTlsClientConfig> for ClientSettings {
    type Error = Error;

    fn try_from(transport: &TcpTlsClientConfig) -> Result<Self, Error> {
        if transport.spiffe.is_some() {
            return Err(Error::Spiffe);
        }
        Ok(Self {
            root_cas: transport.root_cas.clone(),
            certificates: transport.certificates.clone(),
            insecure_skip_verify: transport.insecure_skip_verify,
            peer_cert_uri: transport.peer_cert_uri.clone(),
            ..Self::default()
        })
    }
}

impl TryFrom<&ClientTls> for ClientSettings {
    type Error = Error;

    fn try_from(tls: &ClientTls) -> Result<Self, Error> {
        if tls.cert.is_empty() != tls.key.is_empty() {
            return Err(Error::CertificateWithoutKey);
        }
        let pair = TlsCertificate { cert_file: tls.cert.clone(), key_file: tls.key.clone() };
        Ok(Self {
            root_cas: Some(tls.ca.clone()).filter(|ca| !ca.is_empty()).into_iter().collect(),
            certificates: Some(pair)
                .filter(|pair| !pair.cert_file.is_empty())
                .into_iter()
                .collect(),
            insecure_skip_verify: tls.insecure_skip_verify,
            ..Self::default()
        })
    }
}

/// The same configuration, but offering these protocols. Sessions are not shared with it: what was
/// agreed on belongs to them.
pub fn offering(config: &ClientConfig, protocols: &[&str]) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    config.resumption = Resumption::default();
    Arc::new(config)
}

/// Makes the rustls configuration of transport settings, and a warning for every value without
/// effect. Blocks on file reads.
///
/// Traefik: `minVersion` without `maxVersion` is an error by mistake, and a broken setting means
/// that servers are dialled with default TLS. Here the first works and the second is an error.
pub fn client_config(settings: &ClientSettings) -> Result<(Arc<ClientConfig>, Vec<String>), Error> {
    let mut warnings = Vec::new();
    let wanted = Wanted {
        min_version: &settings.min_version,
        max_version: &settings.max_version,
        cipher_suites: &settings.cipher_suites,
        curves: &[],
    };
    let algorithms = wanted.choose(&mut warnings)?;
    let verifies_chain = !settings.insecure_skip_verify || !settings.peer_cert_uri.is_empty();
    let authorities = match (verifies_chain, settings.root_cas.is_empty()) {
        (false, _) => None,
        (true, true) => Some(Authorities::system(&mut warnings)),
        (true, false) => {
            let listed = authorities::read(&settings.root_cas)?;
            Some(Authorities::new(listed, &mut warnings)?)
        }
    };
    let verifier = ServerVerifier {
        authorities,
        verifies_name: !settings.insecure_skip_verify,
        uri: Some(settings.peer_cert_uri.clone()).filter(|uri| !uri.is_empty()),
    };
    let identities = settings
        .certificates
        .iter()
        .map(|pair| Pair::read(&pair.cert_file, &pair.key_file)?.parse())
        .collect::<Result<Vec<Certificate>, Error>>()?;
    let mut config = ClientConfig::builder_with_provider(algorithms.provider)
        .with_protocol_versions(&algorithms.versions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(Identities::new(&identities)));
    config.alpn_protocols =
        settings.alpn_protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Ok((Arc::new(config), warnings))
}
