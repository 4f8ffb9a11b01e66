//! hot path
//!
//! A request's body as it arrives on a stream. The client may send no more than is taken from here.

use std::rc::Rc;
use std::task::{Context, Poll, ready};

use codec::Limits;
use exchange::{BodyError, BodyStream, Frame};
use h2::{Reason, RecvStream};
use http::HeaderMap;

use crate::http2::head::is_padded;
use crate::http2::stream::Stream;

/// Reads a body off a stream.
pub(crate) struct RequestBody {
    receive: RecvStream,
    stream: Rc<Stream>,
    /// Bytes still to come, if the client said how many; `h2` holds it to its word.
    remaining: Option<u64>,
    /// Bytes given out that the client may not send again yet.
    held: usize,
    is_data_over: bool,
}

impl RequestBody {
    pub(crate) fn new(receive: RecvStream, stream: Rc<Stream>, length: Option<u64>) -> Self {
        Self { receive, stream, remaining: length, held: 0, is_data_over: false }
    }

    /// Lets the client send as much again as was given out.
    fn release(&mut self) {
        let held = std::mem::take(&mut self.held);
        if held > 0 {
            // An error says that the stream is gone, which reading will tell too.
            let _ = self.receive.flow_control().release_capacity(held);
        }
    }
}

impl BodyStream for RequestBody {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        // Who asks for more has taken what was given out before.
        self.release();
        self.stream.send_continue();
        while !self.is_data_over {
            match self.receive.poll_data(context) {
                Poll::Ready(Some(Ok(data))) => {
                    self.held = data.len();
                    if data.is_empty() {
                        continue;
                    }
                    let length = data.len() as u64;
                    self.remaining = self.remaining.map(|rest| rest.saturating_sub(length));
                    return Poll::Ready(Some(Ok(Frame::Data(data))));
                }
                Poll::Ready(None) => self.is_data_over = true,
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(broken(&error)))),
                Poll::Pending if self.stream.alarm.is_over(context) => {
                    return Poll::Ready(Some(Err(BodyError::TimedOut)));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(match ready!(self.receive.poll_trailers(context)) {
            Ok(Some(fields)) if is_acceptable(&fields) => Some(Ok(Frame::Trailers(fields))),
            Ok(Some(_)) => Some(Err(BodyError::Malformed)),
            Ok(None) => None,
            Err(error) => Some(Err(broken(&error))),
        })
    }

    fn remaining(&self) -> Option<u64> {
        self.remaining
    }
}

impl Drop for RequestBody {
    /// What was given out counts against the whole connection, which goes on.
    fn drop(&mut self) {
        self.release();
    }
}

fn broken(error: &h2::Error) -> BodyError {
    let is_malformed = !error.is_remote() && error.reason() == Some(Reason::PROTOCOL_ERROR);
    if is_malformed { BodyError::Malformed } else { BodyError::Cut }
}

/// Holds trailers to the limits that chunked bodies have.
fn is_acceptable(fields: &HeaderMap) -> bool {
    let limits = Limits::default();
    let bytes: usize = fields.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    fields.len() <= limits.trailer_fields
        && bytes <= limits.trailer_bytes
        && !fields.values().any(|value| is_padded(value.as_bytes()))
}
