//! Go's layouts, which describe a format by how `Mon Jan 2 15:04:05 MST 2006` is written in it.

use std::fmt::Write;

use crate::go_time::{Civil, MONTHS, Time, WEEKDAYS, Zone, days_from_civil, days_in_month};

/// What an element of a layout stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Element {
    LongMonth,
    ShortMonth,
    Month,
    PaddedMonth,
    LongWeekday,
    ShortWeekday,
    Day,
    SpacedDay,
    PaddedDay,
    SpacedYearDay,
    PaddedYearDay,
    Hour,
    Hour12,
    PaddedHour12,
    Minute,
    PaddedMinute,
    Second,
    PaddedSecond,
    Year,
    ShortYear,
    UpperHalf,
    LowerHalf,
    Abbreviation,
    Offset(OffsetStyle),
    /// Digits after the point, which may be a comma.
    Fraction(usize, char),
    /// The same without trailing zeros.
    TrimmedFraction(usize, char),
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct OffsetStyle {
    /// UTC is written `Z`.
    has_zulu: bool,
    has_colons: bool,
    has_minutes: bool,
    has_seconds: bool,
}

/// The elements that are found by their spelling alone, those that begin others after them.
const SPELLINGS: &[(&str, Element)] = &[
    ("January", Element::LongMonth),
    ("Monday", Element::LongWeekday),
    ("MST", Element::Abbreviation),
    ("002", Element::PaddedYearDay),
    ("01", Element::PaddedMonth),
    ("02", Element::PaddedDay),
    ("03", Element::PaddedHour12),
    ("04", Element::PaddedMinute),
    ("05", Element::PaddedSecond),
    ("06", Element::ShortYear),
    ("15", Element::Hour),
    ("1", Element::Month),
    ("2006", Element::Year),
    ("2", Element::Day),
    ("__2", Element::SpacedYearDay),
    ("3", Element::Hour12),
    ("4", Element::Minute),
    ("5", Element::Second),
    ("PM", Element::UpperHalf),
    ("pm", Element::LowerHalf),
    ("-07:00:00", Element::Offset(OffsetStyle::new(false, true, true, true))),
    ("-070000", Element::Offset(OffsetStyle::new(false, false, true, true))),
    ("-07:00", Element::Offset(OffsetStyle::new(false, true, true, false))),
    ("-0700", Element::Offset(OffsetStyle::new(false, false, true, false))),
    ("-07", Element::Offset(OffsetStyle::new(false, false, false, false))),
    ("Z07:00:00", Element::Offset(OffsetStyle::new(true, true, true, true))),
    ("Z070000", Element::Offset(OffsetStyle::new(true, false, true, true))),
    ("Z07:00", Element::Offset(OffsetStyle::new(true, true, true, false))),
    ("Z0700", Element::Offset(OffsetStyle::new(true, false, true, false))),
    ("Z07", Element::Offset(OffsetStyle::new(true, false, false, false))),
];

impl OffsetStyle {
    const fn new(has_zulu: bool, has_colons: bool, has_minutes: bool, has_seconds: bool) -> Self {
        Self { has_zulu, has_colons, has_minutes, has_seconds }
    }
}

/// The element at the beginning of a layout, and its length.
fn element(layout: &str) -> Option<(Element, usize)> {
    let begins_word = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_lowercase());
    if let Some(found) = SPELLINGS.iter().find(|(spelling, _)| layout.starts_with(spelling)) {
        return Some((found.1, found.0.len()));
    }
    match layout.as_bytes()[0] {
        b'J' if layout.strip_prefix("Jan").is_some_and(begins_word) => {
            Some((Element::ShortMonth, 3))
        }
        b'M' if layout.strip_prefix("Mon").is_some_and(begins_word) => {
            Some((Element::ShortWeekday, 3))
        }
        // `_2006` is an underscore before the year.
        b'_' if layout.starts_with("_2") && !layout.starts_with("_2006") => {
            Some((Element::SpacedDay, 2))
        }
        b'.' | b',' => fraction(layout),
        _ => None,
    }
}

fn fraction(layout: &str) -> Option<(Element, usize)> {
    let point = layout.chars().next()?;
    let digit = layout[1..].chars().next().filter(|digit| matches!(digit, '0' | '9'))?;
    let places = layout[1..].chars().take_while(|symbol| *symbol == digit).count();
    if layout[1 + places..].starts_with(|next: char| next.is_ascii_digit()) {
        return None;
    }
    let element = match digit {
        '0' => Element::Fraction(places, point),
        _ => Element::TrimmedFraction(places, point),
    };
    Some((element, 1 + places))
}

