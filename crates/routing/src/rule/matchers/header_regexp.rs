//! hot path
//!
//! `HeaderRegexp`: a field that has a value in which a pattern is found.

use config::go_regex::GoRegex;
use http::HeaderName;

use crate::rule::View;
use crate::rule::go_text::readable;
use crate::rule::matchers::{Definition, Match, compile};

pub(super) const DEFINITION: Definition =
    Definition { name: "HeaderRegexp", argument_counts: &[2], build };

fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    let name = HeaderName::from_bytes(&arguments[0]).ok();
    let regex = compile(&arguments[1])
        .map_err(|reason| format!("compiling HeaderRegexp matcher: {reason}"))?;
    Ok(Box::new(HeaderRegexp { name, regex }))
}

struct HeaderRegexp {
    name: Option<HeaderName>,
    regex: GoRegex,
}

impl Match for HeaderRegexp {
    fn matches(&self, view: &View<'_>) -> bool {
        self.name.as_ref().is_some_and(|name| {
            view.header_values(name).any(|value| self.regex.is_match(&readable(value)))
        })
    }
}
