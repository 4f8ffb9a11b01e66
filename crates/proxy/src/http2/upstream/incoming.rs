//! hot path
//!
//! A response's body as it arrives in a stream.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use exchange::{BodyError, BodyStream, Frame};
use h2::RecvStream;

use crate::http2::upstream::fields;
use crate::http2::upstream::group::Slot;
use crate::http2::upstream::outgoing::{Outgoing, OutgoingError};

/// Reads a response's body, and goes on sending the request's meanwhile. Dropped before the end, it
/// resets the stream.
pub(super) struct Incoming {
    stream: RecvStream,
    /// Bytes announced and not read yet.
    rest: Option<u64>,
    /// A piece that came with the head.
    first: Bytes,
    has_data: bool,
    outgoing: Option<Outgoing>,
    slot: Option<Slot>,
}

impl Incoming {
    pub(super) fn new(
        stream: RecvStream,
        first: Bytes,
        rest: Option<u64>,
        outgoing: Option<Outgoing>,
        slot: Slot,
    ) -> Self {
        Self { stream, rest, first, has_data: true, outgoing, slot: Some(slot) }
    }

    fn count(&mut self, data: Bytes) -> Bytes {
        if let Some(rest) = &mut self.rest {
            *rest = rest.saturating_sub(data.len() as u64);
        }
        data
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, h2::Error>>> {
        if !self.first.is_empty() {
            let data = std::mem::take(&mut self.first);
            return Poll::Ready(Some(Ok(Frame::Data(self.count(data)))));
        }
        if self.has_data {
            if let Some(data) = ready!(self.stream.poll_data(context)) {
                let data = data?;
                // Taken by who asks for it: the server may send as much again.
                self.stream.flow_control().release_capacity(data.len())?;
                return Poll::Ready(Some(Ok(Frame::Data(self.count(data)))));
            }
            self.has_data = false;
        }
        Poll::Ready(ready!(self.stream.poll_trailers(context))?.map(|mut trailers| {
            fields::strip_trailers(&mut trailers);
            Ok(Frame::Trailers(trailers))
        }))
    }
}

impl BodyStream for Incoming {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        if let Some(outgoing) = &mut self.outgoing
            && !outgoing.is_waiting()
            && let Poll::Ready(ended) = outgoing.poll(context)
        {
            self.outgoing = None;
            // The response of a server that stopped reading goes on (RFC 9113, 8.1). Without the
            // rest of its body a request has none.
            if let Err(OutgoingError::Client(_)) = ended {
                self.slot = None;
                return Poll::Ready(Some(Err(BodyError::Cut)));
            }
        }
        let frame = ready!(self.poll_next(context));
        if matches!(frame, None | Some(Err(_) | Ok(Frame::Trailers(_)))) {
            self.slot = None;
        }
        Poll::Ready(frame.map(|frame| frame.map_err(|_| BodyError::Cut)))
    }

    fn remaining(&self) -> Option<u64> {
        self.rest
    }
}
