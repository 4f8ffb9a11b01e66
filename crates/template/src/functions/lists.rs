//! Lists, and the strings made of and from them.

use gtmpl_ng::{FuncError, Value};

use crate::functions::{Arguments, MANY, Outcome, table};
use crate::value::{self, deep_equal, int, is_empty};

table! { pub(super) TABLE:
    "list", 0..=MANY => |arguments| Ok(Value::Array(arguments.values.to_vec()));
    "tuple", 0..=MANY => |arguments| Ok(Value::Array(arguments.values.to_vec()));
    "append", 2..=2 => append;
    "mustAppend", 2..=2 => append;
    "prepend", 2..=2 => prepend;
    "mustPrepend", 2..=2 => prepend;
    "first", 1..=1 => |arguments| Ok(arguments.list(0)?.first().cloned().unwrap_or(Value::Nil));
    "mustFirst", 1..=1 => |arguments| Ok(arguments.list(0)?.first().cloned().unwrap_or(Value::Nil));
    "last", 1..=1 => |arguments| Ok(arguments.list(0)?.last().cloned().unwrap_or(Value::Nil));
    "mustLast", 1..=1 => |arguments| Ok(arguments.list(0)?.last().cloned().unwrap_or(Value::Nil));
    "rest", 1..=1 => rest;
    "mustRest", 1..=1 => rest;
    "initial", 1..=1 => initial;
    "mustInitial", 1..=1 => initial;
    "reverse", 1..=1 => reverse;
    "mustReverse", 1..=1 => reverse;
    "uniq", 1..=1 => uniq;
    "mustUniq", 1..=1 => uniq;
    "without", 1..=MANY => without;
    "mustWithout", 1..=MANY => without;
    "has", 2..=2 => has;
    "mustHas", 2..=2 => has;
    "compact", 1..=1 => compact;
    "mustCompact", 1..=1 => compact;
    "slice", 1..=MANY => slice;
    "mustSlice", 1..=MANY => slice;
    "concat", 0..=MANY => concat;
    "chunk", 2..=2 => chunk;
    "mustChunk", 2..=2 => chunk;
    "join", 2..=2 => |arguments| {
        Ok(texts(arguments.any(1)).join(arguments.text(0)?).into())
    };
    "sortAlpha", 1..=1 => sort_alpha;
    "toStrings", 1..=1 => |arguments| Ok(value::strings(texts(arguments.any(0))));
    "splitList", 2..=2 => |arguments| {
        Ok(value::strings(split(arguments.text(1)?, arguments.text(0)?)))
    };
    // Traefik replaces sprig's `split`, which has the separator first and returns a map.
    "split", 2..=2 => |arguments| {
        Ok(value::strings(split(arguments.text(0)?, arguments.text(1)?)))
    };
    "splitn", 3..=3 => splitn;
    "until", 1..=1 => until;
    "untilStep", 3..=3 => |arguments| {
        let (start, stop, step) = (arguments.integer(0)?, arguments.integer(1)?, arguments.integer(2)?);
        Ok(Value::Array(numbers(arguments, start, stop, step)?.into_iter().map(int).collect()))
    };
    "seq", 0..=MANY => seq;
}

fn append(arguments: &Arguments) -> Outcome {
    let mut items = arguments.list(0)?.to_vec();
    items.push(arguments.any(1).clone());
    Ok(Value::Array(items))
}

fn prepend(arguments: &Arguments) -> Outcome {
    let mut items = vec![arguments.any(1).clone()];
    items.extend_from_slice(arguments.list(0)?);
    Ok(Value::Array(items))
}

fn rest(arguments: &Arguments) -> Outcome {
    Ok(Value::Array(arguments.list(0)?.iter().skip(1).cloned().collect()))
}

fn initial(arguments: &Arguments) -> Outcome {
    let items = arguments.list(0)?;
    Ok(Value::Array(items[..items.len().saturating_sub(1)].to_vec()))
}

fn reverse(arguments: &Arguments) -> Outcome {
    Ok(Value::Array(arguments.list(0)?.iter().rev().cloned().collect()))
}

fn uniq(arguments: &Arguments) -> Outcome {
    let mut kept: Vec<Value> = Vec::new();
    for item in arguments.list(0)? {
        if !kept.iter().any(|other| deep_equal(item, other)) {
            kept.push(item.clone());
        }
    }
    Ok(Value::Array(kept))
}

fn without(arguments: &Arguments) -> Outcome {
    let omitted = arguments.rest(1);
    let is_kept = |item: &&Value| !omitted.iter().any(|other| deep_equal(item, other));
    Ok(Value::Array(arguments.list(0)?.iter().filter(is_kept).cloned().collect()))
}

fn has(arguments: &Arguments) -> Outcome {
    if matches!(arguments.any(1), Value::Nil | Value::NoValue) {
        return Ok(false.into());
    }
    let needle = arguments.any(0);
    Ok(arguments.list(1)?.iter().any(|item| deep_equal(needle, item)).into())
}

