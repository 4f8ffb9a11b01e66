//! Whether a server is up, and for how long. hot path

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Moment;

/// Holds one server's health: the moment from which on it is up. Servers start up, as Traefik's do.
#[derive(Debug)]
pub struct Health {
    up_from: AtomicU64,
}

impl Default for Health {
    fn default() -> Self {
        Self { up_from: AtomicU64::new(Moment::ALWAYS.to_bits()) }
    }
}

impl Health {
    /// The health of a server that joins others which are at work already: it starts slowly, where
    /// a slow start is asked for.
    pub fn joining() -> Self {
        Self { up_from: AtomicU64::new(JOINING) }
    }

    /// Tells whether requests may go to the server.
    pub fn is_up(&self, now: Moment) -> bool {
        self.up_from() <= now
    }

    /// Takes the server in; tells whether it was out.
    pub fn set_up(&self, now: Moment) -> bool {
        let since = now.before(CLOCK_LAG);
        let changed = self.up_from.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |up_from| {
            (Moment::from_bits(up_from) > now).then_some(since.to_bits())
        });
        changed.is_ok()
    }

    /// Takes the server out until somebody takes it in again; tells whether it was in.
    pub fn set_down(&self, now: Moment) -> bool {
        self.set_down_until(Moment::NEVER, now)
    }

    /// Takes the server out until then, or as long as it is out already if that is longer; tells
    /// whether it was in.
    pub fn set_down_until(&self, until: Moment, now: Moment) -> bool {
        let before = self.up_from.fetch_max(until.to_bits(), Ordering::Relaxed);
        Moment::from_bits(before) <= now
    }

    /// The share of its weight that a server has which came up a while ago and starts slowly: it
    /// grows evenly up to 1 over `slow_start`.
    pub fn share(&self, now: Moment, slow_start: Duration) -> f64 {
        if slow_start.is_zero() || self.up_from() == Moment::ALWAYS {
            return 1.0;
        }
        // Whoever first asks for a server that joined says since when.
        let joined = self.up_from.compare_exchange(
            JOINING,
            now.to_bits(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        let up_for = if joined.is_ok() { Duration::ZERO } else { now.since(self.up_from()) };
        (up_for.as_secs_f64() / slow_start.as_secs_f64()).clamp(SHARE_MIN, 1.0)
    }

    fn up_from(&self) -> Moment {
        Moment::from_bits(self.up_from.load(Ordering::Relaxed))
    }
}

/// Stands for a moment that nobody has read from a clock yet.
const JOINING: u64 = 1;
/// How far the clocks of those who ask may be behind the clock of those who tell: a server that is
/// in shall be in for all.
const CLOCK_LAG: Duration = Duration::from_millis(100);
/// The least share, so that the first request is not for ever away.
const SHARE_MIN: f64 = 0.01;

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_taken_out_stays_out_until_it_is_taken_in() {
        let (health, now) = (Health::default(), Moment::of(Instant::now()));
        assert!(health.is_up(now));
        assert!(!health.set_up(now), "it is up already");
        assert!(health.set_down(now));
        assert!(!health.set_down(now), "it is down already");
        assert!(!health.is_up(now.after(SECOND * 1_000_000)));
        assert!(health.set_up(now.after(SECOND)));
        assert!(health.is_up(now.after(SECOND)));
        assert!(health.is_up(now.after(SECOND).before(CLOCK_LAG)), "for slow clocks too");
    }

    #[test]
    fn what_is_taken_out_for_a_while_comes_back_by_itself() {
        let (health, now) = (Health::default(), Moment::of(Instant::now()));
        let until = now.after(SECOND);
        assert!(health.set_down_until(until, now));
        assert!(!health.set_down_until(now, now), "a shorter while changes nothing");
        assert!(!health.is_up(now));
        assert!(health.is_up(until));
        assert!(health.set_down_until(until.after(SECOND), until));
    }

    fn check_share(health: &Health, now: Moment, expected: f64) {
        let share = health.share(now, SECOND * 10);
        assert!((share - expected).abs() < 0.011, "{share} instead of {expected}");
    }

    #[test]
    fn who_comes_back_starts_slowly() {
        let (health, now) = (Health::default(), Moment::of(Instant::now()));
        check_share(&health, now, 1.0);
        health.set_down(now);
        health.set_up(now);
        check_share(&health, now, SHARE_MIN);
        check_share(&health, now.after(SECOND * 4), 0.4);
        check_share(&health, now.after(SECOND * 40), 1.0);
        assert_eq!(health.share(now, Duration::ZERO), 1.0);
    }

    #[test]
    fn who_joins_starts_slowly_from_the_first_question_on() {
        let (health, now) = (Health::joining(), Moment::of(Instant::now()));
        assert!(health.is_up(now));
        check_share(&health, now, SHARE_MIN);
        check_share(&health, now.after(SECOND * 5), 0.5);
    }
}
