//! One connection to an upstream.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;

use super::{Action, BodyFraming, Log, Received, Reply, UpstreamSpec};
use crate::wire::{Framing, Head, Wire};

/// What the connections of one upstream have in common.
pub(super) struct Shared {
    pub(super) spec: UpstreamSpec,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) log: Log,
    /// Requests seen on all connections.
    pub(super) served: AtomicUsize,
}

/// Serves a connection until either side closes it.
pub(super) fn serve(stream: TcpStream, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let Ok(socket) = stream.try_clone() else { return };
    match &shared.tls {
        None => requests(Wire::new(stream), &socket, shared),
        Some(config) => {
            let Ok(connection) = ServerConnection::new(Arc::clone(config)) else { return };
            requests(Wire::new(StreamOwned::new(connection, stream)), &socket, shared);
        }
    }
}

fn requests(mut wire: Wire<impl Read + Write>, socket: &TcpStream, shared: &Shared) {
    while let Ok(Some(head)) = wire.head() {
        let number = shared.served.fetch_add(1, Ordering::AcqRel);
        let mut parts = head.first_line.split(' ');
        let method = parts.next().unwrap_or_default().to_owned();
        let path = parts.next().unwrap_or_default().split('?').next().unwrap_or_default();
        let reply = shared.spec.reply_to(number, path);

        if receive(&mut wire, head, reply, shared).is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(reply.delay_ms));
        let ended = match reply.action {
            None => reply.write(&mut wire.stream, &shared.spec.name, &method).is_err(),
            Some(action) => {
                act(action, &mut wire, socket, reply, shared);
                true
            }
        };
        if ended || reply.close || reply.framing == BodyFraming::Close {
            return;
        }
    }
}

/// Reads the body of a request and writes the request down.
fn receive(
    wire: &mut Wire<impl Read + Write>,
    head: Head,
    reply: &Reply,
    shared: &Shared,
) -> io::Result<()> {
    if head.has_token("Expect", "100-continue") {
        wire.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        wire.stream.flush()?;
    }
    let body = wire.body(head.framing(Framing::None));
    if !reply.quiet {
        shared.log.push(Received {
            upstream: shared.spec.name.clone(),
            first_line: head.first_line,
            fields: head.fields,
            body: body.bytes,
            trailers: body.trailers,
            complete: body.complete,
        });
    }
    if body.complete { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn act(
    action: Action,
    wire: &mut Wire<impl Read + Write>,
    socket: &TcpStream,
    reply: &Reply,
    shared: &Shared,
) {
    match action {
        Action::Close => {}
        Action::Reset => {
            let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
        }
        Action::Stall => {
            wire.rest();
            if reply.report_close {
                shared.log.push(Received {
                    upstream: shared.spec.name.clone(),
                    first_line: "(the proxy closed the connection)".to_owned(),
                    complete: true,
                    ..Received::default()
                });
            }
        }
        Action::Upgrade => {
            let _ = echo(wire, reply);
        }
    }
}

fn echo(wire: &mut Wire<impl Read + Write>, reply: &Reply) -> io::Result<()> {
    let mut head = String::from("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n");
    for header in &reply.headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    wire.stream.write_all(head.as_bytes())?;
    wire.stream.write_all(b"\r\n")?;
    wire.stream.flush()?;
    loop {
        let mut byte = Vec::new();
        wire.exactly(1, &mut byte)?;
        wire.stream.write_all(&byte)?;
        wire.stream.flush()?;
    }
}
