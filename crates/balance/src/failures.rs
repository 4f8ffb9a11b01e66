//! Recent failures of a server's real requests. hot path

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::Moment;

/// Remembers when a server's last requests failed, as many as it takes to say that it is not well.
#[derive(Debug)]
pub struct Failures {
    /// Failures since the last success.
    count: AtomicUsize,
    /// The moments of the last ones, in a ring.
    moments: Box<[AtomicU64]>,
}

impl Failures {
    /// A server is not well after that many failures; 1 to 1000, what is beyond is brought inside.
    pub fn new(attempts_max: u32) -> Self {
        let length = attempts_max.clamp(1, LENGTH_MAX);
        let moments = (0..length).map(|_| AtomicU64::new(0)).collect();
        Self { count: AtomicUsize::new(0), moments }
    }

    /// The number of failures after which a server is not well.
    pub fn attempts_max(&self) -> usize {
        self.moments.len()
    }

    /// Forgets all failures: the server answered well.
    pub fn forget(&self) {
        // Mostly there is nothing to forget, and then nothing is written.
        if self.count.load(Ordering::Relaxed) != 0 {
            self.count.store(0, Ordering::Relaxed);
        }
    }

    /// Remembers a failure; tells whether so many fell into the window that the server is not well.
    pub fn add(&self, now: Moment, window: Duration) -> bool {
        let length = self.moments.len();
        let position = self.count.fetch_add(1, Ordering::Relaxed);
        self.moments[position % length].store(now.to_bits(), Ordering::Relaxed);
        if position + 1 < length {
            return false;
        }
        let oldest = self.moments[(position + 1) % length].load(Ordering::Relaxed);
        now.since(Moment::from_bits(oldest)) < window
    }
}

const LENGTH_MAX: u32 = 1000;

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Adds failures at these seconds (`None`: a success) and expects this finding after the last.
    fn check(attempts_max: u32, events: &[Option<u64>], expected: bool) {
        let failures = Failures::new(attempts_max);
        let start = Moment::of(Instant::now());
        let mut found = false;
        for event in events {
            match event {
                None => failures.forget(),
                Some(second) => {
                    let now = start.after(Duration::from_secs(*second));
                    found = failures.add(now, Duration::from_secs(10));
                }
            }
        }
        assert_eq!(found, expected, "{attempts_max}: {events:?}");
    }

    #[test]
    fn enough_failures_within_the_window_are_too_many() {
        check(1, &[Some(0)], true);
        check(0, &[Some(0)], true);
        check(3, &[Some(0), Some(1)], false);
        check(3, &[Some(0), Some(1), Some(9)], true);
        check(3, &[Some(0), Some(1), Some(10)], false);
        check(3, &[Some(0), Some(5), Some(10), Some(14)], true);
    }

    #[test]
    fn a_success_makes_all_forgotten() {
        check(2, &[Some(0), None, Some(1)], false);
        check(2, &[Some(0), None, Some(1), Some(2)], true);
    }
}