fn compact(arguments: &Arguments) -> Outcome {
    let items = arguments.list(0)?.iter().filter(|item| !is_empty(item));
    Ok(Value::Array(items.cloned().collect()))
}

fn slice(arguments: &Arguments) -> Outcome {
    let items = arguments.list(0)?;
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let start = if arguments.len() > 1 { value::to_int64(arguments.any(1)) } else { 0 };
    let end = match arguments.len() {
        0..=2 => items.len() as i64,
        _ => value::to_int64(arguments.any(2)),
    };
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    range
        .and_then(|(start, end)| items.get(start..end))
        .map(|kept| Value::Array(kept.to_vec()))
        .ok_or_else(|| arguments.error(format!("slice index out of range [{start}:{end}]")))
}

fn concat(arguments: &Arguments) -> Outcome {
    let mut items = Vec::new();
    for index in 0..arguments.len() {
        items.extend_from_slice(arguments.list(index)?);
    }
    Ok(Value::Array(items))
}

fn chunk(arguments: &Arguments) -> Outcome {
    let size = arguments.count(0)?;
    if size == 0 {
        return Err(arguments.error("a chunk of size 0"));
    }
    let chunks = arguments.list(1)?.chunks(size);
    Ok(Value::Array(chunks.map(|items| Value::Array(items.to_vec())).collect()))
}

fn sort_alpha(arguments: &Arguments) -> Outcome {
    let mut items = texts(arguments.any(0));
    items.sort_unstable();
    Ok(value::strings(items))
}

/// Sprig's `strslice`: the items as strings without `nil`; one value stands for itself.
pub(super) fn texts(list: &Value) -> Vec<String> {
    match list {
        Value::Array(items) => items
            .iter()
            .filter(|item| !matches!(item, Value::Nil | Value::NoValue))
            .map(value::text)
            .collect(),
        Value::Nil | Value::NoValue => Vec::new(),
        other => vec![value::text(other)],
    }
}

/// Go's `strings.Split`: an empty separator splits into characters.
fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    if separator.is_empty() {
        return text.char_indices().map(|(at, symbol)| &text[at..at + symbol.len_utf8()]).collect();
    }
    text.split(separator).collect()
}

fn splitn(arguments: &Arguments) -> Outcome {
    let (separator, limit, text) = (arguments.text(0)?, arguments.integer(1)?, arguments.text(2)?);
    let parts = match usize::try_from(limit) {
        Err(_) => split(text, separator),
        Ok(0) => Vec::new(),
        Ok(limit) if separator.is_empty() => {
            let mut parts = split(text, separator);
            if parts.len() > limit {
                let start: usize = parts[..limit - 1].iter().map(|part| part.len()).sum();
                parts.truncate(limit - 1);
                parts.push(&text[start..]);
            }
            parts
        }
        Ok(limit) => text.splitn(limit, separator).collect(),
    };
    let entries = parts.iter().enumerate();
    Ok(Value::Map(entries.map(|(index, part)| (format!("_{index}"), Value::from(*part))).collect()))
}

fn until(arguments: &Arguments) -> Outcome {
    let count = arguments.integer(0)?;
    let step = if count < 0 { -1 } else { 1 };
    Ok(Value::Array(numbers(arguments, 0, count, step)?.into_iter().map(int).collect()))
}

fn seq(arguments: &Arguments) -> Outcome {
    let parameters = (0..arguments.len())
        .map(|index| arguments.integer(index))
        .collect::<Result<Vec<_>, _>>()?;
    let toward = |start: i64, end: i64| if end < start { -1 } else { 1 };
    let (start, end, step) = match parameters[..] {
        [end] => (1, end, toward(1, end)),
        [start, end] => (start, end, toward(start, end)),
        // A step away from the end arrives nowhere.
        [start, step, end] if end < start && step > 0 => return Ok("".into()),
        [start, step, end] => (start, end, step),
        _ => return Ok("".into()),
    };
    let numbers = numbers(arguments, start, end.saturating_add(toward(start, end)), step)?;
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    Ok(texts.join(" ").into())
}

fn numbers(arguments: &Arguments, start: i64, stop: i64, step: i64) -> Result<Vec<i64>, FuncError> {
    if step == 0 || (stop < start) != (step < 0) {
        // Traefik: `untilStep 5 0 0` and other steps that never arrive give an empty list.
        return Ok(Vec::new());
    }
    let count = start.abs_diff(stop).div_ceil(step.unsigned_abs());
    let limit = gtmpl_ng::limits::active().iterations.unwrap_or(usize::MAX);
    if count > limit as u64 {
        return Err(arguments.error(format!("{count} elements are more than the {limit} allowed")));
    }
    Ok((0..count as i64).map(|index| start.wrapping_add(index.wrapping_mul(step))).collect())
}
