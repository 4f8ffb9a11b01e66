//! Differences on purpose, line by line: `[[differs]]` in a scenario.
//!
//! Such an entry names lines of a comparison as `replay` prints them. They are taken out of it, all
//! others stay, and a line that no longer comes up is an error: the list cannot grow old.

use std::collections::BTreeSet;

use serde::Deserialize;

/// Lines of a comparison that are as they are on purpose, and why.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Differs {
    /// The reason, a sentence.
    pub reason: String,
    /// The answers it is about, by their label; empty for all of the scenario.
    #[serde(default)]
    pub at: Vec<String>,
    /// The lines, one below the other; `*` stands for any text.
    pub lines: String,
    /// The lines come up in some runs only; if none does, that is well.
    #[serde(default)]
    pub sometimes: bool,
}

/// The entries of one scenario, and what of them came up so far.
#[derive(Debug)]
pub struct Marks<'a> {
    marks: &'a [Differs],
    lines_seen: BTreeSet<(usize, &'a str)>,
    labels_seen: BTreeSet<(usize, &'a str)>,
}

impl Differs {
    /// Whether the reason is that ferrovia lacks something, which is not on purpose.
    pub fn is_for_later(&self) -> bool {
        self.reason.starts_with("not supported yet")
    }

    /// The lines of the comparison it names.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.lines().map(str::trim).filter(|line| !line.is_empty())
    }
}

impl<'a> Marks<'a> {
    /// Nothing has come up yet.
    pub fn new(marks: &'a [Differs]) -> Self {
        Self { marks, lines_seen: BTreeSet::new(), labels_seen: BTreeSet::new() }
    }

    /// What remains of a comparison without the lines that are so on purpose.
    pub fn remaining(&mut self, label: &str, mut differing: Vec<String>) -> Vec<String> {
        differing.retain(|line| !self.is_marked(label, line));
        differing
    }

    /// What the entries say but the answers did not show, a line each.
    pub fn stale(&self) -> Vec<String> {
        let mut stale = Vec::new();
        for (number, mark) in self.marks.iter().enumerate().filter(|(_, mark)| !mark.sometimes) {
            let unseen = mark.lines().filter(|line| !self.lines_seen.contains(&(number, *line)));
            stale.extend(unseen.map(|line| format!("no longer differs ({}): {line}", mark.reason)));
            let at = mark.at.iter().map(String::as_str);
            let unseen = at.filter(|label| !self.labels_seen.contains(&(number, *label)));
            stale
                .extend(unseen.map(|at| format!("no longer differs ({}): at {at:?}", mark.reason)));
        }
        stale
    }

    fn is_marked(&mut self, label: &str, differing: &str) -> bool {
        let mut is_marked = false;
        for (number, mark) in self.marks.iter().enumerate() {
            let at = mark.at.iter().find(|at| *at == label);
            if at.is_none() && !mark.at.is_empty() {
                continue;
            }
            for line in mark.lines().filter(|line| fits(line, differing)) {
                is_marked = true;
                self.lines_seen.insert((number, line));
                self.labels_seen.extend(at.map(|at| (number, at.as_str())));
            }
        }
        is_marked
    }
}

/// Whether the text is the pattern, where `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let end = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some(place) = text.find(piece) else { return false };
        text = &text[place + piece.len()..];
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(at: &[&str], lines: &str) -> Differs {
        let at = at.iter().map(|&label| label.to_owned()).collect();
        Differs { reason: "so".to_owned(), at, lines: lines.to_owned(), sometimes: false }
    }

    #[track_caller]
    fn check(marks: &[Differs], given: &[(&str, &str)], remaining: &[&str], stale: &[&str]) {
        let mut marks = Marks::new(marks);
        let mut left = Vec::new();
        for (label, line) in given {
            left.extend(marks.remaining(label, vec![(*line).to_owned()]));
        }
        assert_eq!(left, remaining);
        assert_eq!(marks.stale(), stale);
    }

    #[test]
    fn marked_lines_are_taken_out_and_others_stay() {
        let marks = [mark(&["one"], "\n+ a: \"1\"\n- a: \"2\"\n")];
        let both = [("one", "+ a: \"1\""), ("one", "- a: \"2\"")];
        check(&marks, &both, &[], &[]);
        let other = [both[0], both[1], ("one", "+ b"), ("two", "+ a: \"1\"")];
        check(&marks, &other, &["+ b", "+ a: \"1\""], &[]);
    }

    #[test]
    fn what_no_longer_differs_is_told() {
        let marks = [mark(&["one", "two"], "+ a\n+ b")];
        let given = [("one", "+ a")];
        let stale = ["no longer differs (so): + b", "no longer differs (so): at \"two\""];
        check(&marks, &given, &[], &stale);
        let sometimes = [Differs { sometimes: true, ..marks[0].clone() }];
        check(&sometimes, &given, &[], &[]);
    }

    #[test]
    fn an_entry_without_labels_is_about_all_answers() {
        check(&[mark(&[], "+ a")], &[("one", "+ a"), ("two", "+ a")], &[], &[]);
    }

    #[test]
    fn a_star_stands_for_any_text() {
        let fitting = [("a*c", "abc"), ("a*", "a"), ("*: \"x*\"", "b: \"xy\""), ("a*b*c", "a-b-c")];
        assert!(fitting.iter().all(|(pattern, text)| fits(pattern, text)));
        let other = [("a*c", "abd"), ("a*b*c", "acb"), ("aa*aa", "aaa"), ("a", "ab")];
        assert!(!other.iter().any(|(pattern, text)| fits(pattern, text)));
    }
}
