//! Go's comparison and printing functions, where the engine's are more lenient or know no structs.

use std::cmp::Ordering;

use gtmpl_ng::{FuncError, NumberKind, Value, funcs};

use crate::functions::{Arguments, MANY, Outcome, table};
use crate::value;

table! { pub(super) TABLE:
    "eq", 1..=MANY => equal;
    "ne", 2..=2 => |arguments| Ok((!equal_values(arguments, 0, 1)?).into());
    "lt", 2..=2 => |arguments| Ok((order(arguments)? == Some(Ordering::Less)).into());
    "le", 2..=2 => |arguments| Ok(order(arguments)?.is_some_and(Ordering::is_le).into());
    "gt", 2..=2 => |arguments| Ok((order(arguments)? == Some(Ordering::Greater)).into());
    "ge", 2..=2 => |arguments| Ok(order(arguments)?.is_some_and(Ordering::is_ge).into());
    "print", 0..=MANY => |arguments| funcs::print(&printable(arguments));
    "println", 0..=MANY => |arguments| funcs::println(&printable(arguments));
    "printf", 1..=MANY => printf;
    "html", 0..=MANY => |arguments| funcs::html(&printable(arguments));
    "js", 0..=MANY => |arguments| funcs::js(&printable(arguments));
    "urlquery", 0..=MANY => |arguments| funcs::urlquery(&printable(arguments));
}

/// The kinds that Go's comparison functions tell apart.
#[derive(PartialEq)]
enum Basic {
    Bool,
    Integer,
    Float,
    Text,
    Nil,
    Other,
}

fn basic(value: &Value) -> Basic {
    match value {
        Value::Bool(_) => Basic::Bool,
        Value::String(_) => Basic::Text,
        Value::NoValue | Value::Nil => Basic::Nil,
        Value::Number(number) => match number.kind() {
            NumberKind::Float(_) => Basic::Float,
            _ => Basic::Integer,
        },
        _ => Basic::Other,
    }
}

fn equal(arguments: &Arguments) -> Outcome {
    if arguments.len() == 1 {
        return Err(arguments.error("missing argument for comparison"));
    }
    for index in 1..arguments.len() {
        if equal_values(arguments, 0, index)? {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

fn equal_values(arguments: &Arguments, left: usize, right: usize) -> Result<bool, FuncError> {
    let (left, right) = (arguments.any(left), arguments.any(right));
    match (basic(left), basic(right)) {
        (Basic::Nil, Basic::Nil) => Ok(true),
        (Basic::Nil, _) | (_, Basic::Nil) => Ok(false),
        (Basic::Other, Basic::Other)
            if matches!(
                (left, right),
                (Value::Array(_) | Value::Map(_), _) | (_, Value::Array(_) | Value::Map(_))
            ) =>
        {
            let name = value::type_name(left);
            Err(arguments.error(format!("non-comparable type {name}")))
        }
        (one, other) if one == other => Ok(left == right),
        _ => Err(arguments.error("incompatible types for comparison")),
    }
}

fn order(arguments: &Arguments) -> Result<Option<Ordering>, FuncError> {
    let (left, right) = (arguments.any(0), arguments.any(1));
    if basic(left) != basic(right) {
        return Err(arguments.error("incompatible types for comparison"));
    }
    match (left, right) {
        (Value::String(left), Value::String(right)) => Ok(Some(left.cmp(right))),
        (Value::Number(left), Value::Number(right)) => Ok(left.partial_cmp(right)),
        _ => Err(arguments.error("invalid type for comparison")),
    }
}

fn printf(arguments: &Arguments) -> Outcome {
    let format = arguments.text(0)?;
    let is_simple = !format.contains(['*', '[']);
    let needs_care = |verb| matches!(verb, 'T' | 'f' | 'F' | 'e' | 'E' | 'g' | 'G');
    if !is_simple || !format.contains(needs_care) {
        return funcs::printf(&printable(arguments));
    }
    funcs::printf(&with_types(format, arguments))
}

/// Replaces by `%s` the verbs that need Go's types: `%T`, and those of floats given an integer.
fn with_types(format: &str, arguments: &Arguments) -> Vec<Value> {
    let mut values = printable(arguments);
    let mut rewritten = String::with_capacity(format.len());
    let mut argument = 0;
    let mut rest = format;
    while let Some(start) = rest.find('%') {
        let after = &rest[start + 1..];
        let flags =
            after.find(|symbol: char| !"+-# 0123456789.".contains(symbol)).unwrap_or(after.len());
        let verb = after[flags..].chars().next();
        rewritten.push_str(&rest[..start + 1]);
        if verb != Some('%') {
            argument += 1;
        }
        let found = arguments.any(argument);
        let replaced = match verb {
            _ if argument >= values.len() => None,
            Some('T') => Some(value::type_name(found).to_owned()),
            Some(verb @ ('f' | 'F' | 'e' | 'E' | 'g' | 'G')) if basic(found) == Basic::Integer => {
                Some(format!("%!{verb}({}={found})", value::type_name(found)))
            }
            _ => None,
        };
        match replaced {
            Some(text) => {
                rewritten.push('s');
                values[argument] = Value::String(text);
            }
            None => {
                rewritten.push_str(&after[..flags]);
                rewritten.extend(verb);
            }
        }
        rest = &after[flags + verb.map_or(0, char::len_utf8)..];
    }
    rewritten.push_str(rest);
    values[0] = Value::String(rewritten);
    values
}

fn printable(arguments: &Arguments) -> Vec<Value> {
    arguments.values.iter().cloned().map(value::printable).collect()
}
