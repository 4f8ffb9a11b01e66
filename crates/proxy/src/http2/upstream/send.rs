//! hot path
//!
//! A request's way through a stream: the head, the wait for the response, and what a stream that
//! broke means for another try.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use exchange::{Body, Failure, FailureKind, Request, Response};
use h2::Reason;
use h2::client::ResponseFuture;
use http::header::{CONTENT_LENGTH, HeaderValue, TE};
use http::uri::{Authority, PathAndQuery, Scheme as UriScheme};
use http::{Method, StatusCode, Uri, Version};
use routing::{LoadBalancer, Scheme, Server};

use crate::http::door::{self, X_FORWARDED_FOR};
use crate::http::forward::{self, CONTINUE_TIMEOUT, Origin, unless_gone};
use crate::http2::upstream::connection::Connection;
use crate::http2::upstream::fields;
use crate::http2::upstream::group::{Slot, Way};
use crate::http2::upstream::incoming::Incoming;
use crate::http2::upstream::outgoing::{Outgoing, OutgoingError};
use crate::worker::Worker;

/// Connections that a request is tried on when servers did not process it.
const TRIES_MAX: u32 = 3;

/// Sends `request` over HTTP/2, or over HTTP/1.1 if the server chooses that, and reads the
/// response's head.
pub(crate) async fn forward(
    worker: &Worker,
    origin: &Origin<'_>,
    balancer: &LoadBalancer,
    server: &Arc<Server>,
    request: &mut Request,
) -> Result<Response, Failure> {
    let transport = &balancer.transport;
    let group = worker.pool.group(server, transport, &worker.clock);
    let mut tries = 1;
    loop {
        let slot = match unless_gone(origin, group.way(server, transport)).await? {
            Way::Http2(slot) => slot,
            Way::Http1(upstream) => {
                let lease = worker.pool.adopt(upstream, server, transport);
                return forward::attempt(worker, origin, balancer, server, request, lease).await;
            }
        };
        let is_used = slot.is_used;
        let broken = match attempt(worker, origin, balancer, server, request, slot).await {
            Ok(response) => return Ok(response),
            Err(broken) => broken,
        };
        let Broken { failure, is_lost, body } = broken;
        let Some(body) = body else { return Err(failure) };
        request.body = body;
        // As over HTTP/1.1: a connection that ends when it is used again was ending already.
        let was_ending = is_used && is_lost && request.method.is_idempotent();
        let is_server =
            matches!(failure.kind, FailureKind::UpstreamClosed | FailureKind::UpstreamReset);
        if !is_server || (failure.request_was_sent && !was_ending) || tries >= TRIES_MAX {
            return Err(failure);
        }
        tries += 1;
    }
}

/// A try that came to nothing.
struct Broken {
    failure: Failure,
    /// The connection ended under the request.
    is_lost: bool,
    /// The whole body, if it is still there.
    body: Option<Body>,
}

impl Broken {
    fn new(failure: Failure, body: Option<Body>) -> Self {
        Self { failure, is_lost: false, body }
    }
}

/// Sends the request through one stream.
async fn attempt(
    worker: &Worker,
    origin: &Origin<'_>,
    balancer: &LoadBalancer,
    server: &Server,
    request: &mut Request,
    slot: Slot,
) -> Result<Response, Broken> {
    let head = match head(origin, balancer, server, request) {
        Ok(head) => head,
        Err(failure) => return Err(Broken::new(failure, Some(request.body.take()))),
    };
    let kept = forward::clone_in_memory(&request.body);
    let body = request.body.take();
    let connection = &slot.connection;
    let is_bodiless = body.is_empty();
    let (mut answer, mut stream) = match connection.send(head, is_bodiless) {
        Ok(opened) => opened,
        Err(error) => {
            // Nothing can be sent on it any more; after a thousand million requests for want of
            // stream numbers.
            connection.retire();
            let failure = Failure::before_sending(FailureKind::UpstreamClosed).detail(error);
            return Err(Broken { failure, is_lost: true, body: Some(body) });
        }
    };
    let mut outgoing = match body {
        _ if is_bodiless => None,
        // What is in memory need not wait for room.
        Body::Full(bytes) => {
            // If the stream is broken already, the wait for the response says why.
            let _ = stream.send_data(bytes, true);
            None
        }
        body => {
            Some(Outgoing::new(stream, body, request.expects_continue.then_some(CONTINUE_TIMEOUT)))
        }
    };
    let was_streamed = outgoing.is_some();
    match await_head(worker, origin, balancer, request, &mut answer, &mut outgoing).await {
        Ok(received) => Ok(receive(received, &request.method, slot, outgoing)),
        Err(Interrupted::Here(failure)) => Err(Broken::new(failure, None)),
        Err(Interrupted::Stream(error)) => {
            let (mut failure, is_lost) = failure(&error, &slot.connection);
            let body = match was_streamed {
                true => outgoing.and_then(Outgoing::into_whole),
                false => Some(kept),
            };
            // Without its body nobody can send it again.
            failure.request_was_sent |= body.is_none();
            Err(Broken { failure, is_lost, body })
        }
    }
}

