//! `Method` of v2: several methods.

use crate::rule::matchers::{Definition, method};

pub(super) const DEFINITION: Definition =
    Definition { name: "Method", argument_counts: &[], build: method::build };
