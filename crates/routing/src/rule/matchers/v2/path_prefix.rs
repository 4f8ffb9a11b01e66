//! `PathPrefix` of v2: several templates for how the routing path begins.

use crate::rule::matchers::v2::path::build_paths;
use crate::rule::matchers::v2::template::Subject;
use crate::rule::matchers::{Definition, Match};

pub(super) const DEFINITION: Definition =
    Definition { name: "PathPrefix", argument_counts: &[], build };

fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    build_paths(arguments, Subject::PathPrefix)
}
