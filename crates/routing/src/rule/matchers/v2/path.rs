//! hot path
//!
//! `Path` of v2: several templates for the whole routing path.

use std::sync::Arc;

use config::go_regex::GoRegex;

use crate::rule::View;
use crate::rule::go_text::quote;
use crate::rule::key::{self, Key, PathKey};
use crate::rule::matchers::path::Path;
use crate::rule::matchers::path_prefix::PathPrefix;
use crate::rule::matchers::v2::template::{Subject, Template};
use crate::rule::matchers::{Definition, Match};

pub(super) const DEFINITION: Definition = Definition { name: "Path", argument_counts: &[], build };

fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    build_paths(arguments, Subject::Path)
}

/// Builds a matcher for any of several paths or beginnings of paths.
pub(super) fn build_paths(
    arguments: &[Vec<u8>],
    subject: Subject,
) -> Result<Box<dyn Match>, String> {
    let paths = arguments
        .iter()
        .map(|path| build_path(path, subject))
        .collect::<Result<Box<[_]>, String>>()?;
    Ok(Box::new(AnyOf(paths)))
}

fn build_path(path: &[u8], subject: Subject) -> Result<Box<dyn Match>, String> {
    if !path.starts_with(b"/") {
        return Err(format!("mux: path must start with a slash, got {}", quote(path)));
    }
    let template = Template::parse(path)?;
    let regex = template.compile(subject)?;
    let fixed: Arc<[u8]> = template.before_variables().as_bytes().into();
    Ok(match (template.as_literal(), subject) {
        (None, _) => Box::new(PathTemplate { regex, fixed }),
        (Some(_), Subject::PathPrefix) => Box::new(PathPrefix { prefix: fixed }),
        (Some(_), _) => Box::new(Path { path: fixed }),
    })
}

struct AnyOf(Box<[Box<dyn Match>]>);

impl Match for AnyOf {
    fn matches(&self, view: &View<'_>) -> bool {
        self.0.iter().any(|matcher| matcher.matches(view))
    }

    fn keys(&self) -> Vec<Key> {
        key::either(self.0.iter().flat_map(|matcher| matcher.keys()))
    }
}

struct PathTemplate {
    regex: GoRegex,
    /// What stands before the first variable.
    fixed: Arc<[u8]>,
}

impl Match for PathTemplate {
    fn matches(&self, view: &View<'_>) -> bool {
        self.regex.is_match(view.routing_path_text())
    }

    fn keys(&self) -> Vec<Key> {
        vec![Key::of_path(PathKey::Prefix(self.fixed.clone())).undecided()]
    }
}
