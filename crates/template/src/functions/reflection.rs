//! Types and kinds, and the functions that only prepared source calls.

use gtmpl_ng::{FuncError, Value};

use crate::functions::{Arguments, MANY, Outcome, table};
use crate::go_time::Time;
use crate::value;

table! { pub(super) TABLE:
    "typeOf", 1..=1 => |arguments| Ok(value::type_name(arguments.any(0)).into());
    "typeIs", 2..=2 => |arguments| {
        Ok((arguments.text(0)? == value::type_name(arguments.any(1))).into())
    };
    "typeIsLike", 2..=2 => |arguments| {
        let name = value::type_name(arguments.any(1));
        let wanted = arguments.text(0)?;
        Ok((wanted == name || name.strip_prefix('*') == Some(wanted)).into())
    };
    "kindOf", 1..=1 => |arguments| Ok(value::kind_name(arguments.any(0)).into());
    "kindIs", 2..=2 => |arguments| {
        Ok((arguments.text(0)? == value::kind_name(arguments.any(1))).into())
    };
    "deepEqual", 2..=2 => |arguments| {
        Ok(value::deep_equal(arguments.any(0), arguments.any(1)).into())
    };
}

table! { pub(super) INTERNAL:
    "_print", 1..=1 => |arguments| Ok(show(arguments.any(0)));
    "_assign", 2..=MANY => assign;
    "_method", 2..=MANY => method;
}

/// What an action prints: a missing value and `nil` alike are `<no value>`.
fn show(shown: &Value) -> Value {
    match shown {
        Value::Nil | Value::NoValue => Value::NoValue,
        other => value::printable(other.clone()),
    }
}

/// `_assign map value "key" …`: the map with what is at the keys' path replaced by the value.
fn assign(arguments: &Arguments) -> Outcome {
    let mut changed = arguments.any(0).clone();
    let mut place = &mut changed;
    for key in arguments.texts(2)? {
        match place {
            Value::Map(entries) => place = entries.entry(key.to_owned()).or_insert(Value::Nil),
            other => return Err(arguments.wrong_type("map[string]interface {}", other)),
        }
    }
    *place = arguments.any(1).clone();
    Ok(changed)
}

/// `_method receiver "Name" …`: the methods with arguments of Go's `time.Time`.
fn method(arguments: &Arguments) -> Outcome {
    let name = arguments.text(1)?;
    let time = |index: usize| {
        let found = arguments.any(index);
        Time::from_value(found).ok_or_else(|| arguments.wrong_type("time.Time", found))
    };
    let receiver = time(0)?;
    match (name, arguments.len()) {
        ("Format", 3) => Ok(receiver.format(arguments.text(2)?).into()),
        ("Before", 3) => Ok((receiver.instant() < time(2)?.instant()).into()),
        ("After", 3) => Ok((receiver.instant() > time(2)?.instant()).into()),
        ("Equal", 3) => Ok((receiver.instant() == time(2)?.instant()).into()),
        ("AddDate", 5) => {
            let [years, months, days] =
                [arguments.integer(2)?, arguments.integer(3)?, arguments.integer(4)?];
            let moved = receiver.plus_date(years, months, days);
            Ok(moved.ok_or_else(|| arguments.error("date out of range"))?.into_value())
        }
        (name, count) => {
            let message = format!("wrong number of args for {name}: got {}", count - 2);
            Err(FuncError::Generic(message))
        }
    }
}
