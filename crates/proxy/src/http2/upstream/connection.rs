//! hot path
//!
//! One connection to a server, and the task that drives it.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use exchange::{Failure, FailureKind};
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{Ping, PingPong, SendStream};
use http::Request;
use routing::Transport;
use tokio::time::Sleep;

use crate::clock::Clock;
use crate::http2::upstream::link::{Link, Seen};
use crate::net::Stream;

/// Bytes of a response that may be on their way before the client takes any.
const STREAM_WINDOW: u32 = 1 << 20;
/// Bytes of all a connection's responses: as in Go's transport so many that a client that takes
/// none never stands in the way of another; each stream has its own limit.
const CONNECTION_WINDOW: u32 = 1 << 30;
/// Bytes of small DATA frames that may wait unread; `h2` derives one from the connection's window,
/// which is too much at that size. RFC 9113, 10.5 names the danger.
const DATA_FRAME_BUDGET: usize = 64 << 20;
/// Largest response head, as over HTTP/1.1.
const HEAD_BYTES_MAX: u32 = 1 << 20;
/// Time for the server's SETTINGS.
const SETTINGS_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that carries many requests.
pub(super) struct Connection {
    sender: RefCell<SendRequest<Bytes>>,
    /// Requests under way.
    active: Cell<usize>,
    /// Whether any request was sent before.
    is_used: Cell<bool>,
    idle_since: Cell<Instant>,
    /// Why the connection ended; empty while it lives.
    end: Rc<RefCell<Option<Box<str>>>>,
}

impl Connection {
    /// Starts HTTP/2 on a connected stream, and waits for the server's settings: how many requests
    /// it takes at once must be known before many are sent.
    pub(super) async fn start(
        stream: Stream,
        transport: &Transport,
        clock: &Rc<Clock>,
    ) -> Result<Rc<Self>, Failure> {
        let (link, seen) = Link::new(stream, Rc::clone(clock));
        let starting = async {
            let (sender, mut connection) = builder().handshake(link).await?;
            poll_fn(|context| match Pin::new(&mut connection).poll(context) {
                Poll::Ready(Ok(())) => Poll::Ready(Err(None)),
                Poll::Ready(Err(error)) => Poll::Ready(Err(Some(error))),
                Poll::Pending if seen.has_settings() => Poll::Ready(Ok(())),
                Poll::Pending => Poll::Pending,
            })
            .await
            .map_err(|error| error.unwrap_or_else(|| h2::Reason::NO_ERROR.into()))?;
            Ok::<_, h2::Error>((sender, connection))
        };
        let started = tokio::time::timeout(SETTINGS_TIMEOUT, starting).await;
        let (sender, mut connection) = match started {
            Ok(Ok(started)) => started,
            Ok(Err(error)) => return Err(not_started(&error, &seen)),
            Err(_) => {
                return Err(Failure::before_sending(FailureKind::ConnectTimedOut)
                    .detail("the server did not begin HTTP/2"));
            }
        };
        let end = Rc::new(RefCell::new(None));
        let told = Rc::clone(&end);
        let mut watch = transport
            .read_idle_timeout
            .zip(connection.ping_pong())
            .map(|(quiet, pings)| Watch::new(quiet, transport.ping_timeout, pings, seen));
        tokio::task::spawn_local(async move {
            let ended = poll_fn(|context| {
                if let Some(watch) = &mut watch
                    && watch.poll_lost(context).is_ready()
                {
                    return Poll::Ready("the server did not answer a ping".into());
                }
                Pin::new(&mut connection).poll(context).map(|ended| match ended {
                    Ok(()) => "the connection was closed".into(),
                    Err(error) => error.to_string().into_boxed_str(),
                })
            })
            .await;
            // Told before the connection is dropped: that is when the streams learn of it.
            *told.borrow_mut() = Some(ended);
            drop(connection);
        });
        Ok(Rc::new(Self {
            sender: RefCell::new(sender),
            active: Cell::new(0),
            is_used: Cell::new(false),
            idle_since: Cell::new(clock.now()),
            end,
        }))
    }

