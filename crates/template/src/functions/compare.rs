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
            if matches!((left, right), (Value::Array(_) | Value::Map(_), _) | (_, Value::Array(_) | Value::Map(_))) =>
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
    if !format.contains("%T") {
        return funcs::printf(&printable(arguments));
    }
    funcs::printf(&with_type_names(format, arguments))
}

/// The engine has no `%T`; the verb becomes `%s` of the type's name.
fn with_type_names(format: &str, arguments: &Arguments) -> Vec<Value> {
    let mut values = printable(arguments);
    let mut rewritten = String::with_capacity(format.len());
    let mut argument = 0;
    let mut rest = format;
    while let Some(start) = rest.find('%') {
        let verb = rest[start + 1..]
            .find(|symbol: char| symbol.is_ascii_alphabetic() || symbol == '%')
            .map_or(rest.len(), |offset| start + 1 + offset);
        let name = rest[verb..].chars().next();
        if name != Some('%') {
            argument += 1;
        }
        rewritten.push_str(&rest[..verb]);
        if name == Some('T') && argument < values.len() {
            rewritten.push('s');
            values[argument] = Value::from(value::type_name(arguments.any(argument)));
        } else {
            rewritten.extend(name);
        }
        rest = &rest[(verb + name.map_or(0, char::len_utf8)).min(rest.len())..];
    }
    rewritten.push_str(rest);
    values[0] = Value::String(rewritten);
    values
}

fn printable(arguments: &Arguments) -> Vec<Value> {
    arguments.values.iter().cloned().map(value::printable).collect()
}
