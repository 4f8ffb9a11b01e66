//! Regular expressions in Go's syntax.

use config::go_regex::GoRegex;
use gtmpl_ng::FuncError;
use regex::NoExpand;

use crate::functions::{Arguments, Outcome, table};
use crate::value;

table! { pub(super) TABLE:
    // Sprig's `regexMatch` takes a broken expression for one that does not match.
    "regexMatch", 2..=2 => |arguments| {
        let text = arguments.text(1)?;
        Ok(GoRegex::new(arguments.text(0)?).is_ok_and(|regex| regex.is_match(text)).into())
    };
    "mustRegexMatch", 2..=2 => |arguments| {
        Ok(compile(arguments)?.is_match(arguments.text(1)?).into())
    };
    "regexFind", 2..=2 => find;
    "mustRegexFind", 2..=2 => find;
    "regexFindAll", 3..=3 => find_all;
    "mustRegexFindAll", 3..=3 => find_all;
    "regexReplaceAll", 3..=3 => replace_all;
    "mustRegexReplaceAll", 3..=3 => replace_all;
    "regexReplaceAllLiteral", 3..=3 => replace_all_literal;
    "mustRegexReplaceAllLiteral", 3..=3 => replace_all_literal;
    "regexSplit", 3..=3 => split;
    "mustRegexSplit", 3..=3 => split;
    "regexQuoteMeta", 1..=1 => |arguments| Ok(quote_meta(arguments.text(0)?).into());
}

fn compile(arguments: &Arguments) -> Result<GoRegex, FuncError> {
    GoRegex::new(arguments.text(0)?).map_err(|message| arguments.error(message))
}

fn find(arguments: &Arguments) -> Outcome {
    let regex = compile(arguments)?;
    let found = regex.engine().find(arguments.text(1)?);
    Ok(found.map_or("", |found| found.as_str()).into())
}

fn find_all(arguments: &Arguments) -> Outcome {
    let regex = compile(arguments)?;
    let found = regex.engine().find_iter(arguments.text(1)?).take(limit(arguments)?);
    Ok(value::strings(found.map(|found| found.as_str())))
}

/// How many matches are wanted; below zero means all.
fn limit(arguments: &Arguments) -> Result<usize, FuncError> {
    Ok(usize::try_from(arguments.integer(2)?).unwrap_or(usize::MAX))
}

fn replace_all(arguments: &Arguments) -> Outcome {
    let regex = compile(arguments)?;
    let (text, replacement) = (arguments.text(1)?, arguments.text(2)?);
    // A replacement may insert each group as often as it has bytes.
    check_growth(arguments, &regex, text, replacement.len().saturating_mul(1 + text.len() / 2))?;
    Ok(regex.replace_all(text, replacement).into())
}

fn replace_all_literal(arguments: &Arguments) -> Outcome {
    let regex = compile(arguments)?;
    let (text, replacement) = (arguments.text(1)?, arguments.text(2)?);
    check_growth(arguments, &regex, text, replacement.len())?;
    Ok(regex.engine().replace_all(text, NoExpand(replacement)).into_owned().into())
}

fn check_growth(
    arguments: &Arguments,
    regex: &GoRegex,
    text: &str,
    bytes_per_match: usize,
) -> Result<(), FuncError> {
    let matches = regex.engine().find_iter(text).count();
    arguments.check_size(text.len().saturating_add(matches.saturating_mul(bytes_per_match)))
}

/// Go's `Regexp.Split`: the last part holds what is beyond the limit.
fn split(arguments: &Arguments) -> Outcome {
    let regex = compile(arguments)?;
    let text = arguments.text(1)?;
    let limit = limit(arguments)?;
    if limit == 0 {
        return Ok(gtmpl_ng::Value::Array(Vec::new()));
    }
    if text.is_empty() && !regex.as_str().is_empty() {
        return Ok(value::strings([""]));
    }
    let mut parts = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for found in regex.engine().find_iter(text).take(limit) {
        if parts.len() == limit - 1 {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(&text[begin..end]);
        }
        begin = found.end();
    }
    if end != text.len() {
        parts.push(&text[begin..]);
    }
    Ok(value::strings(parts))
}

fn quote_meta(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for symbol in text.chars() {
        if r"\.+*?()|[]{}^$".contains(symbol) {
            quoted.push('\\');
        }
        quoted.push(symbol);
    }
    quoted
}
