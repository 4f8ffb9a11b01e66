//! What a server has to do at the moment. hot path

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Counts a server's requests under way and remembers how fast it answered the last ones.
#[derive(Debug, Default)]
pub struct Load {
    in_flight: AtomicUsize,
    /// Made with the first sample: only one strategy asks for it.
    response_times: OnceLock<Box<ResponseTimes>>,
}

impl Load {
    /// Requests under way.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts a request in.
    pub fn enter(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request out.
    pub fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Remembers how long the server took to answer.
    pub fn answered(&self, after: Duration) {
        self.response_times.get_or_init(Box::default).add(after);
    }

    /// The mean of the last hundred answers in milliseconds, as whole milliseconds go into it; 0
    /// without any.
    pub fn mean_response_time_ms(&self) -> f64 {
        self.response_times.get().map_or(0.0, |times| times.mean())
    }
}

/// The last samples in a ring, and their sum.
#[derive(Debug)]
struct ResponseTimes {
    count: AtomicUsize,
    sum: AtomicU64,
    samples: [AtomicU32; SAMPLES],
}

impl Default for ResponseTimes {
    fn default() -> Self {
        Self {
            count: AtomicUsize::new(0),
            sum: AtomicU64::new(0),
            samples: [const { AtomicU32::new(0) }; SAMPLES],
        }
    }
}

impl ResponseTimes {
    fn add(&self, sample: Duration) {
        let sample = u32::try_from(sample.as_millis()).unwrap_or(u32::MAX);
        let position = self.count.fetch_add(1, Ordering::Relaxed) % SAMPLES;
        let replaced = self.samples[position].swap(sample, Ordering::Relaxed);
        // Wraps around and back: every sample is added once and taken off once.
        let change = u64::from(sample).wrapping_sub(u64::from(replaced));
        self.sum.fetch_add(change, Ordering::Relaxed);
    }

    fn mean(&self) -> f64 {
        let count = self.count.load(Ordering::Relaxed).min(SAMPLES);
        if count == 0 {
            return 0.0;
        }
        self.sum.load(Ordering::Relaxed) as f64 / count as f64
    }
}

/// As many as Traefik's `leasttime` looks at.
const SAMPLES: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(samples: impl IntoIterator<Item = u64>, mean: f64) {
        let load = Load::default();
        for sample in samples {
            load.answered(Duration::from_micros(sample));
        }
        assert_eq!(load.mean_response_time_ms(), mean);
    }

    #[test]
    fn the_mean_is_that_of_the_last_hundred_in_whole_milliseconds() {
        check([], 0.0);
        check([4_000, 2_900], 3.0);
        check([900], 0.0);
        check((0..250).map(|i| if i < 150 { 900_000 } else { 7_000 }), 7.0);
    }

    #[test]
    fn requests_are_counted_in_and_out() {
        let load = Load::default();
        load.enter();
        load.enter();
        load.leave();
        assert_eq!(load.in_flight(), 1);
    }
}
