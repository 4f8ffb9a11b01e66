//! hot path
//!
//! `Host`: the host's name, or `*.` and the name of its parent, or `*` for every request.

use crate::rule::View;
use crate::rule::key::Key;
use crate::rule::matchers::{Definition, Match, require_ascii};

pub(super) const DEFINITION: Definition = Definition { name: "Host", argument_counts: &[1], build };

fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    if arguments[0] == b"*" {
        return Ok(Box::new(Anything));
    }
    let expression = require_ascii(&arguments[0], "Host")?.to_ascii_lowercase().into_boxed_str();
    Ok(Box::new(Host { expression }))
}

/// `*`: also requests without a host.
struct Anything;

impl Match for Anything {
    fn matches(&self, _view: &View<'_>) -> bool {
        true
    }

    fn keys(&self) -> Vec<Key> {
        vec![Key::always()]
    }
}

struct Host {
    expression: Box<str>,
}

impl Match for Host {
    fn matches(&self, view: &View<'_>) -> bool {
        matches_up_to_dot(view.host(), &self.expression, is_named)
    }

    fn keys(&self) -> Vec<Key> {
        vec![Key::of_host(&self.expression)]
    }
}

/// Compares with one trailing dot more or less on either side, but not on both.
pub(super) fn matches_up_to_dot(
    host: &str,
    expression: &str,
    is_named: fn(&str, &str) -> bool,
) -> bool {
    !host.is_empty()
        && (is_named(host, expression)
            || expression.strip_suffix('.').is_some_and(|expression| is_named(host, expression))
            || host.strip_suffix('.').is_some_and(|host| is_named(host, expression)))
}

/// The asterisk stands for the whole first label, which may be empty, and for nothing else.
fn is_named(host: &str, expression: &str) -> bool {
    match expression.strip_prefix('*') {
        None => host == expression,
        Some(parent) => host.find('.').map_or("", |dot| &host[dot..]) == parent,
    }
}
