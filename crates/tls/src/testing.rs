//! What the tests of this crate share: an authority, files, and handshakes without sockets.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use config::dynamic::{CertificateAndStores, TlsCertificate};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};

/// Issues certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key in PEM.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
    pub(crate) der: Vec<u8>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = params(&[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, key()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn issue(&self, names: &[&str]) -> Issued {
        self.sign(&params(names))
    }

    pub(crate) fn sign(&self, params: &CertificateParams) -> Issued {
        let key = key();
        Issued::new(&params.signed_by(&key, &self.0).unwrap(), &key)
    }
}

impl Issued {
    fn new(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        let der = certificate.der().to_vec();
        Self { certificate: certificate.pem(), key: key.serialize_pem(), der }
    }

    /// As `openssl req -x509` does: an authority that is used as a leaf.
    pub(crate) fn self_signed(names: &[&str]) -> Self {
        let mut params = params(names);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = key();
        Self::new(&params.self_signed(&key).unwrap(), &key)
    }

    pub(crate) fn pair(&self) -> TlsCertificate {
        TlsCertificate { cert_file: self.certificate.clone(), key_file: self.key.clone() }
    }

    pub(crate) fn configured(&self) -> CertificateAndStores {
        configured(&self.certificate, &self.key)
    }
}

pub(crate) fn configured(cert_file: &str, key_file: &str) -> CertificateAndStores {
    CertificateAndStores {
        cert_file: cert_file.to_owned(),
        key_file: key_file.to_owned(),
        stores: Vec::new(),
    }
}

/// No common name; names that are IP addresses become such.
pub(crate) fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
}

pub(crate) fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

/// A directory that is removed in the end.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ferrovia-tls-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, contents: &str) -> String {
        let path = self.path(name);
        fs::write(&path, contents).unwrap();
        path
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(Path::new(&self.path(name))).unwrap();
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Both ends after a handshake.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) client: ClientConnection,
    pub(crate) server: ServerConnection,
}

/// What broke a handshake, and on which side.
#[derive(Debug, PartialEq)]
pub(crate) enum Broken {
    AtClient(rustls::Error),
    AtServer(rustls::Error),
}

/// Shakes hands to the end, session tickets included.
pub(crate) fn handshake(
    client: &Arc<ClientConfig>,
    name: &str,
    server: &Arc<ServerConfig>,
) -> Result<Ends, Broken> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    while client.wants_write() || server.wants_write() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        let mut input = wire.as_slice();
        while !input.is_empty() {
            server.read_tls(&mut input).unwrap();
            server.process_new_packets().map_err(Broken::AtServer)?;
        }
        wire.clear();
        server.write_tls(&mut wire).unwrap();
        let mut input = wire.as_slice();
        while !input.is_empty() {
            client.read_tls(&mut input).unwrap();
            client.process_new_packets().map_err(Broken::AtClient)?;
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok(Ends { client, server })
}
