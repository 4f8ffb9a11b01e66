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
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let file: Arc<str> = Arc::from(file);
    match format {
        Format::Yaml => yaml::parse(text, file),
        Format::Toml => toml::parse(text, file),
    }
}

/// Deepest nesting of a file: Traefik's own keys need about twelve levels.
const DEPTH_MAX: usize = 100;

fn too_deep(place: Place) -> ParseError {
    ParseError { place, message: format!("nested more than {DEPTH_MAX} levels deep") }
}

#[cfg(test)]
mod tests;
