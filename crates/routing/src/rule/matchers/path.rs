//! hot path
//!
//! `Path`: the whole routing path.

use std::sync::Arc;

use crate::rule::View;
use crate::rule::go_text::quote;
use crate::rule::key::{Key, PathKey};
use crate::rule::matchers::{Definition, Match};

pub(super) const DEFINITION: Definition = Definition { name: "Path", argument_counts: &[1], build };

fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    let path = require_slash(&arguments[0])?.into();
    Ok(Box::new(Path { path }))
}

pub(super) fn require_slash(path: &[u8]) -> Result<&[u8], String> {
    if path.starts_with(b"/") {
        Ok(path)
    } else {
        Err(format!("path {} does not start with a '/'", quote(path)))
    }
}

pub(super) struct Path {
    pub(super) path: Arc<[u8]>,
}

impl Match for Path {
    fn matches(&self, view: &View<'_>) -> bool {
        *view.routing_path() == *self.path
    }

    fn keys(&self) -> Vec<Key> {
        vec![Key::of_path(PathKey::Exact(self.path.clone()))]
    }
}
