//! What Go's reflection would say about the engine's values, and Go's conversions between them.
//!
//! The engine has one list type, one map type and three numbers. Go's types are kept where they
//! can be seen: a non-negative literal is an unsigned number and reads as `int`, a number made by a
//! function returning `int64` is a signed one, and every `float64` stays a float even when whole.
//! Go structs (`time.Time`, a certificate, a semantic version) are `Value::Object`s that carry
//! their type and printed form under keys which no template can spell.

use std::collections::HashMap;

use gtmpl_ng::{Number, NumberKind, Value};

/// Key of an object's Go type name.
pub(crate) const TYPE_KEY: &str = "\u{1}type";

/// Key of an object's printed form.
pub(crate) const TEXT_KEY: &str = "\u{1}text";

pub(crate) fn int(number: i64) -> Value {
    Value::from(number)
}

/// Makes an `int64`. Below zero it cannot be told from an `int`.
pub(crate) fn int64(number: i64) -> Value {
    Value::Number(Number::signed(number))
}

pub(crate) fn float64(number: f64) -> Value {
    Value::Number(Number::float(number))
}

pub(crate) fn strings(items: impl IntoIterator<Item = impl Into<String>>) -> Value {
    Value::Array(items.into_iter().map(|item| Value::String(item.into())).collect())
}

/// Makes a Go struct: its type name, printed form, and what a template may select from it.
pub(crate) fn object(
    type_name: &str,
    text: String,
    fields: impl IntoIterator<Item = (&'static str, Value)>,
) -> Value {
    let mut entries: HashMap<String, Value> =
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    entries.insert(TYPE_KEY.to_owned(), Value::from(type_name));
    entries.insert(TEXT_KEY.to_owned(), Value::String(text));
    Value::Object(entries)
}

/// The Go type name of an object made by [`object`].
pub(crate) fn object_type(value: &Value) -> Option<&str> {
    match value {
        Value::Object(entries) => match entries.get(TYPE_KEY) {
            Some(Value::String(name)) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// Go's `fmt.Sprint` of one value, which is also sprig's `strval`.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::NoValue => Value::Nil.to_string(),
        other => printable(other.clone()).to_string(),
    }
}

/// Replaces every Go struct within a value by its printed form.
pub(crate) fn printable(value: Value) -> Value {
    match value {
        Value::Object(mut entries) => match entries.remove(TEXT_KEY) {
            Some(text) => text,
            None => Value::Object(entries),
        },
        Value::Array(items) => Value::Array(items.into_iter().map(printable).collect()),
        Value::Map(entries) => {
            Value::Map(entries.into_iter().map(|(key, item)| (key, printable(item))).collect())
        }
        other => other,
    }
}

/// Sprig's `empty`: the zero value of its type. A struct never is.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::NoValue | Value::Nil => true,
        Value::Bool(flag) => !flag,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        Value::Object(_) | Value::Function(_) => false,
        Value::Number(number) => match number.kind() {
            NumberKind::Unsigned(number) => number == 0,
            NumberKind::Signed(number) => number == 0,
            NumberKind::Float(number) => number == 0.0,
        },
    }
}

/// Go's `%T`.
pub(crate) fn type_name(value: &Value) -> &str {
    match value {
        Value::NoValue | Value::Nil => "<nil>",
        Value::Bool(_) => "bool",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
        Value::Object(_) => object_type(value).unwrap_or("struct"),
        Value::Function(_) => "func",
        Value::Number(number) => match number.kind() {
            NumberKind::Unsigned(_) => "int",
            NumberKind::Signed(number) if number < 0 => "int",
            NumberKind::Signed(_) => "int64",
            NumberKind::Float(_) => "float64",
        },
    }
}

/// Go's `reflect.Kind`.
pub(crate) fn kind_name(value: &Value) -> &str {
    match value {
        Value::NoValue | Value::Nil => "invalid",
        Value::Array(_) => "slice",
        Value::Map(_) => "map",
        Value::Object(_) if type_name(value).starts_with('*') => "ptr",
        Value::Object(_) => "struct",
        other => type_name(other),
    }
}

/// Go's `reflect.DeepEqual`: values of different types never are.
pub(crate) fn deep_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| deep_equal(left, right))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, item)| right.get(key).is_some_and(|other| deep_equal(item, other)))
        }
        (Value::NoValue | Value::Nil, Value::NoValue | Value::Nil) => true,
        _ => type_name(left) == type_name(right) && left == right,
    }
}

/// `cast.ToInt64`: what is not a number counts as zero.
pub(crate) fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Bool(flag) => i64::from(*flag),
        Value::String(text) => parse_int(&without_zero_decimals(text), 0).unwrap_or(0),
        Value::Number(number) => match number.kind() {
            NumberKind::Unsigned(number) => number as i64,
            NumberKind::Signed(number) => number,
            NumberKind::Float(number) => number as i64,
        },
        _ => 0,
    }
}

/// `cast.ToFloat64`: what is not a number counts as zero.
pub(crate) fn to_float64(value: &Value) -> f64 {
    match value {
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::String(text) => parse_float(text).unwrap_or(0.0),
        Value::Number(number) => match number.kind() {
            NumberKind::Unsigned(number) => number as f64,
            NumberKind::Signed(number) => number as f64,
            NumberKind::Float(number) => number,
        },
        _ => 0.0,
    }
}

/// Go's `strconv.ParseInt`; base 0 reads the base from the prefix and allows underscores.
pub(crate) fn parse_int(text: &str, base: u32) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (base, digits) = match base {
        0 => integer_base(digits),
        base => (base, digits.to_owned()),
    };
    if digits.is_empty() || digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = i128::from_str_radix(&digits, base).ok()?;
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

fn integer_base(digits: &str) -> (u32, String) {
    let lower = digits.to_ascii_lowercase();
    let (base, rest) = match lower.get(..2) {
        Some("0x") => (16, &lower[2..]),
        Some("0b") => (2, &lower[2..]),
        Some("0o") => (8, &lower[2..]),
        Some(prefix) if prefix.starts_with('0') => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    let is_separated = rest.split('_').skip(usize::from(base != 10)).all(|part| !part.is_empty());
    (base, if is_separated { rest.replace('_', "") } else { String::new() })
}

/// Go's `strconv.ParseFloat` for the spellings that a configuration can contain.
fn parse_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let Some(number) = hexadecimal_float(unsigned) {
        return Some(if text.starts_with('-') { -number } else { number });
    }
    let is_word = ["inf", "infinity", "nan"].iter().any(|word| unsigned.eq_ignore_ascii_case(word));
    let is_number = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    if is_word || is_number { text.parse().ok() } else { None }
}

/// `0x1.8p3`, which has to have its exponent.
fn hexadecimal_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.strip_prefix("0x")?.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // Longer ones would need rounding.
    let digits = format!("{whole}{fraction}");
    let digits = Some(digits).filter(|digits| (1..=13).contains(&digits.len()))?;
    let number = u64::from_str_radix(&digits, 16).ok()? as f64;
    let exponent =
        exponent.parse::<i32>().ok()?.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    Some(number * 2f64.powi(exponent))
}

/// `cast` reads `"12.00"` as 12: a fraction made of zeros does not count.
fn without_zero_decimals(text: &str) -> String {
    match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole.to_owned(),
        _ => text.to_owned(),
    }
}
