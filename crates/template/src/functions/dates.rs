//! Dates and durations.

use gtmpl_ng::{FuncError, Value};

use crate::functions::{Arguments, Outcome, table, whole};
use crate::go_time::{Time, Zone, format_duration, parse_duration};
use crate::value;

table! { pub(super) TABLE:
    "now", 0..=0 => |_| Ok(Time::now().into_value());
    "date", 2..=2 => |arguments| {
        Ok(time_or_now(arguments.any(1)).within(&Zone::local()).format(arguments.text(0)?).into())
    };
    "dateInZone", 3..=3 => date_in_zone;
    "date_in_zone", 3..=3 => date_in_zone;
    "htmlDate", 1..=1 => |arguments| {
        Ok(time_or_now(arguments.any(0)).within(&Zone::local()).format(HTML).into())
    };
    "htmlDateInZone", 2..=2 => |arguments| {
        let zone = zone(arguments.text(1)?);
        Ok(time_or_now(arguments.any(0)).within(&zone).format(HTML).into())
    };
    "dateModify", 2..=2 => |arguments| {
        let moved = modify(arguments);
        moved.or_else(|_| Ok(time(arguments, 1)?.into_value()))
    };
    "date_modify", 2..=2 => |arguments| {
        let moved = modify(arguments);
        moved.or_else(|_| Ok(time(arguments, 1)?.into_value()))
    };
    "mustDateModify", 2..=2 => modify;
    "must_date_modify", 2..=2 => modify;
    "toDate", 2..=2 => |arguments| {
        let (layout, text) = (arguments.text(0)?, arguments.text(1)?);
        let parsed = Time::parse(layout, text, &Zone::local());
        Ok(parsed.unwrap_or_else(|_| Time::zero()).into_value())
    };
    "mustToDate", 2..=2 => |arguments| {
        Time::parse(arguments.text(0)?, arguments.text(1)?, &Zone::local())
            .map(Time::into_value)
            .map_err(|message| arguments.error(message))
    };
    "unixEpoch", 1..=1 => |arguments| Ok(time(arguments, 0)?.unix.to_string().into());
    "ago", 1..=1 => ago;
    "duration", 1..=1 => duration;
    "durationRound", 1..=1 => duration_round;
}

/// The layout of a date in an HTML form.
const HTML: &str = "2006-01-02";

const SECOND: i64 = 1_000_000_000;

/// Sprig's reading of a date: a time, seconds since 1970, and for everything else the present.
fn time_or_now(date: &Value) -> Time {
    match date {
        Value::Number(number) => match whole(number) {
            Some(unix) => Time::at(unix, 0, &Zone::local()),
            None => Time::now(),
        },
        other => Time::from_value(other).unwrap_or_else(Time::now),
    }
}

fn time(arguments: &Arguments, index: usize) -> Result<Time, FuncError> {
    Time::from_value(arguments.any(index))
        .ok_or_else(|| arguments.wrong_type("time.Time", arguments.any(index)))
}

fn zone(name: &str) -> Zone {
    Zone::load(name).unwrap_or(Zone::Utc)
}

fn date_in_zone(arguments: &Arguments) -> Outcome {
    let zone = zone(arguments.text(2)?);
    Ok(time_or_now(arguments.any(1)).within(&zone).format(arguments.text(0)?).into())
}

fn modify(arguments: &Arguments) -> Outcome {
    let text = arguments.text(0)?;
    let time = time(arguments, 1)?;
    let nanos = parse_duration(text)
        .ok_or_else(|| arguments.error(format!("time: invalid duration {text:?}")))?;
    Ok(time.plus(nanos).into_value())
}

fn ago(arguments: &Arguments) -> Outcome {
    let elapsed = time_or_now(arguments.any(0)).until(&Time::now());
    let rounded =
        (i128::from(elapsed) + i128::from(elapsed.signum() * SECOND / 2)) / i128::from(SECOND);
    Ok(format_duration((rounded as i64).saturating_mul(SECOND)).into())
}

/// Seconds as a duration. A plain `int` counts as zero: sprig looks for strings and `int64`.
fn duration(arguments: &Arguments) -> Outcome {
    let seconds = match arguments.any(0) {
        Value::String(text) => value::parse_int(text, 10).unwrap_or(0),
        number if value::type_name(number) == "int64" => value::to_int64(number),
        _ => 0,
    };
    Ok(format_duration(seconds.wrapping_mul(SECOND)).into())
}

fn duration_round(arguments: &Arguments) -> Outcome {
    const UNITS: [(&str, u64); 6] =
        [("y", 365 * 86_400), ("mo", 30 * 86_400), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];
    let nanos = match arguments.any(0) {
        Value::String(text) => parse_duration(text).unwrap_or(0),
        number if value::type_name(number) == "int64" => value::to_int64(number),
        other => Time::from_value(other).map_or(0, |time| time.until(&Time::now())),
    };
    let nanos = nanos.unsigned_abs();
    let unit = UNITS.iter().find(|(_, seconds)| nanos > seconds * SECOND.unsigned_abs());
    Ok(unit.map_or("0s".into(), |(name, seconds)| {
        format!("{}{name}", nanos / (seconds * SECOND.unsigned_abs())).into()
    }))
}
