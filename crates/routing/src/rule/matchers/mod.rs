//! The functions a rule may call: one file each, one line here.
//!
//! A matcher checks its arguments when it is built, so that holding a request against it cannot
//! fail. It sees requests through [`View`] only.

mod client_ip;
mod header;
mod header_regexp;
mod host;
mod host_regexp;
mod method;
mod path;
mod path_prefix;
mod path_regexp;
mod query;
mod query_regexp;
mod v2;

use config::go_regex::GoRegex;

use crate::rule::go_text;
use crate::rule::key::Key;
use crate::rule::{Syntax, View};

/// The matchers of the v3 syntax.
const DEFINITIONS: &[&Definition] = &[
    &client_ip::DEFINITION,
    &header::DEFINITION,
    &header_regexp::DEFINITION,
    &host::DEFINITION,
    &host_regexp::DEFINITION,
    &method::DEFINITION,
    &path::DEFINITION,
    &path_prefix::DEFINITION,
    &path_regexp::DEFINITION,
    &query::DEFINITION,
    &query_regexp::DEFINITION,
];

/// One term of a rule, built.
pub(super) trait Match: Send + Sync {
    /// Tells whether a request has what the matcher looks for.
    fn matches(&self, view: &View<'_>) -> bool;

    /// What a request must have at least to be matched: one of the keys.
    fn keys(&self) -> Vec<Key> {
        vec![Key::default()]
    }
}

/// How a matcher is called and built.
pub(super) struct Definition {
    pub(super) name: &'static str,
    /// How many arguments it takes; any number if empty.
    pub(super) argument_counts: &'static [usize],
    /// Builds the matcher. There is at least one argument, and none is empty.
    pub(super) build: fn(&[Vec<u8>]) -> Built,
}

/// A matcher, or what is wrong with its arguments.
type Built = Result<Box<dyn Match>, String>;

/// Finds a matcher by its name in one of the four spellings that Traefik knows: `PathPrefix`,
/// `pathprefix`, `PATHPREFIX` and `Pathprefix`.
pub(super) fn find(name: &str, syntax: Syntax) -> Option<&'static Definition> {
    let definitions = match syntax {
        Syntax::V2 => v2::DEFINITIONS,
        Syntax::V3 => DEFINITIONS,
    };
    definitions.iter().copied().find(|definition| is_spelling(name, definition.name))
}

fn is_spelling(name: &str, declared: &str) -> bool {
    let rest_is_lower = || name.bytes().skip(1).all(|byte| byte.is_ascii_lowercase());
    name.eq_ignore_ascii_case(declared)
        && (name == declared
            || rest_is_lower()
            || name.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// Compiles a pattern given in a rule.
fn compile(pattern: &[u8]) -> Result<GoRegex, String> {
    match std::str::from_utf8(pattern) {
        Ok(pattern) => GoRegex::new(pattern),
        Err(_) => Err(format!(
            "error parsing regexp: invalid UTF-8: `{}`",
            String::from_utf8_lossy(pattern)
        )),
    }
}

/// Refuses what no host name in a request can have.
fn require_ascii<'a>(argument: &'a [u8], matcher: &str) -> Result<&'a str, String> {
    let text = std::str::from_utf8(argument).ok().filter(|text| text.is_ascii());
    text.ok_or_else(|| {
        format!(
            "invalid value {} for {matcher} matcher, non-ASCII characters are not allowed",
            go_text::quote(argument)
        )
    })
}