/// Why no head came.
enum Interrupted {
    /// Client or time.
    Here(Failure),
    Stream(h2::Error),
}

/// A response's head, and the body as far as it is here.
struct Received {
    head: http::response::Parts,
    stream: h2::RecvStream,
    /// The first piece of the body, if it came with the head.
    first: Bytes,
}

/// Writes the head that the server gets. The request stays as the middlewares left it.
fn head(
    origin: &Origin<'_>,
    balancer: &LoadBalancer,
    server: &Server,
    request: &mut Request,
) -> Result<http::Request<()>, Failure> {
    let host = forward::host(balancer, server, &request.authority);
    let authority = Authority::try_from(host.as_bytes()).map_err(|error| {
        Failure::before_sending(FailureKind::ClientMalformed)
            .detail(format_args!("the host cannot be sent over HTTP/2: {error}"))
    })?;
    let target = match &server.base_path {
        None => request.target.clone(),
        Some(base) => {
            let joined = forward::join_paths(base, request.target.as_str());
            PathAndQuery::try_from(joined)
                .map_err(|error| Failure::before_sending(FailureKind::Internal).detail(error))?
        }
    };
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(match server.scheme {
        Scheme::Https => UriScheme::HTTPS,
        Scheme::Http | Scheme::H2c => UriScheme::HTTP,
    });
    uri.authority = Some(authority);
    uri.path_and_query = Some(target);
    let uri = Uri::from_parts(uri)
        .map_err(|error| Failure::before_sending(FailureKind::Internal).detail(error))?;
    forward::strip_hop(&mut request.headers, origin);
    let mut headers = request.headers.clone();
    fields::strip_framing(&mut headers);
    if let Some(settings) = origin.forwarded {
        let received = headers.remove(X_FORWARDED_FOR);
        let value = match forward::forwarded_for(origin.connection, settings, received.as_ref()) {
            [Some(received), Some(appended)] => {
                let joined = [received.as_bytes(), b", ", appended.as_bytes()].concat();
                HeaderValue::from_maybe_shared(Bytes::from(joined)).ok()
            }
            [received, appended] => received.or(appended).cloned(),
        };
        if let Some(value) = value {
            headers.insert(X_FORWARDED_FOR, value);
        }
    }
    if request.accepts_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    if let Some(length) = announced(request) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    let mut head = http::Request::new(());
    *head.method_mut() = request.method.clone();
    *head.uri_mut() = uri;
    *head.version_mut() = Version::HTTP_2;
    *head.headers_mut() = headers;
    Ok(head)
}

/// The length that is announced, as over HTTP/1.1.
fn announced(request: &Request) -> Option<u64> {
    let method = &request.method;
    match (&request.body, request.body.length()) {
        (Body::Empty, _) => {
            matches!(*method, Method::POST | Method::PUT | Method::PATCH).then_some(0)
        }
        (_, Some(0)) if matches!(*method, Method::GET | Method::HEAD) => None,
        (_, length) => length,
    }
}

