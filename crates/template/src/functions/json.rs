//! JSON as Go's `encoding/json` writes and reads it: sorted keys, numbers as `float64`.

use std::fmt::Write;

use gtmpl_ng::{FloatFormat, FuncError, NumberKind, Value, format_float};

use crate::functions::{Arguments, Outcome, table};
use crate::value::{self, float64};

table! { pub(super) TABLE:
    "fromJson", 1..=1 => |arguments| Ok(parse(arguments).unwrap_or(Value::Nil));
    "mustFromJson", 1..=1 => parse;
    "toJson", 1..=1 => |arguments| Ok(COMPACT.write(arguments).unwrap_or_default().into());
    "mustToJson", 1..=1 => |arguments| Ok(COMPACT.write(arguments)?.into());
    "toPrettyJson", 1..=1 => |arguments| Ok(PRETTY.write(arguments).unwrap_or_default().into());
    "mustToPrettyJson", 1..=1 => |arguments| Ok(PRETTY.write(arguments)?.into());
    "toRawJson", 1..=1 => |arguments| Ok(RAW.write(arguments)?.into());
    "mustToRawJson", 1..=1 => |arguments| Ok(RAW.write(arguments)?.into());
}

fn parse(arguments: &Arguments) -> Outcome {
    let parsed: serde_json::Value =
        serde_json::from_str(arguments.text(0)?).map_err(|error| arguments.error(error))?;
    Ok(from_json(parsed))
}

fn from_json(parsed: serde_json::Value) -> Value {
    match parsed {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(flag) => flag.into(),
        serde_json::Value::Number(number) => float64(number.as_f64().unwrap_or(f64::NAN)),
        serde_json::Value::String(text) => text.into(),
        serde_json::Value::Array(items) => Value::Array(items.into_iter().map(from_json).collect()),
        serde_json::Value::Object(entries) => {
            Value::Map(entries.into_iter().map(|(key, item)| (key, from_json(item))).collect())
        }
    }
}

const COMPACT: Style = Style { is_indented: false, escapes_html: true };
const PRETTY: Style = Style { is_indented: true, escapes_html: true };
const RAW: Style = Style { is_indented: false, escapes_html: false };

struct Style {
    is_indented: bool,
    escapes_html: bool,
}

impl Style {
    fn write(&self, arguments: &Arguments) -> Result<String, FuncError> {
        let mut out = String::new();
        self.value(&mut out, arguments.any(0), 1).map_err(|message| arguments.error(message))?;
        Ok(out)
    }

    fn value(&self, out: &mut String, value: &Value, depth: usize) -> Result<(), String> {
        match value {
            Value::NoValue | Value::Nil => out.push_str("null"),
            Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Value::String(text) => self.string(out, text),
            Value::Number(number) => match number.kind() {
                NumberKind::Float(number) => float(out, number)?,
                _ => out.push_str(&number.to_string()),
            },
            Value::Array(items) => {
                self.container(out, '[', ']', items.iter(), depth, |out, item| {
                    self.value(out, item, depth + 1)
                })?;
            }
            Value::Map(entries) => {
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort_unstable_by_key(|(key, _)| *key);
                self.container(out, '{', '}', sorted.into_iter(), depth, |out, (key, item)| {
                    self.string(out, key);
                    out.push_str(if self.is_indented { ": " } else { ":" });
                    self.value(out, item, depth + 1)
                })?;
            }
            Value::Object(entries) => {
                let own: std::collections::HashMap<_, _> = entries
                    .iter()
                    .filter(|(key, item)| {
                        !key.starts_with('\u{1}') && !matches!(item, Value::Function(_))
                    })
                    .map(|(key, item)| (key.clone(), item.clone()))
                    .collect();
                match value::type_name(value) {
                    "time.Time" => match crate::go_time::Time::from_value(value) {
                        Some(time) => {
                            self.string(out, &time.format("2006-01-02T15:04:05.999999999Z07:00"))
                        }
                        None => out.push_str("null"),
                    },
                    "*semver.Version" => self.string(out, &value::text(value)),
                    _ => self.value(out, &Value::Map(own), depth)?,
                }
            }
            Value::Function(_) => return Err("json: unsupported type: func".to_owned()),
        }
        Ok(())
    }

    fn container<T>(
        &self,
        out: &mut String,
        open: char,
        close: char,
        items: impl ExactSizeIterator<Item = T>,
        depth: usize,
        mut write: impl FnMut(&mut String, T) -> Result<(), String>,
    ) -> Result<(), String> {
        let is_empty = items.len() == 0;
        out.push(open);
        for (index, item) in items.enumerate() {
            if index > 0 {
                out.push(',');
            }
            self.line(out, depth);
            write(out, item)?;
        }
        if !is_empty {
            self.line(out, depth - 1);
        }
        out.push(close);
        Ok(())
    }

    fn line(&self, out: &mut String, depth: usize) {
        if self.is_indented {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        }
    }

    fn string(&self, out: &mut String, text: &str) {
        out.push('"');
        for symbol in text.chars() {
            match symbol {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '<' | '>' | '&' if self.escapes_html => escape(out, symbol),
                '\u{2028}' | '\u{2029}' => escape(out, symbol),
                symbol if symbol < ' ' => escape(out, symbol),
                symbol => out.push(symbol),
            }
        }
        out.push('"');
    }
}

fn escape(out: &mut String, symbol: char) {
    // Writing into a `String` cannot fail.
    let _ = write!(out, "\\u{:04x}", u32::from(symbol));
}

/// Writes a float in the shortest form, with an exponent only for the very large and small.
fn float(out: &mut String, number: f64) -> Result<(), String> {
    if !number.is_finite() {
        return Err(format!("json: unsupported value: {number}"));
    }
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let text = format_float(number, FloatFormat::General, None);
        out.push_str(&text.replace("e-0", "e-"));
    } else {
        let _ = write!(out, "{number}");
    }
    Ok(())
}
