//! hot path
//!
//! A request's body on its way into a stream, polled beside the wait for the response.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use exchange::{Body, BodyError, BodyStream, Frame};
use h2::SendStream;
use http::HeaderMap;
use tokio::time::Sleep;

use crate::http2::upstream::fields;

/// Sends a body; nothing more is taken from it than the server's window has room for, but for the
/// piece at hand.
pub(super) struct Outgoing {
    stream: SendStream<Bytes>,
    body: Body,
    /// A piece taken and not sent.
    piece: Bytes,
    /// Bytes that were announced and not taken yet.
    announced: Option<u64>,
    /// What was taken from the body, as long as that is little: a server that did not process the
    /// request is not the end of it.
    taken: Option<Taken>,
    /// How the body ended, once it has.
    end: Option<End>,
    is_over: bool,
    /// Runs while the server has not said whether it wants the body.
    continue_timeout: Option<Pin<Box<Sleep>>>,
}

/// Bytes of a body that are kept until the server answers.
const TAKEN_MAX: usize = 64 * 1024;

/// The beginning of a body that was taken, and the rest.
#[derive(Default)]
struct Taken {
    pieces: VecDeque<Bytes>,
    bytes: usize,
    trailers: Option<HeaderMap>,
    has_ended: bool,
    rest: Body,
    /// `None`: no length was announced.
    rest_length: Option<u64>,
}

impl BodyStream for Taken {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        if let Some(piece) = self.pieces.pop_front() {
            self.bytes -= piece.len();
            return Poll::Ready(Some(Ok(Frame::Data(piece))));
        }
        if let Some(trailers) = self.trailers.take() {
            self.has_ended = true;
            return Poll::Ready(Some(Ok(Frame::Trailers(trailers))));
        }
        if self.has_ended {
            return Poll::Ready(None);
        }
        let frame = self.rest.poll_frame(context);
        if let (Poll::Ready(Some(Ok(Frame::Data(data)))), Some(rest)) =
            (&frame, &mut self.rest_length)
        {
            *rest = rest.saturating_sub(data.len() as u64);
        }
        frame
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.bytes as u64 + self.rest_length?)
    }
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
            taken: Some(Taken::default()),
            end: None,
            is_over: false,
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

    /// Gives the whole body back, if it is still there.
    pub(super) fn into_whole(mut self) -> Option<Body> {
        let mut taken = self.taken.take()?;
        taken.rest = self.body;
        taken.rest_length = self.announced;
        if taken.pieces.is_empty() && taken.trailers.is_none() && !taken.has_ended {
            return Some(taken.rest);
        }
        Some(Body::Stream(Box::new(taken)))
    }

    /// Tells whether there is nothing left to do for it.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The server has answered: the request is not sent again.
    pub(super) fn without_taken(mut self) -> Self {
        self.taken = None;
        self
    }

    /// Sends what there is room for.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), OutgoingError>> {
        let ended = ready!(self.poll_all(context));
        self.is_over = true;
        Poll::Ready(ended)
    }

    fn poll_all(&mut self, context: &mut Context<'_>) -> Poll<Result<(), OutgoingError>> {
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
        self.note(&frame);
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

    fn note(&mut self, frame: &Option<Result<Frame, BodyError>>) {
        let Some(taken) = &mut self.taken else { return };
        match frame {
            Some(Ok(Frame::Data(data))) if taken.bytes + data.len() <= TAKEN_MAX => {
                taken.bytes += data.len();
                taken.pieces.push_back(data.clone());
            }
            Some(Ok(Frame::Trailers(trailers))) => taken.trailers = Some(trailers.clone()),
            None => taken.has_ended = true,
            Some(Ok(Frame::Data(_)) | Err(_)) => self.taken = None,
        }
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
