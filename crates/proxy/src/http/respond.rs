//! hot path
//!
//! The way of a response onto the client's connection.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use ::exchange::{Body, BodyError, Frame, Response};
use codec::{BodyLength, ConnectionHeader};
use http::header::{DATE, HeaderValue};
use http::{Method, StatusCode, Version};

use crate::http::client::Client;
use crate::worker::Worker;

/// Bytes gathered from small pieces before they are written.
const GATHER_MAX: usize = 32 * 1024;

/// What the request said that its response depends on.
pub(crate) struct Asked {
    pub(crate) is_head: bool,
    pub(crate) version: Version,
    /// Whether the connection may go on after the response.
    pub(crate) keeps_alive: bool,
    pub(crate) write_timeout: Option<Duration>,
}

/// How a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The client has the whole response, and the connection goes on.
    KeepAlive,
    /// The client has the whole response; the connection ends.
    Close,
    /// The response broke off: the connection must end so that the client notices.
    Cut,
    /// As `Cut`, but the end of the connection would look like the end of the response, or would
    /// never come.
    CutByReset,
}

impl Asked {
    pub(crate) fn new(method: &Method, version: Version, keeps_alive: bool) -> Self {
        Self { is_head: method == Method::HEAD, version, keeps_alive, write_timeout: None }
    }
}

