//! hot path
//!
//! Forwarding: take a connection to the server, send the request, read the response's head.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use codec::{BodyLength, HeadError, ResponseHead};
use exchange::{Body, Connection, Failure, FailureKind, Request, Response, Upgrade};
use http::header::{CONNECTION, EXPECT, HeaderName, HeaderValue, UPGRADE};
use http::{HeaderMap, Method, StatusCode, Version};
use routing::{LoadBalancer, Server};

use crate::http::client::Client;
use crate::http::connect::connect;
use crate::http::door::{self, X_FORWARDED_FOR};
use crate::http::framing::Framing;
use crate::http::pool::{Lease, Upstream};
use crate::http::upload::{Upload, UploadError};
use crate::http::upstream_body::UpstreamBody;
use crate::http::wire::ReadSize;
use crate::settings::ForwardedSettings;
use crate::worker::Worker;

/// Time a server has to answer `Expect: 100-continue` before the body is sent anyway; Go's.
const CONTINUE_TIMEOUT: Duration = Duration::from_secs(1);

/// Credentials and challenges between a client and its proxy.
const PROXY_FIELDS: [HeaderName; 2] =
    [http::header::PROXY_AUTHENTICATE, http::header::PROXY_AUTHORIZATION];

/// On whose behalf a request is forwarded.
pub(crate) struct Origin<'a> {
    pub(crate) connection: &'a Connection,
    /// The client that waits for the response; `None` for requests of Ferrovia's own making.
    pub(crate) client: Option<&'a Rc<Client>>,
    /// How `X-Forwarded-For` is written; `None`: not at all.
    pub(crate) forwarded: Option<&'a ForwardedSettings>,
}

/// Sends `request` to `server` and reads the response's head. The request's body is taken once
/// the first byte is sent; until then another try is possible.
pub(crate) async fn forward(
    worker: &Worker,
    origin: &Origin<'_>,
    balancer: &LoadBalancer,
    server: &Arc<Server>,
    request: &mut Request,
) -> Result<Response, Failure> {
    let transport = &balancer.transport;
    let is_replayable = request.method.is_idempotent() && !matches!(request.body, Body::Stream(_));
    // A request that cannot be sent twice is worth a look at what the kernel knows.
    if let Some(lease) = worker.pool.take(server, transport, !is_replayable) {
        let kept = is_replayable.then(|| clone_in_memory(&request.body));
        match attempt(worker, origin, balancer, server, request, lease).await {
            // The server closed the idle connection while the request was on its way.
            Err(failure) if is_stale(&failure) && kept.is_some() => {
                request.body = kept.unwrap_or_default();
            }
            result => return result,
        }
    }
    // In a box: with its TLS handshake it would make every exchange larger, as long as it lasts.
    let connecting = Box::pin(connect(server, transport));
    let upstream = match origin.client {
        None => connecting.await?,
        Some(client) => match client.unless_gone(connecting).await {
            Some(connected) => connected?,
            None => return Err(Failure::before_sending(FailureKind::ClientGone)),
        },
    };
    let lease = worker.pool.adopt(upstream, server, transport);
    attempt(worker, origin, balancer, server, request, lease).await
}

fn clone_in_memory(body: &Body) -> Body {
    match body {
        Body::Full(bytes) => Body::Full(bytes.clone()),
        Body::Empty | Body::Stream(_) => Body::Empty,
    }
}

fn is_stale(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::UpstreamClosed | FailureKind::UpstreamReset)
}

/// Sends the request over one connection.
async fn attempt(
    worker: &Worker,
    origin: &Origin<'_>,
    balancer: &LoadBalancer,
    server: &Server,
    request: &mut Request,
    lease: Lease,
) -> Result<Response, Failure> {
    let length = match &request.body {
        Body::Empty => BodyLength::None,
        body => body.length().map_or(BodyLength::Chunked, BodyLength::Fixed),
    };
    let upgrade = request.upgrade.clone();
    let mut upload = {
        let mut wire = lease.connection.wire.borrow_mut();
        encode_head(&mut wire.write, origin, balancer, server, request, length);
        match request.body.take() {
            Body::Empty => None,
            Body::Full(bytes) => {
                wire.queue(bytes, b"");
                None
            }
            body => Some(Upload::new(
                body,
                length,
                request.expects_continue.then_some(CONTINUE_TIMEOUT),
            )),
        }
    };
    let head = await_head(worker, origin, balancer, request, &lease, &mut upload).await?;
    receive(worker, lease, head, upload, upgrade)
}

