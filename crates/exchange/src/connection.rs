//! What is known of a client's connection.

use std::net::SocketAddr;
use std::sync::Arc;

use http::HeaderValue;

/// Describes a client's connection for all its requests.
#[derive(Debug)]
pub struct Connection {
    /// The client's address: the peer's, or what a trusted PROXY header said.
    pub peer: SocketAddr,
    /// The address the client connected to.
    pub local: SocketAddr,
    /// The peer's IP address as headers carry it (no port, no zone), rendered once.
    pub peer_ip: HeaderValue,
    /// The name of the entry point.
    pub entry_point: Arc<str>,
    /// What the handshake settled; `None` for plain connections.
    pub tls: Option<TlsInfo>,
}

/// Describes a connection's TLS session.
#[derive(Clone, Debug)]
pub struct TlsInfo {
    /// The server name the client asked for, in lower case.
    pub server_name: Option<Arc<str>>,
    /// The name of the TLS options that were in force during the handshake; for the 421 rule.
    pub options: Arc<str>,
    /// Such as `1.3`.
    pub version: &'static str,
    /// The cipher suite's IANA name.
    pub cipher: &'static str,
    /// The client's certificate chain in DER, leaf first.
    pub peer_certificates: Arc<[Vec<u8>]>,
}

impl Connection {
    /// Makes the description of a connection.
    pub fn new(
        peer: SocketAddr,
        local: SocketAddr,
        entry_point: Arc<str>,
        tls: Option<TlsInfo>,
    ) -> Self {
        let peer_ip = HeaderValue::from_str(&peer.ip().to_canonical().to_string())
            .unwrap_or_else(|_| HeaderValue::from_static(""));
        Self { peer, local, peer_ip, entry_point, tls }
    }

    /// Tells whether the client speaks TLS.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }
}
