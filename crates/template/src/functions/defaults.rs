//! Defaults, emptiness and choice.

use gtmpl_ng::Value;

use crate::functions::{MANY, table};
use crate::value::is_empty;

table! { pub(super) TABLE:
    "default", 1..=MANY => |arguments| Ok(match arguments.any(1) {
        given if is_empty(given) => arguments.any(0).clone(),
        given => given.clone(),
    });
    "empty", 1..=1 => |arguments| Ok(is_empty(arguments.any(0)).into());
    "coalesce", 0..=MANY => |arguments| {
        Ok(arguments.values.iter().find(|value| !is_empty(value)).cloned().unwrap_or(Value::Nil))
    };
    "all", 0..=MANY => |arguments| Ok((!arguments.values.iter().any(is_empty)).into());
    "any", 0..=MANY => |arguments| {
        Ok(arguments.values.iter().any(|value| !is_empty(value)).into())
    };
    "ternary", 3..=3 => |arguments| {
        Ok(arguments.any(if arguments.bool(2)? { 0 } else { 1 }).clone())
    };
    "fail", 1..=1 => |arguments| Err(arguments.error(arguments.text(0)?));
    "hello", 0..=0 => |_| Ok("Hello!".into());
    "deepCopy", 1..=1 => |arguments| Ok(arguments.any(0).clone());
    "mustDeepCopy", 1..=1 => |arguments| Ok(arguments.any(0).clone());
}
