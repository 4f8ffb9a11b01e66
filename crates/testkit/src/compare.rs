//! Compares what was recorded with what came, and says the difference so that a person sees it.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::scenario::Ours;

/// The differences between an expected and a given answer, a line each; empty if there are none.
pub fn differences(expected: &Answer, given: &Answer, ours: Option<&Ours>) -> Result<Vec<String>> {
    let mut expected = members(expected);
    let mut given = members(given);
    if let Some(ours) = ours {
        apply(ours, &mut expected, &mut given)?;
    }
    let mut lines = Vec::new();
    for part in PARTS {
        let (expected, given) = (expected.get(part), given.get(part));
        if expected != given {
            lines.extend(lines_of(part, expected, given));
        }
    }
    Ok(lines)
}

/// Puts what ferrovia does on purpose in the place of what was recorded.
fn apply(
    ours: &Ours,
    expected: &mut Map<String, Value>,
    given: &mut Map<String, Value>,
) -> Result<()> {
    for part in ours.parts.keys().chain(&ours.ignore) {
        if !PARTS.contains(&part.as_str()) {
            bail!("an answer has no part {part:?}");
        }
    }
    if let Some(status) = ours.refuse {
        let code = |value: Option<&Value>| {
            value.and_then(Value::as_str).and_then(|line| line.split(' ').nth(1)).map(str::to_owned)
        };
        let came = code(given.get("status")).unwrap_or_else(|| "none".to_owned());
        for part in PARTS {
            expected.remove(part);
            if !["connection", "upstream"].contains(&part) {
                given.remove(part);
            }
        }
        expected.insert("status".to_owned(), status.to_string().into());
        given.insert("status".to_owned(), came.into());
        expected.insert("connection".to_owned(), "closed".into());
    }
    for (part, value) in &ours.parts {
        let is_empty = value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty);
        if is_empty {
            expected.remove(part);
        } else {
            expected.insert(part.clone(), value.clone());
        }
    }
    for part in &ours.ignore {
        expected.remove(part);
        given.remove(part);
    }
    Ok(())
}

fn members(answer: &Answer) -> Map<String, Value> {
    match serde_json::to_value(answer) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// The difference of one part as lines: `-` expected only, `+` given only.
fn lines_of(part: &str, expected: Option<&Value>, given: Option<&Value>) -> Vec<String> {
    let is_text = |value: Option<&Value>| value.is_none_or(Value::is_string);
    if is_text(expected) && is_text(given) {
        let text = |value: Option<&Value>| value.map_or("(none)".to_owned(), Value::to_string);
        return vec![format!("{part}: expected {}, got {}", text(expected), text(given))];
    }
    let mut counts: BTreeMap<String, (Value, i64)> = BTreeMap::new();
    for (value, sign) in [(expected, -1), (given, 1)] {
        let mut leaves = Vec::new();
        flatten(part, value.unwrap_or(&Value::Null), &mut leaves);
        for (path, leaf) in leaves {
            counts.entry(format!("{path}: {leaf}")).or_insert((leaf, 0)).1 += sign;
        }
    }
    let mut lines = Vec::new();
    for (line, (_, count)) in counts {
        match count {
            0 => {}
            ..0 => lines.push(format!("- {line}")),
            _ => lines.push(format!("+ {line}")),
        }
    }
    if lines.is_empty() {
        lines.push(format!("{part}: the same lines in another order"));
    }
    lines
}

fn flatten(path: &str, value: &Value, leaves: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                flatten(&format!("{path}/{}", name.escape_debug()), value, leaves);
            }
        }
        // The place in a list is left out: one missing line must not shift all others.
        Value::Array(items) => {
            for item in items {
                flatten(path, item, leaves);
            }
        }
        Value::Null => {}
        leaf => leaves.push((path.to_owned(), leaf.clone())),
    }
}

/// All that is compared; the label is not.
const PARTS: [&str; 12] = [
    "tls",
    "interim",
    "status",
    "headers",
    "body",
    "json",
    "trailers",
    "tunnel",
    "connection",
    "counts",
    "rawdata",
    "upstream",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: &str, headers: &[&str]) -> Answer {
        let headers = headers.iter().map(|&line| line.to_owned()).collect();
        Answer { status: Some(status.to_owned()), headers, ..Answer::default() }
    }

    #[track_caller]
    fn check(expected: &Answer, given: &Answer, ours: Option<&Ours>, lines: &[&str]) {
        assert_eq!(differences(expected, given, ours).expect("compares"), lines);
    }

    #[test]
    fn differing_parts_are_told_line_by_line() {
        let expected = answer("HTTP/1.1 200 OK", &["A: 1", "B: 2"]);
        check(&expected, &expected, None, &[]);
        check(
            &expected,
            &answer("HTTP/1.1 404 Not Found", &["A: 1", "B: 3"]),
            None,
            &[
                r#"status: expected "HTTP/1.1 200 OK", got "HTTP/1.1 404 Not Found""#,
                r#"- headers: "B: 2""#,
                r#"+ headers: "B: 3""#,
            ],
        );
        let moved = answer("HTTP/1.1 200 OK", &["B: 2", "A: 1"]);
        check(&expected, &moved, None, &["headers: the same lines in another order"]);
    }

    #[test]
    fn what_differs_on_purpose_takes_the_place_of_what_was_recorded() {
        let recorded = answer("HTTP/1.1 200 OK", &["A: 1"]);
        let mut ours = Ours {
            reason: "smuggling".to_owned(),
            refuse: Some(400),
            ignore: Vec::new(),
            parts: BTreeMap::new(),
        };
        let mut given = answer("HTTP/1.1 400 Bad Request", &["B: 1"]);
        given.connection = Some("closed".to_owned());
        check(&recorded, &given, Some(&ours), &[]);
        ours.refuse = None;
        ours.ignore.push("headers".to_owned());
        ours.parts.insert("status".to_owned(), "HTTP/1.1 400 Bad Request".into());
        ours.parts.insert("connection".to_owned(), "closed".into());
        check(&recorded, &given, Some(&ours), &[]);
    }

    #[test]
    fn a_part_that_does_not_exist_is_an_error() {
        let ours = Ours {
            reason: String::new(),
            refuse: None,
            ignore: vec!["boddy".to_owned()],
            parts: BTreeMap::new(),
        };
        let answer = Answer::default();
        assert!(differences(&answer, &answer, Some(&ours)).is_err());
    }
}
