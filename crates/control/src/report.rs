//! Diagnostics in the log: once when they are new, and a line when they are mended.

use std::collections::{BTreeMap, BTreeSet};

use config::{Diagnostic, Severity};

/// Remembers what was said already.
#[derive(Default)]
pub(crate) struct Reporter {
    /// Rendered, with the object and the code that tell whether it is mended.
    known: BTreeMap<String, Subject>,
}

/// What a diagnostic is about, whatever its words.
type Subject = (Option<String>, &'static str);

/// What is to be said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News<'a> {
    Found(&'a Diagnostic),
    /// Object and code of what is no longer wrong.
    Mended(Option<String>, &'static str),
}

impl Reporter {
    /// Logs what is new.
    pub(crate) fn report(&mut self, diagnostics: &[Diagnostic]) {
        for news in self.news(diagnostics) {
            match news {
                News::Found(found) => log(found),
                News::Mended(object, code) => {
                    tracing::info!(object = object.unwrap_or_default(), code, "mended");
                }
            }
        }
    }

    fn news<'a>(&mut self, diagnostics: &'a [Diagnostic]) -> Vec<News<'a>> {
        let mut news = Vec::new();
        let mut now = BTreeMap::new();
        for diagnostic in diagnostics {
            let text = diagnostic.to_string();
            let subject = (diagnostic.object.clone(), diagnostic.code);
            let is_known = self.known.contains_key(&text);
            if now.insert(text, subject).is_none() && !is_known {
                news.push(News::Found(diagnostic));
            }
        }
        let before = std::mem::replace(&mut self.known, now);
        let still: BTreeSet<&Subject> = self.known.values().collect();
        let mended: BTreeSet<Subject> =
            before.into_values().filter(|subject| !still.contains(subject)).collect();
        news.extend(mended.into_iter().map(|(object, code)| News::Mended(object, code)));
        news
    }
}

fn log(found: &Diagnostic) {
    let place = found.place.as_ref().map(tracing::field::display);
    let object = found.object.as_deref();
    let (code, hint, message) = (found.code, found.hint.as_deref(), &found.message);
    match found.severity {
        Severity::Warning => tracing::warn!(place, object, code, hint, "{message}"),
        Severity::Error => tracing::error!(place, object, code, hint, "{message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expects what is said of these messages about a router, as `+found` and `-mended`.
    fn check(reporter: &mut Reporter, messages: &[&str], expected: &[&str]) {
        let diagnostics: Vec<_> = messages
            .iter()
            .map(|message| Diagnostic::error("invalid-rule", *message).about("router \"a@file\""))
            .collect();
        let news: Vec<_> = reporter
            .news(&diagnostics)
            .into_iter()
            .map(|news| match news {
                News::Found(found) => format!("+{}", found.message),
                News::Mended(object, code) => format!("-{} {code}", object.unwrap_or_default()),
            })
            .collect();
        assert_eq!(news, expected);
    }

    #[test]
    fn a_finding_is_told_once_and_its_end_too() {
        let mut reporter = Reporter::default();
        check(&mut reporter, &["bad", "bad"], &["+bad"]);
        check(&mut reporter, &["bad"], &[]);
        check(&mut reporter, &["worse"], &["+worse"]);
        check(&mut reporter, &[], &["-router \"a@file\" invalid-rule"]);
    }
}
