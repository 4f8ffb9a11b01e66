//! hot path
//!
//! `PathPrefix`: how the routing path begins; `/foo` is the beginning of `/foobar` too.

use std::sync::Arc;

use crate::rule::View;
use crate::rule::key::{Key, PathKey};
use crate::rule::matchers::path::require_slash;
use crate::rule::matchers::{Definition, Match};

pub(super) const DEFINITION: Definition =
    Definition { name: "PathPrefix", argument_counts: &[1], build };

fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    let prefix = require_slash(&arguments[0])?.into();
    Ok(Box::new(PathPrefix { prefix }))
}

pub(super) struct PathPrefix {
    pub(super) prefix: Arc<[u8]>,
}

impl Match for PathPrefix {
    fn matches(&self, view: &View<'_>) -> bool {
        view.routing_path().starts_with(&self.prefix)
    }

    fn keys(&self) -> Vec<Key> {
        vec![Key::of_path(PathKey::Prefix(self.prefix.clone()))]
    }
}
