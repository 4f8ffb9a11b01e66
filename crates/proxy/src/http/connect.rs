//! hot path
//!
//! A new connection to a server: its addresses in turn, then TLS.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use exchange::{Failure, FailureKind};
use routing::{Scheme, Server, Transport};
use rustls::pki_types::ServerName;

use crate::http::pool::Upstream;
use crate::http2::upstream;
use crate::net::{self, Stream};

/// Time for a TLS handshake with a server; Go's.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// What is offered to a server that speaks TLS.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocols {
    /// HTTP/2 and HTTP/1.1, as far as the transport allows.
    Any,
    Http1,
}

/// Connects to a server for HTTP/1.1.
pub(crate) async fn connect(server: &Server, transport: &Transport) -> Result<Upstream, Failure> {
    let stream = connect_stream(server, transport, Protocols::Http1).await?;
    let mut upstream = Upstream::of(stream);
    upstream.is_single_use = upstream::may_be_spoken(server, transport);
    Ok(upstream)
}

/// Connects to a server.
pub(crate) async fn connect_stream(
    server: &Server,
    transport: &Transport,
    protocols: Protocols,
) -> Result<Stream, Failure> {
    let addresses = server.addresses.load_full();
    if addresses.is_empty() {
        return Err(Failure::before_sending(FailureKind::NameResolution)
            .detail(format_args!("{} has no known address", server.host)));
    }
    let connecting = net::connect(&addresses);
    let connected = match transport.dial_timeout {
        None => connecting.await,
        Some(limit) => match tokio::time::timeout(limit, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        },
    };
    let stream = connected.map_err(|error| connect_failure(&error))?;
    match server.scheme {
        Scheme::Http | Scheme::H2c => Ok(Stream::Plain(stream)),
        Scheme::Https => connect_tls(server, transport, protocols, stream).await,
    }
}

async fn connect_tls(
    server: &Server,
    transport: &Transport,
    protocols: Protocols,
    stream: tokio::net::TcpStream,
) -> Result<Stream, Failure> {
    let name = transport.server_name.as_deref().unwrap_or(&server.host);
    let name = ServerName::try_from(name.to_owned())
        .map_err(|error| Failure::before_sending(FailureKind::TlsVerify).detail(error))?;
    let config = match protocols {
        Protocols::Any => &transport.tls,
        Protocols::Http1 => &transport.http1_tls,
    };
    let handshake = net::connect_tls(stream, Arc::clone(config), name);
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(handshake_failure(&error)),
        Err(_) => Err(Failure::before_sending(FailureKind::ConnectTimedOut)
            .detail("the TLS handshake took too long")),
    }
}

fn connect_failure(error: &io::Error) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::ConnectionRefused => FailureKind::ConnectRefused,
        io::ErrorKind::TimedOut => FailureKind::ConnectTimedOut,
        _ if net::is_exhaustion(error) => FailureKind::Exhausted,
        _ => FailureKind::ConnectFailed,
    };
    Failure::before_sending(kind).detail(error)
}

fn handshake_failure(error: &io::Error) -> Failure {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let kind = match tls {
        Some(rustls::Error::InvalidCertificate(_)) => FailureKind::TlsVerify,
        _ => FailureKind::TlsHandshake,
    };
    Failure::before_sending(kind).detail(error)
}
