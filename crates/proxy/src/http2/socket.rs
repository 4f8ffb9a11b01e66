//! hot path
//!
//! A client's socket as `h2` reads and writes it: what was read before comes first, frames are
//! metered on their way, and nobody reads for longer than their turn.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::clock::{Alarm, Clock};
use crate::http2::flood::Meter;
use crate::net::Stream;

/// Bytes that a connection reads before its streams and other connections get their turn: a
/// header block may unpack to a hundred times its size, and is looked at once it is whole.
const TURN_BYTES: usize = 64 * 1024;

/// A handle of a connection's socket. `h2` has one, the connection's own task another.
#[derive(Clone)]
pub(crate) struct Socket(Rc<RefCell<State>>);

struct State {
    stream: Stream,
    /// Bytes that were read before HTTP/2 was known to be spoken.
    prefix: Bytes,
    clock: Rc<Clock>,
    meter: Meter,
    is_flooded: bool,
    /// What is left of the turn.
    turn: usize,
    written: u64,
    /// Since when the client takes nothing.
    blocked_since: Option<Instant>,
    /// Who waits until it does.
    waiting: Vec<Waker>,
}

impl Socket {
    pub(crate) fn new(stream: Stream, prefix: Bytes, clock: &Rc<Clock>) -> Self {
        Self(Rc::new(RefCell::new(State {
            stream,
            prefix,
            clock: Rc::clone(clock),
            meter: Meter::new(clock.now()),
            is_flooded: false,
            turn: TURN_BYTES,
            written: 0,
            blocked_since: None,
            waiting: Vec::new(),
        })))
    }

    /// Starts the connection's next turn.
    pub(crate) fn begin_turn(&self) {
        self.0.borrow_mut().turn = TURN_BYTES;
    }

    /// Tells whether the client sends more frames that carry nothing than can be borne.
    pub(crate) fn is_flooded(&self) -> bool {
        self.0.borrow().is_flooded
    }

    /// Bytes written so far.
    pub(crate) fn written(&self) -> u64 {
        self.0.borrow().written
    }

    /// Since when the client takes nothing that is to be written.
    pub(crate) fn blocked_since(&self) -> Option<Instant> {
        self.0.borrow().blocked_since
    }

    /// Ready while the client takes what is written.
    pub(crate) fn poll_writable(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.borrow_mut();
        if state.blocked_since.is_none() {
            return Poll::Ready(());
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            state.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// Closes our side, then reads over what the client sends until it closes its own, so that it
    /// sees what was written last before the kernel resets the connection (RFC 9112, 9.6).
    pub(crate) async fn linger(&self, alarm: &Alarm) {
        let mut piece = [0; 4096];
        let mut is_shut = false;
        poll_fn(|context| {
            if alarm.is_over(context) {
                return Poll::Ready(());
            }
            let state = &mut *self.0.borrow_mut();
            if !is_shut {
                is_shut = ready!(state.stream.poll_shutdown(context)).is_ok();
                if !is_shut {
                    return Poll::Ready(());
                }
            }
            loop {
                let mut buffer = ReadBuf::new(&mut piece);
                match poll_read(&mut state.stream, context, &mut buffer) {
                    Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
    }
}

impl State {
    fn note_written(&mut self, written: &Poll<io::Result<usize>>) {
        match written {
            Poll::Ready(Ok(count)) => {
                self.written += *count as u64;
                self.unblock();
            }
            Poll::Ready(Err(_)) => self.unblock(),
            Poll::Pending => self.block(),
        }
    }

    fn block(&mut self) {
        if self.blocked_since.is_none() {
            self.blocked_since = Some(self.clock.now());
        }
    }

    fn unblock(&mut self) {
        if self.blocked_since.take().is_none() {
            return;
        }
        for waker in self.waiting.drain(..) {
            waker.wake();
        }
    }
}

fn poll_read(
    stream: &mut Stream,
    context: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    match stream {
        Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
        Stream::Accepted(stream) => Pin::new(stream).poll_read(context, buffer),
        Stream::Connected(stream) => Pin::new(stream).poll_read(context, buffer),
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let state = &mut *self.0.borrow_mut();
        // What comes after a flood is not worth reading.
        if state.is_flooded {
            return Poll::Pending;
        }
        if state.turn == 0 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        if state.prefix.is_empty() {
            ready!(poll_read(&mut state.stream, context, buffer))?;
        } else {
            let length = state.prefix.len().min(buffer.remaining());
            buffer.put_slice(&state.prefix[..length]);
            state.prefix.advance(length);
        }
        let read = &buffer.filled()[before..];
        state.turn = state.turn.saturating_sub(read.len());
        state.is_flooded = !state.meter.note(read, state.written, state.clock.now());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let state = &mut *self.0.borrow_mut();
        let written = state.stream.poll_write(context, bytes);
        state.note_written(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let state = &mut *self.0.borrow_mut();
        let flushed = state.stream.poll_flush(context);
        match flushed {
            Poll::Pending => state.block(),
            Poll::Ready(_) => state.unblock(),
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.borrow_mut().stream.poll_shutdown(context)
    }
}
