//! hot path
//!
//! `QueryRegexp`: a parameter that has a value in which a pattern is found; with one argument it
//! is `Query`.

use config::go_regex::GoRegex;

use crate::rule::View;
use crate::rule::go_text::readable;
use crate::rule::matchers::{Definition, Match, compile, query};

pub(super) const DEFINITION: Definition =
    Definition { name: "QueryRegexp", argument_counts: &[1, 2], build };

fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    let [name, pattern] = arguments else { return query::build(arguments) };
    let regex =
        compile(pattern).map_err(|reason| format!("compiling QueryRegexp matcher: {reason}"))?;
    Ok(Box::new(QueryRegexp { name: name.as_slice().into(), regex }))
}

struct QueryRegexp {
    name: Box<[u8]>,
    regex: GoRegex,
}

impl Match for QueryRegexp {
    fn matches(&self, view: &View<'_>) -> bool {
        view.query_values(&self.name).any(|value| self.regex.is_match(&readable(value)))
    }
}
