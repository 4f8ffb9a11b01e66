//! The located tree that every kind of configuration text becomes before it is decoded.
//!
//! Scalars keep the text as written; what it means is for the type that it is decoded into, as a
//! version `1.10` must not become `1.1` on its way to a header.

use crate::diagnostic::Place;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub value: Value,
    pub place: Place,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing: `key:` or `~` in YAML.
    Null,
    Scalar(Scalar),
    Sequence(Vec<Node>),
    /// Entries in the order of the source, except TOML's, which are in the order of keys.
    Mapping(Vec<(Key, Node)>),
}

/// A leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// The text without quotes, escapes resolved.
    pub text: String,
    pub kind: ScalarKind,
}

/// What the source's notation says that a scalar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalarKind {
    /// Quoted text, plain text that is nothing else, a flag's value, a variable.
    Text,
    Boolean,
    Integer,
    Float,
}

/// A mapping's key as written, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub text: String,
    pub place: Place,
}

impl Node {
    /// Makes a node that holds nothing.
    pub fn null(place: Place) -> Self {
        Self { value: Value::Null, place }
    }

    /// Makes a leaf whose source has no types.
    pub fn text(text: impl Into<String>, place: Place) -> Self {
        Self { value: Value::Scalar(Scalar { text: text.into(), kind: ScalarKind::Text }), place }
    }

    /// Finds the value of `key`, without regard to case.
    pub fn child(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(k, _)| k.text.eq_ignore_ascii_case(key)).map(|(_, node)| node)
    }

    /// Follows a dotted path of keys, without regard to case.
    pub fn at(&self, path: &str) -> Option<&Node> {
        path.split('.').try_fold(self, |node, key| node.child(key))
    }

    /// The entries of a mapping; none for anything else.
    pub fn entries(&self) -> &[(Key, Node)] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// What users call this kind of value.
    pub fn kind_name(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "a single value",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}
