//! Located tree to typed configuration, through one `serde::Deserializer`.
//!
//! Keys are matched without regard to case against the field names of a type; a key that no field
//! has is reported with its place and the nearest name and then skipped, so that one slip does not
//! hide the next. Leaves are parsed from their text, as Traefik does. The decoder knows no
//! section of the configuration, except which fields may be switched on empty ([`switches`]).

mod deserializer;
mod scalar;
pub mod schema;
pub mod switches;

use std::cell::RefCell;
use std::fmt;

use serde::de::DeserializeOwned;

use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::node::Node;

use deserializer::NodeDeserializer;

/// A decoded value and everything there is to say about its text.
#[derive(Clone, Debug)]
pub struct Decoded<T> {
    /// Absent when a value could not be read. Unknown keys alone leave it present: whether such a
    /// value may be used is for the caller to decide.
    pub value: Option<T>,
    pub diagnostics: Vec<Diagnostic>,
}

impl<T> Decoded<T> {
    /// The value, if nothing at all was wrong with it.
    pub fn clean(self) -> Option<T> {
        if self.has_errors() { None } else { self.value }
    }

    /// Whether a diagnostic is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Decodes `node`. `object` is what diagnostics name, such as `router "web"`; without one they give
/// the full path of keys, which begins with `path`.
pub fn decode<T: DeserializeOwned>(node: &Node, object: Option<&str>, path: &str) -> Decoded<T> {
    let report = Report { object, diagnostics: RefCell::default() };
    let root = Path::Root(path);
    let result = T::deserialize(NodeDeserializer::new(node, &root, &report));
    let value = match result {
        Ok(value) => Some(value),
        Err(error) => {
            let place = error.place.unwrap_or_else(|| node.place.clone());
            report.error(CODE_INVALID_VALUE, error.path.as_deref(), &place, &error.message, None);
            None
        }
    };
    Decoded { value, diagnostics: report.diagnostics.into_inner() }
}

/// Where diagnostics go while a tree is walked.
struct Report<'a> {
    object: Option<&'a str>,
    diagnostics: RefCell<Vec<Diagnostic>>,
}

impl Report<'_> {
    fn error(
        &self,
        code: &'static str,
        path: Option<&str>,
        place: &Place,
        message: &str,
        hint: Option<String>,
    ) {
        self.push(Diagnostic::error(code, in_path(path, message)), place, hint);
    }

    fn warning(&self, code: &'static str, path: &str, place: &Place, message: &str, hint: String) {
        self.push(Diagnostic::warning(code, in_path(Some(path), message)), place, Some(hint));
    }

    fn push(&self, mut diagnostic: Diagnostic, place: &Place, hint: Option<String>) {
        diagnostic.object = self.object.map(str::to_owned);
        diagnostic.place = Some(place.clone());
        diagnostic.hint = hint;
        self.diagnostics.borrow_mut().push(diagnostic);
    }
}

fn in_path(path: Option<&str>, message: &str) -> String {
    match path {
        Some(path) if !path.is_empty() => format!("{path}: {message}"),
        _ => message.to_owned(),
    }
}

/// The keys that lead to a node; a list on the stack, printed only when something is wrong.
#[derive(Clone, Copy)]
enum Path<'a> {
    Root(&'a str),
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(path) => formatter.write_str(path),
            Self::Key(Self::Root(""), key) => formatter.write_str(key),
            Self::Key(parent, key) => write!(formatter, "{parent}.{key}"),
            Self::Index(parent, index) => write!(formatter, "{parent}[{index}]"),
        }
    }
}

const CODE_UNKNOWN_KEY: &str = "unknown-key";
const CODE_DUPLICATE_KEY: &str = "duplicate-key";
const CODE_EMPTY_KEY: &str = "empty-key";
const CODE_INVALID_VALUE: &str = "invalid-value";

#[cfg(test)]
mod tests;
