//! Replacement templates: Go's `Regexp.Expand`.

use regex::Captures;

/// A template cut into literal text and groups.
pub(super) struct Template {
    parts: Vec<Part>,
}

enum Part {
    Literal(String),
    Group(usize),
    /// Groups of one name, which Go allows several to have: the first that took part counts.
    Named(Vec<usize>),
}

impl Template {
    /// Reads `$1`, `$name`, `${name}` and `$$`; anything else after `$` is literal text. A name
    /// that no group has stands for nothing.
    pub(super) fn parse(template: &str, names: &[Option<String>]) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = template;
        while let Some(position) = rest.find('$') {
            literal.push_str(&rest[..position]);
            rest = &rest[position + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                literal.push('$');
                rest = after;
                continue;
            }
            let Some((name, after)) = reference(rest) else {
                literal.push('$');
                continue;
            };
            rest = after;
            let part = match group_number(name) {
                Some(group) => Part::Group(group),
                None => {
                    let has_name =
                        |(_, known): &(_, &Option<String>)| known.as_deref() == Some(name);
                    Part::Named(names.iter().enumerate().filter(has_name).map(|(i, _)| i).collect())
                }
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(part);
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Self { parts }
    }

    pub(super) fn expand(&self, captures: &Captures<'_>, result: &mut String) {
        for part in &self.parts {
            match part {
                Part::Literal(text) => result.push_str(text),
                Part::Group(group) => result.push_str(matched(captures, *group)),
                Part::Named(groups) => {
                    let took_part = groups.iter().find(|group| captures.get(**group).is_some());
                    result.push_str(took_part.map_or("", |group| matched(captures, *group)));
                }
            }
        }
    }
}

fn matched<'a>(captures: &Captures<'a>, group: usize) -> &'a str {
    captures.get(group).map_or("", |matched| matched.as_str())
}

/// Splits `name…` or `{name}…` (what follows a `$`) into the name and the rest.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (braced, text) = match text.strip_prefix('{') {
        Some(inner) => (true, inner),
        None => (false, text),
    };
    let is_name = |c: char| c.is_alphabetic() || c.is_numeric() || c == '_';
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return None;
    }
    if !braced {
        return Some((name, rest));
    }
    rest.strip_prefix('}').map(|rest| (name, rest))
}

/// A plain number without leading zeros names a group by index.
fn group_number(name: &str) -> Option<usize> {
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || name.len() > 8 || (name.len() > 1 && name.starts_with('0')) {
        return None;
    }
    name.parse().ok()
}
