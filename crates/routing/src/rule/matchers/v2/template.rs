//! Templates with variables, `/users/{id:[0-9]+}`, as gorilla/mux understands them.

use config::go_regex::GoRegex;

use crate::rule::go_text::quote;

/// What a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Host,
    Path,
    PathPrefix,
    Query,
}

/// A template cut into its parts.
pub(super) struct Template<'a> {
    text: &'a str,
    variables: Vec<Variable<'a>>,
    /// What follows the last variable.
    tail: &'a str,
}

struct Variable<'a> {
    /// What stands between the variable before and this one.
    before: &'a str,
    name: &'a str,
    pattern: Option<&'a str>,
}

impl<'a> Template<'a> {
    /// Finds the variables. Braces may be nested inside one, as in `{id:[0-9]{3}}`.
    ///
    /// # Errors
    /// When braces have no partner, or a variable has no name or an empty pattern.
    pub(super) fn parse(text: &'a [u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(text).map_err(|_| {
            format!("error parsing regexp: invalid UTF-8: `{}`", String::from_utf8_lossy(text))
        })?;
        let unbalanced = || format!("mux: unbalanced braces in {}", quote(text.as_bytes()));
        let (mut level, mut start, mut end) = (0_usize, 0, 0);
        let mut found = Vec::new();
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'{' => {
                    level += 1;
                    if level == 1 {
                        start = at;
                    }
                }
                b'}' => {
                    level = level.checked_sub(1).ok_or_else(unbalanced)?;
                    if level == 0 {
                        found.push((&text[end..start], &text[start..=at]));
                        end = at + 1;
                    }
                }
                _ => {}
            }
        }
        if level != 0 {
            return Err(unbalanced());
        }
        let variables = found
            .into_iter()
            .map(|(before, braced)| {
                let inside = &braced[1..braced.len() - 1];
                let (name, pattern) = match inside.split_once(':') {
                    Some((name, pattern)) => (name, Some(pattern)),
                    None => (inside, None),
                };
                if name.is_empty() || pattern == Some("") {
                    let quoted = quote(braced.as_bytes());
                    return Err(format!("mux: missing name or pattern in {quoted}"));
                }
                Ok(Variable { before, name, pattern })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { text, variables, tail: &text[end..] })
    }

    /// The regular expression that the template stands for.
    ///
    /// # Errors
    /// Go's words for a variable's bad pattern, or for the whole.
    pub(super) fn compile(&self, subject: Subject) -> Result<GoRegex, String> {
        let any = match subject {
            Subject::Host => "[^.]+",
            Subject::Path | Subject::PathPrefix => "[^/]+",
            Subject::Query => ".*",
        };
        let mut pattern = String::new();
        if subject == Subject::Host {
            pattern.push_str("(?i)");
        }
        pattern.push('^');
        for (index, variable) in self.variables.iter().enumerate() {
            let own = variable.pattern.unwrap_or(any);
            // A variable's pattern must be good by itself: errors are about it, not the whole.
            GoRegex::new(&format!("^{own}$"))?;
            push_literal(&mut pattern, variable.before);
            pattern.push_str(&format!("(?P<v{index}>{own})"));
        }
        push_literal(&mut pattern, self.tail);
        if subject == Subject::Query && self.text.split_once('=').is_some_and(|(_, v)| v.is_empty())
        {
            // `name=` asks for the parameter, with any value.
            pattern.push_str(any);
        }
        if subject != Subject::PathPrefix {
            pattern.push('$');
        }
        GoRegex::new(&pattern)
    }

    /// The text, if there are no variables in it.
    pub(super) fn as_literal(&self) -> Option<&'a str> {
        self.variables.is_empty().then_some(self.text)
    }

    pub(super) fn before_variables(&self) -> &'a str {
        self.variables.first().map_or(self.tail, |variable| variable.before)
    }

    pub(super) fn variable_names(&self) -> impl Iterator<Item = &'a str> {
        self.variables.iter().map(|variable| variable.name)
    }
}

fn push_literal(pattern: &mut String, text: &str) {
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
}
