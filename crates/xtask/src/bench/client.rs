//! A tiny HTTP/1.1 client for checks, exact request counts and idle connections.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::row::{HOST, Request};

/// A keep-alive connection to a proxy.
#[derive(Debug)]
pub(super) enum Connection {
    Plain(TcpStream),
    // Boxed: thousands of these are kept in one list with plain ones.
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Connection {
    /// Connects to a loopback port.
    pub(super) fn plain(port: u16) -> anyhow::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, PATIENCE).context("connect")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self::Plain(stream))
    }

    /// Connects to a loopback port; the handshake happens with the first request.
    pub(super) fn tls(port: u16, config: &Arc<ClientConfig>) -> anyhow::Result<Self> {
        let Self::Plain(stream) = Self::plain(port)? else { bail!("not a plain connection") };
        let name = ServerName::try_from(HOST).context("server name")?;
        let connection = ClientConnection::new(Arc::clone(config), name)?;
        Ok(Self::Tls(Box::new(StreamOwned::new(connection, stream))))
    }

    /// Sends one GET request and reads its response.
    pub(super) fn get(&mut self, request: &Request) -> anyhow::Result<Response> {
        let Request { host, path } = request;
        let text = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: bench\r\n\r\n");
        match self {
            Self::Plain(stream) => exchange(stream, &text),
            Self::Tls(stream) => exchange(stream.as_mut(), &text),
        }
    }
}

/// A response in full.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

fn exchange(stream: &mut (impl Read + Write), request: &str) -> anyhow::Result<Response> {
    stream.write_all(request.as_bytes()).context("send")?;
    stream.flush().context("send")?;
    let mut received = Vec::new();
    let head_end = loop {
        if let Some(at) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if received.len() > HEAD_BYTES_LIMIT {
            bail!("the response head is longer than {HEAD_BYTES_LIMIT} bytes");
        }
        receive(stream, &mut received)?;
    };
    let head = Head::parse(&received[..head_end])?;
    let mut body = received.split_off(head_end);
    while body.len() < head.content_length {
        receive(stream, &mut body)?;
    }
    Ok(Response { status: head.status, body })
}

fn receive(stream: &mut impl Read, into: &mut Vec<u8>) -> anyhow::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => bail!("the connection ended inside a response"),
            Ok(count) => {
                into.extend_from_slice(&buffer[..count]);
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("receive"),
        }
    }
}

/// What is read of a response head. The upstream always declares a length, so no chunks here.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    content_length: usize,
}

impl Head {
    fn parse(head: &[u8]) -> anyhow::Result<Self> {
        let head = str::from_utf8(head).context("response head")?;
        let mut lines = head.split("\r\n");
        let status_line = lines.next().unwrap_or_default();
        let status = status_line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .with_context(|| format!("status line {status_line:?}"))?;
        let content_length = lines
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse().ok())
            .with_context(|| format!("a response with status {status} has no content-length"))?;
        Ok(Self { status, content_length })
    }
}

/// How long a connection may be silent. Generous: under callgrind a proxy is fifty times slower.
const PATIENCE: Duration = Duration::from_secs(20);
const HEAD_BYTES_LIMIT: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, expected: Option<Head>) {
        assert_eq!(Head::parse(head.as_bytes()).ok(), expected, "{head}");
    }

    #[test]
    fn reads_status_and_length() {
        check(
            "HTTP/1.1 404 Not Found\r\nx: y\r\ncontent-LENGTH: 19\r\n\r\n",
            Some(Head { status: 404, content_length: 19 }),
        );
        check("HTTP/1.1 200 OK\r\n\r\n", None);
        check("SSH-2.0\r\n\r\n", None);
    }
}