/// Splits off what is before the first element: that text, the element, what is after.
fn next(layout: &str) -> (&str, Option<Element>, &str) {
    for (index, _) in layout.char_indices() {
        if let Some((element, length)) = element(&layout[index..]) {
            return (&layout[..index], Some(element), &layout[index + length..]);
        }
    }
    (layout, None, "")
}

impl Time {
    /// Go's `Time.Format`.
    pub(crate) fn format(&self, layout: &str) -> String {
        let civil = self.civil();
        let mut text = String::with_capacity(layout.len() + 8);
        let mut rest = layout;
        loop {
            let (literal, element, after) = next(rest);
            text.push_str(literal);
            let Some(element) = element else { return text };
            self.write(&mut text, element, &civil);
            rest = after;
        }
    }

    fn write(&self, out: &mut String, element: Element, civil: &Civil) {
        let month = MONTHS[usize::from(civil.month) - 1];
        let weekday = WEEKDAYS[civil.weekday];
        let hour12 = (civil.hour + 11) % 12 + 1;
        // Writing into a `String` cannot fail.
        let _ = match element {
            Element::LongMonth => out.write_str(month),
            Element::ShortMonth => out.write_str(&month[..3]),
            Element::Month => write!(out, "{}", civil.month),
            Element::PaddedMonth => write!(out, "{:02}", civil.month),
            Element::LongWeekday => out.write_str(weekday),
            Element::ShortWeekday => out.write_str(&weekday[..3]),
            Element::Day => write!(out, "{}", civil.day),
            Element::SpacedDay => write!(out, "{:2}", civil.day),
            Element::PaddedDay => write!(out, "{:02}", civil.day),
            Element::SpacedYearDay => write!(out, "{:3}", civil.year_day),
            Element::PaddedYearDay => write!(out, "{:03}", civil.year_day),
            Element::Hour => write!(out, "{:02}", civil.hour),
            Element::Hour12 => write!(out, "{hour12}"),
            Element::PaddedHour12 => write!(out, "{hour12:02}"),
            Element::Minute => write!(out, "{}", civil.minute),
            Element::PaddedMinute => write!(out, "{:02}", civil.minute),
            Element::Second => write!(out, "{}", civil.second),
            Element::PaddedSecond => write!(out, "{:02}", civil.second),
            Element::Year if civil.year < 0 => write!(out, "-{:04}", -civil.year),
            Element::Year => write!(out, "{:04}", civil.year),
            Element::ShortYear => write!(out, "{:02}", civil.year.rem_euclid(100)),
            Element::UpperHalf => out.write_str(if civil.hour >= 12 { "PM" } else { "AM" }),
            Element::LowerHalf => out.write_str(if civil.hour >= 12 { "pm" } else { "am" }),
            Element::Abbreviation if self.abbreviation.is_empty() => {
                write_offset(out, self.offset, OffsetStyle::new(false, false, true, false));
                Ok(())
            }
            Element::Abbreviation => out.write_str(&self.abbreviation),
            Element::Offset(style) => {
                write_offset(out, self.offset, style);
                Ok(())
            }
            Element::Fraction(places, point) => {
                let digits = format!("{:09}", self.nanos);
                write!(out, "{point}{:0<places$}", &digits[..places.min(9)])
            }
            Element::TrimmedFraction(places, point) => {
                let digits = format!("{:09}", self.nanos);
                match digits[..places.min(9)].trim_end_matches('0') {
                    "" => Ok(()),
                    digits => write!(out, "{point}{digits}"),
                }
            }
        };
    }

    /// Go's `time.ParseInLocation`.
    pub(crate) fn parse(layout: &str, text: &str, zone: &Zone) -> Result<Self, String> {
        let fail = |at: &str| format!("parsing time {text:?} as {layout:?}: cannot parse {at:?}");
        let mut read = Read::default();
        let (mut layout_rest, mut rest) = (layout, text);
        loop {
            let (literal, element, after) = next(layout_rest);
            rest = skip(rest, literal).ok_or_else(|| fail(rest))?;
            let Some(element) = element else { break };
            rest = read.element(element, rest, after).ok_or_else(|| fail(rest))?;
            layout_rest = after;
        }
        if !rest.is_empty() {
            return Err(format!("parsing time {text:?}: extra text: {rest:?}"));
        }
        read.time(zone).ok_or_else(|| format!("parsing time {text:?}: value out of range"))
    }
}

fn write_offset(out: &mut String, offset: i32, style: OffsetStyle) {
    if style.has_zulu && offset == 0 {
        out.push('Z');
        return;
    }
    let magnitude = offset.unsigned_abs();
    let colon = if style.has_colons { ":" } else { "" };
    let sign = if offset < 0 { '-' } else { '+' };
    let _ = write!(out, "{sign}{:02}", magnitude / 3600);
    if style.has_minutes {
        let _ = write!(out, "{colon}{:02}", magnitude / 60 % 60);
    }
    if style.has_seconds {
        let _ = write!(out, "{colon}{:02}", magnitude % 60);
    }
}

