//! The client of scenarios: sends exactly the bytes it is told and writes down what comes back.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

use crate::wire::{Body, Framing, Head, Wire};

/// How to shake hands.
#[derive(Debug, Default)]
pub struct TlsOptions {
    /// Server name; none is sent without.
    pub sni: Option<String>,
    /// Protocols offered; `http/1.1` if empty.
    pub alpn: Vec<String>,
    /// `1.2` or `1.3`; both without.
    pub version: Option<String>,
    /// Certificate to show if asked.
    pub client: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
}

/// What was agreed in a handshake.
#[derive(Debug, Clone)]
pub struct TlsFacts {
    /// Such as `TLSv1_3`.
    pub version: String,
    /// The protocol, empty if none was agreed.
    pub alpn: String,
    /// The server's leaf certificate.
    pub certificate: Option<CertificateDer<'static>>,
}

/// An answer as it came.
#[derive(Debug, Default)]
pub struct Response {
    /// Heads of interim answers.
    pub interim: Vec<Head>,
    /// The final head, if one came.
    pub head: Option<Head>,
    /// Its body.
    pub body: Body,
    /// What came back through the tunnel after 101.
    pub tunnel: Option<Vec<u8>>,
    /// Whether the connection was closed with or after it.
    pub closed: bool,
    /// Bytes after the end of the answer, when the connection was read to its end.
    pub surplus: usize,
}

/// A connection to the proxy.
pub struct Connection {
    wire: Wire<Stream>,
    /// What was agreed, on a TLS connection.
    pub tls: Option<TlsFacts>,
}

impl Connection {
    /// Connects in clear text.
    pub fn plain(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { wire: Wire::new(Stream::Plain(connect(address)?)), tls: None })
    }

    /// Connects and shakes hands. None if the server refuses the handshake.
    pub fn tls(address: SocketAddr, options: &TlsOptions) -> Result<Option<Self>> {
        let mut socket = connect(address)?;
        let name = match &options.sni {
            Some(name) => ServerName::try_from(name.clone())?,
            // An address is never sent as a server name (RFC 6066 section 3).
            None => ServerName::from(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST)),
        };
        let mut connection = ClientConnection::new(client_config(options)?.into(), name)?;
        while connection.is_handshaking() {
            if connection.complete_io(&mut socket).is_err() {
                return Ok(None);
            }
        }
        let tls = TlsFacts {
            version: connection.protocol_version().map_or_else(String::new, |v| format!("{v:?}")),
            alpn: String::from_utf8_lossy(connection.alpn_protocol().unwrap_or_default()).into(),
            certificate: connection
                .peer_certificates()
                .and_then(|chain| chain.first())
                .map(|leaf| leaf.clone().into_owned()),
        };
        let stream = Stream::Tls(Box::new(StreamOwned::new(connection, socket)));
        Ok(Some(Self { wire: Wire::new(stream), tls: Some(tls) }))
    }

    /// Waits so long for what the server sends, instead of the usual time.
    pub fn set_patience(&self, patience: Duration) -> io::Result<()> {
        let socket = match &self.wire.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => &stream.sock,
        };
        socket.set_read_timeout(Some(patience))
    }

    /// Sends bytes. An error is no news: what the server has to say is still to be read.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.wire.stream.write_all(bytes).and_then(|()| self.wire.stream.flush());
    }

    /// Reads one final answer to a request of that method. `after_interim` is sent when the first
    /// interim answer came, `tunnel` after 101, and then as many bytes are expected back.
    pub fn response(&mut self, method: &str, after_interim: &[u8], tunnel: &[u8]) -> Response {
        let mut response = Response::default();
        let head = loop {
            match self.wire.head() {
                Ok(Some(head)) if is_interim(&head) => {
                    if response.interim.is_empty() {
                        self.send(after_interim);
                    }
                    response.interim.push(head);
                }
                Ok(Some(head)) => break head,
                Ok(None) => {
                    response.closed = true;
                    return response;
                }
                Err(error) => {
                    response.closed = !is_timeout(&error);
                    return response;
                }
            }
        };
        let status = status(&head);
        if status == "101" {
            self.send(tunnel);
            let mut back = Vec::new();
            response.closed = self.wire.exactly(tunnel.len(), &mut back).is_err();
            response.tunnel = Some(back);
            response.body.complete = true;
        } else {
            let framing = match (method, status) {
                ("HEAD", _) | (_, "204" | "304") => Framing::None,
                _ => head.framing(Framing::UntilClose),
            };
            response.body = self.wire.body(framing);
            let says_close = head.has_token("Connection", "close")
                || (head.first_line.starts_with("HTTP/1.0")
                    && !head.has_token("Connection", "keep-alive"));
            response.closed = framing == Framing::UntilClose || !response.body.complete;
            if says_close && !response.closed {
                (response.surplus, response.closed) = self.end();
            }
        }
        response.head = Some(head);
        response
    }

    /// Reads to the end: the number of bytes, and whether the server closed in time.
    fn end(&mut self) -> (usize, bool) {
        let mut surplus = 0;
        let mut piece = [0; 1024];
        loop {
            match self.wire.exactly(1, &mut Vec::new()) {
                Ok(()) => surplus += 1,
                Err(error) if is_timeout(&error) => return (surplus, false),
                Err(_) => break,
            }
        }
        // A reset after the end of the stream is of no interest.
        let _ = self.wire.stream.read(&mut piece);
        (surplus, true)
    }
}

/// The status code of an answer.
pub fn status(head: &Head) -> &str {
    head.first_line.split(' ').nth(1).unwrap_or_default()
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(buffer),
            Self::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn client_config(options: &TlsOptions) -> Result<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions: &[_] = match options.version.as_deref() {
        None => &[&TLS12, &TLS13],
        Some("1.2") => &[&TLS12],
        Some("1.3") => &[&TLS13],
        Some(other) => bail!("unknown TLS version {other:?}"),
    };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)));
    let mut config = match &options.client {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            builder.with_client_auth_cert(vec![certificate.clone()], key.clone_key())?
        }
    };
    config.alpn_protocols = match options.alpn.as_slice() {
        [] => vec![b"http/1.1".to_vec()],
        offered => offered.iter().map(|protocol| protocol.clone().into_bytes()).collect(),
    };
    Ok(config)
}

/// Trusts every server: which certificate it showed is written down, not judged.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn is_interim(head: &Head) -> bool {
    let status = status(head);
    status.starts_with('1') && status != "101"
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// How long to wait for anything. Far beyond what a healthy proxy needs on a busy machine.
const PATIENCE: Duration = Duration::from_secs(8);
