//! Time as Go's `time` package sees it: instants with a zone, layouts, zones and durations.
//!
//! Only what templates can observe is here. The clock is read by the caller.

mod duration;
mod layout;
mod rule;
mod zone;

use std::time::{SystemTime, UNIX_EPOCH};

use gtmpl_ng::{FuncError, Value};

use crate::value::{self, int, int64};

pub(crate) use duration::{format_duration, parse_duration};
pub(crate) use zone::Zone;

/// Go's name for the type.
const TYPE: &str = "time.Time";

const UNIX_KEY: &str = "\u{1}unix";
const NANOS_KEY: &str = "\u{1}nanos";
const OFFSET_KEY: &str = "\u{1}offset";
const ABBREVIATION_KEY: &str = "\u{1}zone";

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const DAY: i64 = 86_400;

/// An instant, with how it is told in its zone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Time {
    /// Seconds since 1970.
    pub(crate) unix: i64,
    pub(crate) nanos: u32,
    /// Seconds east of UTC.
    offset: i32,
    /// The zone's abbreviation, empty if it has none.
    abbreviation: String,
}

/// A date and time of day in the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Civil {
    year: i64,
    /// From 1.
    month: u8,
    /// From 1.
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    /// From Sunday, which is 0.
    weekday: usize,
    /// From 1.
    year_day: u16,
}

impl Time {
    /// Go's zero time, the first of January of the year 1.
    pub(crate) fn zero() -> Self {
        Self::at(-62_135_596_800, 0, &Zone::Utc)
    }

    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let unix = i64::try_from(since.as_secs()).unwrap_or_default();
        Self::at(unix, since.subsec_nanos(), &Zone::local())
    }

    pub(crate) fn at(unix: i64, nanos: u32, zone: &Zone) -> Self {
        let (offset, abbreviation) = zone.at(unix);
        Self { unix, nanos, offset, abbreviation }
    }

    pub(crate) fn within(&self, zone: &Zone) -> Self {
        Self::at(self.unix, self.nanos, zone)
    }

    /// Moves the instant by nanoseconds; the zone's offset stays.
    pub(crate) fn plus(&self, nanos: i64) -> Self {
        let total =
            i128::from(self.unix) * 1_000_000_000 + i128::from(self.nanos) + i128::from(nanos);
        Self {
            unix: total.div_euclid(1_000_000_000) as i64,
            nanos: total.rem_euclid(1_000_000_000) as u32,
            ..self.clone()
        }
    }

    /// Go's `Time.AddDate`: days beyond the end of the month run into the next.
    pub(crate) fn plus_date(&self, years: i64, months: i64, days: i64) -> Option<Self> {
        let reaches = |number: i64| (-1_000_000..=1_000_000).contains(&number);
        if ![years, months, days].into_iter().all(reaches) {
            return None;
        }
        let civil = self.civil();
        let month = i64::from(civil.month) - 1 + months;
        let year = civil.year + years + month.div_euclid(12);
        let first = days_from_civil(year, month.rem_euclid(12) + 1, 1);
        let today = days_from_civil(civil.year, i64::from(civil.month), i64::from(civil.day));
        let moved_days = first + i64::from(civil.day) - 1 + days - today;
        Some(Self { unix: self.unix.checked_add(moved_days.checked_mul(DAY)?)?, ..self.clone() })
    }

    /// The instant for comparisons, whatever the zone.
    pub(crate) fn instant(&self) -> (i64, u32) {
        (self.unix, self.nanos)
    }

    /// Nanoseconds from this instant to a later one, as far as Go's durations reach.
    pub(crate) fn until(&self, later: &Self) -> i64 {
        let nanos = (i128::from(later.unix) - i128::from(self.unix)) * 1_000_000_000
            + i128::from(later.nanos)
            - i128::from(self.nanos);
        nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    fn civil(&self) -> Civil {
        let local = self.unix.saturating_add(i64::from(self.offset));
        let (days, seconds) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let (year, month, day) = civil_from_days(days);
        Civil {
            year,
            month,
            day,
            hour: (seconds / 3600) as u8,
            minute: (seconds / 60 % 60) as u8,
            second: (seconds % 60) as u8,
            weekday: (days + 4).rem_euclid(7) as usize,
            year_day: (days - days_from_civil(year, 1, 1) + 1) as u16,
        }
    }

    pub(crate) fn from_value(value: &Value) -> Option<Self> {
        let Value::Object(entries) = value else { return None };
        let number = |key| match entries.get(key) {
            Some(Value::Number(number)) => number.as_i64(),
            _ => None,
        };
        Some(Self {
            unix: number(UNIX_KEY)?,
            nanos: u32::try_from(number(NANOS_KEY)?).ok()?,
            offset: i32::try_from(number(OFFSET_KEY)?).ok()?,
            abbreviation: entries.get(ABBREVIATION_KEY).map(value::text)?,
        })
    }

    /// The time as a template's value, with those of Go's methods that take no arguments.
    pub(crate) fn into_value(self) -> Value {
        let civil = self.civil();
        let text = self.format("2006-01-02 15:04:05.999999999 -0700 MST");
        let nanos = i64::from(self.nanos);
        value::object(
            TYPE,
            text.clone(),
            [
                (UNIX_KEY, int64(self.unix)),
                (NANOS_KEY, int64(nanos)),
                (OFFSET_KEY, int64(i64::from(self.offset))),
                (ABBREVIATION_KEY, self.abbreviation.into()),
                ("Year", int(civil.year)),
                ("Month", MONTHS[usize::from(civil.month) - 1].into()),
                ("Day", int(i64::from(civil.day))),
                ("Hour", int(i64::from(civil.hour))),
                ("Minute", int(i64::from(civil.minute))),
                ("Second", int(i64::from(civil.second))),
                ("Nanosecond", int(nanos)),
                ("Weekday", WEEKDAYS[civil.weekday].into()),
                ("YearDay", int(i64::from(civil.year_day))),
                ("Unix", int64(self.unix)),
                (
                    "UnixMilli",
                    int64(self.unix.saturating_mul(1000).saturating_add(nanos / 1_000_000)),
                ),
                ("UnixNano", int64(self.unix.saturating_mul(1_000_000_000).saturating_add(nanos))),
                ("String", text.into()),
                ("UTC", Value::from(in_utc as gtmpl_ng::Func)),
                ("Local", Value::from(in_local as gtmpl_ng::Func)),
            ],
        )
    }
}

fn in_utc(receiver: &[Value]) -> Result<Value, FuncError> {
    within(receiver, &Zone::Utc)
}

fn in_local(receiver: &[Value]) -> Result<Value, FuncError> {
    within(receiver, &Zone::local())
}

fn within(receiver: &[Value], zone: &Zone) -> Result<Value, FuncError> {
    let time = receiver.first().and_then(Time::from_value);
    let time = time.ok_or_else(|| FuncError::Generic("not a time".to_owned()))?;
    Ok(time.within(zone).into_value())
}

/// Days since 1970 of a date; months outside of 1 to 12 are not for this.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month as u8, day as u8)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
