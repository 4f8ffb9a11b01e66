//! The load of the handshake row: one full TLS handshake, one request, one connection each.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, HandshakeKind, SignatureScheme,
};

use super::row::{HOST, Request};
use super::wrk::Load;

/// Shakes hands with the proxy on `port` from several threads for `seconds`.
pub(super) fn run(
    port: u16,
    config: &Arc<ClientConfig>,
    request: &Request,
    seconds: u64,
) -> anyhow::Result<Load> {
    let started = Instant::now();
    let end = started + Duration::from_secs(seconds);
    let Request { host, path } = request;
    let text = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let mut micros = Vec::new();
    let mut failure = None;
    let mut errors = 0;
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(|| Client::run(port, config, text.as_bytes(), end)))
            .collect();
        for client in clients {
            match client.join() {
                Ok(client) => {
                    micros.extend(client.micros);
                    errors += client.errors;
                    failure = failure.take().or(client.failure);
                }
                Err(_) => errors += 1,
            }
        }
    });
    let elapsed = started.elapsed();
    if micros.is_empty() {
        return Err(failure.unwrap_or_else(|| anyhow::anyhow!("no handshake was completed")));
    }
    micros.sort_unstable();
    let at = |share: usize| micros[(micros.len() - 1) * share / 100];
    Ok(Load {
        requests: micros.len() as u64,
        elapsed,
        p50: Duration::from_micros(at(50)),
        p99: Duration::from_micros(at(99)),
        errors,
    })
}

/// What the clients offer: TLS 1.3, one suite, one group, no resumption, so that every proxy does
/// the same work. The certificate is taken as it is: checking it would only slow the load down.
pub(super) fn client_config() -> anyhow::Result<Arc<ClientConfig>> {
    let provider = CryptoProvider {
        cipher_suites: vec![aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256],
        kx_groups: vec![aws_lc_rs::kx_group::X25519],
        ..aws_lc_rs::default_provider()
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

#[derive(Debug, Default)]
struct Client {
    micros: Vec<u64>,
    errors: u64,
    failure: Option<anyhow::Error>,
}

impl Client {
    fn run(port: u16, config: &Arc<ClientConfig>, request: &[u8], end: Instant) -> Self {
        let mut client = Self::default();
        let mut buffer = vec![0; 16 * 1024];
        let mut started = Instant::now();
        while started < end && client.errors < ERRORS_MAX {
            match one_connection(port, config, request, &mut buffer) {
                Ok(()) => client.micros.push(started.elapsed().as_micros() as u64),
                Err(error) => {
                    client.errors += 1;
                    client.failure = Some(error);
                }
            }
            started = Instant::now();
        }
        client
    }
}

fn one_connection(
    port: u16,
    config: &Arc<ClientConfig>,
    request: &[u8],
    buffer: &mut [u8],
) -> anyhow::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut socket = TcpStream::connect_timeout(&address, PATIENCE).context("connect")?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut tls = ClientConnection::new(Arc::clone(config), ServerName::try_from(HOST)?)?;
    let mut stream = rustls::Stream::new(&mut tls, &mut socket);
    stream.write_all(request).context("handshake")?;
    let first = stream.read(buffer).context("response")?;
    if !buffer[..first].starts_with(b"HTTP/1.1 200") {
        bail!("unexpected response {:?}", String::from_utf8_lossy(&buffer[..first.min(60)]));
    }
    // Some proxies close without close_notify (RFC 8446 section 6.1); the response is whole anyway.
    while stream.read(buffer).is_ok_and(|count| count > 0) {}
    if tls.handshake_kind() != Some(HandshakeKind::Full) {
        bail!("the handshake was not a full one: {:?}", tls.handshake_kind());
    }
    // Wait for the proxy's end of the connection: who closes first keeps the port in TIME_WAIT, and
    // the ports of this side would soon be used up.
    while socket.read(buffer).is_ok_and(|count| count > 0) {}
    Ok(())
}

/// Accepts any certificate and signature.
#[derive(Debug)]
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// Blocking clients at the same time; enough to keep one core busy, few enough to switch cheaply.
const CLIENTS: usize = 32;
/// A client that fails this often has seen enough.
const ERRORS_MAX: u64 = 20;
const PATIENCE: Duration = Duration::from_secs(5);
