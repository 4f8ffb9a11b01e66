//! A token bucket as one number: the time at which it will be full again.
//!
//! A request puts that time off by the time one token takes. How long it has to wait follows from
//! it, as does everything else that a count of tokens and a time would say.

use config::Duration;

/// How fast a bucket fills, how large it is, and for how long requests may wait for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// Time of one token, in ticks.
    token: u64,
    /// Time of all tokens.
    bucket: u64,
    wait_max: u64,
    /// How many binary digits of a sixteenth of a nanosecond a tick leaves out, so that slow and
    /// large buckets fit as well.
    coarseness: u32,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It may pass, after a wait; the bucket is full at this time.
    Token { wait: std::time::Duration, full_at: u64 },
    /// It would have to wait for so long.
    Refused { wait: std::time::Duration },
}

/// Ticks in a nanosecond at the finest.
const FINEST: u128 = 16;
/// A bucket's time at most, so that sums with the time since the start stay in range.
const BUCKET_MAX: u128 = 1 << 60;

impl Pace {
    /// `average` tokens per `period`, `burst` tokens in a full bucket; all above zero.
    pub(super) fn new(average: u64, period: std::time::Duration, burst: u64) -> Self {
        let average = u128::from(average.max(1));
        let token = (period.as_nanos() * FINEST).div_ceil(average).max(1);
        // A bucket that takes millennia to fill is none the fuller for more.
        let mut bucket = token.saturating_mul(u128::from(burst.max(1)));
        let mut coarseness = 0;
        while bucket >> coarseness > BUCKET_MAX {
            coarseness += 1;
        }
        let token = (token >> coarseness).clamp(1, BUCKET_MAX);
        bucket >>= coarseness;
        Self {
            token: token as u64,
            bucket: bucket as u64,
            wait_max: ((wait_max(average, period).as_nanos() * FINEST) >> coarseness) as u64,
            coarseness,
        }
    }

    /// Gives a time since the start in ticks.
    pub(super) fn ticks(&self, since_start: std::time::Duration) -> u64 {
        let ticks = (since_start.as_nanos() * FINEST) >> self.coarseness;
        u64::try_from(ticks).unwrap_or(u64::MAX / 2)
    }

    /// Takes a token at `now`, from a bucket that is full at `full_at`.
    pub(super) fn take(&self, full_at: u64, now: u64) -> Taken {
        let full_at = full_at.max(now).saturating_add(self.token);
        let wait = (full_at - now).saturating_sub(self.bucket);
        if wait > self.wait_max {
            return Taken::Refused { wait: self.time(wait) };
        }
        Taken::Token { wait: self.time(wait), full_at }
    }

    fn time(&self, ticks: u64) -> std::time::Duration {
        let nanoseconds = (u128::from(ticks) << self.coarseness) / FINEST;
        std::time::Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }
}

/// Half the time of a token, and at most half a second: what Traefik lets requests wait.
fn wait_max(average: u128, period: std::time::Duration) -> std::time::Duration {
    let per_second = (average * 1_000_000_000) / period.as_nanos().max(1);
    let waits = u64::try_from(1_000_000_000 / (2 * per_second.max(1))).unwrap_or(0);
    std::time::Duration::from_nanos(waits)
}

/// Writes a time as Go does, such as `1m3.5s`.
pub(super) fn in_gos_words(time: std::time::Duration) -> String {
    Duration::from(time).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Takes a token at each of the times, in milliseconds; tells the waits, `None`: refused.
    fn check(average: u64, period_ms: u64, burst: u64, at: &[u64], expected: &[Option<u64>]) {
        let pace = Pace::new(average, Duration::from_millis(period_ms), burst);
        let mut full_at = 0;
        let waits: Vec<Option<u64>> = at
            .iter()
            .map(|ms| match pace.take(full_at, pace.ticks(Duration::from_millis(*ms))) {
                Taken::Token { wait, full_at: later } => {
                    full_at = later;
                    Some(wait.as_millis() as u64)
                }
                Taken::Refused { .. } => None,
            })
            .collect();
        assert_eq!(waits, expected);
    }

    #[test]
    fn bursts_pass_and_then_the_average_does() {
        check(
            1,
            1000,
            2,
            &[0, 0, 0, 499, 1000, 1000],
            &[Some(0), Some(0), None, None, Some(0), None],
        );
    }

    #[test]
    fn short_waits_are_waited_for() {
        check(1, 1000, 1, &[0, 500, 600, 1600], &[Some(0), Some(500), None, Some(400)]);
        check(10, 1000, 1, &[0, 40, 60, 150], &[Some(0), None, Some(40), Some(50)]);
        check(1, 10_000, 1, &[0, 9400, 9500], &[Some(0), None, Some(500)]);
    }

    #[test]
    fn what_was_refused_does_not_count() {
        check(1, 1000, 1, &[0, 0, 0, 0, 1000], &[Some(0), None, None, None, Some(0)]);
    }

    #[test]
    fn a_full_bucket_holds_no_more_than_its_burst() {
        check(1, 1000, 2, &[100_000, 100_000, 100_000], &[Some(0), Some(0), None]);
    }

    #[test]
    fn extreme_numbers_keep_their_meaning() {
        check(u64::MAX, 1000, u64::MAX, &[0, 0], &[Some(0), Some(0)]);
        check(1, u64::MAX / 1_000_000, 1, &[0, 0, 1 << 40], &[Some(0), None, None]);
        check(1, 3_600_000_000, 3, &[0, 0, 0, 0], &[Some(0), Some(0), Some(0), None]);
        check(1, u64::MAX / 1_000_000, u64::MAX, &[0, 0], &[Some(0), Some(0)]);
    }

    #[test]
    fn the_refusal_tells_the_wait() {
        let pace = Pace::new(1, Duration::from_secs(10), 1);
        let Taken::Token { full_at, .. } = pace.take(0, 0) else { panic!("a full bucket") };
        let refused = pace.take(full_at, pace.ticks(Duration::from_millis(12)));
        assert_eq!(refused, Taken::Refused { wait: Duration::from_millis(9988) });
        assert_eq!(in_gos_words(Duration::from_millis(9988)), "9.988s");
    }
}
