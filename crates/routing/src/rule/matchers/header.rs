//! hot path
//!
//! `Header`: a field that has a value, compared byte by byte. `Host` is not a field here.

use http::HeaderName;

use crate::rule::View;
use crate::rule::matchers::{Definition, Match};

pub(super) const DEFINITION: Definition =
    Definition { name: "Header", argument_counts: &[2], build };

fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    // A name no field can have is no error: the rule just never matches.
    let name = HeaderName::from_bytes(&arguments[0]).ok();
    Ok(Box::new(Header { name, value: arguments[1].as_slice().into() }))
}

struct Header {
    name: Option<HeaderName>,
    value: Box<[u8]>,
}

impl Match for Header {
    fn matches(&self, view: &View<'_>) -> bool {
        self.name
            .as_ref()
            .is_some_and(|name| view.header_values(name).any(|value| *value == *self.value))
    }
}
