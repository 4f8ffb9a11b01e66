//! hot path
//!
//! A request's body on its way to the server, polled beside the wait for the response.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use codec::BodyLength;
use exchange::{Body, BodyError, Frame};
use tokio::time::Sleep;

use crate::http::wire::Wire;

/// Sends a body.
pub(crate) struct Upload {
    body: Body,
    is_chunked: bool,
    /// Bytes that were announced and not sent yet.
    announced: Option<u64>,
    is_finished: bool,
    /// Runs while the server has not said whether it wants the body.
    continue_timeout: Option<Pin<Box<Sleep>>>,
}

/// Whose end broke.
pub(crate) enum UploadError {
    Client(BodyError),
    Upstream,
}

impl Upload {
    /// Starts a body that was announced with that length. With `wait` it is held back until
    /// [`Self::proceed`], or that long.
    pub(crate) fn new(body: Body, length: BodyLength, wait: Option<Duration>) -> Self {
        let announced = match length {
            BodyLength::Fixed(length) => Some(length),
            _ => None,
        };
        let continue_timeout = wait.map(|wait| Box::pin(tokio::time::sleep(wait)));
        let is_chunked = announced.is_none();
        Self { body, is_chunked, announced, is_finished: false, continue_timeout }
    }

    /// Tells whether the body is still held back.
    pub(crate) fn is_waiting(&self) -> bool {
        self.continue_timeout.is_some()
    }

    /// The server said `100 Continue`.
    pub(crate) fn proceed(&mut self) {
        self.continue_timeout = None;
    }

    /// Sends what there is.
    pub(crate) fn poll(
        &mut self,
        wire: &RefCell<Wire>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), UploadError>> {
        loop {
            if !wire.borrow().is_drained() {
                ready!(wire.borrow_mut().poll_drain(context)).map_err(|_| UploadError::Upstream)?;
            }
            if self.is_finished {
                return Poll::Ready(Ok(()));
            }
            if let Some(timeout) = &mut self.continue_timeout {
                ready!(timeout.as_mut().poll(context));
                self.continue_timeout = None;
            }
            match ready!(self.body.poll_frame(context)) {
                Some(Ok(Frame::Data(data))) => {
                    if let Some(rest) = &mut self.announced {
                        // More than announced would be read as the next request.
                        *rest = rest
                            .checked_sub(data.len() as u64)
                            .ok_or(UploadError::Client(BodyError::Transform))?;
                    }
                    self.queue(&mut wire.borrow_mut(), data);
                }
                Some(Ok(Frame::Trailers(fields))) => {
                    self.is_finished = true;
                    if self.is_chunked {
                        codec::encode_last_chunk(&mut wire.borrow_mut().write, Some(&fields));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Err(UploadError::Client(error))),
                None if self.announced.is_some_and(|rest| rest > 0) => {
                    return Poll::Ready(Err(UploadError::Client(BodyError::Transform)));
                }
                None => {
                    self.is_finished = true;
                    if self.is_chunked {
                        codec::encode_last_chunk(&mut wire.borrow_mut().write, None);
                    }
                }
            }
        }
    }

    fn queue(&self, wire: &mut Wire, data: Bytes) {
        if data.is_empty() {
            return;
        }
        if self.is_chunked {
            codec::encode_chunk_head(&mut wire.write, data.len());
            wire.queue(data, codec::CHUNK_END);
        } else {
            wire.queue(data, b"");
        }
    }
}