/// Sends the body, and waits for the response's head; meanwhile passes interim responses on, and
/// watches the client and the time.
async fn await_head(
    worker: &Worker,
    origin: &Origin<'_>,
    balancer: &LoadBalancer,
    request: &Request,
    answer: &mut ResponseFuture,
    outgoing: &mut Option<Outgoing>,
) -> Result<Received, Interrupted> {
    let mut waits_for_head = false;
    let own_alarm;
    let alarm = match origin.client {
        Some(client) => client.alarm(),
        None => {
            own_alarm = worker.clock.alarm();
            &own_alarm
        }
    };
    let here = |kind| Poll::Ready(Err(Interrupted::Here(Failure::after_sending(kind))));
    poll_fn(|context| {
        match outgoing.as_mut().filter(|outgoing| !outgoing.is_over()).map(|o| o.poll(context)) {
            Some(Poll::Pending) => {}
            Some(Poll::Ready(Err(OutgoingError::Client(error)))) => {
                return here(forward::client_failure(error));
            }
            // The server may have answered before it stopped reading: look for that first.
            Some(Poll::Ready(Ok(()) | Err(OutgoingError::Server))) | None => {
                if !waits_for_head {
                    waits_for_head = true;
                    let limit = balancer.transport.response_header_timeout;
                    alarm.set(limit.map(|limit| worker.clock.now() + limit));
                }
            }
        }
        let is_client_behind = match forward::poll_client_drained(origin, context) {
            Poll::Ready(Ok(())) => false,
            Poll::Ready(Err(failure)) => return Poll::Ready(Err(Interrupted::Here(failure))),
            Poll::Pending => true,
        };
        if !is_client_behind {
            match answer.poll_informational(context) {
                Poll::Ready(Some(Ok(interim))) => {
                    let (head, ()) = interim.into_parts();
                    if head.status == StatusCode::CONTINUE
                        && let Some(outgoing) = outgoing
                    {
                        outgoing.proceed();
                    }
                    if let Some(client) = origin.client
                        && forward::is_interim(head.status)
                    {
                        forward::pass_interim(client, request.version, head.status, head.headers);
                    }
                    context.waker().wake_by_ref();
                }
                Poll::Ready(None) => match poll_received(answer, context) {
                    Poll::Ready(Ok(received)) => return Poll::Ready(Ok(received)),
                    Poll::Ready(Err(error)) => {
                        return Poll::Ready(Err(Interrupted::Stream(error)));
                    }
                    Poll::Pending => {}
                },
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Err(Interrupted::Stream(error)));
                }
                Poll::Pending => {}
            }
        }
        if let Some(client) = origin.client
            && client.poll_gone(context).is_ready()
        {
            return here(FailureKind::ClientGone);
        }
        if alarm.is_over(context) {
            return here(FailureKind::ResponseHeaderTimedOut);
        }
        Poll::Pending
    })
    .await
}

/// Takes the head, and what there is of the body: small responses come in one go.
fn poll_received(
    answer: &mut ResponseFuture,
    context: &mut Context<'_>,
) -> Poll<Result<Received, h2::Error>> {
    let (head, mut stream) = ready!(Pin::new(answer).poll(context))?.into_parts();
    let first = match stream.poll_data(context) {
        Poll::Ready(Some(Ok(data))) => {
            let _ = stream.flow_control().release_capacity(data.len());
            data
        }
        // What else there is comes again when the body is read.
        Poll::Ready(Some(Err(_)) | None) | Poll::Pending => Bytes::new(),
    };
    Poll::Ready(Ok(Received { head, stream, first }))
}

/// Turns the head into a response. A body that is here as a whole is given as such; a longer one
/// streams.
fn receive(
    received: Received,
    method: &Method,
    slot: Slot,
    outgoing: Option<Outgoing>,
) -> Response {
    let Received { head, stream, first } = received;
    let mut response = Response::new(head.status);
    response.headers = head.headers;
    let headers = &mut response.headers;
    let has_no_body = method == Method::HEAD
        || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if has_no_body {
        door::strip_response(headers, false);
        response.body = Body::Empty;
        return response;
    }
    let length = headers.remove(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    door::strip_response(headers, length.is_none());
    if stream.is_end_stream() {
        response.body = Body::Full(first);
        return response;
    }
    // A server that answers before it wants the body does not get it any more: the stream is reset
    // once the response is here.
    let outgoing = outgoing
        .filter(|outgoing| !outgoing.is_waiting() && !outgoing.is_over())
        .map(Outgoing::without_taken);
    response.body = Body::Stream(Box::new(Incoming::new(stream, first, length, outgoing, slot)));
    response
}

/// What an error of a stream means, and whether its connection was lost.
fn failure(error: &h2::Error, connection: &Connection) -> (Failure, bool) {
    let failure = if error.is_go_away() && error.is_remote() {
        // RFC 9113, 6.8: what comes after the last stream named was not processed.
        return (
            Failure::before_sending(FailureKind::UpstreamClosed)
                .detail(format_args!("the server said GOAWAY: {error}")),
            true,
        );
    } else if error.is_reset() && error.is_remote() {
        // RFC 9113, 8.7: a refused stream was not processed either.
        let failure = match error.reason() {
            Some(Reason::REFUSED_STREAM) => Failure::before_sending(FailureKind::UpstreamReset),
            _ => Failure::after_sending(FailureKind::UpstreamReset),
        };
        return (failure.detail(format_args!("the server reset the stream: {error}")), false);
    } else if let Some(error) = error.get_io() {
        match error.kind() {
            io::ErrorKind::ConnectionReset => FailureKind::UpstreamReset,
            _ => FailureKind::UpstreamClosed,
        }
    } else if error.is_library() {
        FailureKind::UpstreamMalformed
    } else {
        FailureKind::Internal
    };
    let detail = connection.end().unwrap_or_else(|| error.to_string().into_boxed_str());
    (Failure::after_sending(failure).detail(detail), error.is_io())
}
