//! hot path
//!
//! A request's body on its way into a stream, polled beside the wait for the response.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use exchange::{Body, BodyError, Frame};
use h2::SendStream;
use http::HeaderMap;
use tokio::time::Sleep;

use crate::http2::fields;

/// Sends a body; nothing more is taken from it than the server's window has room for, but for the
/// piece at hand.
pub(super) struct Outgoing {
    stream: SendStream<Bytes>,
    body: Body,
    /// A piece taken and not sent.
    piece: Bytes,
    /// Bytes that were announced and not taken yet.
    announced: Option<u64>,
    /// Nothing was taken from the body so far.
    is_untouched: bool,
    /// How the body ended, once it has.
    end: Option<End>,
    /// Runs while the server has not said whether it wants the body.
    continue_timeout: Option<Pin<Box<Sleep>>>,
}

/// How a body ended.
enum End {
    Plain,
    Trailers(HeaderMap),
    /// The last frame said so already.
    Sent,
}

/// Whose end broke.
pub(super) enum OutgoingError {
    Client(BodyError),
    /// The response says what is the matter, if it matters.
    Server,
}

impl Outgoing {
    /// Starts a body. With `wait` it is held back until [`Self::proceed`], or that long.
    pub(super) fn new(stream: SendStream<Bytes>, body: Body, wait: Option<Duration>) -> Self {
        Self {
            stream,
            announced: body.length(),
            body,
            piece: Bytes::new(),
            is_untouched: true,
            end: None,
            continue_timeout: wait.map(|wait| Box::pin(tokio::time::sleep(wait))),
        }
    }

    /// Tells whether the body is still held back.
    pub(super) fn is_waiting(&self) -> bool {
        self.continue_timeout.is_some()
    }

    /// The server said `100 Continue`.
    pub(super) fn proceed(&mut self) {
        self.continue_timeout = None;
    }

    /// Gives the body back, if nothing was taken from it.
    pub(super) fn into_untouched(self) -> Option<Body> {
        self.is_untouched.then_some(self.body)
    }

    /// Sends what there is room for.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), OutgoingError>> {
        loop {
            if self.piece.is_empty() {
                let ended = match self.end.take() {
                    None => {
                        ready!(self.poll_body(context))?;
                        continue;
                    }
                    Some(End::Plain) => self.stream.send_data(Bytes::new(), true),
                    Some(End::Trailers(trailers)) => self.stream.send_trailers(trailers),
                    Some(End::Sent) => Ok(()),
                };
                return Poll::Ready(ended.map_err(|_| OutgoingError::Server));
            }
            // After the last byte announced only the end can come: it may go with the last frame.
            if self.announced == Some(0)
                && self.end.is_none()
                && let Poll::Ready(Err(error)) = self.poll_body(context)
            {
                return Poll::Ready(Err(error));
            }
            ready!(self.poll_piece(context))?;
        }
    }

    /// Takes the next frame of the body.
    fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<Result<(), OutgoingError>> {
        if let Some(timeout) = &mut self.continue_timeout {
            ready!(timeout.as_mut().poll(context));
            self.continue_timeout = None;
        }
        let frame = ready!(self.body.poll_frame(context));
        self.is_untouched = false;
        match frame {
            Some(Ok(Frame::Data(data))) if data.is_empty() => {}
            Some(Ok(Frame::Data(data))) => {
                if let Some(rest) = &mut self.announced {
                    *rest = rest
                        .checked_sub(data.len() as u64)
                        .ok_or(OutgoingError::Client(BodyError::Transform))?;
                }
                self.piece = data;
            }
            Some(Ok(Frame::Trailers(mut trailers))) => {
                fields::strip_trailers(&mut trailers);
                self.end = Some(End::Trailers(trailers));
            }
            Some(Err(error)) => return Poll::Ready(Err(OutgoingError::Client(error))),
            None if self.announced.is_some_and(|rest| rest > 0) => {
                return Poll::Ready(Err(OutgoingError::Client(BodyError::Transform)));
            }
            None => self.end = Some(End::Plain),
        }
        Poll::Ready(Ok(()))
    }

    /// Sends as much of the piece at hand as there is room for.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<(), OutgoingError>> {
        self.stream.reserve_capacity(self.piece.len());
        while self.stream.capacity() == 0 {
            match ready!(self.stream.poll_capacity(context)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Poll::Ready(Err(OutgoingError::Server)),
            }
        }
        let data = self.piece.split_to(self.piece.len().min(self.stream.capacity()));
        let is_last = self.piece.is_empty() && matches!(self.end, Some(End::Plain));
        if is_last {
            self.end = Some(End::Sent);
        }
        let sent = self.stream.send_data(data, is_last);
        Poll::Ready(sent.map_err(|_| OutgoingError::Server))
    }
}
