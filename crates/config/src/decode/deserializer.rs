//! The `serde::Deserializer` over nodes.

use std::fmt::{self, Display};

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::decode::scalar::{parse_bool, parse_integer};
use crate::decode::{CODE_DUPLICATE_KEY, CODE_EMPTY_KEY, CODE_UNKNOWN_KEY, Path, Report, switches};
use crate::diagnostic::Place;
use crate::node::{Key, Node, Scalar, ScalarKind, Value};
use crate::suggest;

/// Why a node could not become a value, with the place and path as soon as they are known.
#[derive(Debug)]
pub(super) struct Error {
    pub(super) message: String,
    pub(super) place: Option<Place>,
    pub(super) path: Option<String>,
}

impl Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self { message: message.to_string(), place: None, path: None }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let mut message = format!("{variant:?} is not one of {}", expected.join(", "));
        if let Some(nearest) = suggest::nearest(variant, expected.iter().copied()) {
            message.push_str(&format!("; did you mean {nearest:?}?"));
        }
        Self::custom(message)
    }

    fn invalid_value(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format!("expected {expected}, found {unexpected}"))
    }

    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format!("expected {expected}, found {unexpected}"))
    }
}

#[derive(Clone, Copy)]
pub(super) struct NodeDeserializer<'a> {
    node: &'a Node,
    path: &'a Path<'a>,
    report: &'a Report<'a>,
    /// Whether a structure may be given as `{}` or `true`: list items and entries of maps with
    /// free keys always may, fields only when they are switches.
    may_be_empty: bool,
}

impl<'a> NodeDeserializer<'a> {
    pub(super) fn new(node: &'a Node, path: &'a Path<'a>, report: &'a Report<'a>) -> Self {
        Self { node, path, report, may_be_empty: true }
    }

    fn error(&self, message: impl Into<String>) -> Error {
        Error {
            message: message.into(),
            place: Some(self.node.place.clone()),
            path: Some(self.path.to_string()),
        }
    }

    /// Gives an error that a type's own code raised the place of this node.
    fn locate(&self, error: Error) -> Error {
        match error.place {
            Some(_) => error,
            None => self.error(error.message),
        }
    }

    fn scalar(&self, expected: &str) -> Result<&'a Scalar, Error> {
        match &self.node.value {
            Value::Scalar(scalar) => Ok(scalar),
            _ => Err(self.error(format!("expected {expected}, found {}", self.node.kind_name()))),
        }
    }

    fn boolean(&self) -> Result<bool, Error> {
        let scalar = self.scalar("true or false")?;
        parse_bool(&scalar.text)
            .ok_or_else(|| self.error(format!("expected true or false, found {:?}", scalar.text)))
    }

    /// A whole number between the bounds.
    fn integer(&self, minimum: i128, maximum: i128) -> Result<i128, Error> {
        let scalar = self.scalar("a whole number")?;
        let number = parse_integer(scalar).ok_or_else(|| {
            self.error(format!("expected a whole number, found {:?}", scalar.text))
        })?;
        if number < minimum || number > maximum {
            let text = &scalar.text;
            return Err(self.error(format!("{text} is not between {minimum} and {maximum}")));
        }
        Ok(number)
    }

    fn float(&self) -> Result<f64, Error> {
        let scalar = self.scalar("a number")?;
        let text = scalar.text.replace('_', "");
        // YAML writes `.inf` and `.nan`.
        let text = match text.strip_prefix('.') {
            Some(word) if word.starts_with(|c: char| c.is_alphabetic()) => word,
            _ => &text,
        };
        text.parse().map_err(|_| self.error(format!("expected a number, found {:?}", scalar.text)))
    }

    /// What remains of a mapping's entries for a type: each known once, none without a value.
    fn fields(
        &self,
        structure: &str,
        entries: &'a [(Key, Node)],
        known: &'static [&'static str],
    ) -> Vec<Field<'a>> {
        let mut fields: Vec<Field<'a>> = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            let Some(name) = known.iter().find(|name| name.eq_ignore_ascii_case(&key.text)) else {
                self.unknown_key(key, known);
                continue;
            };
            // Traefik: an empty list leaves the default in place.
            if matches!(&node.value, Value::Sequence(items) if items.is_empty()) {
                continue;
            }
            let is_switch = switches::is_switch(structure, name);
            if matches!(node.value, Value::Null) {
                let field_path = Path::Key(self.path, name).to_string();
                // Traefik: a key without a value is absent, which nobody expects of `tls:`.
                let hint = match is_switch {
                    true => format!("write `{name}: {{}}` to switch it on, or remove the key"),
                    false => "give it a value, or remove the key".to_owned(),
                };
                let message = "has no value and is ignored";
                self.report.warning(CODE_EMPTY_KEY, &field_path, &key.place, message, hint);
                continue;
            }
            if is_switch && is_false(node) {
                continue;
            }
            let field = Field { name, key, node, may_be_empty: is_switch };
            match fields.iter_mut().find(|other| other.name == *name) {
                None => fields.push(field),
                Some(other) => {
                    let message = format!(
                        "given twice, as {:?} and {:?}; the second in alphabetical order is used",
                        other.key.text, key.text
                    );
                    let hint = "remove one of the two".to_owned();
                    self.report.warning(
                        CODE_DUPLICATE_KEY,
                        &Path::Key(self.path, name).to_string(),
                        &key.place,
                        &message,
                        hint,
                    );
                    // Traefik reads keys in the order of their bytes, and the last one stays.
                    if key.text > other.key.text {
                        *other = field;
                    }
                }
            }
        }
        fields
    }

    fn unknown_key(&self, key: &Key, known: &'static [&'static str]) {
        let hint = match suggest::nearest(&key.text, known.iter().copied()) {
            Some(nearest) => Some(format!("did you mean {nearest:?}?")),
            None if known.is_empty() => None,
            None if known.len() <= LISTED_KEYS_MAX => {
                Some(format!("known keys are {}", known.join(", ")))
            }
            None => None,
        };
        let message = format!("unknown key {:?}", key.text);
        let path = self.path.to_string();
        self.report.error(CODE_UNKNOWN_KEY, Some(&path), &key.place, &message, hint);
    }
}

