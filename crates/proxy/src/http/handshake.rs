//! TLS handshakes with clients.

use std::net::SocketAddr;
use std::time::Duration;

use ::exchange::TlsInfo;
use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio_rustls::LazyConfigAcceptor;

use crate::http::wire::Wire;
use crate::net::{Prefixed, Stream};
use crate::settings::EntryPointSettings;
use crate::worker::Worker;

/// Time for a TLS handshake where no `readTimeout` is set.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(60);

/// A connection after its TLS handshake.
pub(crate) struct Secured {
    pub(crate) wire: Wire,
    pub(crate) info: TlsInfo,
    /// The client chose HTTP/2 (RFC 9113, 3.2).
    pub(crate) is_http2: bool,
}

/// Runs the TLS handshake with what the client's server name asks for.
pub(crate) async fn handshake(
    worker: &Worker,
    wire: Wire,
    settings: &EntryPointSettings,
    local: SocketAddr,
) -> Option<Secured> {
    let Stream::Plain(stream) = wire.stream else { return None };
    let stream = Prefixed::new(wire.read.freeze(), stream);
    let limit = settings.read_timeout.unwrap_or(HANDSHAKE_TIMEOUT);
    let shaking = async {
        let acceptor = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
        let mut start = acceptor.await.ok()?;
        let snapshot = worker.snapshot();
        let routes = snapshot.entry_points.get(&settings.name)?;
        let hello = start.client_hello();
        let server_name = hello.server_name().map(|name| name.to_ascii_lowercase());
        let selected = routes.tls.select(server_name.as_deref(), Some(local.ip()));
        let (name, config) = match selected {
            tls::Selected::Options { name, config } => (name, config),
            tls::Selected::Refused(refusal) => {
                if let Some(alert) = refusal.alert() {
                    let _ = start.io.write_all(alert).await;
                }
                return None;
            }
        };
        let stream = start.into_stream(config).await.ok()?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let session = tls::session(stream.get_ref().1);
        let info = TlsInfo {
            server_name: session.server_name,
            options: name,
            version: session.version,
            cipher: session.cipher,
            peer_certificates: session.peer_certificates,
        };
        let wire = Wire::new(Stream::Accepted(Box::new(stream)), BytesMut::new());
        Some(Secured { wire, info, is_http2 })
    };
    tokio::time::timeout(limit, shaking).await.ok().flatten()
}
