//! Streams that stopped carrying HTTP (RFC 8441): bytes both ways until both sides are done.

use std::cell::RefCell;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream};

use crate::clock::Alarm;
use crate::http::{ReadSize, Wire};

/// A side that cannot go on.
struct Broken;

/// A stream and the server's connection behind it.
pub(crate) struct Tunnel<'a> {
    pub(crate) send: SendStream<Bytes>,
    pub(crate) receive: RecvStream,
    pub(crate) server: &'a RefCell<Wire>,
}

/// Bytes and ends that are still to be passed on.
#[derive(Default)]
struct Progress {
    /// The client is done, and the server knows.
    is_up_over: bool,
    /// The client is done; the server is still to be told.
    is_up_ending: bool,
    /// The server is done, and the client knows.
    is_down_over: bool,
    /// What the client has no room for yet.
    waiting: Bytes,
}

impl Tunnel<'_> {
    /// Carries bytes both ways. A side that is done is told to the other, which may go on. No time
    /// limit runs: how long a tunnel is silent is its users' affair.
    pub(crate) async fn carry(mut self, alarm: &Alarm) {
        let mut progress = Progress::default();
        alarm.set(None);
        let end = poll_fn(|context| {
            let up = self.poll_up(&mut progress, context);
            let down = self.poll_down(&mut progress, context);
            if matches!(up, Poll::Ready(Err(Broken))) || matches!(down, Poll::Ready(Err(Broken))) {
                return Poll::Ready(Err(Broken));
            }
            if progress.is_up_over && progress.is_down_over {
                return Poll::Ready(Ok(()));
            }
            if self.send.poll_reset(context).is_ready() || alarm.is_over(context) {
                return Poll::Ready(Err(Broken));
            }
            Poll::Pending
        })
        .await;
        if end.is_err() {
            // RFC 8441, 5: a broken connection is a stream reset with CANCEL.
            self.send.send_reset(Reason::CANCEL);
        }
    }

    fn poll_up(
        &mut self,
        progress: &mut Progress,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Broken>> {
        let mut server = self.server.borrow_mut();
        loop {
            ready!(server.poll_drain(context)).map_err(|_| Broken)?;
            if progress.is_up_over {
                return Poll::Ready(Ok(()));
            }
            if progress.is_up_ending {
                ready!(server.stream.poll_shutdown(context)).map_err(|_| Broken)?;
                progress.is_up_over = true;
                return Poll::Ready(Ok(()));
            }
            match ready!(self.receive.poll_data(context)) {
                Some(Ok(data)) => {
                    // What the server does not take stays in the one piece that is queued.
                    let _ = self.receive.flow_control().release_capacity(data.len());
                    server.queue(data, b"");
                }
                Some(Err(_)) => return Poll::Ready(Err(Broken)),
                None => progress.is_up_ending = true,
            }
        }
    }

    fn poll_down(
        &mut self,
        progress: &mut Progress,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Broken>> {
        while !progress.is_down_over {
            ready!(self.poll_send(&mut progress.waiting, context))?;
            let mut server = self.server.borrow_mut();
            if server.read.is_empty() {
                match server.poll_fill(context, ReadSize::Small) {
                    Poll::Ready(Ok(0)) => {
                        self.send.send_data(Bytes::new(), true).map_err(|_| Broken)?;
                        progress.is_down_over = true;
                    }
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(_)) => return Poll::Ready(Err(Broken)),
                    Poll::Pending => {
                        server.release_buffers();
                        return Poll::Pending;
                    }
                }
            }
            progress.waiting = server.read.split().freeze();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_send(
        &mut self,
        waiting: &mut Bytes,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Broken>> {
        self.send.reserve_capacity(waiting.len());
        while !waiting.is_empty() {
            let room = self.send.capacity().min(waiting.len());
            if room > 0 {
                self.send.send_data(waiting.split_to(room), false).map_err(|_| Broken)?;
                continue;
            }
            match ready!(self.send.poll_capacity(context)) {
                Some(Ok(_)) => {}
                _ => return Poll::Ready(Err(Broken)),
            }
        }
        Poll::Ready(Ok(()))
    }
}
