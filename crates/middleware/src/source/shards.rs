//! A table over sources that all workers use at once: many small parts, each with its own lock,
//! held for one look-up and never over a wait.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::{Mutex, PoisonError};

use super::SourceKey;

/// A table from sources to `V`.
pub(crate) struct Shards<V> {
    /// Keyed anew in every process, so that nobody can aim at one shard.
    hasher: RandomState,
    shards: Box<[Mutex<Map<V>>]>,
}

type Map<V> = HashMap<Hashed, V, BuildHasherDefault<Taken>>;

/// Locks: far more than workers, so that two of them seldom meet.
const SHARDS: usize = 64;

/// One shard's part of the table.
pub(crate) struct Shard<'a, V> {
    map: &'a mut Map<V>,
    key: Hashed,
}

impl<V> Shards<V> {
    pub(crate) fn new() -> Self {
        Self { hasher: RandomState::new(), shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// Looks at a source's part of the table.
    pub(crate) fn with<T>(&self, key: SourceKey, look: impl FnOnce(Shard<'_, V>) -> T) -> T {
        let hash = self.hasher.hash_one(key);
        // The map itself goes by the lowest and the highest bits.
        let shard = &self.shards[(hash >> 32) as usize % SHARDS];
        let mut map = shard.lock().unwrap_or_else(PoisonError::into_inner);
        look(Shard { map: &mut map, key: Hashed { hash, key } })
    }

    /// Gives the number of sources in the table.
    #[cfg(test)]
    pub(crate) fn length(&self) -> usize {
        let length = |shard: &Mutex<HashMap<_, _, _>>| {
            shard.lock().unwrap_or_else(PoisonError::into_inner).len()
        };
        self.shards.iter().map(length).sum()
    }
}

impl<V> Shard<'_, V> {
    pub(crate) fn value(&mut self) -> Option<&mut V> {
        self.map.get_mut(&self.key)
    }

    pub(crate) fn insert(&mut self, value: V) {
        self.map.insert(self.key, value);
    }

    pub(crate) fn remove(&mut self) {
        self.map.remove(&self.key);
    }

    /// Makes room if the shard has `per_table` / 64 sources: forgets all that `is_needless`, and
    /// if that is not a quarter of them, any others too. What it costs is spread over the
    /// insertions that follow.
    pub(crate) fn make_room(&mut self, per_table: usize, is_needless: impl Fn(&V) -> bool) {
        let length_max = (per_table / SHARDS).max(1);
        if self.map.len() < length_max {
            return;
        }
        self.map.retain(|_, value| !is_needless(value));
        let keep = length_max - length_max.div_ceil(4);
        let mut surplus = self.map.len().saturating_sub(keep);
        // The order of the map is random to everybody.
        self.map.retain(|_, _| {
            let goes = surplus > 0;
            surplus = surplus.saturating_sub(1);
            !goes
        });
    }
}

/// A key with its hash.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Hashed {
    hash: u64,
    key: SourceKey,
}

impl Hash for Hashed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Takes a hash as it is.
#[derive(Default)]
struct Taken(u64);

impl Hasher for Taken {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        debug_assert!(bytes.is_empty(), "only whole hashes are written");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_have_their_own_values() {
        let shards = Shards::new();
        for number in 0..1000_u32 {
            shards.with(SourceKey::new(&number.to_le_bytes()), |mut shard| shard.insert(number));
        }
        for number in 0..1000_u32 {
            let found = shards.with(SourceKey::new(&number.to_le_bytes()), |mut shard| {
                let found = shard.value().copied();
                shard.remove();
                found
            });
            assert_eq!(found, Some(number));
        }
        assert_eq!(shards.length(), 0);
    }

    #[test]
    fn the_table_stays_bounded_and_forgets_what_is_needless_first() {
        let shards = Shards::new();
        for number in 0..10_000_u32 {
            shards.with(SourceKey::new(&number.to_le_bytes()), |mut shard| {
                shard.make_room(1024, |value| value % 2 == 0);
                shard.insert(number);
            });
        }
        assert!(shards.length() <= 1024);
        let odd = SourceKey::new(b"odd");
        let shards = Shards::new();
        shards.with(odd, |mut shard| shard.insert(1));
        for number in (0..10_000_u32).step_by(2) {
            shards.with(SourceKey::new(&number.to_le_bytes()), |mut shard| {
                shard.make_room(1024, |value| value % 2 == 0);
                shard.insert(number);
            });
        }
        assert_eq!(shards.with(odd, |mut shard| shard.value().copied()), Some(1));
    }
}
