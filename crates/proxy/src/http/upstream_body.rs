//! hot path
//!
//! A response's body as it arrives from the server.

use std::rc::Rc;
use std::task::{Context, Poll, ready};

use exchange::{BodyError, BodyStream, Frame};

use crate::clock::Clock;
use crate::http::framing::Framing;
use crate::http::pool::Lease;
use crate::http::upload::Upload;

/// Reads a response's body, goes on sending the request's meanwhile, and gives the connection back
/// at the end. Dropped before, it closes the connection: what is left on it belongs to nobody.
pub(crate) struct UpstreamBody {
    lease: Option<Lease>,
    framing: Framing,
    upload: Option<Upload>,
    clock: Rc<Clock>,
}

impl UpstreamBody {
    pub(crate) fn new(
        lease: Lease,
        framing: Framing,
        upload: Option<Upload>,
        clock: Rc<Clock>,
    ) -> Self {
        Self { lease: Some(lease), framing, upload, clock }
    }
}

impl BodyStream for UpstreamBody {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let Some(lease) = &self.lease else { return Poll::Ready(None) };
        if let Some(upload) = &mut self.upload {
            match upload.poll(&lease.connection.wire, context) {
                Poll::Ready(Ok(())) => self.upload = None,
                // The response goes on; only the connection cannot be used again.
                Poll::Ready(Err(_)) => {
                    self.upload = None;
                    lease.keeps_alive.set(false);
                }
                Poll::Pending => {}
            }
        }
        let frame = {
            let mut wire = lease.connection.wire.borrow_mut();
            ready!(self.framing.poll_frame(&mut wire, context))
        };
        if self.framing.is_done() && !matches!(frame, Some(Err(_))) {
            let lease = self.lease.take();
            // A server that answered before it had the whole body is not asked to take the rest.
            if self.upload.is_none()
                && let Some(lease) = lease
            {
                lease.release(self.clock.now());
            }
        }
        Poll::Ready(frame)
    }

    fn remaining(&self) -> Option<u64> {
        self.framing.remaining()
    }
}
