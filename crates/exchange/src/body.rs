//! Bodies: one enum that streams with back-pressure.

use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

/// A message body.
#[derive(Default)]
pub enum Body {
    /// No body at all.
    #[default]
    Empty,
    /// A body in memory; may be of length zero, which is then announced.
    Full(Bytes),
    /// A body that is still arriving.
    Stream(Box<dyn BodyStream>),
}

/// Delivers a body piece by piece. Nothing is read ahead of what is polled.
pub trait BodyStream {
    /// Gives the next frame, `None` at the end. After `None` or an error it is not polled again.
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>>;

    /// Tells how many bytes are still to come, when that is known.
    fn remaining(&self) -> Option<u64>;

    /// Tells whether a 64-bit length or nothing was announced because the body ends with the
    /// connection: such a response is sent on without delay.
    fn is_live(&self) -> bool {
        false
    }
}

/// One piece of a body.
#[derive(Debug)]
pub enum Frame {
    Data(Bytes),
    /// Trailer fields; the last frame if present.
    Trailers(HeaderMap),
}

/// Says why a body broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("the peer closed or reset the connection inside the body")]
    Cut,
    #[error("the peer sent malformed chunked framing")]
    Malformed,
    #[error("the body did not arrive in time")]
    TimedOut,
    #[error("the body is larger than its limit")]
    TooLarge,
    #[error("the body could not be transformed")]
    Transform,
}

impl Body {
    /// Tells the length that is announced to the next hop; `None` for a body of unknown length.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Full(bytes) => Some(bytes.len() as u64),
            Self::Stream(stream) => stream.remaining(),
        }
    }

    /// Tells whether there is nothing at all to send.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(bytes) => bytes.is_empty(),
            Self::Stream(_) => false,
        }
    }

    /// Takes the body, leaving an empty one.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Gives the next frame, `None` at the end.
    pub async fn frame(&mut self) -> Option<Result<Frame, BodyError>> {
        poll_fn(|context| self.poll_frame(context)).await
    }

    /// Gives the next frame, `None` at the end.
    pub fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        match self {
            Self::Empty => Poll::Ready(None),
            Self::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Empty;
                if bytes.is_empty() {
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Ok(Frame::Data(bytes))))
            }
            Self::Stream(stream) => {
                let polled = stream.poll_frame(context);
                if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
                    *self = Self::Empty;
                }
                polled
            }
        }
    }

    /// Reads the body into memory up to `limit` bytes. A longer body is given back whole and
    /// still streaming. Trailers are dropped.
    pub async fn buffer(mut self, limit: u64) -> Result<Buffered, BodyError> {
        if let Self::Full(bytes) = &self
            && bytes.len() as u64 <= limit
        {
            return Ok(Buffered::Whole(bytes.clone()));
        }
        if self.length().is_some_and(|length| length > limit) {
            return Ok(Buffered::TooLarge(self));
        }
        let mut read = BytesMut::new();
        while let Some(frame) = self.frame().await {
            let Frame::Data(data) = frame? else { continue };
            read.extend_from_slice(&data);
            if read.len() as u64 > limit {
                let head = read.freeze();
                return Ok(Buffered::TooLarge(Self::Stream(Box::new(Resumed {
                    head,
                    rest: self,
                }))));
            }
        }
        Ok(Buffered::Whole(read.freeze()))
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Full(bytes)
    }
}

/// What came of reading a body into memory.
pub enum Buffered {
    Whole(Bytes),
    /// The body is longer than the limit; it can still be streamed from its first byte.
    TooLarge(Body),
}

/// A body whose first bytes were read already.
struct Resumed {
    head: Bytes,
    rest: Body,
}

impl BodyStream for Resumed {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        if !self.head.is_empty() {
            return Poll::Ready(Some(Ok(Frame::Data(std::mem::take(&mut self.head)))));
        }
        self.rest.poll_frame(context)
    }

    fn remaining(&self) -> Option<u64> {
        // An exhausted `rest` reads as empty although its length was never announced.
        match &self.rest {
            Body::Stream(stream) => Some(stream.remaining()? + self.head.len() as u64),
            Body::Empty | Body::Full(_) => None,
        }
    }
}
