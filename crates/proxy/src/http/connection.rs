//! hot path
//!
//! A client's connection from its first byte to its last: TLS or not, request after request.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use ::exchange::{Body, Connection, Frame};
use bytes::BytesMut;
use codec::{ConnectionHeader, HeadError, HeadReader, Limits, RequestHead};
use http::{HeaderMap, Method, StatusCode};
use tokio::net::TcpStream;

use crate::clock::Alarm;
use crate::http::client::{Client, ClientBody};
use crate::http::client_side::ClientSide;
use crate::http::door::{self, Doorway, Turned};
use crate::http::exchange;
use crate::http::framing::Framing;
use crate::http::handshake::handshake;
use crate::http::pool::Lease;
use crate::http::respond::{self, Asked, Sent};
use crate::http::tunnel;
use crate::http::wire::{ReadSize, Wire};
use crate::http2::{self, Opened};
use crate::net::Stream;
use crate::plane::EntryPoint;
use crate::settings::EntryPointSettings;
use crate::worker::Worker;

/// Idle time after which a connection gives its buffers back.
const TRIM_AFTER: Duration = Duration::from_secs(2);
/// Bytes of an unread request body that are read over to keep the connection, as Go does.
const SKIP_MAX: u64 = 256 * 1024;
/// How long a closed connection's input is read over, so that the client sees the response before
/// the kernel resets the connection (RFC 9112, 9.6). Go's value.
const LINGER: Duration = Duration::from_millis(500);
/// Time for a client to take the answer to a request that cannot be served.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for the rest of a request's body whose response is out already.
const SKIP_TIMEOUT: Duration = Duration::from_secs(5);
/// Time that a client which connected shortly before a drain has for its first request.
const DRAIN_FIRST_WAIT: Duration = Duration::from_secs(1);
/// Time that an idle connection stays open after a drain began: its next request may be in the
/// kernel's hands already.
const DRAIN_IDLE_WAIT: Duration = Duration::from_millis(100);
/// The first byte of a TLS record that holds a ClientHello.
const TLS_HANDSHAKE: u8 = 0x16;

/// Serves a connection until its end.
pub(crate) async fn serve(
    worker: Rc<Worker>,
    stream: TcpStream,
    peer: SocketAddr,
    entry_point: Arc<EntryPoint>,
) {
    let settings = entry_point.settings.load_full();
    let Ok(local) = stream.local_addr() else { return };
    let alarm = worker.clock.alarm();
    let mut wire = Wire::new(Stream::Plain(stream), BytesMut::new());
    alarm.set(deadline(&worker, settings.read_timeout));
    if !await_first_byte(&worker, &mut wire, &alarm).await {
        return;
    }
    let mut tls = None;
    let mut is_http2 = false;
    if wire.read.first() == Some(&TLS_HANDSHAKE) {
        // In a box: the connection outlives its handshake.
        match Box::pin(handshake(&worker, wire, &settings, local)).await {
            Some(secured) => {
                wire = secured.wire;
                tls = Some(secured.info);
                is_http2 = secured.is_http2;
            }
            None => return,
        }
    }
    let connection = Connection::new(peer, local, Arc::clone(&settings.name), tls);
    let trusts_peer = settings.forwarded.trusts(peer.ip());
    let session = Session {
        client: Rc::new(Client::new(wire, alarm)),
        connection: Rc::new(connection),
        trusts_peer,
        settings,
        worker,
        started: Instant::now(),
    };
    if is_http2 {
        return Box::pin(session.become_http2()).await;
    }
    session.run().await;
}

/// Waits for the first byte; `false`: none came.
async fn await_first_byte(worker: &Worker, wire: &mut Wire, alarm: &Alarm) -> bool {
    let mut is_leaving = false;
    poll_fn(|context| match wire.poll_fill(context, ReadSize::Small) {
        Poll::Ready(Ok(count)) => Poll::Ready(count > 0),
        Poll::Ready(Err(_)) => Poll::Ready(false),
        Poll::Pending => {
            wire.release_buffers();
            if worker.is_draining() && !is_leaving {
                is_leaving = true;
                alarm.set(deadline(worker, Some(DRAIN_FIRST_WAIT)));
            }
            if alarm.is_over(context) { Poll::Ready(false) } else { Poll::Pending }
        }
    })
    .await
}

