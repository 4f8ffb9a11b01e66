//! Text to located tree: YAML (and JSON, which is read as YAML, as Traefik does) and TOML.
//!
//! Every key and value keeps its line and column. Nothing here knows what the keys mean.

mod toml;
mod yaml;

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::node::Node;

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2 with the plain scalars of go-yaml v3; JSON is a part of it.
    Yaml,
    Toml,
}

impl Format {
    /// Tells the format from a file's extension: `toml`, `yaml`, `yml` or `json`.
    pub fn of_file(name: &str) -> Option<Self> {
        let extension = name.rsplit_once('.')?.1;
        match extension.to_ascii_lowercase().as_str() {
            "toml" => Some(Self::Toml),
            "yaml" | "yml" | "json" => Some(Self::Yaml),
            _ => None,
        }
    }
}

/// Why a text is not well-formed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ParseError {
    pub place: Place,
    pub message: String,
}

impl From<ParseError> for Diagnostic {
    fn from(error: ParseError) -> Self {
        Self::error("syntax", error.message).at(Some(error.place))
    }
}

/// Reads `text`; `file` is the name that places carry. A text without content gives a null node;
/// of several YAML documents the first is read.
pub fn parse(text: &str, file: &str, format: Format) -> Result<Node, ParseError> {
    parse_whole(without_mark(text), Arc::from(file), format).map(|parsed| parsed.root)
}

/// A tree, and what must be known of its text before a part of it is read again alone.
pub(crate) struct Parsed {
    pub(crate) root: Node,
    /// Parts of the text may mean what other parts say.
    pub(crate) has_anchors: bool,
}

/// Reads a text that has no byte order mark.
pub(crate) fn parse_whole(
    text: &str,
    file: Arc<str>,
    format: Format,
) -> Result<Parsed, ParseError> {
    match format {
        Format::Yaml => yaml::parse(text, file, 1),
        Format::Toml => toml::parse(text, file).map(|root| Parsed { root, has_anchors: false }),
    }
}

/// Reads whole lines from the middle of a YAML file.
pub(crate) fn parse_yaml_lines(
    lines: &str,
    file: Arc<str>,
    first_line: u32,
) -> Result<Parsed, ParseError> {
    yaml::parse(lines, file, first_line)
}

/// The text without the mark that some editors put first.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Deepest nesting of a file: Traefik's own keys need about twelve levels.
const DEPTH_MAX: usize = 100;

fn too_deep(place: Place) -> ParseError {
    ParseError { place, message: format!("nested more than {DEPTH_MAX} levels deep") }
}

#[cfg(test)]
mod tests;
