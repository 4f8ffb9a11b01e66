//! hot path
//!
//! How a body's end is found on the wire, for requests and responses alike.

use std::task::{Context, Poll, ready};

use codec::{BodyLength, ChunkedDecoder, Decoded, Limits};
use exchange::{BodyError, Frame};

use crate::http::wire::{ReadSize, Wire};

/// Reads a body off a connection.
pub(crate) enum Framing {
    Fixed(u64),
    Chunked(Box<ChunkedDecoder>),
    UntilClose,
    Done,
}

impl Framing {
    /// `None` when nothing follows the head.
    pub(crate) fn new(length: BodyLength, limits: &Limits) -> Option<Self> {
        match length {
            BodyLength::None | BodyLength::Fixed(0) => None,
            BodyLength::Fixed(length) => Some(Self::Fixed(length)),
            BodyLength::Chunked => Some(Self::Chunked(Box::new(ChunkedDecoder::new(limits)))),
            BodyLength::UntilClose => Some(Self::UntilClose),
        }
    }

    /// Bytes still to come, when that is known.
    pub(crate) fn remaining(&self) -> Option<u64> {
        match self {
            Self::Fixed(rest) => Some(*rest),
            Self::Done => Some(0),
            Self::Chunked(_) | Self::UntilClose => None,
        }
    }

    /// Tells whether the body was read to its end.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Reads the next frame. The body's last data and its end may come in one call: look at
    /// [`Self::is_done`] after each.
    pub(crate) fn poll_frame(
        &mut self,
        wire: &mut Wire,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        loop {
            match self {
                Self::Done => return Poll::Ready(None),
                Self::Fixed(rest) => {
                    if !wire.read.is_empty() {
                        let length =
                            wire.read.len().min(usize::try_from(*rest).unwrap_or(usize::MAX));
                        let data = wire.take(length);
                        *rest -= length as u64;
                        if *rest == 0 {
                            *self = Self::Done;
                        }
                        return Poll::Ready(Some(Ok(Frame::Data(data))));
                    }
                }
                Self::UntilClose => {
                    if !wire.read.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::Data(wire.take(wire.read.len())))));
                    }
                }
                Self::Chunked(decoder) => match decoder.decode(&mut wire.read) {
                    Ok(Decoded::Data(data)) => return Poll::Ready(Some(Ok(Frame::Data(data)))),
                    Ok(Decoded::End(trailers)) => {
                        *self = Self::Done;
                        return Poll::Ready(trailers.map(|fields| Ok(Frame::Trailers(fields))));
                    }
                    Ok(Decoded::NeedMore) => {}
                    Err(_) => return Poll::Ready(Some(Err(BodyError::Malformed))),
                },
            }
            match ready!(wire.poll_fill(context, ReadSize::Large)) {
                Ok(count) if count > 0 => {}
                Ok(_) if matches!(self, Self::UntilClose) => {
                    *self = Self::Done;
                    return Poll::Ready(None);
                }
                _ => return Poll::Ready(Some(Err(BodyError::Cut))),
            }
        }
    }
}