fn deadline(worker: &Worker, limit: Option<Duration>) -> Option<Instant> {
    limit.map(|limit| worker.clock.now() + limit)
}

/// A connection that speaks HTTP.
struct Session {
    worker: Rc<Worker>,
    client: Rc<Client>,
    connection: Rc<Connection>,
    settings: Arc<EntryPointSettings>,
    trusts_peer: bool,
    started: Instant,
}

/// What waiting for a request came to.
#[expect(clippy::large_enum_variant, reason = "moved once a request; a box would be an allocation")]
enum Awaited {
    Request(RequestHead),
    Refused(HeadError),
    /// The client or the time is gone, or the process drains.
    Over,
}

/// How a connection goes on after a request.
enum Fate {
    Next,
    Close,
    /// Close, but read over what the client is still sending.
    Linger,
    /// Close so that the client cannot take it for the response's end.
    Reset,
    /// Nothing left to do.
    Gone,
}

impl Session {
    async fn run(self) {
        let limits = Limits {
            head_bytes: self.settings.head_bytes_max,
            request_line_bytes: self.settings.head_bytes_max,
            ..Limits::default()
        };
        let mut reader = HeadReader::new(limits);
        let mut requests = 0;
        loop {
            let head = match self.await_head(&mut reader, requests > 0).await {
                Awaited::Request(head) => head,
                // Prior knowledge (RFC 9113, 3.3). Over TLS the handshake has settled the protocol.
                Awaited::Refused(HeadError::Http2Preface)
                    if requests == 0 && !self.connection.is_tls() =>
                {
                    // Boxed, so that it does not make every connection larger.
                    return Box::pin(self.become_http2()).await;
                }
                Awaited::Refused(error) => {
                    self.client.alarm.set(deadline(&self.worker, Some(REFUSAL_TIMEOUT)));
                    respond::refuse(&self.client, error.status(), refusal(&error)).await;
                    return self.linger().await;
                }
                Awaited::Over => return,
            };
            requests += 1;
            match self.serve_request(head, &limits, requests).await {
                Fate::Next => {}
                Fate::Close => return self.close().await,
                Fate::Linger => return self.linger().await,
                Fate::Reset => return self.reset(),
                Fate::Gone => return,
            }
        }
    }

    /// Goes on in HTTP/2.
    async fn become_http2(self) {
        let Self { worker, client, connection, settings, trusts_peer, .. } = self;
        // No body that could share it was begun.
        let Some(client) = Rc::into_inner(client) else { return };
        let (wire, alarm) = client.into_parts();
        let Wire { stream, read, .. } = wire;
        let read = read.freeze();
        http2::serve(Opened { worker, stream, read, alarm, connection, settings, trusts_peer })
            .await;
    }

