//! What a middleware in report-only mode says instead of refusing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Counts what would have been refused, and logs it now and then.
pub(crate) struct Report {
    middleware: Arc<str>,
    started: Instant,
    /// Requests since the last line.
    requests: AtomicU64,
    /// When the next line may be written, in seconds since the start.
    next: AtomicU64,
}

/// Time between two lines at least.
const PAUSE: Duration = Duration::from_secs(10);

impl Report {
    pub(crate) fn new(middleware: &Arc<str>) -> Self {
        Self {
            middleware: Arc::clone(middleware),
            started: Instant::now(),
            requests: AtomicU64::new(0),
            next: AtomicU64::new(0),
        }
    }

    /// Counts a request that a limit would have refused.
    pub(crate) fn note(&self) {
        if let Some(requests) = self.count(self.started.elapsed()) {
            tracing::warn!(
                middleware = &*self.middleware,
                requests,
                "requests over the limit were let pass: the middleware only reports"
            );
        }
    }

    /// Counts one more; gives how many a line is to tell of, if it is time for one.
    fn count(&self, now: Duration) -> Option<u64> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let next = self.next.load(Ordering::Relaxed);
        if now.as_secs() < next {
            return None;
        }
        let later = (now + PAUSE).as_secs();
        let is_ours = self.next.compare_exchange(next, later, Ordering::Relaxed, Ordering::Relaxed);
        is_ours.ok().map(|_| self.requests.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_tell_of_all_requests_and_have_pauses_between_them() {
        let report = Report::new(&"m@file".into());
        let counts: Vec<Option<u64>> =
            [0, 0, 9, 10, 11, 30].map(|s| report.count(Duration::from_secs(s))).to_vec();
        assert_eq!(counts, [Some(1), None, None, Some(3), None, Some(2)]);
    }
}
