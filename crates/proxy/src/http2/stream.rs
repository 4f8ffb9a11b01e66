//! hot path
//!
//! One stream: a request that runs through the same exchange as HTTP/1.1's.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll};

use ::exchange::{Body, FailureKind, Response};
use bytes::Bytes;
use codec::BodyLength;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::header::SEC_WEBSOCKET_ACCEPT;
use http::{HeaderMap, Method, StatusCode};

use crate::clock::Alarm;
use crate::http::door::{self, Doorway, Turned};
use crate::http::exchange;
use crate::http::{ClientSide, Lease};
use crate::http2::head::Head;
use crate::http2::request_body::RequestBody;
use crate::http2::response::{self, Sent};
use crate::http2::server::Session;
use crate::http2::socket::Socket;
use crate::http2::tunnel::Tunnel;

/// A stream as its exchange sees the client.
pub(crate) struct Stream {
    pub(crate) alarm: Rc<Alarm>,
    respond: RefCell<SendResponse<Bytes>>,
    socket: Socket,
    /// The client waits for `100 Continue` and has not got it.
    owes_continue: Cell<bool>,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Its response went out, or was broken off from this side.
    Answered,
    /// The client reset it, made us reset it, or took the whole connection away.
    Broken,
}

impl Stream {
    /// Tells when the client has gone: it reset the stream, or the connection is over. Must not be
    /// asked once the response has begun.
    pub(crate) fn poll_gone(&self, context: &mut Context<'_>) -> Poll<()> {
        self.respond.borrow_mut().poll_reset(context).map(|_| ())
    }

    /// Ready when the client can take an interim response: `h2` would queue any number.
    pub(crate) fn poll_interim_sent(&self, context: &mut Context<'_>) -> Poll<()> {
        self.socket.poll_writable(context)
    }

    /// Tells whether the client waits for `100 Continue`.
    pub(crate) fn owes_continue(&self) -> bool {
        self.owes_continue.get()
    }

    /// Says `100 Continue` if the client waits for it.
    pub(crate) fn send_continue(&self) {
        if self.owes_continue.get() {
            self.queue_interim(StatusCode::CONTINUE, HeaderMap::new());
        }
    }

    /// Queues an interim response: 100 to 199, but not 101.
    pub(crate) fn queue_interim(&self, status: StatusCode, mut headers: HeaderMap) {
        if status == StatusCode::CONTINUE {
            self.owes_continue.set(false);
        }
        response::strip(&mut headers);
        headers.remove(http::header::CONTENT_LENGTH);
        let mut interim = http::Response::new(());
        *interim.status_mut() = status;
        *interim.headers_mut() = headers;
        // An error says that the stream is gone, which its task notices by itself.
        let _ = self.respond.borrow_mut().send_informational(interim);
    }

    /// Begins the response.
    pub(crate) fn begin_response(
        &self,
        head: http::Response<()>,
        is_whole: bool,
    ) -> Result<SendStream<Bytes>, h2::Error> {
        self.owes_continue.set(false);
        self.respond.borrow_mut().send_response(head, is_whole)
    }

    /// Ends the stream without, or inside, its response.
    pub(crate) fn reset(&self, reason: Reason) {
        self.respond.borrow_mut().send_reset(reason);
    }
}

/// Serves a stream to its end.
pub(crate) async fn serve(
    session: &Session,
    head: Head,
    receive: RecvStream,
    respond: SendResponse<Bytes>,
) -> Ended {
    let Head { request: head, is_tunnel, .. } = head;
    let worker = &session.worker;
    let settings = &session.settings;
    let stream = Rc::new(Stream {
        alarm: worker.clock.alarm(),
        respond: RefCell::new(respond),
        socket: session.socket.clone(),
        owes_continue: Cell::new(head.expects_continue),
    });
    // What was reset before its turn came costs a server nothing.
    let is_gone = std::future::poll_fn(|context| Poll::Ready(stream.poll_gone(context).is_ready()));
    if is_gone.await {
        return Ended::Broken;
    }
    let is_head = head.method == Method::HEAD;
    let mut tunnel = None;
    let body = match head.body {
        BodyLength::None if is_tunnel => {
            tunnel = Some(receive);
            Body::Empty
        }
        BodyLength::None => Body::Empty,
        BodyLength::Fixed(0) => Body::Full(Bytes::new()),
        length => {
            let limit = settings.read_timeout;
            stream.alarm.set(limit.map(|limit| worker.clock.now() + limit));
            let length = match length {
                BodyLength::Fixed(length) => Some(length),
                _ => None,
            };
            Body::Stream(Box::new(RequestBody::new(receive, Rc::clone(&stream), length)))
        }
    };
    let doorway = Doorway {
        settings,
        connection: &session.connection,
        trusts_peer: session.trusts_peer,
        hostname: &worker.hostname,
    };
    let mut response = match door::admit(&doorway, head, body) {
        Ok(request) => {
            let snapshot = worker.snapshot();
            let client = ClientSide::Http2(&stream);
            let connection = &session.connection;
            let mut exchange =
                exchange::run(worker, client, settings, connection, request, &snapshot).await;
            let is_gone = exchange
                .failure
                .as_ref()
                .is_some_and(|failure| failure.kind == FailureKind::ClientGone);
            if is_gone {
                return Ended::Broken;
            }
            worker.spares.put(std::mem::take(&mut exchange.request.headers));
            exchange.response
        }
        Err(Turned::Answered(response)) => *response,
        Err(Turned::Unreadable) => refusal(StatusCode::BAD_REQUEST),
    };
    if let Some(upgrade) = response.upgrade.take() {
        let (Ok(lease), Some(receive)) = (upgrade.0.downcast::<Lease>(), tunnel) else {
            stream.reset(Reason::INTERNAL_ERROR);
            return Ended::Answered;
        };
        let head = opened(std::mem::take(&mut response.headers));
        let Ok(send) = stream.begin_response(head, false) else { return Ended::Broken };
        let server = &lease.connection.wire;
        Tunnel { send, receive, server }.carry(&stream.alarm).await;
        return Ended::Answered;
    }
    match response::send(session, &stream, is_head, &mut response).await {
        Sent::Whole => Ended::Answered,
        Sent::Gone => Ended::Broken,
        Sent::Cut => {
            // What came before the break is the client's all the same: the connection gets a turn
            // to write it, since a reset throws away what is queued.
            tokio::task::yield_now().await;
            stream.reset(Reason::INTERNAL_ERROR);
            Ended::Answered
        }
    }
}

/// What a change of protocols in HTTP/1.1 is in HTTP/2 (RFC 8441, 5).
fn opened(mut headers: HeaderMap) -> http::Response<()> {
    response::strip(&mut headers);
    headers.remove(SEC_WEBSOCKET_ACCEPT);
    let mut head = http::Response::new(());
    *head.headers_mut() = headers;
    head
}

/// Answers a head that is not served.
pub(crate) async fn refuse(session: &Session, respond: SendResponse<Bytes>, status: StatusCode) {
    let stream = Stream {
        alarm: session.worker.clock.alarm(),
        respond: RefCell::new(respond),
        socket: session.socket.clone(),
        owes_continue: Cell::new(false),
    };
    response::send(session, &stream, false, &mut refusal(status)).await;
}

fn refusal(status: StatusCode) -> Response {
    let mut response = Response::status_only(status);
    response.headers.insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}
