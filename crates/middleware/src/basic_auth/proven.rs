//! Credentials that were proven right, remembered without keeping them.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;

use super::Credentials;

/// A bounded set of tags of credentials.
///
/// The tags are keyed by a secret of this process, so that neither memory dumps nor timing tell
/// passwords. Users change by a new configuration only, and that begins with an empty set.
pub(super) struct Proven {
    key: hmac::Key,
    generations: RwLock<Generations>,
}

/// Two generations: when the younger is full, the older is forgotten. What is in use returns into
/// the younger one at the price of one more hash.
#[derive(Default)]
struct Generations {
    younger: HashSet<[u8; 32]>,
    older: HashSet<[u8; 32]>,
}

/// Tags in one generation. Two generations are 128 KiB or so.
const GENERATION_LENGTH_MAX: usize = 1024;

impl Proven {
    pub(super) fn new() -> Result<Self, String> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| "basicAuth: no randomness for the credential cache".to_owned())?;
        Ok(Self { key, generations: RwLock::default() })
    }

    pub(super) fn contains(&self, credentials: &Credentials) -> bool {
        let tag = self.tag(credentials);
        let generations = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        generations.younger.contains(&tag) || generations.older.contains(&tag)
    }

    pub(super) fn insert(&self, credentials: &Credentials) {
        let tag = self.tag(credentials);
        let mut generations = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        if generations.younger.len() >= GENERATION_LENGTH_MAX {
            generations.older = std::mem::take(&mut generations.younger);
        }
        generations.younger.insert(tag);
    }

    fn tag(&self, credentials: &Credentials) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&(credentials.user.len() as u64).to_le_bytes());
        context.update(credentials.user.as_bytes());
        context.update(&credentials.password);
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(user: &str, password: &str) -> Credentials {
        Credentials { user: user.to_owned(), password: password.as_bytes().to_vec() }
    }

    #[test]
    fn only_what_was_inserted_is_known() {
        let proven = Proven::new().expect("randomness");
        proven.insert(&credentials("user", "password"));
        assert!(proven.contains(&credentials("user", "password")));
        assert!(!proven.contains(&credentials("user", "passwor")));
        assert!(!proven.contains(&credentials("userp", "assword")));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let proven = Proven::new().expect("randomness");
        for number in 0..=2 * GENERATION_LENGTH_MAX {
            proven.insert(&credentials("user", &number.to_string()));
        }
        assert!(!proven.contains(&credentials("user", "0")));
        assert!(proven.contains(&credentials("user", &GENERATION_LENGTH_MAX.to_string())));
        let generations = proven.generations.read().expect("no panic while locked");
        assert!(generations.younger.len() + generations.older.len() <= 2 * GENERATION_LENGTH_MAX);
    }
}
