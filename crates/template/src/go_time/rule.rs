//! The POSIX rule that a zone follows after its last transition, such as `CET-1CEST,M3.5.0,M10.5.0/3`.

use crate::go_time::{DAY, civil_from_days, days_from_civil, days_in_month, is_leap};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    winter: (i32, String),
    /// Summer time, its beginning in winter time and its end in summer time.
    summer: Option<(i32, String, Switch, Switch)>,
}

/// A day of the year and the second of that day's clock.
#[derive(Debug, Clone, PartialEq)]
struct Switch {
    day: Day,
    second: i64,
}

#[derive(Debug, Clone, PartialEq)]
enum Day {
    /// From 1, never counting a leap day.
    Julian(i64),
    /// From 0, counting leap days.
    OfYear(i64),
    /// Month, week (5 is the last), weekday.
    OfMonth(u8, i64, i64),
}

impl Rule {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (name, rest) = abbreviation(text)?;
        let (west, rest) = clock(rest)?;
        let winter = (i32::try_from(-west).ok()?, name);
        if rest.is_empty() {
            return Some(Self { winter, summer: None });
        }
        let (name, rest) = abbreviation(rest)?;
        let (offset, rest) = match rest.starts_with(',') || rest.is_empty() {
            true => (winter.0 + 3600, rest),
            false => {
                let (west, rest) = clock(rest)?;
                (i32::try_from(-west).ok()?, rest)
            }
        };
        let rest = if rest.is_empty() { ",M3.2.0,M11.1.0" } else { rest };
        let (begin, end) = rest.strip_prefix(',')?.split_once(',')?;
        let summer = Some((offset, name, Switch::parse(begin)?, Switch::parse(end)?));
        Some(Self { winter, summer })
    }

    pub(super) fn at(&self, unix: i64) -> (i32, String) {
        let Some((offset, name, begin, end)) = &self.summer else { return self.winter.clone() };
        let (year, _, _) =
            civil_from_days(unix.saturating_add(i64::from(self.winter.0)).div_euclid(DAY));
        let begin = begin.within(year).saturating_sub(i64::from(self.winter.0));
        let end = end.within(year).saturating_sub(i64::from(*offset));
        let is_summer =
            if begin < end { (begin..end).contains(&unix) } else { !(end..begin).contains(&unix) };
        if is_summer { (*offset, name.clone()) } else { self.winter.clone() }
    }
}

impl Switch {
    fn parse(text: &str) -> Option<Self> {
        let (day, second) = match text.split_once('/') {
            Some((day, time)) => (day, clock(time).filter(|(_, rest)| rest.is_empty())?.0),
            None => (text, 2 * 3600),
        };
        let day = if let Some(numbers) = day.strip_prefix('M') {
            let mut numbers = numbers.split('.').map(|number| number.parse::<u8>().ok());
            let (month, week, weekday) = (numbers.next()??, numbers.next()??, numbers.next()??);
            if !(1..=12).contains(&month) || !(1..=5).contains(&week) || weekday > 6 {
                return None;
            }
            Day::OfMonth(month, i64::from(week), i64::from(weekday))
        } else if let Some(number) = day.strip_prefix('J') {
            Day::Julian(number.parse().ok().filter(|day| (1..=365).contains(day))?)
        } else {
            Day::OfYear(day.parse().ok().filter(|day| (0..=365).contains(day))?)
        };
        Some(Self { day, second })
    }

    /// Seconds since 1970 on a clock of the zone.
    fn within(&self, year: i64) -> i64 {
        let days = match self.day {
            Day::OfYear(day) => days_from_civil(year, 1, 1) + day,
            Day::Julian(day) => {
                let leap_day = i64::from(is_leap(year) && day > 59);
                days_from_civil(year, 1, 1) + day - 1 + leap_day
            }
            Day::OfMonth(month, week, weekday) => {
                let first = days_from_civil(year, i64::from(month), 1);
                let until_weekday = (weekday - (first + 4)).rem_euclid(7);
                let last = i64::from(days_in_month(year, month)) - 1;
                let day = until_weekday + 7 * (week - 1);
                first + if day > last { day - 7 } else { day }
            }
        };
        days.saturating_mul(DAY).saturating_add(self.second)
    }
}

/// Letters, or anything in angle brackets.
fn abbreviation(text: &str) -> Option<(String, &str)> {
    if let Some(rest) = text.strip_prefix('<') {
        let (name, rest) = rest.split_once('>')?;
        return Some((name.to_owned(), rest));
    }
    let end = text.find(|symbol: char| !symbol.is_ascii_alphabetic()).unwrap_or(text.len());
    (end >= 3).then(|| (text[..end].to_owned(), &text[end..]))
}

/// `[+-]hh[:mm[:ss]]` in seconds.
fn clock(text: &str) -> Option<(i64, &str)> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = text.find(|c: char| c != ':' && !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let mut seconds = 0;
    let mut unit = 3600;
    for number in digits.splitn(3, ':') {
        seconds += i64::from(number.parse::<u16>().ok()?) * unit;
        unit /= 60;
    }
    Some((sign * seconds, rest))
}
