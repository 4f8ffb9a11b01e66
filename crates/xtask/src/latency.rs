//! How long answers took, in buckets of three percent.

use std::time::Duration;

/// Counts of durations.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    max: Duration,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; BUCKETS], max: Duration::ZERO }
    }

    pub(crate) fn add(&mut self, duration: Duration) {
        self.counts[bucket(micros(duration))] += 1;
        self.max = self.max.max(duration);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.max = self.max.max(other.max);
    }

    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(crate) fn max(&self) -> Duration {
        self.max
    }

    /// The duration that `share` (0 to 1) of all did not exceed, to three percent.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if *count > 0 && seen >= wanted {
                return Duration::from_micros(lower_bound(bucket));
            }
        }
        self.max
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Values below `2 * STEPS` have a bucket each; above, each doubling has `STEPS` of them.
fn bucket(value: u64) -> usize {
    let doublings = (u64::BITS - 1 - STEP_BITS).saturating_sub(value.max(1).leading_zeros());
    let step = (value >> doublings) as usize;
    (doublings as usize * STEPS + step).min(BUCKETS - 1)
}

fn lower_bound(bucket: usize) -> u64 {
    let doublings = (bucket / STEPS).saturating_sub(1);
    ((bucket - doublings * STEPS) as u64) << doublings
}

const STEP_BITS: u32 = 5;
const STEPS: usize = 1 << STEP_BITS;
const BUCKETS: usize = STEPS * 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(micros: u64, expected: u64) {
        assert_eq!(lower_bound(bucket(micros)), expected, "{micros} µs");
    }

    #[test]
    fn buckets_are_exact_below_64_and_to_three_percent_above() {
        check(0, 0);
        check(1, 1);
        check(63, 63);
        check(64, 64);
        check(65, 64);
        check(127, 126);
        check(128, 128);
        check(1_000_000, 999_424);
    }

    #[test]
    fn quantiles_come_from_all_that_was_added() {
        let mut histogram = Histogram::new();
        for micros in 1..=50 {
            histogram.add(Duration::from_micros(micros));
        }
        let mut other = Histogram::new();
        other.add(Duration::from_secs(1));
        histogram.merge(&other);
        assert_eq!(histogram.count(), 51);
        assert_eq!(histogram.quantile(0.5), Duration::from_micros(26));
        assert_eq!(histogram.quantile(1.0), Duration::from_micros(999_424));
        assert_eq!(histogram.max(), Duration::from_secs(1));
    }
}
