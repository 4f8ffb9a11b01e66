//! Durations as Go writes them, which is how users write them.
//!
//! `1m30s`, `100ms`, `1.5h` and bare whole numbers (seconds) are read; printing follows Go's
//! `time.Duration.String`. The sign is kept because some options give negative values a meaning.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A signed length of time with nanosecond resolution (about ±292 years, as in Go).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    nanoseconds: i64,
}

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self { nanoseconds: 0 };

    /// A duration of whole nanoseconds; negative values are kept.
    pub const fn from_nanos(nanoseconds: i64) -> Self {
        Self { nanoseconds }
    }

    /// A duration of whole milliseconds, saturating.
    pub const fn from_millis(milliseconds: i64) -> Self {
        Self { nanoseconds: milliseconds.saturating_mul(MILLISECOND) }
    }

    /// A duration of whole seconds, saturating.
    pub const fn from_secs(seconds: i64) -> Self {
        Self { nanoseconds: seconds.saturating_mul(SECOND) }
    }

    /// The length in nanoseconds, with its sign.
    pub const fn as_nanos(self) -> i64 {
        self.nanoseconds
    }

    /// The length as the standard library's type; a negative duration gives zero.
    pub const fn as_std(self) -> std::time::Duration {
        if self.nanoseconds <= 0 {
            return std::time::Duration::ZERO;
        }
        std::time::Duration::from_nanos(self.nanoseconds as u64)
    }

    /// Whether the length is exactly zero, which many options read as "no limit".
    pub const fn is_zero(&self) -> bool {
        self.nanoseconds == 0
    }

    /// Whether the length is below zero.
    pub const fn is_negative(self) -> bool {
        self.nanoseconds < 0
    }

    /// Reads a Go duration or a bare whole number of seconds.
    pub fn parse(text: &str) -> Result<Self, InvalidDuration> {
        let invalid = |problem| InvalidDuration { text: text.to_owned(), problem };
        if let Ok(seconds) = text.parse::<i64>() {
            return match seconds.checked_mul(SECOND) {
                Some(nanoseconds) => Ok(Self { nanoseconds }),
                None => Err(invalid(Problem::OutOfRange)),
            };
        }
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if digits.is_empty() {
            return Err(invalid(Problem::Malformed));
        }
        let magnitude = parse_segments(digits).map_err(invalid)?;
        let signed = if negative { -magnitude } else { magnitude };
        match i64::try_from(signed) {
            Ok(nanoseconds) => Ok(Self { nanoseconds }),
            Err(_) => Err(invalid(Problem::OutOfRange)),
        }
    }
}

impl From<std::time::Duration> for Duration {
    fn from(duration: std::time::Duration) -> Self {
        Self { nanoseconds: i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX) }
    }
}

impl From<Duration> for std::time::Duration {
    fn from(duration: Duration) -> Self {
        duration.as_std()
    }
}

impl FromStr for Duration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanoseconds == 0 {
            return formatter.write_str("0s");
        }
        if self.nanoseconds < 0 {
            formatter.write_str("-")?;
        }
        let total = self.nanoseconds.unsigned_abs();
        if total < SECOND as u64 {
            let (unit, name) = match total {
                0..1_000 => (1, "ns"),
                1_000..1_000_000 => (1_000, "µs"),
                _ => (1_000_000, "ms"),
            };
            write_decimal(formatter, total, unit)?;
            return formatter.write_str(name);
        }
        let (hours, rest) = (total / HOUR as u64, total % HOUR as u64);
        let (minutes, rest) = (rest / MINUTE as u64, rest % MINUTE as u64);
        if hours > 0 {
            write!(formatter, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(formatter, "{minutes}m")?;
        }
        write_decimal(formatter, rest, SECOND as u64)?;
        formatter.write_str("s")
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DurationVisitor;

        impl Visitor<'_> for DurationVisitor {
            type Value = Duration;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a duration such as 1m30s, or a number of seconds")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
                Duration::parse(text).map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Duration, E> {
                Ok(Duration::from_secs(seconds))
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Duration, E> {
                Ok(Duration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)))
            }
        }

        deserializer.deserialize_str(DurationVisitor)
    }
}

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid duration {text:?}: {problem}")]
pub struct InvalidDuration {
    text: String,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("expected a whole number of seconds or a Go duration such as 1m30s")]
    Malformed,
    #[error("missing unit, expected one of ns, us, ms, s, m, h")]
    MissingUnit,
    #[error("unknown unit {0:?}, expected one of ns, us, ms, s, m, h")]
    UnknownUnit(String),
    #[error("out of range")]
    OutOfRange,
}

