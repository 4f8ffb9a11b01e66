//! hot path
//!
//! A client's HTTP/2 connection: accepts streams, keeps them within limits, and ends in good order.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use ::exchange::Connection;
use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream};
use http::{Request, StatusCode};

use crate::clock::Alarm;
use crate::http2::flood::{Bucket, count};
use crate::http2::head::{self, Head, Refusal};
use crate::http2::socket::Socket;
use crate::http2::stream::{self, Ended};
use crate::net::Stream;
use crate::settings::EntryPointSettings;
use crate::worker::Worker;

/// Bytes of a request's body that a client may send before any is taken; half of Go's, twice what
/// 100 Mbit/s need over 20 ms.
const STREAM_WINDOW: u32 = 512 * 1024;
/// The same for all bodies of a connection together, and so what a connection may hold of them.
const CONNECTION_WINDOW: u32 = 2 * 1024 * 1024;
/// What small DATA frames may cost in all before they are taken: each 256 less its length. `h2`'s
/// own measure is half the connection's window, too.
const DATA_FRAME_BUDGET: usize = CONNECTION_WINDOW as usize / 2;
/// Bytes of a response that may wait inside `h2` because the client reads slowly.
const SEND_BUFFER: usize = 64 * 1024;
/// Streams that are reset before they were looked at, at one time.
const UNSEEN_RESETS_MAX: usize = 100;
/// Streams of a connection that the client makes `h2` reset, or opens beyond what it may.
const LOCAL_RESETS_MAX: usize = 500;
/// How many heads of the size that one may have a connection holds unpacked: a byte on the wire
/// can stand for thousands.
const HEADS_MAX: usize = 4;
/// What is added to that for each stream a connection may have: heads of usual size are never too
/// many, however small the largest may be.
const HEAD_USUAL: usize = 4 * 1024;
/// Time for a client to take the last word of a connection that is ended for cause.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for a client to say that it knows that the connection ends.
const LEAVE_WAIT: Duration = Duration::from_secs(1);
/// How long the input of a closed connection is read over. Go's value.
const LINGER: Duration = Duration::from_millis(500);
/// Time that a client which connected shortly before a drain has for its preface.
const DRAIN_FIRST_WAIT: Duration = Duration::from_secs(1);

/// A connection that was found to speak HTTP/2.
pub(crate) struct Opened {
    pub(crate) worker: Rc<Worker>,
    pub(crate) stream: Stream,
    /// Bytes that were read already.
    pub(crate) read: Bytes,
    pub(crate) alarm: Rc<Alarm>,
    pub(crate) connection: Rc<Connection>,
    pub(crate) settings: Arc<EntryPointSettings>,
    pub(crate) trusts_peer: bool,
}

/// What the streams of a connection share.
pub(crate) struct Session {
    pub(crate) worker: Rc<Worker>,
    pub(crate) connection: Rc<Connection>,
    pub(crate) settings: Arc<EntryPointSettings>,
    pub(crate) trusts_peer: bool,
    pub(crate) socket: Socket,
    /// Streams under way, and since when there are none.
    active: Cell<usize>,
    idle_since: Cell<Instant>,
    /// Bytes of the heads of streams under way.
    head_bytes: Cell<usize>,
    broken_streams: RefCell<Bucket>,
    is_flooded: Cell<bool>,
    /// The connection's own task.
    waker: RefCell<Option<Waker>>,
}

type Http2 = h2::server::Connection<Socket, Bytes>;

/// Serves a connection until its end.
pub(crate) async fn serve(opened: Opened) {
    let Opened { worker, stream, read, alarm, connection, settings, trusts_peer } = opened;
    let now = worker.clock.now();
    let socket = Socket::new(stream, read, &worker.clock);
    let session = Rc::new(Session {
        connection,
        trusts_peer,
        socket: socket.clone(),
        active: Cell::new(0),
        idle_since: Cell::new(now),
        head_bytes: Cell::new(0),
        broken_streams: RefCell::new(Bucket::of_broken_streams(now)),
        is_flooded: Cell::new(false),
        waker: RefCell::new(None),
        settings,
        worker,
    });
    if let Some(http2) = session.shake_hands(&alarm).await {
        Keeper::new(Rc::clone(&session), http2).run(&alarm).await;
    }
    alarm.set(Some(session.worker.clock.now() + LINGER));
    socket.linger(&alarm).await;
}

