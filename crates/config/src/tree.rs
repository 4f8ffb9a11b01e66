//! Dotted names to the located tree, for sources that are flat: flags and variables.

use crate::diagnostic::Place;
use crate::node::{Key, Node, Value};

/// Sets the value at a dotted path such as `entrypoints.web.http.tls.domains[0].main`. Keys are
/// one when they differ in case only. A section beats a single value, so that `--api` and
/// `--api.insecure` go together in any order.
pub(crate) fn insert(root: &mut Node, path: &str, value: &str, place: &Place) {
    let mut node = root;
    for segment in path.split('.').flat_map(split_indices) {
        if !matches!(node.value, Value::Mapping(_)) {
            node.value = Value::Mapping(Vec::new());
        }
        let Value::Mapping(entries) = &mut node.value else { return };
        let position = entries
            .iter()
            .position(|(key, _)| key.text.eq_ignore_ascii_case(segment))
            .unwrap_or_else(|| {
                let key = Key { text: segment.to_owned(), place: place.clone() };
                entries.push((key, Node::null(place.clone())));
                entries.len() - 1
            });
        node = &mut entries[position].1;
    }
    if !matches!(node.value, Value::Mapping(_)) {
        *node = Node::text(value, place.clone());
    }
}

/// `domains[0]` is `domains` and `[0]`.
fn split_indices(segment: &str) -> impl Iterator<Item = &str> {
    let (name, indices) = match segment.find('[') {
        Some(start) if start > 0 && segment.ends_with(']') => segment.split_at(start),
        _ => (segment, ""),
    };
    std::iter::once(name).chain(indices.split_inclusive(']').filter(|index| !index.is_empty()))
}