    /// Waits for the next request's head.
    async fn await_head(&self, reader: &mut HeadReader, is_idle: bool) -> Awaited {
        let client = &*self.client;
        let mut has_given_spare = false;
        let idle_deadline = deadline(&self.worker, self.settings.idle_timeout);
        let mut has_begun = !is_idle;
        let mut trims = false;
        let mut is_leaving = false;
        poll_fn(|context| {
            let mut wire = client.wire.borrow_mut();
            loop {
                if !wire.read.is_empty() {
                    // The reader keeps the map while the head is unfinished; an idle connection has
                    // none.
                    let spare = match std::mem::replace(&mut has_given_spare, true) {
                        true => HeaderMap::new(),
                        false => self.worker.spares.take(),
                    };
                    match reader.read_request(&mut wire.read, spare) {
                        Ok(Some(head)) => return Poll::Ready(Awaited::Request(head)),
                        Ok(None) => {}
                        Err(error) => return Poll::Ready(Awaited::Refused(error)),
                    }
                    if !has_begun && !wire.read.is_empty() {
                        has_begun = true;
                        client.alarm.set(deadline(&self.worker, self.settings.read_timeout));
                    }
                }
                match wire.poll_fill(context, ReadSize::Small) {
                    Poll::Ready(Ok(count)) if count > 0 => continue,
                    Poll::Ready(_) => return Poll::Ready(Awaited::Over),
                    Poll::Pending => {}
                }
                if wire.read.is_empty() && self.worker.is_draining() {
                    if !is_leaving {
                        is_leaving = true;
                        client.alarm.set(deadline(&self.worker, Some(DRAIN_IDLE_WAIT)));
                    }
                    let is_late = client.alarm.is_over(context);
                    return if is_late { Poll::Ready(Awaited::Over) } else { Poll::Pending };
                }
                if has_begun {
                    let is_late = client.alarm.is_over(context);
                    return if is_late { Poll::Ready(Awaited::Over) } else { Poll::Pending };
                }
                // Idle. First the buffers go, later the connection.
                if !trims {
                    trims = true;
                    let trim = self.worker.clock.now() + TRIM_AFTER;
                    client.alarm.set(Some(idle_deadline.map_or(trim, |idle| idle.min(trim))));
                }
                if !client.alarm.is_over(context) {
                    return Poll::Pending;
                }
                if idle_deadline.is_some_and(|idle| idle <= self.worker.clock.now()) {
                    return Poll::Ready(Awaited::Over);
                }
                wire.release_buffers();
                client.alarm.set(idle_deadline);
                // Asking registers for the new deadline.
                let _ = client.alarm.is_over(context);
                return Poll::Pending;
            }
        })
        .await
    }

    async fn serve_request(&self, head: RequestHead, limits: &Limits, requests: u64) -> Fate {
        let client = &self.client;
        let worker = &self.worker;
        // Bytes sent before the protocol was changed would be read by one side as the new
        // protocol's and by the other as a request.
        if head.upgrade && head.body.is_empty() && !client.wire.borrow().read.is_empty() {
            client.alarm.set(deadline(worker, Some(REFUSAL_TIMEOUT)));
            respond::refuse(client, StatusCode::BAD_REQUEST, "400 Bad Request").await;
            return Fate::Linger;
        }
        // What follows a refused CONNECT is not HTTP.
        let keeps_alive = head.keep_alive && head.method != Method::CONNECT;
        let mut asked = Asked::new(&head.method, head.version, keeps_alive);
        asked.write_timeout = self.settings.write_timeout;
        let framing = Framing::new(head.body, limits);
        let body = match (&framing, head.body) {
            (Some(_), _) => Body::Stream(Box::new(ClientBody::new(Rc::clone(client)))),
            (None, codec::BodyLength::Fixed(_)) => Body::Full(bytes::Bytes::new()),
            (None, _) => Body::Empty,
        };
        if framing.is_some() {
            client.alarm.set(deadline(worker, self.settings.read_timeout));
        } else {
            client.alarm.set(None);
        }
        client.begin_body(framing, head.expects_continue);
        let doorway = Doorway {
            settings: &self.settings,
            connection: &self.connection,
            trusts_peer: self.trusts_peer,
            hostname: &worker.hostname,
        };
        let mut response = match door::admit(&doorway, head, body) {
            Ok(request) => {
                let snapshot = worker.snapshot();
                let mut exchange = exchange::run(
                    worker,
                    ClientSide::Http1(client),
                    &self.settings,
                    &self.connection,
                    request,
                    &snapshot,
                )
                .await;
                if client_is_gone(&exchange) {
                    return Fate::Gone;
                }
                worker.spares.put(std::mem::take(&mut exchange.request.headers));
                exchange.response
            }
            Err(Turned::Answered(response)) => *response,
            Err(Turned::Unreadable) => {
                respond::refuse(client, StatusCode::BAD_REQUEST, "400 Bad Request").await;
                return Fate::Linger;
            }
        };
        if let Some(upgrade) = response.upgrade.take() {
            if let Ok(lease) = upgrade.0.downcast::<Lease>() {
                self.tunnel(&asked, &response, &lease).await;
            }
            return Fate::Gone;
        }
        asked.keeps_alive &= self.may_keep_alive(requests) && client.can_skip_body(SKIP_MAX);
        client.begin_response();
        let sent = respond::send(worker, client, &asked, &mut response).await;
        match sent {
            Sent::KeepAlive if self.skip_body().await => Fate::Next,
            Sent::Close if !self.has_input().await => Fate::Close,
            Sent::KeepAlive | Sent::Close => Fate::Linger,
            Sent::Cut => Fate::Gone,
            Sent::CutByReset => Fate::Reset,
        }
    }