/// Sums `[0-9]*(\.[0-9]*)?unit` segments, as Go's `time.ParseDuration` does.
fn parse_segments(mut text: &str) -> Result<i128, Problem> {
    let mut total: i128 = 0;
    while !text.is_empty() {
        let whole = leading(text, |c| c.is_ascii_digit());
        let mut rest = &text[whole.len()..];
        let mut fraction = "";
        if let Some(after) = rest.strip_prefix('.') {
            fraction = leading(after, |c| c.is_ascii_digit());
            rest = &after[fraction.len()..];
        }
        if whole.is_empty() && fraction.is_empty() {
            return Err(Problem::Malformed);
        }
        let unit = leading(rest, |c| c != '.' && !c.is_ascii_digit());
        if unit.is_empty() {
            return Err(Problem::MissingUnit);
        }
        let scale = unit_length(unit).ok_or_else(|| Problem::UnknownUnit(unit.to_owned()))?;
        // 19 digits hold every value in range; more cannot be one.
        let whole = whole.trim_start_matches('0');
        if whole.len() > 19 {
            return Err(Problem::OutOfRange);
        }
        let count: i128 = if whole.is_empty() { 0 } else { whole.parse().unwrap_or(i128::MAX) };
        total = count
            .checked_mul(scale)
            .and_then(|length| length.checked_add(fraction_length(fraction, scale)))
            .and_then(|length| total.checked_add(length))
            .filter(|sum| *sum <= i128::from(i64::MAX) + 1)
            .ok_or(Problem::OutOfRange)?;
        text = &rest[unit.len()..];
    }
    Ok(total)
}

/// The length of `0.<digits>` units, cut to whole nanoseconds.
fn fraction_length(digits: &str, scale: i128) -> i128 {
    let (mut value, mut divisor) = (0_i128, 1_i128);
    // No unit is longer than 3.6e12 ns, so digits past the 18th cannot change the result by 1 ns.
    for digit in digits.bytes().take(18) {
        value = value * 10 + i128::from(digit - b'0');
        divisor *= 10;
    }
    value * scale / divisor
}

fn leading(text: &str, wanted: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|c| !wanted(c)).unwrap_or(text.len())]
}

fn unit_length(unit: &str) -> Option<i128> {
    let nanoseconds = match unit {
        "ns" => 1,
        // U+00B5 micro sign and U+03BC Greek mu, both accepted by Go.
        "us" | "\u{b5}s" | "\u{3bc}s" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    };
    Some(i128::from(nanoseconds))
}

/// Writes `value / unit` as a decimal without trailing zeros; `unit` is a power of ten.
fn write_decimal(formatter: &mut fmt::Formatter<'_>, value: u64, unit: u64) -> fmt::Result {
    write!(formatter, "{}", value / unit)?;
    let rest = value % unit;
    if rest == 0 {
        return Ok(());
    }
    let width = unit.ilog10() as usize;
    let digits = format!("{rest:0width$}");
    write!(formatter, ".{}", digits.trim_end_matches('0'))
}

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000_000;
const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `input` and expects what Go prints for it, or the error's text.
    fn check(input: &str, expected: &str) {
        let printed = match Duration::parse(input) {
            Ok(duration) => duration.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(printed, expected, "input {input:?}");
    }

    #[test]
    fn bare_numbers_are_seconds() {
        check("10", "10s");
        check("-1", "-1s");
        check("0", "0s");
        check("3600", "1h0m0s");
    }

    #[test]
    fn go_durations_print_as_go_prints_them() {
        check("1m30s", "1m30s");
        check("90s", "1m30s");
        check("100ms", "100ms");
        check("1.5h", "1h30m0s");
        check(".5s", "500ms");
        check("1.s", "1s");
        check("1500us", "1.5ms");
        check("1500\u{b5}s", "1.5ms");
        check("3ns", "3ns");
        check("1h1ns", "1h0m0.000000001s");
        check("-1.5s", "-1.5s");
        check("+5s", "5s");
        check("-0.5ms", "-500µs");
        check("9223372036854775807ns", "2562047h47m16.854775807s");
        check("-9223372036854775808ns", "-2562047h47m16.854775808s");
    }

    #[test]
    fn what_go_refuses_is_refused() {
        let expected = "expected a whole number of seconds or a Go duration such as 1m30s";
        check("abc", &format!("invalid duration \"abc\": {expected}"));
        check("", &format!("invalid duration \"\": {expected}"));
        check(".s", &format!("invalid duration \".s\": {expected}"));
        check("-", &format!("invalid duration \"-\": {expected}"));
        let units = "expected one of ns, us, ms, s, m, h";
        check("1.5", &format!("invalid duration \"1.5\": missing unit, {units}"));
        check("1d", &format!("invalid duration \"1d\": unknown unit \"d\", {units}"));
        check("1s 2m", &format!("invalid duration \"1s 2m\": unknown unit \"s \", {units}"));
        check("9223372036854775808ns", "invalid duration \"9223372036854775808ns\": out of range");
        check(
            "99999999999999999999999h",
            "invalid duration \"99999999999999999999999h\": out of range",
        );
        check("9999999999999", "invalid duration \"9999999999999\": out of range");
    }

    #[test]
    fn negative_durations_are_zero_for_the_standard_library() {
        assert_eq!(Duration::from_secs(-3).as_std(), std::time::Duration::ZERO);
        assert_eq!(Duration::from_millis(1500).as_std(), std::time::Duration::from_millis(1500));
        assert_eq!(Duration::from(std::time::Duration::MAX).as_nanos(), i64::MAX);
    }

    #[test]
    fn json_is_a_string() {
        let json = serde_json::to_string(&Duration::from_millis(100)).expect("durations serialise");
        assert_eq!(json, "\"100ms\"");
        let back: Duration = serde_json::from_str("\"1m\"").expect("a valid duration");
        assert_eq!(back, Duration::from_secs(60));
    }
}