macro_rules! deserialize_integers {
    ($($method:ident $visit:ident $type:ident),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let number = self.integer(i128::from($type::MIN), i128::from($type::MAX))?;
            // The bounds have just been checked.
            let number = $type::try_from(number).map_err(de::Error::custom)?;
            visitor.$visit(number).map_err(|error| self.locate(error))
        })*
    };
}

impl<'de> Deserializer<'de> for NodeDeserializer<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let scalar = match &self.node.value {
            Value::Null => return visitor.visit_unit(),
            Value::Sequence(_) => return self.deserialize_seq(visitor),
            Value::Mapping(_) => return self.deserialize_map(visitor),
            Value::Scalar(scalar) => scalar,
        };
        let result = match scalar.kind {
            ScalarKind::Text => visitor.visit_str(&scalar.text),
            ScalarKind::Boolean => visitor.visit_bool(self.boolean()?),
            ScalarKind::Integer => match parse_integer(scalar).map(i64::try_from) {
                Some(Ok(number)) => visitor.visit_i64(number),
                _ => visitor.visit_str(&scalar.text),
            },
            ScalarKind::Float => visitor.visit_f64(self.float()?),
        };
        result.map_err(|error| self.locate(error))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.boolean()?).map_err(|error| self.locate(error))
    }

    deserialize_integers! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(self.float()?).map_err(|error| self.locate(error))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let scalar = self.scalar("a single value")?;
        visitor.visit_str(&scalar.text).map_err(|error| self.locate(error))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let split: Vec<Node>;
        let nodes: Vec<&Node> = match &self.node.value {
            Value::Sequence(nodes) => nodes.iter().collect(),
            // Traefik: one text is a comma-separated list, in files too.
            Value::Scalar(scalar) => {
                let items = scalar.text.split(',').map(str::trim);
                let item = |text| Node::text(text, self.node.place.clone());
                split = items.filter(|_| !scalar.text.is_empty()).map(item).collect();
                split.iter().collect()
            }
            Value::Mapping(entries) => match indexed(entries) {
                Some(nodes) => nodes,
                None => return Err(self.error("expected a list, found a mapping")),
            },
            Value::Null => Vec::new(),
        };
        let items =
            Items { nodes: nodes.into_iter().enumerate(), path: self.path, report: self.report };
        visitor.visit_seq(items).map_err(|error| self.locate(error))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let entries = match &self.node.value {
            Value::Mapping(entries) => entries.as_slice(),
            Value::Null => &[],
            _ => {
                let found = self.node.kind_name();
                return Err(self.error(format!("expected a mapping, found {found}")));
            }
        };
        let mut fields = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            if matches!(node.value, Value::Null) {
                let path = Path::Key(self.path, &key.text).to_string();
                let hint = "give it a value, or remove the key".to_owned();
                let message = "has no value and is ignored";
                self.report.warning(CODE_EMPTY_KEY, &path, &key.place, message, hint);
                continue;
            }
            fields.push(Field { name: &key.text, key, node, may_be_empty: true });
        }
        let fields = Fields::new(fields, self.path, self.report);
        visitor.visit_map(fields).map_err(|error| self.locate(error))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let entries = match &self.node.value {
            Value::Mapping(entries) => entries.as_slice(),
            Value::Null => &[],
            // `--api=true` and `compress: true` switch a section on with its defaults.
            Value::Scalar(scalar)
                if self.may_be_empty && parse_bool(&scalar.text) == Some(true) =>
            {
                &[]
            }
            Value::Scalar(scalar) => {
                let text = &scalar.text;
                return Err(self.error(format!("expected a mapping, found the value {text:?}")));
            }
            Value::Sequence(_) => return Err(self.error("expected a mapping, found a list")),
        };
        if entries.is_empty() && !self.may_be_empty {
            return Err(self.error("cannot be empty; give it at least one key, or remove it"));
        }
        let fields = Fields::new(self.fields(name, entries, known), self.path, self.report);
        visitor.visit_map(fields).map_err(|error| self.locate(error))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let text = self.scalar("a single value")?.text.as_str();
        let variant = variants.iter().find(|variant| variant.eq_ignore_ascii_case(text));
        let variant: StrDeserializer<'_, Error> =
            variant.copied().unwrap_or(text).into_deserializer();
        visitor.visit_enum(variant).map_err(|error| self.locate(error))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

