//! Latencies over the last minute, to one part in a hundred.
//!
//! Buckets are those of an HDR histogram of two significant figures: exact up to 255 µs, then half
//! as fine at every doubling, up to an hour.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

/// Six histograms of ten seconds each; the oldest is reused.
pub(super) struct Rolling {
    periods: [Period; PERIODS],
}

struct Period {
    /// Which period it is, from the start; negative: none yet.
    number: AtomicI64,
    counts: Box<[AtomicU32]>,
}

const PERIODS: usize = 6;
const PERIOD_SECONDS: u64 = 10;
/// Values that are told apart exactly.
const EXACT: u64 = 256;
const HALF: u64 = EXACT / 2;
/// An hour, in microseconds. What takes longer is not counted.
const LATENCY_MAX: u64 = 3_600_000_000;

impl Rolling {
    pub(super) fn new() -> Self {
        let counts = || (0..=index(LATENCY_MAX)).map(|_| AtomicU32::new(0)).collect();
        Self {
            periods: std::array::from_fn(|_| Period {
                number: AtomicI64::new(-1),
                counts: counts(),
            }),
        }
    }

    /// Counts a response at `now`, since the start.
    pub(super) fn record(&self, latency: Duration, now: Duration) {
        let number = now.as_secs() / PERIOD_SECONDS;
        let period = &self.periods[number as usize % PERIODS];
        period.begin(number as i64);
        let latency = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        if latency <= LATENCY_MAX
            && let Some(count) = period.counts.get(index(latency))
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn reset(&self) {
        for period in &self.periods {
            period.number.store(-1, Ordering::Relaxed);
            period.clear();
        }
    }

    /// Gives the latency, in microseconds, that `quantile` in a hundred responses do not exceed.
    pub(super) fn at_quantile(&self, quantile: f64) -> u64 {
        let count_at = |index: usize| -> u64 {
            let counts = self.periods.iter().filter_map(|period| period.counts.get(index));
            counts.map(|count| u64::from(count.load(Ordering::Relaxed))).sum()
        };
        let indices = 0..=index(LATENCY_MAX);
        let total: u64 = indices.clone().map(count_at).sum();
        let wanted = (quantile.clamp(0.0, 100.0) / 100.0 * total as f64 + 0.5) as u64;
        let mut seen = 0;
        for index in indices {
            let count = count_at(index);
            seen += count;
            if count > 0 && seen >= wanted {
                return highest(index);
            }
        }
        0
    }
}

impl Period {
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
        for count in &self.counts {
            count.store(0, Ordering::Relaxed);
        }
    }
}

/// The bucket of a value.
fn index(value: u64) -> usize {
    let doublings = doublings(value);
    (doublings * HALF + (value >> doublings)) as usize
}

/// How often a value must be halved to be told apart from its neighbours.
fn doublings(value: u64) -> u64 {
    u64::from((u64::BITS - value.leading_zeros()).saturating_sub(EXACT.trailing_zeros()))
}

/// The highest value of a bucket.
fn highest(index: usize) -> u64 {
    let index = index as u64;
    let doublings = (index / HALF).saturating_sub(1);
    let lowest = (index - doublings * HALF) << doublings;
    lowest + (1 << doublings) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: u64, expected_highest: u64) {
        assert_eq!(highest(index(value)), expected_highest, "of {value}");
    }

    #[test]
    fn buckets_are_as_fine_as_two_figures() {
        check(0, 0);
        check(1, 1);
        check(255, 255);
        check(256, 257);
        check(257, 257);
        check(511, 511);
        check(512, 515);
        check(10_000, 10_047);
        check(1_000_000, 1_003_519);
        let fine = |value: u64| highest(index(value)) - value <= value / 100;
        assert!([256, 999, 12_345, 7_654_321, LATENCY_MAX].into_iter().all(fine));
    }

    #[test]
    fn neighbouring_buckets_leave_no_value_out() {
        let mut value = 0;
        for bucket in 0..=index(LATENCY_MAX) {
            assert_eq!(index(value), bucket);
            value = highest(bucket) + 1;
        }
    }

    fn check_quantile(milliseconds: &[u64], quantile: f64, expected_ms: u64) {
        let rolling = Rolling::new();
        for latency in milliseconds {
            rolling.record(Duration::from_millis(*latency), Duration::ZERO);
        }
        assert_eq!(rolling.at_quantile(quantile) / 1000, expected_ms);
    }

    #[test]
    fn quantiles_are_counted_from_below() {
        check_quantile(&[], 50.0, 0);
        check_quantile(&[1, 2, 3, 4], 50.0, 2);
        check_quantile(&[1, 2, 3, 4], 100.0, 4);
        check_quantile(&[1, 2, 3, 4], 0.0, 1);
        check_quantile(&[1, 2, 3, 4], -7.0, 1);
        check_quantile(&[5_000_000], 50.0, 0);
    }

    #[test]
    fn a_minute_is_remembered() {
        let rolling = Rolling::new();
        for second in 0..120 {
            rolling.record(Duration::from_millis(second), Duration::from_secs(second));
        }
        assert_eq!(rolling.at_quantile(0.0) / 1000, 60);
    }
}