impl Session {
    fn builder(&self) -> Builder {
        let http2 = &self.settings.http2;
        let mut builder = Builder::new();
        builder
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .data_frame_budget(DATA_FRAME_BUDGET)
            .max_send_buffer_size(SEND_BUFFER)
            .max_concurrent_streams(http2.concurrent_streams_max)
            .max_header_list_size(u32::try_from(self.settings.head_bytes_max).unwrap_or(u32::MAX))
            .header_table_size(http2.decoder_table_bytes)
            .max_pending_accept_reset_streams(UNSEEN_RESETS_MAX)
            .max_local_error_reset_streams(Some(LOCAL_RESETS_MAX))
            .enable_connect_protocol();
        builder
    }

    /// Exchanges settings; `None`: the client or the time is gone.
    async fn shake_hands(&self, alarm: &Alarm) -> Option<Http2> {
        let worker = &self.worker;
        let mut handshake = pin!(self.builder().handshake(self.socket.clone()));
        let mut is_leaving = false;
        alarm.set(self.settings.read_timeout.map(|limit| worker.clock.now() + limit));
        poll_fn(|context| {
            if let Poll::Ready(shaken) = handshake.as_mut().poll(context) {
                return Poll::Ready(shaken.ok());
            }
            if worker.is_draining() && !is_leaving {
                is_leaving = true;
                alarm.set(Some(worker.clock.now() + DRAIN_FIRST_WAIT));
            }
            if alarm.is_over(context) { Poll::Ready(None) } else { Poll::Pending }
        })
        .await
    }

    /// Counts a stream that ended without its response.
    fn note_broken(&self) {
        if !self.broken_streams.borrow_mut().add(self.worker.clock.now()) {
            self.is_flooded.set(true);
            self.wake();
        }
    }

    /// Keeps the waker of the connection's own task.
    fn remember(&self, waker: &Waker) {
        let mut kept = self.waker.borrow_mut();
        if !kept.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
            *kept = Some(waker.clone());
        }
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

/// A stream under way.
struct Place {
    session: Rc<Session>,
    head_bytes: usize,
}

impl Place {
    fn take(session: &Rc<Session>, head_bytes: usize) -> Self {
        session.active.set(session.active.get() + 1);
        session.head_bytes.set(session.head_bytes.get() + head_bytes);
        Self { session: Rc::clone(session), head_bytes }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let session = &self.session;
        session.head_bytes.set(session.head_bytes.get() - self.head_bytes);
        let active = session.active.get() - 1;
        session.active.set(active);
        if active == 0 {
            session.idle_since.set(session.worker.clock.now());
            session.wake();
        }
    }
}

/// Runs a connection.
struct Keeper {
    session: Rc<Session>,
    http2: Http2,
    started: Instant,
    requests: u64,
    /// Since when the client is told to go.
    leaving_since: Option<Instant>,
    /// When the connection ends, whatever the client does.
    ends_at: Option<Instant>,
    /// Bytes that were written when the connection was last found idle for too long.
    written_when_idle: u64,
}

impl Keeper {
    fn new(session: Rc<Session>, http2: Http2) -> Self {
        let started = session.worker.clock.now();
        Self {
            session,
            http2,
            started,
            requests: 0,
            leaving_since: None,
            ends_at: None,
            written_when_idle: 0,
        }
    }

    async fn run(mut self, alarm: &Alarm) {
        poll_fn(|context| {
            self.session.socket.begin_turn();
            self.session.remember(context.waker());
            loop {
                match self.http2.poll_accept(context) {
                    Poll::Ready(Some(Ok((request, respond)))) => self.accept(request, respond),
                    Poll::Ready(Some(Err(error))) => {
                        self.note_error(&error);
                        return Poll::Ready(());
                    }
                    Poll::Ready(None) => return Poll::Ready(()),
                    // What was decided is on its way only after another look.
                    Poll::Pending if self.decide() => {}
                    Poll::Pending => return self.poll_deadline(alarm, context),
                }
            }
        })
        .await;
    }

    fn accept(&mut self, request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
        let session = &self.session;
        let counters = session.worker.http2();
        self.requests += 1;
        let (parts, receive) = request.into_parts();
        let head = match head::read(parts, !receive.is_end_stream()) {
            Ok(head) => head,
            Err(Refusal::Malformed) => {
                count(&counters.malformed_requests);
                respond.send_reset(Reason::PROTOCOL_ERROR);
                return session.note_broken();
            }
            Err(Refusal::Answered(status)) => {
                if status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE {
                    session.note_broken();
                }
                let place = Place::take(session, 0);
                tokio::task::spawn_local(async move {
                    stream::refuse(&place.session, respond, status).await;
                });
                return;
            }
        };
        if !self.has_room(&head) {
            count(&counters.refused_streams);
            respond.send_reset(Reason::REFUSED_STREAM);
            return session.note_broken();
        }
        let place = Place::take(session, head.bytes);
        tokio::task::spawn_local(async move {
            let session = &*place.session;
            match stream::serve(session, head, receive, respond).await {
                Ended::Answered => session.broken_streams.borrow_mut().give_back(),
                Ended::Broken => session.note_broken(),
            }
        });
    }

