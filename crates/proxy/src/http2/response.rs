//! hot path
//!
//! The way of a response onto its stream.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use ::exchange::{Body, BodyError, Frame, Response};
use bytes::{Bytes, BytesMut};
use codec::is_forbidden_trailer;
use h2::SendStream;
use http::header::{
    CONNECTION, CONTENT_LENGTH, DATE, HeaderName, HeaderValue, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, StatusCode};

use crate::clock::Alarm;
use crate::http2::server::Session;
use crate::http2::stream::Stream;

/// Pieces shorter than this are gathered into one DATA frame.
const GATHER_BELOW: usize = 4 * 1024;
/// Bytes gathered at most: what a frame holds unless the client wants larger ones.
const GATHER_MAX: usize = 16 * 1024;

/// Fields that HTTP/2 does not have (RFC 9113, 8.2.2).
const CONNECTION_FIELDS: [HeaderName; 6] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// How a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Its last frame is on its way.
    Whole,
    /// It broke off: the stream must be reset so that the client notices.
    Cut,
    /// The client took the stream away.
    Gone,
}

/// Takes the fields off that HTTP/2 does not have.
pub(crate) fn strip(headers: &mut HeaderMap) {
    for name in &CONNECTION_FIELDS {
        if headers.contains_key(name) {
            headers.remove(name);
        }
    }
}

/// Writes a response. Its body streams with back-pressure: nothing more is read from the server
/// than the client takes.
pub(crate) async fn send(
    session: &Session,
    stream: &Stream,
    is_head: bool,
    response: &mut Response,
) -> Sent {
    let worker = &session.worker;
    let has_no_body =
        is_head || matches!(response.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let length = response.body.length();
    let mut head = http::Response::new(());
    *head.status_mut() = response.status;
    *head.headers_mut() = std::mem::take(&mut response.headers);
    let headers = head.headers_mut();
    strip(headers);
    announce(headers, response.status, &response.body, has_no_body);
    if !headers.contains_key(DATE) {
        headers.insert(DATE, worker.clock.date());
    }
    if has_no_body {
        response.body = Body::Empty;
    }
    let is_whole = response.body.is_empty();
    let Ok(send) = stream.begin_response(head, is_whole) else { return Sent::Gone };
    if is_whole {
        return Sent::Whole;
    }
    let limit = session.settings.write_timeout;
    stream.alarm.set(limit.map(|limit| worker.clock.now() + limit));
    let mut sending = Sending {
        send,
        body: response.body.take(),
        announced: length,
        waiting: Bytes::new(),
        gathered: BytesMut::new(),
        end: None,
        is_gone: false,
    };
    match poll_fn(|context| sending.poll(&stream.alarm, context)).await {
        Ok(()) => Sent::Whole,
        Err(_) if sending.is_gone => Sent::Gone,
        Err(_) => Sent::Cut,
    }
}

/// Writes Content-Length from the body alone. A response without a body by its nature keeps what
/// the server said of the body that it leaves out.
fn announce(headers: &mut HeaderMap, status: StatusCode, body: &Body, has_no_body: bool) {
    let said = headers.remove(CONTENT_LENGTH);
    let length = match body {
        _ if status == StatusCode::NO_CONTENT => return,
        body if has_no_body && body.is_empty() => {
            let is_number = |said: &HeaderValue| said.as_bytes().iter().all(u8::is_ascii_digit);
            said.filter(|said| !said.is_empty() && is_number(said))
        }
        _ if status == StatusCode::NOT_MODIFIED => said,
        body => body.length().map(HeaderValue::from),
    };
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, length);
    }
}

/// A body on its way.
struct Sending {
    send: SendStream<Bytes>,
    body: Body,
    /// Bytes that were announced and did not come yet.
    announced: Option<u64>,
    /// What the client has no room for yet.
    waiting: Bytes,
    /// Small pieces for one frame.
    gathered: BytesMut,
    end: Option<End>,
    is_gone: bool,
}