    fn may_keep_alive(&self, requests: u64) -> bool {
        let settings = &self.settings;
        !self.worker.is_draining()
            && settings.keep_alive_requests_max.is_none_or(|max| requests < max)
            && settings
                .keep_alive_time_max
                .is_none_or(|max| self.worker.clock.now().duration_since(self.started) < max)
    }

    /// Tells whether there are bytes of the client that nobody will read, or may be. To close a
    /// socket over them makes the kernel send a reset, which can overtake the response.
    async fn has_input(&self) -> bool {
        let client = &self.client;
        client.has_unread_body()
            || !client.wire.borrow().read.is_empty()
            || poll_fn(|context| {
                let filled = client.wire.borrow_mut().poll_fill(context, ReadSize::Small);
                Poll::Ready(matches!(filled, Poll::Ready(Ok(count)) if count > 0))
            })
            .await
    }

    /// Reads over what is left of the request's body; `false`: that failed.
    async fn skip_body(&self) -> bool {
        if self.client.has_unread_body() {
            self.client.alarm.set(deadline(&self.worker, Some(SKIP_TIMEOUT)));
        }
        let mut skipped = 0;
        while self.client.has_unread_body() {
            match poll_fn(|context| self.client.poll_body(context)).await {
                Some(Ok(Frame::Data(data))) => skipped += data.len() as u64,
                Some(Ok(Frame::Trailers(_))) => {}
                None => break,
                Some(Err(_)) => return false,
            }
            if skipped > SKIP_MAX {
                return false;
            }
        }
        true
    }

    async fn tunnel(&self, asked: &Asked, response: &::exchange::Response, lease: &Lease) {
        codec::encode_response(
            &mut self.client.wire.borrow_mut().write,
            asked.version,
            response.status,
            &response.headers,
            codec::BodyLength::None,
            ConnectionHeader::Upgrade,
        );
        tunnel::carry(&self.client.wire, &lease.connection.wire, &self.client.alarm).await;
    }

    async fn close(&self) {
        self.client.alarm.set(Some(self.worker.clock.now() + LINGER));
        poll_fn(|context| {
            let shut = self.client.wire.borrow_mut().stream.poll_shutdown(context);
            if shut.is_ready() || self.client.alarm.is_over(context) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Closes our side, then reads over what the client sends until it closes its own.
    async fn linger(&self) {
        self.close().await;
        self.client.alarm.set(Some(self.worker.clock.now() + LINGER));
        poll_fn(|context| {
            let mut wire = self.client.wire.borrow_mut();
            loop {
                wire.read.clear();
                match wire.poll_fill(context, ReadSize::Small) {
                    Poll::Ready(Ok(count)) if count > 0 => {}
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending if self.client.alarm.is_over(context) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
    }

    /// Makes the kernel reset the connection when it is closed.
    fn reset(&self) {
        self.client.wire.borrow().stream.reset_on_close();
    }
}

fn client_is_gone(exchange: &::exchange::Exchange) -> bool {
    exchange.failure.as_ref().is_some_and(|f| f.kind == ::exchange::FailureKind::ClientGone)
}

/// What a request that cannot be read is answered with: Go's words.
fn refusal(error: &HeadError) -> &'static str {
    match error.status().as_u16() {
        417 => "",
        414 => "414 URI Too Long",
        431 => "431 Request Header Fields Too Large",
        501 => "501 Not Implemented",
        505 => "505 HTTP Version Not Supported",
        _ => "400 Bad Request",
    }
}
