//! What a handshake settled.

use std::sync::Arc;

use rustls::{ProtocolVersion, ServerConnection};

use crate::algorithms::suite_name;

/// Describes a TLS session for logs, metrics and middlewares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What the client asked for, in lower case, without a trailing dot.
    pub server_name: Option<Arc<str>>,
    /// `1.2` or `1.3`.
    pub version: &'static str,
    /// The cipher suite's IANA name.
    pub cipher: &'static str,
    /// The client's certificate chain in DER, leaf first.
    pub peer_certificates: Arc<[Vec<u8>]>,
}

/// Describes a connection whose handshake is done.
pub fn session(connection: &ServerConnection) -> Session {
    Session {
        server_name: connection.server_name().map(|name| name.trim_end_matches('.').into()),
        version: match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "1.2",
            Some(ProtocolVersion::TLSv1_3) => "1.3",
            _ => "unknown",
        },
        cipher: connection.negotiated_cipher_suite().map_or("unknown", suite_name),
        peer_certificates: connection
            .peer_certificates()
            .map(|chain| chain.iter().map(|certificate| certificate.to_vec()).collect())
            .unwrap_or_default(),
    }
}
