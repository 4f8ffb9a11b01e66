//! A point in time that fits into one atomic.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A point in time, in milliseconds since the first one the process asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// Says "ever since".
    pub(crate) const ALWAYS: Self = Self(0);
    /// Later than all others.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    /// The moment of an instant the caller read from its clock.
    pub fn of(instant: Instant) -> Self {
        static FIRST: OnceLock<Instant> = OnceLock::new();

        let since = instant.saturating_duration_since(*FIRST.get_or_init(|| instant));
        Self(millis(since).saturating_add(EARLIEST))
    }

    /// The moment that much later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// The moment that much earlier.
    #[must_use]
    pub(crate) fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// The time from `earlier` to this moment; zero if it was not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) fn to_bits(self) -> u64 {
        self.0
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Real moments start here, with room for what is a little earlier; what is much smaller has a
/// meaning of its own to those who store it.
const EARLIEST: u64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_ordered_as_their_instants() {
        let now = Instant::now();
        let (first, later) = (Moment::of(now), Moment::of(now + Duration::from_millis(5)));
        assert_eq!(later.since(first), Duration::from_millis(5));
        assert_eq!(first.since(later), Duration::ZERO);
        assert_eq!(first.after(Duration::from_millis(5)), later);
        assert!(Moment::ALWAYS < first && later < Moment::NEVER);
    }
}
