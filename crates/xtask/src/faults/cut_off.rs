//! Responses cut off at every byte: whatever the client speaks, none of them looks complete.
//!
//! What a server sends, where it stops and how is said in the path: `/kind/how/length`.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;
use testkit::certificates::Certificates;
use testkit::client::{Connection, Response, TlsOptions};
use testkit::wire::Wire;

use super::site::{HOST, Site, routes};
use super::upstream::request;
use super::{Report, Run};

/// How a response's body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Length,
    Chunked,
    UntilClose,
}

/// How the server's connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// With FIN, and over TLS without `close_notify`.
    Fin,
    /// With RST.
    Rst,
}

/// One of the ways to ask for a response.
#[derive(Clone, Copy, Debug)]
struct Way {
    version: &'static str,
    is_client_secure: bool,
    is_server_secure: bool,
}

pub(super) fn run(run: &Run) -> anyhow::Result<Report> {
    let site = Site::create("", "")?;
    let plain = serve(None)?;
    let secure = serve(Some(tls(site.directory())?))?;
    let text = routes(&[plain], "");
    // Whose requests go to a server with TLS is said by the host.
    let text = text.replacen(
        "  services:\n",
        "    plain-tls: {rule: Host(`tls.test`), entryPoints: [web], service: tls}\n    \
         secure-tls: {rule: Host(`tls.test`), entryPoints: [secure], service: tls, tls: {}}\n  \
         serversTransports:\n    any: {insecureSkipVerify: true}\n  services:\n",
        1,
    );
    let text = format!(
        "{text}    tls: {{loadBalancer: {{serversTransport: any, servers: [{{url: \
         \"https://{secure}\"}}]}}}}\n"
    );
    site.write("routes.yml", &text)?;
    let mut proxy = site.start(run.binary())?;
    let mut report = Report::default();
    let (mut responses, mut refused) = (0, 0);
    for kind in Kind::ALL {
        for end in [End::Fin, End::Rst] {
            for way in Way::all() {
                for length in 0..kind.response().len() {
                    let seen = way.ask(&site, &format!("/{kind:?}/{end:?}/{length}"))?;
                    responses += 1;
                    refused += usize::from(length < kind.head_length());
                    let verdict = judge(kind, end, way, length, &seen);
                    report.expect(verdict.is_ok() || report.problems.len() > 10, || {
                        let head = seen.head.as_ref().map(|head| &head.first_line);
                        format!(
                            "{kind:?} cut at {length} by {end:?}, {way:?}: {}; saw {head:?}, {:?}",
                            verdict.unwrap_err(),
                            seen.body
                        )
                    });
                }
                // Uncut, to see that the check itself can tell.
                let length = kind.response().len();
                let seen = way.ask(&site, &format!("/{kind:?}/Fin/{length}"))?;
                let is_whole = seen.body.complete && seen.body.bytes == b"hello world";
                // TLS without `close_notify` cuts what ends with the connection (RFC 9112, 9.8).
                let is_cut = kind == Kind::UntilClose && way.is_server_secure;
                report.expect(is_whole != is_cut, || format!("{kind:?} uncut, {way:?}: {seen:?}"));
            }
        }
    }
    proxy.check_running()?;
    report.figure(format!(
        "{responses} responses: {refused} cut within the head, {} within the body",
        responses - refused
    ));
    Ok(report)
}

fn judge(
    kind: Kind,
    end: End,
    way: Way,
    length: usize,
    seen: &Response,
) -> Result<(), &'static str> {
    if length < kind.head_length() {
        let status = seen.head.as_ref().and_then(|head| head.first_line.split(' ').nth(1));
        return match status {
            Some("500" | "502") if seen.body.complete => Ok(()),
            _ => Err("not a whole 500 or 502"),
        };
    }
    let ends_orderly = kind == Kind::UntilClose && end == End::Fin && !way.is_server_secure;
    match (ends_orderly, seen.head.is_some() && seen.body.complete) {
        // A server that closes in order there has said that this was all.
        (true, false) => Err("an orderly end looks like a cut"),
        (false, true) => Err("the cut looks like an orderly end"),
        _ => Ok(()),
    }
}