/// Skips what a layout has literally; a space stands for any number of them.
fn skip<'a>(mut text: &'a str, literal: &str) -> Option<&'a str> {
    let mut literal = literal;
    while let Some(symbol) = literal.chars().next() {
        if symbol == ' ' {
            if !text.is_empty() && !text.starts_with(' ') {
                return None;
            }
            literal = literal.trim_start_matches(' ');
            text = text.trim_start_matches(' ');
        } else {
            text = text.strip_prefix(symbol)?;
            literal = &literal[symbol.len_utf8()..];
        }
    }
    Some(text)
}

/// What has been read of a time.
#[derive(Default)]
struct Read {
    year: i64,
    month: Option<u8>,
    day: Option<u8>,
    year_day: Option<u16>,
    hour: u8,
    minute: u8,
    second: u8,
    nanos: u32,
    /// Whether the hour is one of the afternoon.
    is_afternoon: Option<bool>,
    offset: Option<i32>,
    is_utc: bool,
    abbreviation: Option<String>,
}

impl Read {
    /// Reads one element and returns the text after it.
    fn element<'a>(
        &mut self,
        element: Element,
        text: &'a str,
        layout_after: &str,
    ) -> Option<&'a str> {
        let rest = match element {
            Element::Year => {
                let digits =
                    text.get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
                self.year = digits.parse().ok()?;
                &text[4..]
            }
            Element::ShortYear => {
                let (year, rest) = number(text, 2, 2)?;
                self.year = i64::from(year) + if year >= 69 { 1900 } else { 2000 };
                rest
            }
            Element::LongMonth => return self.month_name(text, |name| name),
            Element::ShortMonth => return self.month_name(text, |name| &name[..3]),
            Element::Month | Element::PaddedMonth => {
                let least = if element == Element::PaddedMonth { 2 } else { 1 };
                let (month, rest) = number(text, least, 2)?;
                self.month =
                    Some(u8::try_from(month).ok().filter(|month| (1..=12).contains(month))?);
                rest
            }
            Element::LongWeekday => WEEKDAYS.iter().find_map(|name| strip_name(text, name))?,
            Element::ShortWeekday => {
                WEEKDAYS.iter().find_map(|name| strip_name(text, &name[..3]))?
            }
            Element::Day | Element::SpacedDay | Element::PaddedDay => {
                let text = match element {
                    Element::SpacedDay => text.strip_prefix(' ').unwrap_or(text),
                    _ => text,
                };
                let least = if element == Element::PaddedDay { 2 } else { 1 };
                let (day, rest) = number(text, least, 2)?;
                self.day = Some(u8::try_from(day).ok()?);
                rest
            }
            Element::SpacedYearDay | Element::PaddedYearDay => {
                let digits = text.trim_start_matches(' ');
                let spaces = text.len() - digits.len();
                let (day, rest) = number(digits, 3usize.saturating_sub(spaces).max(1), 3)?;
                self.year_day = Some(u16::try_from(day).ok()?);
                rest
            }
            Element::Hour => {
                let (hour, rest) = number(text, 1, 2)?;
                self.hour = u8::try_from(hour).ok().filter(|hour| *hour < 24)?;
                rest
            }
            Element::Hour12 | Element::PaddedHour12 => {
                let least = if element == Element::PaddedHour12 { 2 } else { 1 };
                let (hour, rest) = number(text, least, 2)?;
                self.hour = u8::try_from(hour).ok().filter(|hour| *hour <= 12)?;
                rest
            }
            Element::Minute | Element::PaddedMinute => {
                let least = if element == Element::PaddedMinute { 2 } else { 1 };
                let (minute, rest) = number(text, least, 2)?;
                self.minute = u8::try_from(minute).ok().filter(|minute| *minute < 60)?;
                rest
            }
            Element::Second | Element::PaddedSecond => {
                let least = if element == Element::PaddedSecond { 2 } else { 1 };
                let (second, rest) = number(text, least, 2)?;
                self.second = u8::try_from(second).ok().filter(|second| *second < 60)?;
                self.unasked_fraction(rest, layout_after)?
            }
            Element::UpperHalf | Element::LowerHalf => {
                let (afternoon, morning) =
                    if element == Element::UpperHalf { ("PM", "AM") } else { ("pm", "am") };
                self.is_afternoon = Some(text.starts_with(afternoon));
                text.strip_prefix(afternoon).or_else(|| text.strip_prefix(morning))?
            }
            Element::Abbreviation => return self.abbreviation(text),
            Element::Offset(style) => return self.offset(text, style),
            Element::Fraction(places, _) => {
                let digits = text.get(1..=places)?;
                if !text.starts_with(['.', ',']) || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                self.nanos = nanos(digits)?;
                &text[1 + places..]
            }
            Element::TrimmedFraction(..) => self.optional_fraction(text)?,
        };
        Some(rest)
    }

    fn month_name<'a>(
        &mut self,
        text: &'a str,
        spelled: fn(&'static str) -> &'static str,
    ) -> Option<&'a str> {
        let mut names = MONTHS.iter().zip(1u8..);
        let (rest, month) =
            names.find_map(|(name, month)| Some((strip_name(text, spelled(name))?, month)))?;
        self.month = Some(month);
        Some(rest)
    }

    /// Seconds may have a fraction that the layout does not mention.
    fn unasked_fraction<'a>(&mut self, text: &'a str, layout_after: &str) -> Option<&'a str> {
        let (_, following, _) = next(layout_after);
        match following {
            Some(Element::Fraction(..) | Element::TrimmedFraction(..)) => Some(text),
            _ => self.optional_fraction(text),
        }
    }

    fn optional_fraction<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let Some(digits) = text.strip_prefix(['.', ',']) else { return Some(text) };
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        if end == 0 {
            return Some(text);
        }
        self.nanos = nanos(&digits[..end])?;
        Some(&digits[end..])
    }

    fn abbreviation<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        if let Some(rest) = text.strip_prefix("UTC") {
            self.is_utc = true;
            return Some(rest);
        }
        let length = text.bytes().take_while(u8::is_ascii_uppercase).count();
        if !(3..=5).contains(&length) {
            return None;
        }
        self.abbreviation = Some(text[..length].to_owned());
        Some(&text[length..])
    }

    fn offset<'a>(&mut self, text: &'a str, style: OffsetStyle) -> Option<&'a str> {
        if let Some(rest) = text.strip_prefix('Z').filter(|_| style.has_zulu) {
            self.is_utc = true;
            return Some(rest);
        }
        let (sign, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+')?),
        };
        let mut offset = 0;
        let units = [(true, 3600), (style.has_minutes, 60), (style.has_seconds, 1)];
        for (index, (_, unit)) in
            units.into_iter().filter(|(is_written, _)| *is_written).enumerate()
        {
            if index > 0 && style.has_colons {
                rest = rest.strip_prefix(':')?;
            }
            let (part, after) = number(rest, 2, 2)?;
            offset += i32::try_from(part).ok().filter(|part| *part < 60)? * unit;
            rest = after;
        }
        self.offset = Some(sign * offset);
        Some(rest)
    }

    fn time(&self, zone: &Zone) -> Option<Time> {
        let hour = match self.is_afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let clock = i64::from(hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        let local = self.days()? * 86_400 + clock;
        if self.is_utc {
            return Some(Time::at(local, self.nanos, &Zone::Utc));
        }
        if let Some(offset) = self.offset {
            let unix = local - i64::from(offset);
            let (zone_offset, _) = zone.at(unix);
            let is_known = zone_offset == offset;
            let fixed = Zone::Fixed(offset, String::new());
            return Some(Time::at(unix, self.nanos, if is_known { zone } else { &fixed }));
        }
        if let Some(abbreviation) = &self.abbreviation {
            if let Some(offset) = zone.abbreviated(abbreviation, local) {
                return Some(Time::at(local - i64::from(offset), self.nanos, zone));
            }
            // Go makes up a zone of that name at UTC.
            return Some(Time::at(local, self.nanos, &Zone::Fixed(0, abbreviation.clone())));
        }
        Some(Time::at(zone.instant(local), self.nanos, zone))
    }

    fn days(&self) -> Option<i64> {
        if let Some(year_day) = self.year_day {
            let first = days_from_civil(self.year, 1, 1);
            let length = days_from_civil(self.year + 1, 1, 1) - first;
            return (1..=length)
                .contains(&i64::from(year_day))
                .then(|| first + i64::from(year_day) - 1);
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        (1..=days_in_month(self.year, month))
            .contains(&day)
            .then(|| days_from_civil(self.year, i64::from(month), i64::from(day)))
    }
}

/// Reads a number of `least` to `most` digits.
fn number(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if length < least {
        return None;
    }
    Some((text[..length].parse().ok()?, &text[length..]))
}

fn strip_name<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let start = text.get(..name.len())?;
    start.eq_ignore_ascii_case(name).then(|| &text[name.len()..])
}

/// Nanoseconds of the digits after the point, of which those beyond the ninth do not count.
fn nanos(digits: &str) -> Option<u32> {
    format!("{:0<9}", &digits[..digits.len().min(9)]).parse().ok()
}
