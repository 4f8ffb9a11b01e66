//! The signals of the operating system, as events.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// SIGHUP: read everything again.
    Reload,
    /// SIGUSR1: open the log file again.
    ReopenLog,
    /// SIGTERM or SIGINT: end.
    Terminate,
}

/// The signals that the program listens to. From the moment it listens none of them ends the
/// process of itself.
pub(crate) struct Events {
    hangup: Signal,
    user: Signal,
    terminate: Signal,
    interrupt: Signal,
    /// SIGXFSZ: a file, such as the log, has reached the size that files may have. Whoever listens is
    /// not ended by it, but told by the write that fails.
    _file_size: Signal,
}

impl Events {
    /// Begins to listen.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            user: signal(SignalKind::user_defined1())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            _file_size: signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
        })
    }

    /// Waits for the next event. Of a burst of reloads only one is told.
    pub(crate) async fn next(&mut self) -> Event {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Event::Terminate,
            _ = self.interrupt.recv() => Event::Terminate,
            _ = self.user.recv() => Event::ReopenLog,
            _ = self.hangup.recv() => {
                self.settle().await;
                Event::Reload
            }
        }
    }

    /// Waits until SIGTERM or SIGINT comes (again).
    pub(crate) async fn terminated(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Swallows the reloads that come shortly after one another: a tool that writes ten files may
    /// send ten signals.
    async fn settle(&mut self) {
        for _ in 0..SIGNALS_OF_A_BURST_MAX {
            if tokio::time::timeout(CALM, self.hangup.recv()).await.is_err() {
                return;
            }
        }
    }
}

/// Time without a signal after which a burst is over.
const CALM: Duration = Duration::from_millis(100);
/// A stream of signals without end shall not put the reload off for ever.
const SIGNALS_OF_A_BURST_MAX: usize = 20;