    /// Tells whether a stream may begin. `h2` forgets a stream as soon as it is reset; here it
    /// counts until what it began has ended.
    fn has_room(&self, head: &Head) -> bool {
        let session = &self.session;
        let settings = &session.settings;
        let streams_max = settings.http2.concurrent_streams_max as usize;
        let head_bytes_max = settings
            .head_bytes_max
            .saturating_mul(HEADS_MAX)
            .saturating_add(streams_max.saturating_mul(HEAD_USUAL));
        let is_late = self.leaving_since.is_some_and(|since| {
            session.worker.clock.now().saturating_duration_since(since) > LEAVE_WAIT
        });
        !is_late
            && session.active.get() < streams_max.saturating_mul(2)
            && session.head_bytes.get().saturating_add(head.bytes) <= head_bytes_max
    }

    fn note_error(&self, error: &h2::Error) {
        if error.is_library() {
            count(&self.session.worker.http2().protocol_errors);
            let peer = self.session.connection.peer;
            tracing::debug!(%peer, %error, "ended an http/2 connection");
        }
    }

    /// Looks at what is to be told to the client; `true`: something is.
    fn decide(&mut self) -> bool {
        let session = &*self.session;
        let now = session.worker.clock.now();
        if self.ends_at.is_some() {
            return false;
        }
        if session.is_flooded.get() || session.socket.is_flooded() {
            let counters = session.worker.http2();
            count(match session.is_flooded.get() {
                true => &counters.stream_floods,
                false => &counters.frame_floods,
            });
            tracing::debug!(peer = %session.connection.peer, "a client floods its http/2 connection");
            self.ends_at = Some(now + REFUSAL_TIMEOUT);
            self.http2.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
            return true;
        }
        if let Some(since) = self.leaving_since {
            if session.active.get() == 0 && since + LEAVE_WAIT <= now {
                self.ends_at = Some(now + REFUSAL_TIMEOUT);
                self.http2.abrupt_shutdown(Reason::NO_ERROR);
                return true;
            }
            return false;
        }
        if self.shall_leave(now) {
            self.leaving_since = Some(now);
            self.http2.graceful_shutdown();
            return true;
        }
        false
    }

    /// Tells whether the client is to open no more streams.
    fn shall_leave(&mut self, now: Instant) -> bool {
        let session = &*self.session;
        let settings = &session.settings;
        if session.worker.is_draining()
            || settings.keep_alive_requests_max.is_some_and(|max| self.requests >= max)
        {
            return true;
        }
        if self.requests > 0
            && settings.keep_alive_time_max.is_some_and(|max| self.started + max <= now)
        {
            return true;
        }
        if self.idle_deadline().is_none_or(|deadline| deadline > now) {
            return false;
        }
        // Responses that were queued whole may still be on their way.
        let written = session.socket.written();
        if self.http2.has_streams() && written != self.written_when_idle {
            self.written_when_idle = written;
            session.idle_since.set(now);
            return false;
        }
        true
    }

    fn idle_deadline(&self) -> Option<Instant> {
        let session = &self.session;
        let limit = session.settings.idle_timeout.filter(|_| session.active.get() == 0)?;
        Some(session.idle_since.get() + limit)
    }

    /// Ends the connection when its time is over; otherwise has it looked at again in time.
    fn poll_deadline(&self, alarm: &Alarm, context: &mut Context<'_>) -> Poll<()> {
        let session = &self.session;
        let now = session.worker.clock.now();
        let is_idle = session.active.get() == 0;
        let blocked = session.settings.write_timeout;
        let blocked = blocked.and_then(|limit| Some(session.socket.blocked_since()? + limit));
        let end = match (self.ends_at, blocked) {
            (Some(end), Some(blocked)) => Some(end.min(blocked)),
            (end, blocked) => end.or(blocked),
        };
        if end.is_some_and(|end| end <= now) {
            return Poll::Ready(());
        }
        let look = match self.leaving_since {
            Some(since) => is_idle.then(|| since + LEAVE_WAIT),
            None => {
                let time_max = session.settings.keep_alive_time_max;
                let time_max = time_max.filter(|_| self.requests > 0);
                let aged = time_max.map(|max| self.started + max);
                [self.idle_deadline(), aged].into_iter().flatten().min()
            }
        };
        alarm.set([end, look].into_iter().flatten().min());
        // Asking registers for the new deadline.
        let _ = alarm.is_over(context);
        Poll::Pending
    }
}
