//! Text of leaves to values, by Go's rules.

use crate::node::{Scalar, ScalarKind};

/// Go's `strconv.ParseBool`.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Reads decimal text; where the source's notation makes it a number, Go's other bases and whole
/// floats (`1e3`) too.
pub(super) fn parse_integer(scalar: &Scalar) -> Option<i128> {
    match scalar.kind {
        ScalarKind::Text => parse_radix(&scalar.text, 10),
        ScalarKind::Boolean => None,
        ScalarKind::Float => {
            let number: f64 = scalar.text.replace('_', "").parse().ok()?;
            // Every whole number up to 2^53 has an exact float.
            let is_whole = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
            is_whole.then_some(number as i128)
        }
        ScalarKind::Integer => {
            let text = scalar.text.replace('_', "");
            let (sign, digits) = match text.strip_prefix(['+', '-']) {
                Some(digits) => (&text[..1], digits),
                None => ("", text.as_str()),
            };
            let (digits, radix) = match digits.get(..2) {
                Some("0x" | "0X") => (&digits[2..], 16),
                Some("0o" | "0O") => (&digits[2..], 8),
                Some("0b" | "0B") => (&digits[2..], 2),
                _ if digits.len() > 1 && digits.starts_with('0') => (&digits[1..], 8),
                _ => (digits, 10),
            };
            parse_radix(&format!("{sign}{digits}"), radix)
        }
    }
}

fn parse_radix(text: &str, radix: u32) -> Option<i128> {
    i128::from_str_radix(text, radix).ok()
}
