//! Connections that stopped speaking HTTP: bytes both ways until both sides are done.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use crate::clock::Alarm;
use crate::http::wire::{ReadSize, Wire};

/// One direction's progress.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Open,
    /// The source is done; the end is still to be passed on.
    Ending,
    Ended,
}

/// Carries bytes both ways. A side that is done writing is told to the other, which may go on. No
/// byte waits for another, and no time limit runs: how long a tunnel is silent is its users' affair.
pub(crate) async fn carry(client: &RefCell<Wire>, server: &RefCell<Wire>, alarm: &Alarm) {
    let mut up = Flow::Open;
    let mut down = Flow::Open;
    alarm.set(None);
    poll_fn(|context| {
        let up_result = poll_direction(client, server, &mut up, context);
        let down_result = poll_direction(server, client, &mut down, context);
        // Once one side cannot be written to, the tunnel is of no use to the other.
        if up_result.is_err() || down_result.is_err() {
            return Poll::Ready(());
        }
        if up == Flow::Ended && down == Flow::Ended {
            return Poll::Ready(());
        }
        // A drain's deadline comes through the alarm.
        if alarm.is_over(context) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

fn poll_direction(
    source: &RefCell<Wire>,
    sink: &RefCell<Wire>,
    flow: &mut Flow,
    context: &mut Context<'_>,
) -> io::Result<()> {
    loop {
        let mut sink = sink.borrow_mut();
        match sink.poll_drain(context) {
            Poll::Ready(result) => result?,
            Poll::Pending => return Ok(()),
        }
        match flow {
            Flow::Ended => return Ok(()),
            Flow::Ending => match sink.stream.poll_shutdown(context) {
                Poll::Ready(result) => {
                    result?;
                    *flow = Flow::Ended;
                    return Ok(());
                }
                Poll::Pending => return Ok(()),
            },
            Flow::Open => {}
        }
        let mut source = source.borrow_mut();
        if source.read.is_empty() {
            match source.poll_fill(context, ReadSize::Small) {
                Poll::Ready(Ok(0)) => *flow = Flow::Ending,
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => {
                    source.release_buffers();
                    return Ok(());
                }
            }
        }
        let data = source.read.split().freeze();
        sink.queue(data, b"");
    }
}
