//! What was found out about certificate chains of late.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A chain as a connection holds it.
pub(super) type Chain = Arc<[Vec<u8>]>;

/// A bounded memory of chains, by where they lie: a connection's chain does not move.
pub(super) struct Recent<T>(Mutex<Generations<T>>);

/// When the younger generation is full, the older is forgotten.
struct Generations<T> {
    younger: HashMap<usize, (Chain, T)>,
    older: HashMap<usize, (Chain, T)>,
}

/// Chains in one generation; two are some megabytes at most.
const GENERATION_LENGTH_MAX: usize = 1024;

impl<T: Clone> Recent<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Generations { younger: HashMap::new(), older: HashMap::new() }))
    }

    /// Gives what is known of a chain, or else finds it out.
    pub(super) fn find(&self, chain: &Chain, find_out: impl FnOnce() -> T) -> T {
        // The memory holds every chain it knows, so that no other can lie in its place.
        let place = Arc::as_ptr(chain).cast::<()>() as usize;
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = generations.younger.get(&place) {
            return known.clone();
        }
        let older = generations.older.remove(&place);
        drop(generations);
        let known = older.map_or_else(find_out, |(_, known)| known);
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.younger.len() >= GENERATION_LENGTH_MAX {
            generations.older = std::mem::take(&mut generations.younger);
        }
        generations.younger.insert(place, (Arc::clone(chain), known.clone()));
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_looked_at_once_while_they_are_recent() {
        let recent = Recent::new();
        let chains: Vec<Chain> =
            (0..3 * GENERATION_LENGTH_MAX).map(|_| vec![vec![1]].into()).collect();
        for (number, chain) in chains.iter().enumerate() {
            assert_eq!(recent.find(chain, || number), number);
            assert_eq!(recent.find(chain, || usize::MAX), number);
        }
        assert_eq!(recent.find(&chains[0], || usize::MAX), usize::MAX);
        let last = chains.len() - 1;
        assert_eq!(recent.find(&chains[last], || usize::MAX), last);
        let generations = recent.0.lock().expect("no panic while locked");
        assert!(generations.younger.len() + generations.older.len() <= 2 * GENERATION_LENGTH_MAX);
    }
}
