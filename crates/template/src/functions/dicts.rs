//! Dictionaries.
//!
//! In Go `set`, `unset` and the `merge`s change their first argument. The engine's values are not
//! shared, so these return the changed dictionary and the prepared source assigns it back.

use std::collections::HashMap;

use gtmpl_ng::{FuncError, Value};

use crate::functions::{Arguments, MANY, Outcome, table};
use crate::value::{self, is_empty};

table! { pub(super) TABLE:
    "dict", 0..=MANY => dict;
    "get", 2..=2 => |arguments| {
        Ok(arguments.map(0)?.get(arguments.text(1)?).cloned().unwrap_or_else(|| "".into()))
    };
    "set", 3..=3 => |arguments| {
        let mut entries = arguments.map(0)?.clone();
        entries.insert(arguments.text(1)?.to_owned(), arguments.any(2).clone());
        Ok(Value::Map(entries))
    };
    "unset", 2..=2 => |arguments| {
        let mut entries = arguments.map(0)?.clone();
        entries.remove(arguments.text(1)?);
        Ok(Value::Map(entries))
    };
    "hasKey", 2..=2 => |arguments| {
        Ok(arguments.map(0)?.contains_key(arguments.text(1)?).into())
    };
    "pluck", 1..=MANY => pluck;
    "keys", 0..=MANY => keys;
    "values", 1..=1 => values;
    "pick", 1..=MANY => |arguments| select(arguments, |names, key| names.contains(&key));
    "omit", 1..=MANY => |arguments| select(arguments, |names, key| !names.contains(&key));
    "merge", 1..=MANY => |arguments| merge(arguments, fill);
    "mustMerge", 1..=MANY => |arguments| merge(arguments, fill);
    "mergeOverwrite", 1..=MANY => |arguments| merge(arguments, overwrite);
    "mustMergeOverwrite", 1..=MANY => |arguments| merge(arguments, overwrite);
    "dig", 3..=MANY => dig;
}

fn dict(arguments: &Arguments) -> Outcome {
    let pairs = arguments.values.chunks(2);
    let entries = pairs.map(|pair| {
        let item = pair.get(1).cloned().unwrap_or_else(|| "".into());
        (value::text(&pair[0]), item)
    });
    Ok(Value::Map(entries.collect()))
}

fn pluck(arguments: &Arguments) -> Outcome {
    let key = arguments.text(0)?;
    let found = arguments.maps(1)?.into_iter().filter_map(|entries| entries.get(key).cloned());
    Ok(Value::Array(found.collect()))
}

/// Go's order is random; sorted is one of its orders.
fn keys(arguments: &Arguments) -> Outcome {
    let mut all = Vec::new();
    for entries in arguments.maps(0)? {
        all.extend(sorted(entries).into_iter().map(|(key, _)| key.clone()));
    }
    Ok(value::strings(all))
}

fn values(arguments: &Arguments) -> Outcome {
    let entries = sorted(arguments.map(0)?);
    Ok(Value::Array(entries.into_iter().map(|(_, item)| item.clone()).collect()))
}

fn sorted(entries: &HashMap<String, Value>) -> Vec<(&String, &Value)> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    sorted
}

fn select(arguments: &Arguments, is_kept: fn(&[&str], &str) -> bool) -> Outcome {
    let names = arguments.texts(1)?;
    let entries = arguments.map(0)?.iter().filter(|(key, _)| is_kept(&names, key));
    Ok(Value::Map(entries.map(|(key, item)| (key.clone(), item.clone())).collect()))
}

type Entries = HashMap<String, Value>;

fn merge(arguments: &Arguments, into: fn(&mut Entries, &Entries)) -> Outcome {
    let mut merged = arguments.map(0)?.clone();
    for entries in arguments.maps(1)? {
        into(&mut merged, entries);
    }
    Ok(Value::Map(merged))
}

/// Takes over what is missing or empty, going into dictionaries that both sides have. `nil` is
/// taken over only within a dictionary that is taken over whole.
fn fill(into: &mut Entries, from: &Entries) {
    for (key, item) in from.iter().filter(|(_, item)| !matches!(item, Value::Nil)) {
        match (into.get_mut(key), item) {
            (Some(Value::Map(into)), Value::Map(from)) if !into.is_empty() => fill(into, from),
            (Some(present), _) if !is_empty(present) => {}
            (Some(present), _) => present.clone_from(item),
            (None, _) => {
                into.insert(key.clone(), item.clone());
            }
        }
    }
}

/// Takes over everything, going into dictionaries that both sides have.
fn overwrite(into: &mut Entries, from: &Entries) {
    for (key, item) in from {
        match (into.get_mut(key), item) {
            (Some(Value::Map(into)), Value::Map(from)) => overwrite(into, from),
            _ => {
                into.insert(key.clone(), item.clone());
            }
        }
    }
}

fn dig(arguments: &Arguments) -> Outcome {
    let last = arguments.len() - 1;
    let keys = (0..last - 1).map(|index| arguments.text(index)).collect::<Result<Vec<_>, _>>()?;
    let mut place = arguments.map(last)?;
    for (index, key) in keys.iter().enumerate() {
        match place.get(*key) {
            None => return Ok(arguments.any(last - 1).clone()),
            Some(found) if index == keys.len() - 1 => return Ok(found.clone()),
            Some(Value::Map(entries)) => place = entries,
            Some(other) => return Err(not_a_dictionary(arguments, key, other)),
        }
    }
    Ok(arguments.any(last - 1).clone())
}

fn not_a_dictionary(arguments: &Arguments, key: &str, found: &Value) -> FuncError {
    let name = value::type_name(found);
    arguments.error(format!("the value of key {key:?} is a {name}, not a dictionary"))
}
