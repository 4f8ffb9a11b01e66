//! hot path
//!
//! `Headers` of v2: names and values in turn, all of which a request must have.

use http::HeaderName;

use crate::rule::View;
use crate::rule::matchers::{Definition, Match, v2};

pub(super) const DEFINITION: Definition =
    Definition { name: "Headers", argument_counts: &[], build };

fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    let mut fields: Vec<Field> = Vec::new();
    for (name, value) in v2::pairs(arguments)? {
        // The last value given for a name counts, if the name is written the same.
        fields.retain(|field| *field.written != *name);
        fields.push(Field {
            written: name.into(),
            name: HeaderName::from_bytes(name).ok(),
            value: value.into(),
        });
    }
    Ok(Box::new(Headers { fields }))
}

struct Headers {
    fields: Vec<Field>,
}

struct Field {
    written: Box<[u8]>,
    name: Option<HeaderName>,
    value: Box<[u8]>,
}

impl Match for Headers {
    fn matches(&self, view: &View<'_>) -> bool {
        self.fields.iter().all(|field| {
            let Some(name) = &field.name else { return false };
            view.header_values(name).any(|value| *value == *field.value)
        })
    }
}