/// Writes a response, which loses its header fields. Its body streams with back-pressure: nothing
/// more is read from the server than the client takes.
pub(crate) async fn send(
    worker: &Worker,
    client: &Client,
    asked: &Asked,
    response: &mut Response,
) -> Sent {
    let has_no_body = asked.is_head
        || matches!(response.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let length = body_length(&response.body, asked, has_no_body);
    let ends_with_connection = length == BodyLength::UntilClose;
    let keeps_alive = asked.keeps_alive && !ends_with_connection;
    let connection =
        if keeps_alive { ConnectionHeader::KeepAlive } else { ConnectionHeader::Close };
    if !response.headers.contains_key(DATE) {
        response.headers.insert(DATE, worker.clock.date());
    }
    let head = (response.status, &response.headers);
    codec::encode_response(
        &mut client.wire.borrow_mut().write,
        asked.version,
        head.0,
        head.1,
        length,
        connection,
    );
    // Its values hold the buffer that the server's head was read into.
    worker.spares.put(std::mem::take(&mut response.headers));
    if has_no_body {
        response.body = Body::Empty;
    }
    client.alarm.set(asked.write_timeout.map(|limit| worker.clock.now() + limit));
    let sent = match &mut response.body {
        Body::Full(bytes) => {
            let bytes = std::mem::take(bytes);
            client.wire.borrow_mut().queue(bytes, b"");
            poll_fn(|context| poll_written(client, context)).await
        }
        Body::Empty => poll_fn(|context| poll_written(client, context)).await,
        body => stream(client, body, length).await,
    };
    match sent {
        Ok(()) if keeps_alive => Sent::KeepAlive,
        Ok(()) => Sent::Close,
        Err(_) if ends_with_connection => Sent::CutByReset,
        // An orderly end would wait behind what the client does not read, and the kernel would hold
        // all of it for as long.
        Err(BodyError::TimedOut) => Sent::CutByReset,
        Err(_) => Sent::Cut,
    }
}

fn body_length(body: &Body, asked: &Asked, has_no_body: bool) -> BodyLength {
    match body {
        Body::Empty if has_no_body => BodyLength::None,
        // The server's own Content-Length speaks for the body that HEAD does not get.
        Body::Full(bytes) if has_no_body && bytes.is_empty() => BodyLength::None,
        Body::Empty => BodyLength::Fixed(0),
        Body::Full(bytes) => BodyLength::Fixed(bytes.len() as u64),
        Body::Stream(stream) => match stream.remaining() {
            Some(length) => BodyLength::Fixed(length),
            None if asked.version == Version::HTTP_10 => BodyLength::UntilClose,
            None => BodyLength::Chunked,
        },
    }
}

/// Answers a request that could not be read; the connection ends.
pub(crate) async fn refuse(client: &Client, status: StatusCode, text: &'static str) {
    let mut response = Response::bare(status, text.as_bytes());
    response
        .headers
        .insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    codec::encode_response(
        &mut client.wire.borrow_mut().write,
        Version::HTTP_11,
        status,
        &response.headers,
        BodyLength::UntilClose,
        ConnectionHeader::Close,
    );
    client.wire.borrow_mut().queue(text.as_bytes().into(), b"");
    let _ = poll_fn(|context| poll_written(client, context)).await;
}

fn poll_written(client: &Client, context: &mut Context<'_>) -> Poll<Result<(), BodyError>> {
    match client.poll_drain(context) {
        Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
        Poll::Ready(Err(_)) => Poll::Ready(Err(BodyError::Cut)),
        Poll::Pending if client.alarm.is_over(context) => Poll::Ready(Err(BodyError::TimedOut)),
        Poll::Pending => {
            client.wire.borrow_mut().trim();
            Poll::Pending
        }
    }
}

async fn stream(client: &Client, body: &mut Body, length: BodyLength) -> Result<(), BodyError> {
    let is_chunked = length == BodyLength::Chunked;
    // Bytes that were announced and not queued yet. What is over would be read as the next response.
    let mut announced = match length {
        BodyLength::Fixed(length) => Some(length),
        _ => None,
    };
    let mut is_finished = false;
    let mut broken = None;
    // The client takes nothing for now: what comes from the server stays where it is.
    let mut is_stalled = false;
    poll_fn(|context| {
        loop {
            let has_room = {
                let wire = client.wire.borrow();
                wire.is_short() && wire.write.len() < GATHER_MAX
            };
            if is_finished || broken.is_some() || is_stalled || !has_room {
                let written = poll_written(client, context);
                is_stalled = written.is_pending();
                match (written, broken) {
                    (Poll::Ready(Ok(())), Some(error)) => return Poll::Ready(Err(error)),
                    (Poll::Ready(Ok(())), None) if is_finished => return Poll::Ready(Ok(())),
                    (Poll::Ready(Ok(())), None) => {}
                    (other, _) => return other,
                }
            }
            match body.poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let (Frame::Data(data), Some(rest)) = (&frame, &mut announced) {
                        *rest = rest.checked_sub(data.len() as u64).ok_or(BodyError::Transform)?;
                    }
                    is_finished |= queue_frame(client, frame, is_chunked);
                }
                Poll::Ready(None) if announced.is_some_and(|rest| rest > 0) => {
                    broken = Some(BodyError::Cut);
                }
                Poll::Ready(None) => {
                    is_finished = true;
                    if is_chunked {
                        codec::encode_last_chunk(&mut client.wire.borrow_mut().write, None);
                    }
                }
                // What came before the break is the client's all the same.
                Poll::Ready(Some(Err(error))) => broken = Some(error),
                Poll::Pending => {
                    // What came so far does not wait for what comes next.
                    if !client.wire.borrow().is_drained() {
                        match poll_written(client, context) {
                            Poll::Ready(Ok(())) => {}
                            other => {
                                is_stalled = other.is_pending();
                                return other;
                            }
                        }
                    }
                    if client.poll_gone(context).is_ready() {
                        return Poll::Ready(Err(BodyError::Cut));
                    }
                    if client.alarm.is_over(context) {
                        return Poll::Ready(Err(BodyError::TimedOut));
                    }
                    return Poll::Pending;
                }
            }
        }
    })
    .await
}

/// Queues one frame; tells whether it was the last.
fn queue_frame(client: &Client, frame: Frame, is_chunked: bool) -> bool {
    let mut wire = client.wire.borrow_mut();
    match frame {
        Frame::Data(data) if data.is_empty() => false,
        Frame::Data(data) if is_chunked => {
            codec::encode_chunk_head(&mut wire.write, data.len());
            wire.queue(data, codec::CHUNK_END);
            false
        }
        Frame::Data(data) => {
            wire.queue(data, b"");
            false
        }
        Frame::Trailers(fields) => {
            if is_chunked {
                codec::encode_last_chunk(&mut wire.write, Some(&fields));
            }
            true
        }
    }
}
