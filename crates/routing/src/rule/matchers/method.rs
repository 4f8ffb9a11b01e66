//! hot path
//!
//! `Method`: the request's method; the rule may write it in lower case.

use crate::rule::View;
use crate::rule::matchers::{Definition, Match};

pub(super) const DEFINITION: Definition =
    Definition { name: "Method", argument_counts: &[1], build };

pub(super) fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    let methods = arguments.iter().map(|method| method.to_ascii_uppercase()).collect();
    Ok(Box::new(Methods { methods }))
}

struct Methods {
    methods: Box<[Vec<u8>]>,
}

impl Match for Methods {
    fn matches(&self, view: &View<'_>) -> bool {
        self.methods.iter().any(|method| method == view.method().as_bytes())
    }
}
