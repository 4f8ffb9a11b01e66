//! The keys that a type can be given, found by walking its `Deserialize` implementation.
//!
//! Flags need it (`--api` takes no value, `--api.dashboardname x` takes one), and so do suggestions
//! and documentation. As it comes from the types themselves, it cannot be out of date.

use std::fmt::{self, Display};

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};

use crate::decode::switches;

/// One key that can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownOption {
    /// Dotted path in the case of the files; free keys are `<name>`, list items end in `[n]`.
    pub path: String,
    pub kind: OptionKind,
}

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// `true` or `false`; as a flag it needs no value.
    Boolean,
    /// A section that may be switched on by itself; as a flag it needs no value.
    Switch,
    /// A section that needs keys of its own.
    Section,
    /// A list of single values; as a flag it may be repeated.
    List,
    /// A map with free keys.
    Map,
    /// A single value.
    Value,
}

/// Lists every key of `T`, sections included, in the order of its fields.
pub fn options<T: DeserializeOwned>() -> Vec<KnownOption> {
    let mut options = Vec::new();
    let tracer = Tracer { path: String::new(), is_switch: false, options: &mut options };
    // Only types that refuse the tracer's values fail, and what was found before stays true.
    drop(T::deserialize(tracer));
    options
}

struct Tracer<'a> {
    path: String,
    is_switch: bool,
    options: &'a mut Vec<KnownOption>,
}

impl Tracer<'_> {
    fn record(&mut self, kind: OptionKind) {
        if !self.path.is_empty() {
            self.options.push(KnownOption { path: self.path.clone(), kind });
        }
    }
}

#[derive(Debug)]
struct Refusal(String);

impl Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

impl de::Error for Refusal {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

macro_rules! trace_values {
    ($($method:ident $visit:ident $value:expr),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
            self.record(OptionKind::Value);
            visitor.$visit($value)
        })*
    };
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Refusal;

    fn deserialize_bool<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        self.record(OptionKind::Boolean);
        visitor.visit_bool(false)
    }

    // "0" is a valid text, number and duration.
    trace_values! {
        deserialize_any visit_str "0", deserialize_str visit_str "0", deserialize_string visit_str "0",
        deserialize_i8 visit_i8 0, deserialize_i16 visit_i16 0, deserialize_i32 visit_i32 0,
        deserialize_i64 visit_i64 0, deserialize_u8 visit_u8 0, deserialize_u16 visit_u16 0,
        deserialize_u32 visit_u32 0, deserialize_u64 visit_u64 0, deserialize_f32 visit_f32 0.0,
        deserialize_f64 visit_f64 0.0, deserialize_char visit_char '0',
        deserialize_bytes visit_bytes b"0", deserialize_byte_buf visit_bytes b"0",
        deserialize_identifier visit_str "0",
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        self.record(OptionKind::List);
        visitor.visit_seq(OneItem { path: self.path, options: self.options, is_read: false })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        self.record(OptionKind::Map);
        visitor.visit_map(Keys {
            structure: "",
            keys: FREE_KEY.iter(),
            current: "",
            path: self.path,
            options: self.options,
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let kind = if self.is_switch { OptionKind::Switch } else { OptionKind::Section };
        self.record(kind);
        visitor.visit_map(Keys {
            structure: name,
            keys: fields.iter(),
            current: "",
            path: self.path,
            options: self.options,
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.record(OptionKind::Value);
        let first = variants.first().copied().unwrap_or_default();
        let variant: StrDeserializer<'_, Refusal> = first.into_deserializer();
        visitor.visit_enum(variant)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }
}

/// Shows a list one item, so that the item's type is walked.
struct OneItem<'a> {
    path: String,
    options: &'a mut Vec<KnownOption>,
    is_read: bool,
}

impl<'de> SeqAccess<'de> for OneItem<'_> {
    type Error = Refusal;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Refusal> {
        if self.is_read {
            return Ok(None);
        }
        self.is_read = true;
        let path = format!("{}[n]", self.path);
        let first = self.options.len();
        let value = seed.deserialize(Tracer { path, is_switch: false, options: self.options })?;
        // The item itself is no key; only what a structure in it holds is.
        if first < self.options.len() {
            self.options.remove(first);
        }
        Ok(Some(value))
    }
}

struct Keys<'a> {
    /// Name of the type; empty for a map, whose entries may all be empty.
    structure: &'static str,
    keys: std::slice::Iter<'static, &'static str>,
    current: &'static str,
    path: String,
    options: &'a mut Vec<KnownOption>,
}

impl<'de> MapAccess<'de> for Keys<'_> {
    type Error = Refusal;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refusal> {
        let Some(key) = self.keys.next() else { return Ok(None) };
        self.current = key;
        let key: StrDeserializer<'_, Refusal> = self.current.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refusal> {
        let separator = if self.path.is_empty() { "" } else { "." };
        seed.deserialize(Tracer {
            path: format!("{}{separator}{}", self.path, self.current),
            is_switch: self.structure.is_empty()
                || switches::is_switch(self.structure, self.current),
            options: self.options,
        })
    }
}

const FREE_KEY: [&str; 1] = ["<name>"];
