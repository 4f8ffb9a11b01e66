//! The functions that Traefik gives its dynamic files: sprig v3.2.3 and two of its own.
//!
//! Each file registers its functions in one `TABLE`: name, number of arguments, implementation.
//! A function sees only its arguments; none may know about the template, files or configuration.

mod certificates;
mod compare;
mod crypto;
mod dates;
mod decimal;
mod defaults;
mod dicts;
mod encoding;
mod json;
mod lists;
mod math;
mod network;
mod paths;
mod random;
mod reflection;
mod regex;
mod scrypt;
mod semver;
mod strings;
mod words;

use std::collections::HashMap;
use std::ops::RangeInclusive;

use gtmpl_ng::{Func, FuncError, Number, NumberKind, Template, Value};

use crate::value;

/// What sprig offers and this crate refuses: function, what of it, and why.
pub const UNSUPPORTED: &[(&str, &str)] = &[(
    "genPrivateKey \"dsa\"",
    "DSA is withdrawn (FIPS 186-5) and the cryptographic library has no DSA key generation",
)];

/// The names of all functions, sorted; Go's own such as `printf` are not among them.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> =
        TABLES.iter().flat_map(|table| table.iter().map(|(name, _)| *name)).collect();
    names.sort_unstable();
    names
}

pub(crate) fn register(template: &mut Template) {
    for table in TABLES.iter().chain([&compare::TABLE, &reflection::INTERNAL]) {
        template.add_funcs(table);
    }
}

type Table = &'static [(&'static str, Func)];

type Outcome = Result<Value, FuncError>;

const TABLES: &[Table] = &[
    certificates::TABLE,
    crypto::TABLE,
    dates::TABLE,
    defaults::TABLE,
    dicts::TABLE,
    encoding::TABLE,
    json::TABLE,
    lists::TABLE,
    math::TABLE,
    network::TABLE,
    paths::TABLE,
    random::TABLE,
    reflection::TABLE,
    regex::TABLE,
    semver::TABLE,
    strings::TABLE,
    words::TABLE,
];

/// The upper bound of a function with any number of arguments.
const MANY: usize = usize::MAX;

/// Builds a registration table; the number of arguments is checked before each call.
macro_rules! table {
    ($visibility:vis $table:ident: $($name:literal, $arity:expr => $function:expr;)*) => {
        $visibility const $table: $crate::functions::Table = &[$(($name, |values| {
            $crate::functions::call($name, $arity, $function, values)
        })),*];
    };
}
use table;

fn call(
    name: &'static str,
    arity: RangeInclusive<usize>,
    function: fn(&Arguments) -> Outcome,
    values: &[Value],
) -> Outcome {
    if !arity.contains(&values.len()) {
        let wanted = match (*arity.start(), *arity.end()) {
            (least, MANY) => format!("at least {least}"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        let message =
            format!("wrong number of args for {name}: want {wanted} got {}", values.len());
        return Err(FuncError::Generic(message));
    }
    function(&Arguments { name, values })
}

/// The arguments of one call, read as the Go types that the function declares.
struct Arguments<'a> {
    name: &'static str,
    values: &'a [Value],
}

impl<'a> Arguments<'a> {
    fn len(&self) -> usize {
        self.values.len()
    }

    fn any(&self, index: usize) -> &'a Value {
        self.values.get(index).unwrap_or(&Value::NoValue)
    }

    fn rest(&self, index: usize) -> &'a [Value] {
        self.values.get(index..).unwrap_or_default()
    }

    fn text(&self, index: usize) -> Result<&'a str, FuncError> {
        match self.any(index) {
            Value::String(text) => Ok(text),
            other => Err(self.wrong_type("string", other)),
        }
    }

    fn texts(&self, index: usize) -> Result<Vec<&'a str>, FuncError> {
        (index..self.len()).map(|index| self.text(index)).collect()
    }

    fn bool(&self, index: usize) -> Result<bool, FuncError> {
        match self.any(index) {
            Value::Bool(flag) => Ok(*flag),
            other => Err(self.wrong_type("bool", other)),
        }
    }

    fn integer(&self, index: usize) -> Result<i64, FuncError> {
        match self.any(index) {
            Value::Number(number) => match number.kind() {
                // Go takes a constant such as 2.0 for an integer where it needs one.
                NumberKind::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                    Ok(number as i64)
                }
                _ => number.as_i64().ok_or_else(|| self.wrong_type("int", self.any(index))),
            },
            other => Err(self.wrong_type("int", other)),
        }
    }

    /// A count of something to produce; below zero it is an error, as in Go.
    fn count(&self, index: usize) -> Result<usize, FuncError> {
        let number = self.integer(index)?;
        usize::try_from(number).map_err(|_| self.error(format!("negative count {number}")))
    }

    fn map(&self, index: usize) -> Result<&'a HashMap<String, Value>, FuncError> {
        match self.any(index) {
            Value::Map(entries) => Ok(entries),
            other => Err(self.wrong_type("map[string]interface {}", other)),
        }
    }

    fn maps(&self, index: usize) -> Result<Vec<&'a HashMap<String, Value>>, FuncError> {
        (index..self.len()).map(|index| self.map(index)).collect()
    }

    /// A list, where sprig takes anything and looks at it with reflection.
    fn list(&self, index: usize) -> Result<&'a [Value], FuncError> {
        match self.any(index) {
            Value::Array(items) => Ok(items),
            other => {
                let kind = value::kind_name(other);
                Err(self.error(format!("cannot find {} on type {kind}", self.name)))
            }
        }
    }

    /// Makes a string of bytes that Go would not check.
    fn utf8(&self, bytes: impl Into<Vec<u8>>) -> Outcome {
        String::from_utf8(bytes.into())
            .map(Value::String)
            .map_err(|_| self.error("the result is not valid UTF-8"))
    }

    /// Refuses a result that would be larger than the render allows, before it is allocated.
    fn check_size(&self, size: usize) -> Result<(), FuncError> {
        match gtmpl_ng::limits::active().function_output {
            Some(limit) if size > limit => {
                Err(self
                    .error(format!("a result of {size} bytes is more than the {limit} allowed")))
            }
            _ => Ok(()),
        }
    }

    fn error(&self, message: impl std::fmt::Display) -> FuncError {
        FuncError::Generic(format!("error calling {}: {message}", self.name))
    }

    fn wrong_type(&self, expected: &str, found: &Value) -> FuncError {
        let found = match found {
            Value::NoValue => {
                return self.error(format!("invalid value; expected {expected}"));
            }
            found => value::type_name(found),
        };
        self.error(format!("wrong type for value; expected {expected}; got {found}"))
    }
}

/// The number's value when it is a whole `int`, whichever way the engine holds it.
fn whole(number: &Number) -> Option<i64> {
    match number.kind() {
        NumberKind::Float(_) => None,
        _ => number.as_i64(),
    }
}

#[cfg(test)]
mod tests;
