//! hot path
//!
//! The one door to the operating system: listen, accept, connect, read and write. An io_uring
//! driver would take this module's place and nothing else in the data plane would notice.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::coop;
use tokio_rustls::{TlsConnector, client, server};

/// TCP keep-alive on accepted sockets, as Traefik's.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// Connections the kernel may hold for us until we accept them.
pub(crate) const LISTEN_BACKLOG: i32 = 4096;
/// Bytes of a read that count as one operation of a task's budget.
const BYTES_PER_OPERATION: usize = 16 * 1024;

/// How long a connection to a server waits for a descriptor, and how often it tries.
const EXHAUSTED_MAX: Duration = Duration::from_secs(5);
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(20);
/// One in so many descriptors is kept for those who are served.
const RESERVED_SHARE: u64 = 4;

/// A byte stream to a client or a server.
pub(crate) enum Stream {
    Plain(TcpStream),
    Accepted(Box<server::TlsStream<Prefixed>>),
    Connected(Box<client::TlsStream<TcpStream>>),
}

/// Binds a listening socket. With `reuse_port` other processes may listen beside it.
pub(crate) fn listen(address: SocketAddr, reuse_port: bool) -> io::Result<std::net::TcpListener> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    if reuse_port {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(LISTEN_BACKLOG)?;
    Ok(socket.into())
}

/// Accepts one connection.
pub(crate) async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    listener.accept().await
}

/// Sets an accepted socket up: no delay, keep-alive.
pub(crate) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(KEEP_ALIVE_INTERVAL)
        .with_interval(KEEP_ALIVE_INTERVAL);
    socket2::SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// Connects to the first of `addresses` that answers. Without a descriptor for it, waits until
/// there is one; its limit of time is the caller's, and [`EXHAUSTED_MAX`].
pub(crate) async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut result = try_connect(addresses).await;
    let mut waited = Duration::ZERO;
    while waited < EXHAUSTED_MAX && result.as_ref().is_err_and(is_exhaustion) {
        tokio::time::sleep(EXHAUSTED_PAUSE).await;
        waited += EXHAUSTED_PAUSE;
        result = try_connect(addresses).await;
    }
    result
}

async fn try_connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the server's name has no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Tells whether the fault lies here and with no peer: no descriptor or memory is left.
pub(crate) fn is_exhaustion(error: &io::Error) -> bool {
    let found = Errno::from_io_error(error);
    found.is_some_and(|found| {
        [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM].contains(&found)
    })
}

/// Tells whether so few descriptors are left that those who are served need them: who was accepted
/// wants a connection to a server too. The kernel gives the lowest free number away first.
pub(crate) fn is_short_of_descriptors() -> bool {
    let Some(limit) = getrlimit(Resource::Nofile).current else { return false };
    match io::stderr().as_fd().try_clone_to_owned() {
        Ok(next) => next.as_raw_fd() as u64 >= limit - limit / RESERVED_SHARE,
        Err(error) => is_exhaustion(&error),
    }
}

/// Runs a client's TLS handshake over a connected socket.
pub(crate) async fn connect_tls(
    stream: TcpStream,
    config: Arc<rustls::ClientConfig>,
    name: ServerName<'static>,
) -> io::Result<Stream> {
    let stream = TlsConnector::from(config).connect(name, stream).await?;
    Ok(Stream::Connected(Box::new(stream)))
}

impl Stream {
    /// Reads what is there into the spare room of `buffer`. Zero bytes: the peer is done.
    pub(crate) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        match self {
            // Not `try_read_buf`: only this path remembers that a short read emptied the socket, and
            // so saves the read that would say so.
            Self::Plain(stream) => {
                let read = ready!(pin!(stream.read_buf(buffer)).poll(context))?;
                charge(context, read);
                Poll::Ready(Ok(read))
            }
            Self::Accepted(stream) => pin!(stream.read_buf(buffer)).poll(context),
            Self::Connected(stream) => pin!(stream.read_buf(buffer)).poll(context),
        }
    }

    /// Writes as much of `bytes` as fits.
    pub(crate) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => match bytes {
                [one] => Pin::new(stream).poll_write(context, one),
                several => Pin::new(stream).poll_write_vectored(context, several),
            },
            Self::Accepted(stream) => Pin::new(stream).poll_write_vectored(context, bytes),
            Self::Connected(stream) => Pin::new(stream).poll_write_vectored(context, bytes),
        }
    }

    /// Pushes out what a TLS layer still holds.
    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Accepted(stream) => Pin::new(stream).poll_flush(context),
            Self::Connected(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    /// Says that no more bytes will be written; over TLS with `close_notify`.
    pub(crate) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Accepted(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Connected(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }

    /// Tells whether the TLS handshake settled on HTTP/2.
    pub(crate) fn speaks_http2(&self) -> bool {
        let protocol = match self {
            Self::Plain(_) => None,
            Self::Accepted(stream) => stream.get_ref().1.alpn_protocol(),
            Self::Connected(stream) => stream.get_ref().1.alpn_protocol(),
        };
        protocol == Some(b"h2")
    }

    /// Tells whether an idle connection is still usable: nothing to read, not closed. Asks the
    /// kernel only when its last word was that there is something to read.
    pub(crate) fn is_quiet(&self) -> bool {
        matches!(
            self.tcp().try_read(&mut [0; 1]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock
        )
    }

    /// As [`Self::is_quiet`], but asks the kernel in any case: what came since the last turn of the
    /// event loop counts too.
    pub(crate) fn is_quiet_now(&self) -> bool {
        matches!(
            socket2::SockRef::from(self.tcp()).peek(&mut [MaybeUninit::uninit()]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock
        )
    }

    /// Makes the kernel send a reset, not an orderly end, when the stream is dropped.
    pub(crate) fn reset_on_close(&self) {
        let _ = socket2::SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO));
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Accepted(stream) => &stream.get_ref().0.stream,
            Self::Connected(stream) => stream.get_ref().0,
        }
    }
}

/// Counts long reads as several of the operations that tokio lets a task do before others get their
/// turn, so that one fast connection holds its worker for some 2 MiB at a time and not for 16.
fn charge(context: &mut Context<'_>, bytes: usize) {
    for _ in 0..bytes / BYTES_PER_OPERATION {
        match coop::poll_proceed(context) {
            Poll::Ready(operation) => operation.made_progress(),
            Poll::Pending => return,
        }
    }
}

/// A socket some of whose bytes were read already.
pub(crate) struct Prefixed {
    prefix: Bytes,
    stream: TcpStream,
}

impl Prefixed {
    pub(crate) fn new(prefix: Bytes, stream: TcpStream) -> Self {
        Self { prefix, stream }
    }
}

impl AsyncRead for Prefixed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.prefix.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let length = self.prefix.len().min(buffer.remaining());
        buffer.put_slice(&self.prefix[..length]);
        self.prefix.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Prefixed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
