//! hot path
//!
//! `Query`: a parameter that has a value, once decoded; with one argument, the empty value.

use crate::rule::View;
use crate::rule::matchers::{Definition, Match};

pub(super) const DEFINITION: Definition =
    Definition { name: "Query", argument_counts: &[1, 2], build };

pub(super) fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    let value = arguments.get(1).cloned().unwrap_or_default();
    Ok(Box::new(Query { name: arguments[0].as_slice().into(), value: value.into() }))
}

struct Query {
    name: Box<[u8]>,
    value: Box<[u8]>,
}

impl Match for Query {
    fn matches(&self, view: &View<'_>) -> bool {
        view.query_values(&self.name).any(|value| *value == *self.value)
    }
}
