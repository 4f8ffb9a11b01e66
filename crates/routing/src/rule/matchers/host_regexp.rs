//! hot path
//!
//! `HostRegexp`: a pattern for any part of the host's name.

use config::go_regex::GoRegex;

use crate::rule::View;
use crate::rule::key::Key;
use crate::rule::matchers::{Definition, Match, compile, require_ascii};

pub(super) const DEFINITION: Definition =
    Definition { name: "HostRegexp", argument_counts: &[1], build };

fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    let pattern = require_ascii(&arguments[0], "HostRegexp")?;
    let regex = compile(pattern.as_bytes())
        .map_err(|reason| format!("compiling HostRegexp matcher: {reason}"))?;
    // Traefik: the pattern is also held against the name a CNAME record led to, which is empty
    // unless such names are looked up; so a pattern that matches nothing at all matches all.
    let matches_all = regex.is_match("");
    Ok(Box::new(HostRegexp { regex, matches_all }))
}

struct HostRegexp {
    regex: GoRegex,
    matches_all: bool,
}

impl Match for HostRegexp {
    fn matches(&self, view: &View<'_>) -> bool {
        self.matches_all || self.regex.is_match(view.host())
    }

    fn keys(&self) -> Vec<Key> {
        vec![if self.matches_all { Key::always() } else { Key::default() }]
    }
}
