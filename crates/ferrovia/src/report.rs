//! Diagnostics for people: one line each, and where they stand.

use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use config::{Diagnostic, Place, Severity};

/// Writes diagnostics with the lines they are about, sorted by place. Every diagnostic begins on a
/// line of its own with `error: ` or `warning: `.
pub(crate) fn render(diagnostics: &[Diagnostic]) -> String {
    let mut sorted: Vec<_> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| (diagnostic.place.is_none(), diagnostic.place.clone()));
    let mut sources = Sources::default();
    let mut text = String::new();
    for diagnostic in sorted {
        let _ = writeln!(text, "{diagnostic}");
        if let Some(place) = &diagnostic.place
            && let Some(line) = sources.line(place)
        {
            text.push_str(&excerpt(line, place));
        }
    }
    text
}

/// Counts errors and warnings: `2 errors, 1 warning`.
pub(crate) fn summary(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let warnings = diagnostics.len() - errors;
    format!("{}, {}", count(errors, "error"), count(warnings, "warning"))
}

/// `1 router`, `2 routers`, `no routers`.
pub(crate) fn count(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// Writes a diagnostic to the log.
pub(crate) fn log(diagnostic: &Diagnostic) {
    let place = diagnostic.place.as_ref().map(tracing::field::display);
    let (object, hint) = (diagnostic.object.as_deref(), diagnostic.hint.as_deref());
    let (code, message) = (diagnostic.code, &diagnostic.message);
    match diagnostic.severity {
        Severity::Warning => tracing::warn!(place, object, code, hint, "{message}"),
        Severity::Error => tracing::error!(place, object, code, hint, "{message}"),
    }
}

/// The lines of the files that diagnostics are about.
#[derive(Default)]
struct Sources(HashMap<String, Option<String>>);

impl Sources {
    fn line(&mut self, place: &Place) -> Option<&str> {
        let number = usize::try_from(place.line).ok()?.checked_sub(1)?;
        let text = self.0.entry(place.file.to_string()).or_insert_with(|| {
            let path = Path::new(&*place.file);
            // A pipe would wait for ever.
            path.metadata().ok().filter(|metadata| metadata.is_file())?;
            fs::read_to_string(path).ok()
        });
        text.as_ref()?.lines().nth(number)
    }
}

/// The line with a caret below the column.
fn excerpt(line: &str, place: &Place) -> String {
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    let line: String = line.chars().map(visible).collect();
    let before = usize::try_from(place.column).unwrap_or(1).saturating_sub(1);
    // The caret stands at the end of the line at most.
    let before = before.min(line.chars().count());
    format!(" {number} | {line}\n {margin} | {}^\n", " ".repeat(before))
}

/// Tabs count as one column, and control characters shall not reach the terminal.
fn visible(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(column: u32, line: &str, expected: &str) {
        assert_eq!(excerpt(line, &Place::new("f", 12, column)), expected);
    }

    #[test]
    fn the_caret_stands_below_the_column() {
        check(3, "a: b", " 12 | a: b\n    |   ^\n");
        check(1, "\ta", " 12 |  a\n    | ^\n");
        check(99, "ab", " 12 | ab\n    |   ^\n");
        check(2, "\u{1b}é", " 12 |  é\n    |  ^\n");
    }

    #[test]
    fn what_has_no_place_comes_last() {
        let late = Diagnostic::error("code", "late");
        let second =
            Diagnostic::warning("code", "second").at(Some(Place::new("/no/such/file", 10, 1)));
        let first = Diagnostic::error("code", "first").at(Some(Place::new("/no/such/file", 9, 1)));
        let text = render(&[late, second, first]);
        assert_eq!(
            text,
            "error: /no/such/file:9:1: first\nwarning: /no/such/file:10:1: second\nerror: late\n"
        );
    }

    #[test]
    fn findings_are_counted() {
        assert_eq!(summary(&[]), "no errors, no warnings");
        let one = [Diagnostic::error("code", "x")];
        assert_eq!(summary(&one), "1 error, no warnings");
        let both = [Diagnostic::warning("code", "x"), Diagnostic::warning("code", "y")];
        assert_eq!(summary(&both), "no errors, 2 warnings");
    }
}