/// What comes after the last data.
enum End {
    Nothing,
    Trailers(HeaderMap),
    /// The body broke off.
    Broken(BodyError),
}

impl Sending {
    fn poll(&mut self, alarm: &Alarm, context: &mut Context<'_>) -> Poll<Result<(), BodyError>> {
        loop {
            if !self.waiting.is_empty() {
                ready!(self.poll_waiting(alarm, context))?;
                if matches!(self.end, Some(End::Nothing)) {
                    return Poll::Ready(Ok(()));
                }
            }
            match self.end.take() {
                None => {}
                Some(End::Nothing) => return Poll::Ready(self.frame(Bytes::new(), true)),
                Some(End::Trailers(fields)) => {
                    let sent = self.send.send_trailers(fields);
                    return Poll::Ready(sent.map_err(|_| self.gone()));
                }
                Some(End::Broken(error)) => return Poll::Ready(Err(error)),
            }
            match self.body.poll_frame(context) {
                Poll::Ready(Some(Ok(Frame::Data(data)))) => {
                    if let Some(rest) = &mut self.announced {
                        *rest = rest.checked_sub(data.len() as u64).ok_or(BodyError::Transform)?;
                    }
                    self.take(data);
                    continue;
                }
                Poll::Ready(Some(Ok(Frame::Trailers(fields)))) => {
                    self.end = Some(End::Trailers(acceptable(fields)));
                }
                Poll::Ready(None) if self.announced.is_some_and(|rest| rest > 0) => {
                    self.end = Some(End::Broken(BodyError::Cut));
                }
                Poll::Ready(None) => self.end = Some(End::Nothing),
                Poll::Ready(Some(Err(error))) => self.end = Some(End::Broken(error)),
                Poll::Pending if self.gathered.is_empty() => {
                    if self.send.poll_reset(context).is_ready() {
                        return Poll::Ready(Err(self.gone()));
                    }
                    if alarm.is_over(context) {
                        return Poll::Ready(Err(BodyError::TimedOut));
                    }
                    return Poll::Pending;
                }
                Poll::Pending => {}
            }
            // What came so far does not wait for what comes next.
            self.waiting = self.gathered.split().freeze();
        }
    }

    fn take(&mut self, data: Bytes) {
        if self.gathered.is_empty() && data.len() >= GATHER_BELOW {
            self.waiting = data;
            return;
        }
        self.gathered.extend_from_slice(&data);
        if self.gathered.len() >= GATHER_MAX {
            self.waiting = self.gathered.split().freeze();
        }
    }

    /// Sends what waits, as far as the client has room. Room is asked for only when there is
    /// something to send: a silent stream must not hold what the others could use.
    fn poll_waiting(
        &mut self,
        alarm: &Alarm,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), BodyError>> {
        self.send.reserve_capacity(self.waiting.len());
        while !self.waiting.is_empty() {
            let room = self.send.capacity().min(self.waiting.len());
            if room > 0 {
                let data = self.waiting.split_to(room);
                let is_last = self.waiting.is_empty() && matches!(self.end, Some(End::Nothing));
                self.frame(data, is_last)?;
                continue;
            }
            match self.send.poll_capacity(context) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(_) => return Poll::Ready(Err(self.gone())),
                Poll::Pending if alarm.is_over(context) => {
                    return Poll::Ready(Err(BodyError::TimedOut));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn frame(&mut self, data: Bytes, is_last: bool) -> Result<(), BodyError> {
        self.send.send_data(data, is_last).map_err(|_| self.gone())
    }

    fn gone(&mut self) -> BodyError {
        self.is_gone = true;
        BodyError::Cut
    }
}

/// Leaves out what may not come in trailers.
fn acceptable(mut fields: HeaderMap) -> HeaderMap {
    let forbidden: Vec<HeaderName> = fields
        .keys()
        .filter(|name| is_forbidden_trailer(name.as_str().as_bytes()))
        .cloned()
        .collect();
    for name in forbidden.iter().chain(&CONNECTION_FIELDS) {
        fields.remove(name);
    }
    fields
}
