//! hot path
//!
//! The client's side of an HTTP/1.1 connection, shared by the exchange, which writes, and the
//! request's body, which reads.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use codec::ConnectionHeader;
use exchange::{BodyError, BodyStream, Frame};
use http::{HeaderMap, StatusCode, Version};

use crate::clock::Alarm;
use crate::http::framing::Framing;
use crate::http::wire::{ReadSize, Wire};

/// Bytes of further requests that are read ahead while one is answered.
const READ_AHEAD_MAX: usize = 64 * 1024;

/// One client's connection.
pub(crate) struct Client {
    pub(crate) wire: RefCell<Wire>,
    pub(crate) alarm: Rc<Alarm>,
    /// How the current request's body goes on; `None` once it was read to its end.
    body: RefCell<Option<Framing>>,
    /// The client waits for `100 Continue` and has not got it.
    owes_continue: Cell<bool>,
    /// The body broke off or could not be understood: nothing that follows can be read over.
    is_body_broken: Cell<bool>,
}

impl Client {
    pub(crate) fn new(wire: Wire, alarm: Rc<Alarm>) -> Self {
        Self {
            wire: RefCell::new(wire),
            alarm,
            body: RefCell::new(None),
            owes_continue: Cell::new(false),
            is_body_broken: Cell::new(false),
        }
    }

    /// Gives the connection away, to another protocol.
    pub(crate) fn into_parts(self) -> (Wire, Rc<Alarm>) {
        (self.wire.into_inner(), self.alarm)
    }

    /// Starts a request's body.
    pub(crate) fn begin_body(&self, framing: Option<Framing>, expects_continue: bool) {
        *self.body.borrow_mut() = framing;
        self.owes_continue.set(expects_continue);
        self.is_body_broken.set(false);
    }

    /// Starts the response: from here on `100 Continue` would stand in the middle of it.
    pub(crate) fn begin_response(&self) {
        self.owes_continue.set(false);
    }

    /// Tells whether bytes of the request's body may still be on their way.
    pub(crate) fn has_unread_body(&self) -> bool {
        self.body.borrow().is_some()
    }

    /// Tells whether the unread rest of the body is short enough to be read over.
    pub(crate) fn can_skip_body(&self, limit: u64) -> bool {
        match &*self.body.borrow() {
            None => true,
            Some(_) if self.owes_continue.get() || self.is_body_broken.get() => false,
            // Of chunks it is not known; reading them over stops at the limit.
            Some(framing) => framing.remaining().is_none_or(|rest| rest <= limit),
        }
    }

    /// Tells whether the client waits for `100 Continue`.
    pub(crate) fn owes_continue(&self) -> bool {
        self.owes_continue.get()
    }

    /// Queues an interim response: 100 to 199, but not 101.
    pub(crate) fn queue_interim(&self, version: Version, status: StatusCode, headers: &HeaderMap) {
        if version == Version::HTTP_10 {
            return;
        }
        if status == StatusCode::CONTINUE {
            self.owes_continue.set(false);
        }
        codec::encode_response(
            &mut self.wire.borrow_mut().write,
            version,
            status,
            headers,
            codec::BodyLength::None,
            ConnectionHeader::KeepAlive,
        );
    }

    /// Reads ahead and tells when the client has gone. Does not read while a body is unread, since
    /// its bytes belong to whoever reads the body.
    pub(crate) fn poll_gone(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.has_unread_body() {
            return Poll::Pending;
        }
        let mut wire = self.wire.borrow_mut();
        while wire.read.len() < READ_AHEAD_MAX {
            match ready!(wire.poll_fill(context, ReadSize::Small)) {
                Ok(count) if count > 0 => {}
                _ => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }

    /// Writes what is queued.
    pub(crate) fn poll_drain(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire.borrow_mut().poll_drain(context)
    }

    /// Reads the next piece of the current request's body.
    pub(crate) fn poll_body(
        &self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        let mut slot = self.body.borrow_mut();
        let Some(framing) = slot.as_mut() else { return Poll::Ready(None) };
        if self.owes_continue.get() {
            let mut wire = self.wire.borrow_mut();
            wire.write.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
            self.owes_continue.set(false);
        }
        let mut wire = self.wire.borrow_mut();
        if !wire.is_drained() && matches!(wire.poll_drain(context), Poll::Ready(Err(_))) {
            return Poll::Ready(Some(Err(BodyError::Cut)));
        }
        let frame = match framing.poll_frame(&mut wire, context) {
            Poll::Ready(frame) => frame,
            Poll::Pending if self.alarm.is_over(context) => Some(Err(BodyError::TimedOut)),
            Poll::Pending => return Poll::Pending,
        };
        self.is_body_broken.set(matches!(frame, Some(Err(_))));
        if framing.is_done() {
            *slot = None;
        }
        Poll::Ready(frame)
    }
}

/// The body of the current request, as middlewares and upstreams poll it.
pub(crate) struct ClientBody {
    client: Rc<Client>,
    is_over: bool,
}

impl ClientBody {
    pub(crate) fn new(client: Rc<Client>) -> Self {
        Self { client, is_over: false }
    }
}

impl BodyStream for ClientBody {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let frame = ready!(self.client.poll_body(context));
        self.is_over = matches!(frame, None | Some(Err(_)));
        Poll::Ready(frame)
    }

    fn remaining(&self) -> Option<u64> {
        match &*self.client.body.borrow() {
            Some(framing) => framing.remaining(),
            None => Some(0),
        }
    }
}
