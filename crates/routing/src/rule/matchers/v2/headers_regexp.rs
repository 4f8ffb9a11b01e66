//! hot path
//!
//! `HeadersRegexp` of v2: names and patterns in turn, all of which must be found.

use config::go_regex::GoRegex;
use http::HeaderName;

use crate::rule::View;
use crate::rule::go_text::readable;
use crate::rule::matchers::{Definition, Match, compile, v2};

pub(super) const DEFINITION: Definition =
    Definition { name: "HeadersRegexp", argument_counts: &[], build };

fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    let mut fields: Vec<Field> = Vec::new();
    for (name, pattern) in v2::pairs(arguments)? {
        let regex = compile(pattern)?;
        // The last pattern given for a name counts, if the name is written the same.
        fields.retain(|field| *field.written != *name);
        let written = name.into();
        fields.push(Field { written, name: HeaderName::from_bytes(name).ok(), regex });
    }
    Ok(Box::new(HeadersRegexp { fields }))
}

struct HeadersRegexp {
    fields: Vec<Field>,
}

struct Field {
    written: Box<[u8]>,
    name: Option<HeaderName>,
    regex: GoRegex,
}

impl Match for HeadersRegexp {
    fn matches(&self, view: &View<'_>) -> bool {
        self.fields.iter().all(|field| {
            let Some(name) = &field.name else { return false };
            view.header_values(name).any(|value| field.regex.is_match(&readable(value)))
        })
    }
}