struct Field<'a> {
    name: &'a str,
    key: &'a Key,
    node: &'a Node,
    may_be_empty: bool,
}

struct Fields<'a> {
    fields: std::vec::IntoIter<Field<'a>>,
    current: Option<Field<'a>>,
    path: &'a Path<'a>,
    report: &'a Report<'a>,
}

impl<'a> Fields<'a> {
    fn new(fields: Vec<Field<'a>>, path: &'a Path<'a>, report: &'a Report<'a>) -> Self {
        Self { fields: fields.into_iter(), current: None, path, report }
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.current = self.fields.next();
        let Some(field) = &self.current else { return Ok(None) };
        let name: StrDeserializer<'_, Error> = field.name.into_deserializer();
        let located = |error: Error| Error {
            place: error.place.or_else(|| Some(field.key.place.clone())),
            path: error.path.or_else(|| Some(self.path.to_string())),
            message: error.message,
        };
        seed.deserialize(name).map(Some).map_err(located)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some(field) = self.current.take() else {
            return Err(de::Error::custom("a value was asked for without a key"));
        };
        let path = Path::Key(self.path, field.name);
        seed.deserialize(NodeDeserializer {
            node: field.node,
            path: &path,
            report: self.report,
            may_be_empty: field.may_be_empty,
        })
    }
}

struct Items<'a> {
    nodes: std::iter::Enumerate<std::vec::IntoIter<&'a Node>>,
    path: &'a Path<'a>,
    report: &'a Report<'a>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some((index, node)) = self.nodes.next() else { return Ok(None) };
        let path = Path::Index(self.path, index);
        let deserializer = NodeDeserializer::new(node, &path, self.report);
        if matches!(node.value, Value::Null) {
            return Err(deserializer.error("an item of a list cannot be empty"));
        }
        seed.deserialize(deserializer).map(Some)
    }
}

/// Items of a list whose source has no lists: flags write `[0]`, variables `0`. Sorted as text, as
/// Traefik sorts them.
fn indexed(entries: &[(Key, Node)]) -> Option<Vec<&Node>> {
    let is_index = |key: &str| {
        let digits = key.strip_prefix('[').and_then(|key| key.strip_suffix(']')).unwrap_or(key);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if entries.is_empty() || !entries.iter().all(|(key, _)| is_index(&key.text)) {
        return None;
    }
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by(|(left, _), (right, _)| left.text.cmp(&right.text));
    Some(sorted.into_iter().map(|(_, node)| node).collect())
}

fn is_false(node: &Node) -> bool {
    matches!(&node.value, Value::Scalar(scalar) if parse_bool(&scalar.text) == Some(false))
}

/// Types with more keys than this do not list them all in a hint.
const LISTED_KEYS_MAX: usize = 8;
