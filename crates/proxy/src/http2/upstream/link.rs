//! hot path
//!
//! A connection to a server as `h2` reads and writes it, with an eye on what comes first and when
//! something came last.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::clock::Clock;
use crate::net::Stream;

/// Length of a frame's head (RFC 9113, 4.1).
const FRAME_HEAD: usize = 9;
/// The type of SETTINGS frames.
const SETTINGS: u8 = 4;

/// A byte stream to a server.
pub(super) struct Link {
    stream: Stream,
    seen: Rc<Seen>,
}

/// What a connection's task wants to know of the bytes that came.
pub(super) struct Seen {
    clock: Rc<Clock>,
    read_last: Cell<Instant>,
    /// The first frame's head.
    first: Cell<[u8; FRAME_HEAD]>,
    count: Cell<usize>,
}

impl Link {
    pub(super) fn new(stream: Stream, clock: Rc<Clock>) -> (Self, Rc<Seen>) {
        let seen = Rc::new(Seen {
            read_last: Cell::new(clock.now()),
            clock,
            first: Cell::default(),
            count: Cell::new(0),
        });
        (Self { stream, seen: Rc::clone(&seen) }, seen)
    }
}

impl Seen {
    /// When bytes came last, as exactly as the worker's clock goes.
    pub(super) fn read_last(&self) -> Instant {
        self.read_last.get()
    }

    /// Tells whether the server's SETTINGS have come whole: they are the first thing it sends (RFC
    /// 9113, 3.4).
    pub(super) fn has_settings(&self) -> bool {
        let [a, b, c, kind, ..] = self.first.get();
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        kind == SETTINGS && self.count.get() >= FRAME_HEAD + length
    }

    /// Tells whether the server began as servers of HTTP/1 do.
    pub(super) fn is_http1(&self) -> bool {
        self.first.get().starts_with(b"HTTP/1.")
    }

    fn note(&self, bytes: &[u8]) {
        self.read_last.set(self.clock.now());
        let count = self.count.get();
        if count < FRAME_HEAD {
            let mut first = self.first.get();
            for (to, from) in first[count..].iter_mut().zip(bytes) {
                *to = *from;
            }
            self.first.set(first);
        }
        self.count.set(count.saturating_add(bytes.len()));
    }
}

impl AsyncRead for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Accepted(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Connected(stream) => Pin::new(stream).poll_read(context, buffer),
        })?;
        if let Some(read) = buffer.filled().get(before..)
            && !read.is_empty()
        {
            self.seen.note(read);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_write(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_write(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_shutdown(context)
    }
}