    /// Tells whether requests may still be sent. A server that said GOAWAY takes none.
    pub(super) fn is_open(&self) -> bool {
        if self.end.borrow().is_some() {
            return false;
        }
        let mut context = Context::from_waker(Waker::noop());
        !matches!(self.sender.borrow_mut().poll_ready(&mut context), Poll::Ready(Err(_)))
    }

    /// Tells whether the server takes another request now.
    pub(super) fn has_room(&self) -> bool {
        self.active.get() < self.sender.borrow().current_max_send_streams()
    }

    /// Counts a request in; gives whether the connection was used before.
    pub(super) fn enter(&self) -> bool {
        self.active.set(self.active.get() + 1);
        self.is_used.replace(true)
    }

    /// Counts a request out.
    pub(super) fn leave(&self, now: Instant) {
        self.active.set(self.active.get().saturating_sub(1));
        self.idle_since.set(now);
    }

    /// Tells whether nothing was under way for so long.
    pub(super) fn is_idle_for(&self, now: Instant, timeout: Option<Duration>) -> bool {
        self.active.get() == 0
            && timeout.is_some_and(|timeout| now.duration_since(self.idle_since.get()) >= timeout)
    }

    /// Sends nothing on it any more.
    pub(super) fn retire(&self) {
        self.end.borrow_mut().get_or_insert_with(|| "no further request can be sent".into());
    }

    /// Why the connection ended, once it has.
    pub(super) fn end(&self) -> Option<Box<str>> {
        self.end.borrow().clone()
    }

    /// Opens a stream.
    pub(super) fn send(
        &self,
        request: Request<()>,
        is_all: bool,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        self.sender.borrow_mut().send_request(request, is_all)
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .data_frame_budget(DATA_FRAME_BUDGET)
        .max_header_list_size(HEAD_BYTES_MAX);
    builder
}

/// What it means that a connection came to nothing.
fn not_started(error: &h2::Error, seen: &Seen) -> Failure {
    if seen.is_http1() {
        return Failure::before_sending(FailureKind::UpstreamMalformed)
            .detail("the server speaks HTTP/1, not HTTP/2");
    }
    let kind = match error.is_io() || error.reason() == Some(h2::Reason::NO_ERROR) {
        true => FailureKind::UpstreamClosed,
        false => FailureKind::UpstreamMalformed,
    };
    Failure::before_sending(kind).detail(format_args!("HTTP/2 did not begin: {error}"))
}

/// Pings a server that is silent, and finds out whether it is lost.
struct Watch {
    quiet: Duration,
    patience: Duration,
    pings: PingPong,
    seen: Rc<Seen>,
    timer: Pin<Box<Sleep>>,
    is_waiting: bool,
}

impl Watch {
    fn new(quiet: Duration, patience: Duration, pings: PingPong, seen: Rc<Seen>) -> Self {
        let timer = Box::pin(tokio::time::sleep(quiet));
        Self { quiet, patience, pings, seen, timer, is_waiting: false }
    }

    /// Ready when a ping was not answered in time.
    fn poll_lost(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.is_waiting && self.pings.poll_pong(context).is_ready() {
                self.is_waiting = false;
                self.timer.as_mut().reset(tokio::time::Instant::now() + self.quiet);
            }
            if self.timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if self.is_waiting {
                return Poll::Ready(());
            }
            let now = tokio::time::Instant::now();
            let silent = now.into_std().saturating_duration_since(self.seen.read_last());
            if silent < self.quiet {
                self.timer.as_mut().reset(now + (self.quiet - silent));
            } else {
                self.is_waiting = self.pings.send_ping(Ping::opaque()).is_ok();
                self.timer.as_mut().reset(now + self.patience);
            }
        }
    }
}
