//! hot path
//!
//! One HTTP/1.1 connection's socket and buffers, with the polling reads and writes that the server
//! and the client side share.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};

use crate::net::Stream;

/// Room made before a read while a head is expected.
const READ_SMALL: usize = 8 * 1024;
/// Room made before a read while a body flows. Beside HAProxy in the row `body1m` of `cargo xtask
/// bench`, 24 KiB cost 0.66 of its time, 32 KiB 0.71 to 0.82, 16 KiB 0.97, 64 and 128 KiB 1.0.
const READ_LARGE: usize = 24 * 1024;
/// Data up to this length is copied behind what waits to be written; longer data is written from
/// where it lies.
const COPY_MAX: usize = 8 * 1024;

/// The rest of a long piece is worth a copy up to this length.
const TRIMMED_MAX: usize = READ_LARGE / 4 * 3;

/// A connection's socket and buffers.
pub(crate) struct Wire {
    pub(crate) stream: Stream,
    /// Bytes read and not yet understood.
    pub(crate) read: BytesMut,
    /// Bytes waiting to be written.
    pub(crate) write: BytesMut,
    /// A long piece waiting to be written after `write`, and the few bytes after it.
    long: Bytes,
    tail: &'static [u8],
    /// The peer said it is done, or an error showed that it is.
    pub(crate) is_read_closed: bool,
    needs_flush: bool,
    /// What is queued has no more memory than it needs, or not much more.
    is_trimmed: bool,
}

/// How much room a read gets.
#[derive(Clone, Copy)]
pub(crate) enum ReadSize {
    Small,
    Large,
}

impl Wire {
    pub(crate) fn new(stream: Stream, read: BytesMut) -> Self {
        Self {
            stream,
            read,
            write: BytesMut::new(),
            long: Bytes::new(),
            tail: b"",
            is_read_closed: false,
            needs_flush: false,
            is_trimmed: true,
        }
    }

    /// Reads more bytes. `Ok(0)`: the peer is done.
    pub(crate) fn poll_fill(
        &mut self,
        context: &mut Context<'_>,
        size: ReadSize,
    ) -> Poll<io::Result<usize>> {
        if self.is_read_closed {
            return Poll::Ready(Ok(0));
        }
        let room = match size {
            ReadSize::Small => READ_SMALL,
            ReadSize::Large => READ_LARGE,
        };
        if self.read.capacity() - self.read.len() < room / 4 {
            self.read.reserve(room);
        }
        let Poll::Ready(result) = self.stream.poll_read(context, &mut self.read) else {
            // Who sends slowly shall not hold room for what comes fast: 24 KiB for each connection,
            // where the allocator keeps one at hand for all.
            if matches!(size, ReadSize::Large) && self.read.is_empty() {
                self.read = BytesMut::new();
            }
            return Poll::Pending;
        };
        if !matches!(result, Ok(count) if count > 0) {
            self.is_read_closed = true;
        }
        Poll::Ready(result)
    }

    /// Takes `length` bytes that were read. When they are all, the buffer goes with them, and once
    /// they are written the next body's bytes are read into the same memory, which is still in the
    /// processor's cache; a buffer for each connection would not be.
    pub(crate) fn take(&mut self, length: usize) -> Bytes {
        if length < self.read.len() {
            return self.read.split_to(length).freeze();
        }
        std::mem::take(&mut self.read).freeze()
    }

    /// Gives the read buffer's memory back while nothing is expected soon.
    pub(crate) fn release_buffers(&mut self) {
        if self.read.is_empty() {
            self.read = BytesMut::new();
        }
        if self.write.is_empty() {
            self.write = BytesMut::new();
        }
    }

    /// Gives memory back while the peer takes nothing: empty buffers, and that of bytes which were
    /// written, by a copy of the rest. A copy costs less than a microsecond, and the kernel has just
    /// taken many times as much.
    pub(crate) fn trim(&mut self) {
        self.release_buffers();
        if std::mem::replace(&mut self.is_trimmed, true) {
            return;
        }
        if self.long.len() <= TRIMMED_MAX {
            self.long = Bytes::copy_from_slice(&self.long);
        }
        // Its capacity has doubled on the way here, and what was written counts in it.
        self.write = BytesMut::from(&self.write[..]);
    }

    /// Gives a body's large read buffer back; a head's small one stays.
    pub(crate) fn release_large_read(&mut self) {
        if self.read.is_empty() && self.read.capacity() > 2 * READ_SMALL {
            self.read = BytesMut::new();
        }
    }

    /// Queues `data`, then `tail`, behind what waits to be written. Must only be called after the
    /// queue was drained of its last long piece.
    pub(crate) fn queue(&mut self, data: Bytes, tail: &'static [u8]) {
        debug_assert!(self.long.is_empty(), "one long piece at a time");
        self.is_trimmed = false;
        if data.len() <= COPY_MAX {
            self.write.extend_from_slice(&data);
            self.write.extend_from_slice(tail);
        } else {
            self.long = data;
            self.tail = tail;
        }
    }

    /// Tells whether no long piece is queued, so that more can be.
    pub(crate) fn is_short(&self) -> bool {
        self.long.is_empty() && self.tail.is_empty()
    }

    /// Tells whether everything queued was handed to the socket.
    pub(crate) fn is_drained(&self) -> bool {
        self.write.is_empty() && self.long.is_empty() && self.tail.is_empty() && !self.needs_flush
    }

    /// Writes everything queued.
    pub(crate) fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.write.is_empty() || !self.long.is_empty() || !self.tail.is_empty() {
            let written = if self.long.is_empty() && self.tail.is_empty() {
                ready!(self.stream.poll_write(context, &[IoSlice::new(&self.write)]))
            } else {
                let parts =
                    [IoSlice::new(&self.write), IoSlice::new(&self.long), IoSlice::new(self.tail)];
                ready!(self.stream.poll_write(context, &parts))
            };
            match written {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(count) => self.advance(count),
                Err(error) => return Poll::Ready(Err(error)),
            }
            self.needs_flush = !matches!(self.stream, Stream::Plain(_));
        }
        if self.needs_flush {
            ready!(self.stream.poll_flush(context))?;
            self.needs_flush = false;
        }
        Poll::Ready(Ok(()))
    }

    fn advance(&mut self, count: usize) {
        let from_write = count.min(self.write.len());
        if from_write == self.write.len() {
            self.write.clear();
        } else {
            self.write.advance(from_write);
        }
        let count = count - from_write;
        let from_long = count.min(self.long.len());
        self.long.advance(from_long);
        if self.long.is_empty() {
            self.long = Bytes::new();
        }
        self.tail = &self.tail[count - from_long..];
    }
}