fn encode_head(
    out: &mut BytesMut,
    origin: &Origin<'_>,
    balancer: &LoadBalancer,
    server: &Server,
    request: &mut Request,
    length: BodyLength,
) {
    // Go fills an empty Host in from the URL.
    let host = if balancer.pass_host_header && !request.authority.text().is_empty() {
        request.authority.text().as_bytes()
    } else {
        server.host_header.as_bytes()
    };
    door::strip_named(&mut request.headers);
    if origin.forwarded.is_some() {
        for name in &PROXY_FIELDS {
            if request.headers.contains_key(name) {
                request.headers.remove(name);
            }
        }
    }
    // The request stays as the middlewares left it: what is added for this hop only is written
    // behind the encoded fields.
    let received_for = origin.forwarded.and_then(|_| request.headers.remove(X_FORWARDED_FOR));
    let target = request.target.as_str();
    match &server.base_path {
        None => codec::encode_request(out, &request.method, target, host, &request.headers, length),
        Some(base) => {
            let joined = join_paths(base, target);
            codec::encode_request(out, &request.method, &joined, host, &request.headers, length);
        }
    }
    out.truncate(out.len() - 2);
    if let Some(settings) = origin.forwarded {
        write_forwarded_for(out, origin.connection, settings, received_for.as_ref());
        if let Some(received) = received_for {
            request.headers.insert(X_FORWARDED_FOR, received);
        }
    }
    if let Some(protocol) = &request.upgrade {
        out.extend_from_slice(b"Connection: Upgrade\r\nUpgrade: ");
        out.extend_from_slice(protocol.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if request.accepts_trailers {
        out.extend_from_slice(b"Te: trailers\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

fn write_forwarded_for(
    out: &mut BytesMut,
    connection: &Connection,
    settings: &ForwardedSettings,
    received: Option<&HeaderValue>,
) {
    // An empty value is a middleware's word that there shall be none.
    let is_suppressed = received.is_some_and(HeaderValue::is_empty);
    if is_suppressed || (settings.not_append_for && received.is_none()) {
        return;
    }
    out.extend_from_slice(b"X-Forwarded-For: ");
    if let Some(received) = received {
        out.extend_from_slice(received.as_bytes());
        if !settings.not_append_for {
            out.extend_from_slice(b", ");
        }
    }
    if !settings.not_append_for {
        out.extend_from_slice(connection.peer_ip.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// Joins two paths with exactly one slash between, as Go's `singleJoiningSlash`.
fn join_paths(base: &str, target: &str) -> String {
    match (base.ends_with('/'), target.starts_with('/')) {
        (true, true) => format!("{base}{}", &target[1..]),
        (false, false) => format!("{base}/{target}"),
        _ => format!("{base}{target}"),
    }
}

/// Sends, and waits for the response's head; meanwhile passes interim responses on, and watches
/// the client and the time.
async fn await_head(
    worker: &Worker,
    origin: &Origin<'_>,
    balancer: &LoadBalancer,
    request: &Request,
    lease: &Lease,
    upload: &mut Option<Upload>,
) -> Result<ResponseHead, Failure> {
    let mut spare = worker.spares.take();
    let mut waits_for_head = false;
    let own_alarm;
    let alarm = match origin.client {
        Some(client) => &client.alarm,
        None => {
            own_alarm = worker.clock.alarm();
            &own_alarm
        }
    };
    let sent = |kind| Failure::after_sending(kind);
    poll_fn(|context| {
        match poll_send(lease, upload, context) {
            Poll::Ready(Err(UploadError::Client(error))) => {
                return Poll::Ready(Err(sent(client_failure(error))));
            }
            // The server may have answered before it stopped reading: look for that first.
            Poll::Ready(Err(UploadError::Upstream)) => *upload = None,
            Poll::Ready(Ok(())) => {
                *upload = None;
                if !waits_for_head {
                    waits_for_head = true;
                    let limit = balancer.transport.response_header_timeout;
                    alarm.set(limit.map(|limit| worker.clock.now() + limit));
                }
            }
            Poll::Pending => {}
        }
        // Interim responses are taken off the server no faster than the client takes them.
        let is_client_behind = match origin.client {
            Some(client) if !client.wire.borrow().is_drained() => {
                match client.poll_drain(context) {
                    Poll::Ready(Ok(())) => false,
                    Poll::Ready(Err(_)) => {
                        return Poll::Ready(Err(sent(FailureKind::ClientGone)));
                    }
                    Poll::Pending => true,
                }
            }
            _ => false,
        };
        let polled = if is_client_behind {
            Poll::Pending
        } else {
            poll_head(lease, &request.method, &mut spare, context)
        };
        match polled {
            Poll::Ready(Ok(head)) if is_interim(head.status) => {
                if head.status == StatusCode::CONTINUE
                    && let Some(upload) = upload
                {
                    upload.proceed();
                }
                if let Some(client) = origin.client {
                    pass_interim(client, request.version, head);
                }
                context.waker().wake_by_ref();
            }
            Poll::Ready(result) => return Poll::Ready(result),
            // A server seldom answers before it has the body, which may take its time.
            Poll::Pending if upload.is_some() => {
                lease.connection.wire.borrow_mut().release_buffers();
            }
            Poll::Pending => {}
        }
        if let Some(client) = origin.client
            && client.poll_gone(context).is_ready()
        {
            return Poll::Ready(Err(sent(FailureKind::ClientGone)));
        }
        if alarm.is_over(context) {
            return Poll::Ready(Err(sent(FailureKind::ResponseHeaderTimedOut)));
        }
        Poll::Pending
    })
    .await
}

fn poll_send(
    lease: &Lease,
    upload: &mut Option<Upload>,
    context: &mut Context<'_>,
) -> Poll<Result<(), UploadError>> {
    match upload {
        Some(upload) => upload.poll(&lease.connection.wire, context),
        None => {
            let mut wire = lease.connection.wire.borrow_mut();
            if wire.is_drained() {
                return Poll::Ready(Ok(()));
            }
            wire.poll_drain(context).map_err(|_| UploadError::Upstream)
        }
    }
}

fn poll_head(
    lease: &Lease,
    method: &Method,
    spare: &mut HeaderMap,
    context: &mut Context<'_>,
) -> Poll<Result<ResponseHead, Failure>> {
    let mut wire = lease.connection.wire.borrow_mut();
    let mut reader = lease.connection.reader.borrow_mut();
    loop {
        if !wire.read.is_empty() {
            match reader.read_response(&mut wire.read, method, std::mem::take(spare)) {
                Ok(Some(head)) => return Poll::Ready(Ok(head)),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Err(malformed(error))),
            }
        }
        match wire.poll_fill(context, ReadSize::Small) {
            Poll::Ready(Ok(0)) if !wire.read.is_empty() => {
                return Poll::Ready(Err(Failure::after_sending(FailureKind::UpstreamMalformed)
                    .detail("the server closed the connection inside a response head")));
            }
            Poll::Ready(Ok(0)) => {
                return Poll::Ready(Err(Failure::after_sending(FailureKind::UpstreamClosed)));
            }
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => {
                return Poll::Ready(Err(
                    Failure::after_sending(FailureKind::UpstreamReset).detail(error)
                ));
            }
            Poll::Pending => return Poll::Pending,
        }
    }
}

fn malformed(error: HeadError) -> Failure {
    let kind = match error {
        HeadError::HeadTooLarge | HeadError::TooManyFields => FailureKind::UpstreamHeadTooLarge,
        _ => FailureKind::UpstreamMalformed,
    };
    Failure::after_sending(kind).detail(error)
}

fn client_failure(error: exchange::BodyError) -> FailureKind {
    match error {
        exchange::BodyError::Cut => FailureKind::ClientGone,
        exchange::BodyError::TimedOut => FailureKind::ClientTimedOut,
        exchange::BodyError::Malformed => FailureKind::ClientMalformed,
        exchange::BodyError::TooLarge | exchange::BodyError::Transform => FailureKind::Internal,
    }
}

fn is_interim(status: StatusCode) -> bool {
    status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS
}

fn pass_interim(client: &Client, version: Version, mut head: ResponseHead) {
    // The client was told already, or did not ask.
    if head.status == StatusCode::CONTINUE && !client.owes_continue() {
        return;
    }
    door::strip_response(&mut head.headers, false);
    client.queue_interim(version, head.status, &head.headers);
}

/// Turns the head into a response whose body streams from the connection. A body that is here
/// already is taken at once, and the connection given back before the client sees a byte.
fn receive(
    worker: &Worker,
    lease: Lease,
    head: ResponseHead,
    mut upload: Option<Upload>,
    upgrade: Option<HeaderValue>,
) -> Result<Response, Failure> {
    let ResponseHead { status, mut headers, has_hop_fields, body, keep_alive, .. } = head;
    let mut response = Response::new(status);
    if status == StatusCode::SWITCHING_PROTOCOLS {
        if upload.is_some() {
            return Err(Failure::after_sending(FailureKind::UpstreamMalformed)
                .detail("the server switched protocols before it had the whole request"));
        }
        return switch(lease, headers, upgrade);
    }
    // A server that answers before it wants the body does not get it any more, and the connection
    // cannot go on: the server may still take what comes next for the body (RFC 9110, 10.1.1).
    let is_withheld = upload.as_ref().is_some_and(Upload::is_waiting);
    if is_withheld {
        upload = None;
    }
    if has_hop_fields {
        door::strip_response(&mut headers, body == BodyLength::Chunked);
    }
    response.headers = headers;
    lease.keeps_alive.set(keep_alive && !is_withheld);
    let read_length = lease.connection.wire.borrow().read.len() as u64;
    response.body = match (Framing::new(body, Upstream::limits()), upload) {
        (None, upload) => {
            if upload.is_none() {
                lease.release(worker.clock.now());
            }
            if body == BodyLength::None { Body::Empty } else { Body::Full(bytes::Bytes::new()) }
        }
        (Some(Framing::Fixed(length)), None) if length <= read_length => {
            let data = lease.connection.wire.borrow_mut().read.split_to(length as usize).freeze();
            lease.release(worker.clock.now());
            Body::Full(data)
        }
        (Some(framing), upload) => Body::Stream(Box::new(UpstreamBody::new(
            lease,
            framing,
            upload,
            Rc::clone(&worker.clock),
        ))),
    };
    Ok(response)
}

/// Accepts a change of protocol, if it is the one that was asked for (RFC 9110, 7.8).
fn switch(
    lease: Lease,
    mut headers: HeaderMap,
    asked: Option<HeaderValue>,
) -> Result<Response, Failure> {
    let given = headers.get(UPGRADE).cloned();
    let agrees = match (&asked, &given) {
        (Some(asked), Some(given)) => asked.as_bytes().eq_ignore_ascii_case(given.as_bytes()),
        _ => false,
    };
    let Some(given) = given.filter(|_| agrees) else {
        return Err(Failure::after_sending(FailureKind::UpstreamMalformed)
            .detail("the server switched to a protocol that was not asked for"));
    };
    door::strip_response(&mut headers, false);
    headers.remove(EXPECT);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, given);
    let mut response = Response::new(StatusCode::SWITCHING_PROTOCOLS);
    response.headers = headers;
    response.body = Body::Empty;
    response.upgrade = Some(Upgrade(Box::new(lease)));
    Ok(response)
}
