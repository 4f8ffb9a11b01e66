//! What the last ten seconds were like: statuses, and latencies if they are asked for.
//!
//! Counts are atomic and lock nothing. Between two seconds a few of them may be lost, which no
//! ratio over ten seconds notices.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use super::histogram::Rolling;

/// Counts of statuses over ten seconds and, on demand, latencies over a minute.
pub(super) struct Metrics {
    seconds: [Second; SECONDS],
    latencies: Option<Rolling>,
}

/// The counts of one second.
struct Second {
    /// Which second it is, from the start; negative: none yet.
    number: AtomicI64,
    statuses: Box<[AtomicU32]>,
}

const SECONDS: usize = 10;
const STATUS_MIN: u16 = 100;
/// Above the last status there is.
const STATUS_END: u16 = 1000;
/// What counts as a network error.
const NETWORK_ERRORS: [u16; 2] = [502, 504];

impl Metrics {
    pub(super) fn new(with_latencies: bool) -> Self {
        let statuses = || (STATUS_MIN..STATUS_END).map(|_| AtomicU32::new(0)).collect();
        Self {
            seconds: std::array::from_fn(|_| Second {
                number: AtomicI64::new(-1),
                statuses: statuses(),
            }),
            latencies: with_latencies.then(Rolling::new),
        }
    }

    pub(super) fn wants_latencies(&self) -> bool {
        self.latencies.is_some()
    }

    /// Counts a response that came at `now`, since the start.
    pub(super) fn record(&self, status: u16, latency: Option<Duration>, now: Duration) {
        let number = now.as_secs() as i64;
        let second = &self.seconds[now.as_secs() as usize % SECONDS];
        second.begin(number);
        let place = status.checked_sub(STATUS_MIN).map(usize::from);
        if let Some(count) = place.and_then(|place| second.statuses.get(place)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if let (Some(latencies), Some(latency)) = (&self.latencies, latency) {
            latencies.record(latency, now);
        }
    }

    /// Forgets everything.
    pub(super) fn reset(&self) {
        for second in &self.seconds {
            second.number.store(-1, Ordering::Relaxed);
            second.clear();
        }
        if let Some(latencies) = &self.latencies {
            latencies.reset();
        }
    }

    pub(super) fn network_error_ratio(&self, now: Duration) -> f64 {
        let total = self.count(now, 0, i64::MAX);
        if total == 0 {
            return 0.0;
        }
        let errors: u64 = NETWORK_ERRORS
            .iter()
            .map(|status| self.count(now, i64::from(*status), i64::from(*status) + 1))
            .sum();
        errors as f64 / total as f64
    }

    /// Gives how many responses had a status of the first range, for each of the second range. The
    /// ends of the ranges do not belong to them.
    pub(super) fn response_code_ratio(&self, now: Duration, ranges: &[i64; 4]) -> f64 {
        let [from, to, of_from, of_to] = *ranges;
        let of = self.count(now, of_from, of_to);
        if of == 0 { 0.0 } else { self.count(now, from, to) as f64 / of as f64 }
    }

    /// Gives the latency that so many in a hundred responses stay below, in milliseconds.
    pub(super) fn latency_at_quantile_ms(&self, quantile: f64) -> i64 {
        let at_quantile = |latencies: &Rolling| latencies.at_quantile(quantile);
        let latency = self.latencies.as_ref().map_or(0, at_quantile);
        i64::try_from(latency / 1000).unwrap_or(i64::MAX)
    }

    fn count(&self, now: Duration, from: i64, to: i64) -> u64 {
        let place = |status: i64| {
            let status = status.clamp(i64::from(STATUS_MIN), i64::from(STATUS_END));
            (status - i64::from(STATUS_MIN)) as usize
        };
        let (from, to) = (place(from), place(to));
        let now = now.as_secs() as i64;
        let seconds = self.seconds.iter().filter(|second| {
            let number = second.number.load(Ordering::Relaxed);
            number >= 0 && number > now - SECONDS as i64
        });
        seconds
            .flat_map(|second| second.statuses.get(from..to).unwrap_or_default())
            .map(|count| u64::from(count.load(Ordering::Relaxed)))
            .sum()
    }
}

impl Second {
    /// Makes it the second of that number, if it was another.
    fn begin(&self, number: i64) {
        let before = self.number.load(Ordering::Relaxed);
        if before >= number {
            return;
        }
        let taken =
            self.number.compare_exchange(before, number, Ordering::Relaxed, Ordering::Relaxed);
        if taken.is_ok() && before >= 0 {
            self.clear();
        }
    }

    fn clear(&self) {
        for count in &self.statuses {
            count.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records statuses at seconds, and tells the ratios at a later one.
    fn check(recorded: &[(u16, u64)], at: u64, network: f64, codes: f64) {
        let metrics = Metrics::new(false);
        for (status, second) in recorded {
            metrics.record(*status, None, Duration::from_secs(*second));
        }
        let now = Duration::from_secs(at);
        assert_eq!(metrics.network_error_ratio(now), network);
        assert_eq!(metrics.response_code_ratio(now, &[500, 600, 200, 600]), codes);
    }

    #[test]
    fn ratios_are_of_the_last_ten_seconds() {
        check(&[], 0, 0.0, 0.0);
        check(&[(200, 0), (502, 0), (504, 1), (500, 1)], 1, 0.5, 0.75);
        check(&[(200, 0), (502, 9)], 9, 0.5, 0.5);
        check(&[(200, 0), (502, 9)], 10, 1.0, 1.0);
        check(&[(502, 0), (200, 10)], 10, 0.0, 0.0);
        check(&[(502, 0)], 100, 0.0, 0.0);
        check(&[(99, 0), (1000, 0), (502, 0)], 0, 1.0, 1.0);
    }

    #[test]
    fn ranges_end_before_their_ends_and_may_be_odd() {
        let metrics = Metrics::new(false);
        for status in [499, 500, 599, 600] {
            metrics.record(status, None, Duration::ZERO);
        }
        let ratio = |ranges| metrics.response_code_ratio(Duration::ZERO, &ranges);
        assert_eq!(ratio([500, 600, 0, 1000]), 0.5);
        assert_eq!(ratio([600, 500, 0, 1000]), 0.0);
        assert_eq!(ratio([500, 600, 700, 800]), 0.0);
        assert_eq!(ratio([i64::MIN, i64::MAX, i64::MIN, i64::MAX]), 1.0);
    }

    #[test]
    fn a_reset_forgets_everything() {
        let metrics = Metrics::new(true);
        metrics.record(502, Some(Duration::from_millis(7)), Duration::ZERO);
        assert_eq!(metrics.latency_at_quantile_ms(50.0), 7);
        metrics.reset();
        assert_eq!(metrics.network_error_ratio(Duration::ZERO), 0.0);
        assert_eq!(metrics.latency_at_quantile_ms(50.0), 0);
    }
}
