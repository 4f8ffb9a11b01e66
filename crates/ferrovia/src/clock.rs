//! Points in time as text: RFC 3339 in UTC, the form of logs and the API.

use std::time::{SystemTime, UNIX_EPOCH};

/// Writes a point in time to the second: `2026-11-21T03:14:38Z`. Times before 1970 are 1970.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}Z", date_and_time(since.as_secs()))
}

/// Writes a point in time with all that is known of it, as Go's `RFC3339Nano`: no zeros at the end.
pub(crate) fn rfc3339_nanos(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let fraction = format!(".{:09}", since.subsec_nanos());
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{}{fraction}Z", date_and_time(since.as_secs()))
}

fn date_and_time(seconds: u64) -> String {
    let (year, month, day) = date(seconds / DAY);
    let second = seconds % DAY;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// The date so many days after 1970-01-01. Counts in years that begin on the first of March, so
/// that leap days come last, and in eras of 400 such years.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + DAYS_FROM_YEAR_0_TO_1970;
    let era = days / DAYS_OF_ERA;
    let day_of_era = days % DAYS_OF_ERA;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months from March on have 31, 30, 31, 30, 31 days, and again.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

const DAY: u64 = 86_400;
const DAYS_OF_ERA: u64 = 146_097;
const DAYS_FROM_YEAR_0_TO_1970: u64 = 719_468;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn check(seconds: u64, nanoseconds: u32, to_the_second: &str, whole: &str) {
        let time = UNIX_EPOCH + Duration::new(seconds, nanoseconds);
        assert_eq!(rfc3339(time), to_the_second);
        assert_eq!(rfc3339_nanos(time), whole);
    }

    #[test]
    fn dates_of_the_gregorian_calendar() {
        check(0, 0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z");
        check(951_782_399, 1, "2000-02-28T23:59:59Z", "2000-02-28T23:59:59.000000001Z");
        check(951_782_400, 0, "2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z");
        check(1_709_251_199, 5, "2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000000005Z");
        check(1_795_230_878, 120_000_000, "2026-11-21T03:14:38Z", "2026-11-21T03:14:38.12Z");
        check(4_107_542_400, 0, "2100-03-01T00:00:00Z", "2100-03-01T00:00:00Z");
    }
}
