//! hot path
//!
//! Header maps that requests are done with, kept for the next.

use std::cell::RefCell;

use http::HeaderMap;

/// Maps kept per worker.
const KEPT_MAX: usize = 64;
/// A map larger than this is not kept: one odd request shall not hold memory for ever.
const CAPACITY_MAX: usize = 256;

/// Holds cleared maps.
#[derive(Default)]
pub(crate) struct Spares(RefCell<Vec<HeaderMap>>);

impl Spares {
    /// Gives an empty map.
    pub(crate) fn take(&self) -> HeaderMap {
        self.0.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes a map back. Its values are dropped now, so that read buffers can be reused.
    pub(crate) fn put(&self, mut map: HeaderMap) {
        let mut kept = self.0.borrow_mut();
        if map.capacity() > 0 && map.capacity() <= CAPACITY_MAX && kept.len() < KEPT_MAX {
            map.clear();
            kept.push(map);
        }
    }
}
