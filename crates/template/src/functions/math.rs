//! Arithmetic. Integers wrap around as Go's do; sprig's `…f` functions count in decimal.

use gtmpl_ng::{FuncError, Value};

use crate::functions::decimal::Decimal;
use crate::functions::{Arguments, MANY, Outcome, table};
use crate::value::{self, float64, int, int64, to_float64, to_int64};

table! { pub(super) TABLE:
    "add1", 1..=1 => |arguments| Ok(int64(to_int64(arguments.any(0)).wrapping_add(1)));
    "add", 0..=MANY => |arguments| {
        Ok(int64(arguments.values.iter().map(to_int64).fold(0, i64::wrapping_add)))
    };
    "sub", 2..=2 => |arguments| {
        Ok(int64(to_int64(arguments.any(0)).wrapping_sub(to_int64(arguments.any(1)))))
    };
    "mul", 1..=MANY => |arguments| {
        Ok(int64(arguments.values.iter().map(to_int64).fold(1, i64::wrapping_mul)))
    };
    "div", 2..=2 => |arguments| {
        Ok(int64(to_int64(arguments.any(0)).wrapping_div(divisor(arguments)?)))
    };
    "mod", 2..=2 => |arguments| {
        Ok(int64(to_int64(arguments.any(0)).wrapping_rem(divisor(arguments)?)))
    };
    "max", 1..=MANY => |arguments| extreme(arguments, i64::max);
    "biggest", 1..=MANY => |arguments| extreme(arguments, i64::max);
    "min", 1..=MANY => |arguments| extreme(arguments, i64::min);
    "maxf", 1..=MANY => |arguments| extreme_float(arguments, f64::max);
    "minf", 1..=MANY => |arguments| extreme_float(arguments, f64::min);
    "add1f", 1..=1 => |arguments| {
        let one = Decimal::from_float(1.0);
        let number = decimal(arguments, 0)?;
        Ok(float64(one.map_or(f64::NAN, |one| number.add(one).to_float())))
    };
    "addf", 0..=MANY => |arguments| {
        let zero = Decimal::default();
        Ok(float64(fold(arguments, zero, 0, |left, right| Ok(left.add(right)))?))
    };
    "subf", 1..=MANY => |arguments| {
        Ok(float64(fold(arguments, decimal(arguments, 0)?, 1, |left, right| Ok(left.sub(right)))?))
    };
    "mulf", 1..=MANY => |arguments| {
        Ok(float64(fold(arguments, decimal(arguments, 0)?, 1, |left, right| Ok(left.mul(right)))?))
    };
    "divf", 1..=MANY => |arguments| {
        let divide = |left: Decimal, right| {
            left.div(right).ok_or_else(|| arguments.error("decimal division by 0"))
        };
        Ok(float64(fold(arguments, decimal(arguments, 0)?, 1, divide)?))
    };
    "ceil", 1..=1 => |arguments| Ok(float64(to_float64(arguments.any(0)).ceil()));
    "floor", 1..=1 => |arguments| Ok(float64(to_float64(arguments.any(0)).floor()));
    "round", 2..=MANY => round;
    "int", 1..=1 => |arguments| Ok(int(to_int64(arguments.any(0))));
    "int64", 1..=1 => |arguments| Ok(int64(to_int64(arguments.any(0))));
    "float64", 1..=1 => |arguments| Ok(float64(to_float64(arguments.any(0))));
    "atoi", 1..=1 => |arguments| Ok(int(atoi(arguments.text(0)?)));
    "toDecimal", 1..=1 => |arguments| {
        Ok(int64(value::parse_int(&value::text(arguments.any(0)), 8).unwrap_or(0)))
    };
}

fn divisor(arguments: &Arguments) -> Result<i64, FuncError> {
    match to_int64(arguments.any(1)) {
        0 => Err(arguments.error("integer divide by zero")),
        number => Ok(number),
    }
}

fn extreme(arguments: &Arguments, choose: fn(i64, i64) -> i64) -> Outcome {
    let numbers = arguments.values.iter().map(to_int64);
    Ok(int64(numbers.reduce(choose).unwrap_or_default()))
}

fn extreme_float(arguments: &Arguments, choose: fn(f64, f64) -> f64) -> Outcome {
    let numbers = arguments.values.iter().map(to_float64);
    Ok(float64(numbers.reduce(choose).unwrap_or_default()))
}

fn decimal(arguments: &Arguments, index: usize) -> Result<Decimal, FuncError> {
    let number = to_float64(arguments.any(index));
    Decimal::from_float(number)
        .ok_or_else(|| arguments.error(format!("cannot count with {number} in decimal")))
}

fn fold(
    arguments: &Arguments,
    start: Decimal,
    from: usize,
    step: impl Fn(Decimal, Decimal) -> Result<Decimal, FuncError>,
) -> Result<f64, FuncError> {
    let mut total = start;
    for index in from..arguments.len() {
        total = step(total, decimal(arguments, index)?)?;
    }
    Ok(total.to_float())
}

fn round(arguments: &Arguments) -> Outcome {
    let round_on = match arguments.any(2) {
        Value::NoValue => 0.5,
        other => to_float64(other),
    };
    let power = 10f64.powf(arguments.integer(1)? as f64);
    let shifted = power * to_float64(arguments.any(0));
    let rounded = if shifted.fract() >= round_on { shifted.ceil() } else { shifted.floor() };
    Ok(float64(rounded / power))
}

/// Go's `strconv.Atoi` with its error ignored: out of range gives the nearest number.
fn atoi(text: &str) -> i64 {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return 0;
    }
    text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX })
}