impl Kind {
    const ALL: [Self; 3] = [Self::Length, Self::Chunked, Self::UntilClose];

    fn response(self) -> &'static str {
        match self {
            Self::Length => "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
            Self::Chunked => {
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                 5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n"
            }
            Self::UntilClose => "HTTP/1.1 200 OK\r\nX: y\r\n\r\nhello world",
        }
    }

    fn head_length(self) -> usize {
        self.response().find("\r\n\r\n").map_or(0, |end| end + 4)
    }
}

impl Way {
    fn all() -> impl Iterator<Item = Self> {
        let both = [false, true];
        both.into_iter().flat_map(move |is_client_secure| {
            both.into_iter().flat_map(move |is_server_secure| {
                ["HTTP/1.1", "HTTP/1.0"].map(|version| Self {
                    version,
                    is_client_secure,
                    is_server_secure,
                })
            })
        })
    }

    /// Asks over a connection of its own.
    fn ask(self, site: &Site, path: &str) -> anyhow::Result<Response> {
        let mut client = if self.is_client_secure {
            let options = TlsOptions { sni: Some(HOST.to_owned()), ..TlsOptions::default() };
            Connection::tls(site.secure(), &options)?.context("a TLS handshake")?
        } else {
            Connection::plain(site.web())?
        };
        client.set_patience(PATIENCE)?;
        let host = if self.is_server_secure { "tls.test" } else { HOST };
        client.send(format!("GET {path} {}\r\nHost: {host}\r\n\r\n", self.version).as_bytes());
        Ok(client.response("GET", b"", b""))
    }
}

/// Starts a server; gives its address. It lives as long as this program.
fn serve(tls: Option<Arc<ServerConfig>>) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tls = tls.clone();
            thread::spawn(move || answer(stream, tls));
        }
    });
    Ok(address)
}

/// Answers one request with as much as it asks for, and ends the connection as it says.
fn answer(stream: TcpStream, tls: Option<Arc<ServerConfig>>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let socket = stream.try_clone().ok()?;
    let (end, sent) = match tls {
        None => {
            let mut wire = Wire::new(socket);
            let (_, path) = request(&mut wire)?;
            let (end, bytes) = wanted(&path);
            (end, wire.stream.write_all(bytes).is_ok())
        }
        Some(config) => {
            let session = ServerConnection::new(config).ok()?;
            let mut wire = Wire::new(StreamOwned::new(session, socket));
            let (_, path) = request(&mut wire)?;
            let (end, bytes) = wanted(&path);
            (end, wire.stream.write_all(bytes).and_then(|()| wire.stream.flush()).is_ok())
        }
    };
    if sent && end == End::Rst {
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).ok()?;
    }
    Some(())
}

/// What a path asks for; for paths that ask for nothing a whole response.
fn wanted(path: &str) -> (End, &'static [u8]) {
    let mut parts = path.split('/').skip(1);
    let kind = parts.next();
    let kind = Kind::ALL.into_iter().find(|known| kind == Some(&format!("{known:?}")));
    let response = kind.unwrap_or(Kind::Length).response().as_bytes();
    let end = if parts.next() == Some("Rst") { End::Rst } else { End::Fin };
    let length = parts.next().and_then(|length| length.parse().ok()).unwrap_or(response.len());
    (end, &response[..length.min(response.len())])
}

fn tls(directory: &Path) -> anyhow::Result<Arc<ServerConfig>> {
    let mut certificates = Certificates::new(directory);
    let issued = certificates.issue("127.0.0.1")?;
    let config = ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()?
    .with_no_client_auth()
    .with_single_cert(vec![issued.certificate.clone()], issued.key.clone_key())?;
    Ok(Arc::new(config))
}

const PATIENCE: Duration = Duration::from_secs(10);
