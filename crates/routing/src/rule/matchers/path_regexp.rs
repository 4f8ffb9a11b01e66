//! hot path
//!
//! `PathRegexp`: a pattern for any part of the routing path.

use config::go_regex::GoRegex;

use crate::rule::View;
use crate::rule::key::{Key, PathKey};
use crate::rule::matchers::{Definition, Match, compile};

pub(super) const DEFINITION: Definition =
    Definition { name: "PathRegexp", argument_counts: &[1], build };

fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    // Traefik: the message names the other matcher.
    let regex = compile(&arguments[0])
        .map_err(|reason| format!("compiling PathPrefix matcher: {reason}"))?;
    Ok(Box::new(PathRegexp { regex }))
}

struct PathRegexp {
    regex: GoRegex,
}

impl Match for PathRegexp {
    fn matches(&self, view: &View<'_>) -> bool {
        self.regex.is_match(view.routing_path_text())
    }

    fn keys(&self) -> Vec<Key> {
        let prefix = literal_prefix(self.regex.as_str());
        if prefix.is_empty() {
            return vec![Key::default()];
        }
        vec![Key::of_path(PathKey::Prefix(prefix.as_bytes().into())).undecided()]
    }
}

/// The text every match begins with, as far as it is plain to see: for patterns that begin with
/// `^` and have no alternatives.
fn literal_prefix(pattern: &str) -> String {
    let mut prefix = String::new();
    let Some(rest) = pattern.strip_prefix('^').filter(|rest| !rest.contains('|')) else {
        return prefix;
    };
    let mut characters = rest.chars().peekable();
    while let Some(c) = characters.next() {
        let literal = match c {
            '\\' => characters.next().filter(char::is_ascii_punctuation),
            '^' | '$' | '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' => None,
            // Stands for bytes that are not UTF-8 too.
            char::REPLACEMENT_CHARACTER => None,
            c => Some(c),
        };
        let Some(literal) = literal else { break };
        match characters.peek() {
            Some('*' | '?' | '{') => break,
            Some('+') => {
                prefix.push(literal);
                // `a+*` would be refused by the compiler, `a+?` is as good as `a+`.
                break;
            }
            _ => prefix.push(literal),
        }
    }
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, prefix: &str) {
        assert_eq!(literal_prefix(pattern), prefix, "prefix of {pattern}");
    }

    #[test]
    fn what_every_match_begins_with() {
        check("^/api/v1", "/api/v1");
        check("^/api/[0-9]+$", "/api/");
        check(r"^/a\.b\d", "/a.b");
        check("^/ab*", "/a");
        check("^/ab?c", "/a");
        check("^/ab{0}c", "/a");
        check("^/ab+c", "/ab");
        check("^/a(b)", "/a");
        check("/api", "");
        check("^/a|^/b", "");
        check("^(?i)/a", "");
        check(r"^\Q/a\E", "");
        check("^/é*", "/");
    }
}
