//! Regular expressions with Go's syntax, run by the `regex` crate.
//!
//! Both engines are automata with leftmost-first matching; what differs is the notation: ASCII
//! classes, set operators, `\Q…\E`, octal escapes, what a stray `{` means. [`translate`] turns the
//! one notation into the other and refuses what Go refuses, with Go's words. Knows nothing of
//! where patterns come from.

mod escape;
mod expand;
mod translate;

use std::fmt;

use regex::{Regex, RegexBuilder};

pub use translate::translate;

use expand::Template;

/// A compiled Go regular expression that remembers its source text.
///
/// Two are equal when their texts are equal.
#[derive(Clone)]
pub struct GoRegex {
    pattern: String,
    regex: Regex,
    /// Group names by index, as Go allows names that the engine does not (`(?P<1a>…)`).
    names: Vec<Option<String>>,
}

impl GoRegex {
    /// Compiles `pattern`; the error reads like Go's: ``error parsing regexp: missing closing ): `(` ``.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let translation = translate::Translator::run(pattern)?;
        let regex = RegexBuilder::new(&translation.pattern)
            .size_limit(COMPILED_BYTES_LIMIT)
            .dfa_size_limit(CACHE_BYTES_LIMIT)
            .nest_limit(NESTING_LIMIT)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => {
                    format!("error parsing regexp: expression too large: `{pattern}`")
                }
                other => {
                    // The engine prints the pattern with a marker over several lines; the last one
                    // says what is wrong.
                    let text = other.to_string();
                    let reason = text.lines().last().unwrap_or_default().trim();
                    let reason = reason.strip_prefix("error: ").unwrap_or(reason);
                    format!("error parsing regexp: {reason}: `{pattern}`")
                }
            })?;
        Ok(Self { pattern: pattern.to_owned(), regex, names: translation.names })
    }

    /// Whether any part of `text` matches (Go's `MatchString`).
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Replaces every match by `template`, expanding `$1`, `${name}` and `$$` as Go's
    /// `ReplaceAllString` does.
    pub fn replace_all(&self, text: &str, template: &str) -> String {
        let template = Template::parse(template, &self.names);
        let mut result = String::with_capacity(text.len());
        let mut copied = 0;
        for captures in self.regex.captures_iter(text) {
            let Some(whole) = captures.get(0) else { continue };
            result.push_str(&text[copied..whole.start()]);
            template.expand(&captures, &mut result);
            copied = whole.end();
        }
        result.push_str(&text[copied..]);
        result
    }

    /// The text as the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// The compiled engine, for callers that walk matches themselves. Group names are absent.
    pub fn engine(&self) -> &Regex {
        &self.regex
    }
}

impl PartialEq for GoRegex {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern
    }
}

impl Eq for GoRegex {}

impl fmt::Debug for GoRegex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "GoRegex(`{}`)", self.pattern)
    }
}

impl fmt::Display for GoRegex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.pattern)
    }
}

/// A compiled program above this is refused; `\w{1000}` needs about a tenth of it.
const COMPILED_BYTES_LIMIT: usize = 10 << 20;
/// Lazy-automaton cache per pattern and thread; past it the engine falls back to slower ones.
const CACHE_BYTES_LIMIT: usize = 2 << 20;
/// Go's `maxHeight`.
const NESTING_LIMIT: u32 = 1000;

#[cfg(test)]
mod tests;
