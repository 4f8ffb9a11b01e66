//! What the data plane must know of an entry point, already checked.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use ipnet::IpNet;

/// An entry point's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryPointSettings {
    pub name: Arc<str>,
    pub address: SocketAddr,
    /// Lets other processes listen on the same address.
    pub reuse_port: bool,
    /// Time for a whole request, body included; `None`: no limit. Traefik's default: 60 s.
    pub read_timeout: Option<Duration>,
    /// Time for a whole response; `None`: no limit.
    pub write_timeout: Option<Duration>,
    /// Time between requests of a connection. Traefik's default: 180 s.
    pub idle_timeout: Option<Duration>,
    /// Requests after which a connection is closed.
    pub keep_alive_requests_max: Option<u64>,
    /// Time after which the next response closes the connection.
    pub keep_alive_time_max: Option<Duration>,
    /// Bytes of a request's head.
    pub head_bytes_max: usize,
    /// Collapses `//`, `/./` and `/../`.
    pub sanitize_path: bool,
    /// Writes `;` in queries as `%3B`, not as `&`.
    pub encode_query_semicolons: bool,
    pub header_aliases: HeaderAliases,
    pub forwarded: ForwardedSettings,
    pub http2: Http2Settings,
}

/// Limits of HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http2Settings {
    /// Streams of one connection at a time. Traefik's default: 250.
    pub concurrent_streams_max: u32,
    /// Bytes of the table that clients may refer to in their heads. Traefik's default: 4096.
    pub decoder_table_bytes: u32,
}

impl Default for Http2Settings {
    fn default() -> Self {
        Self { concurrent_streams_max: 250, decoder_table_bytes: 4096 }
    }
}

/// What happens to header names that servers may confuse with others: those with a character that
/// is no letter, digit or hyphen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeaderAliases {
    #[default]
    Keep,
    Delete,
    Reject,
    /// The deprecated `underscoreHeadersStrategy`: only names with `_` count.
    DeleteUnderscores,
    RejectUnderscores,
}

/// Whose forwarded headers are believed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ForwardedSettings {
    /// Everybody's.
    pub insecure: bool,
    pub trusted: Vec<IpNet>,
    /// Headers that a client's `Connection` header may name and that are passed on all the same.
    pub connection: Vec<HeaderName>,
    /// Does not append the client's address to `X-Forwarded-For`.
    pub not_append_for: bool,
}

impl ForwardedSettings {
    /// Tells whether a peer's forwarded headers are believed.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.insecure || self.trusted.iter().any(|net| net.contains(&peer))
    }
}

impl EntryPointSettings {
    /// Makes settings with Traefik's defaults.
    pub fn new(name: impl Into<Arc<str>>, address: SocketAddr) -> Self {
        Self {
            name: name.into(),
            address,
            reuse_port: false,
            read_timeout: Some(Duration::from_secs(60)),
            write_timeout: None,
            idle_timeout: Some(Duration::from_secs(180)),
            keep_alive_requests_max: None,
            keep_alive_time_max: None,
            head_bytes_max: 1 << 20,
            sanitize_path: true,
            encode_query_semicolons: false,
            header_aliases: HeaderAliases::Keep,
            forwarded: ForwardedSettings::default(),
            http2: Http2Settings::default(),
        }
    }
}
