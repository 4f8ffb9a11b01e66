//! How a circuit closes again: the share of requests that pass grows from none to a half.

use std::time::Duration;

pub(super) struct Recovery {
    started: Duration,
    duration: Duration,
    passed: u64,
    refused: u64,
}

impl Recovery {
    pub(super) fn new(started: Duration, duration: Duration) -> Self {
        Self { started, duration, passed: 0, refused: 0 }
    }

    /// Tells whether one more may pass without exceeding the share of this time.
    pub(super) fn lets_pass(&mut self, now: Duration) -> bool {
        let elapsed = now.saturating_sub(self.started).as_secs_f64();
        let share = 0.5 * elapsed / self.duration.as_secs_f64();
        let passed = self.passed + 1;
        let passes = (passed as f64 / (passed + self.refused) as f64) < share;
        if passes {
            self.passed = passed;
        } else {
            self.refused += 1;
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends a request at each of the times, in tenths of the duration; tells which pass.
    fn check(times: &[u64], expected: &[bool]) {
        let mut recovery = Recovery::new(Duration::from_secs(100), Duration::from_secs(10));
        let passed: Vec<bool> =
            times.iter().map(|time| recovery.lets_pass(Duration::from_secs(100 + time))).collect();
        assert_eq!(passed, expected);
    }

    #[test]
    fn the_share_grows_to_a_half() {
        check(&[0, 0, 0, 10, 10, 10, 10], &[false, false, false, true, true, false, true]);
        check(&[0, 6, 6, 6, 6], &[false, false, false, true, false]);
    }
}
