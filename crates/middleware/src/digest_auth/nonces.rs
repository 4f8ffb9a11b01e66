//! Nonces, and how often each was used.
//!
//! A nonce vouches for itself: time, randomness and a tag that only this process can make. Nothing
//! is kept of those that are only given out, so that a flood of requests without credentials can
//! make nobody's nonce be forgotten; Traefik keeps the last thousand or so, whoever asked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{self, SystemRandom};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) struct Nonces {
    key: hmac::Key,
    started: Instant,
    used: Mutex<Used>,
}

/// What becomes of a nonce with a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Fresh,
    /// Below what was seen already: requests overtook each other, or the nonce was forgotten.
    Past,
    /// Exactly what was seen last.
    Replayed,
    /// Not one of ours.
    Unknown,
}

/// Counts of nonces that let a user in. When the younger generation is full, the older is
/// forgotten; what is in use returns into the younger.
#[derive(Default)]
struct Used {
    younger: HashMap<Stamp, u64>,
    older: HashMap<Stamp, u64>,
    /// Nonces given out up to this time may be among those forgotten.
    forgotten_until: u64,
}

/// What makes a nonce one of its own: milliseconds since the start, and randomness.
type Stamp = [u8; 16];

const TAG_LENGTH: usize = 16;
/// Nonces in one generation, about 50 KiB.
const GENERATION_LENGTH_MAX: usize = 1024;

impl Nonces {
    pub(super) fn new() -> Result<Self, String> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| "digestAuth: no randomness".to_owned())?;
        Ok(Self { key, started: Instant::now(), used: Mutex::default() })
    }

    /// Makes a value that names this process and instance.
    pub(super) fn opaque(&self) -> Result<String, String> {
        let mut random = [0; 12];
        rand::fill(&mut random).map_err(|_| "digestAuth: no randomness".to_owned())?;
        Ok(STANDARD.encode(random))
    }

    /// Gives out a nonce.
    pub(super) fn issue(&self) -> Result<String, aws_lc_rs::error::Unspecified> {
        self.issue_at(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn issue_at(&self, milliseconds: u64) -> Result<String, aws_lc_rs::error::Unspecified> {
        let mut stamp = [0; 16];
        rand::fill(&mut stamp[8..])?;
        stamp[..8].copy_from_slice(&milliseconds.to_be_bytes());
        Ok(STANDARD.encode([&stamp[..], &self.tag(&stamp)].concat()))
    }

    /// Uses a nonce with a count.
    pub(super) fn take(&self, nonce: &str, count: u64) -> Use {
        let Some(stamp) = self.read(nonce) else { return Use::Unknown };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let younger = used.younger.get(&stamp).copied();
        match younger.or_else(|| used.older.get(&stamp).copied()) {
            Some(last) if count == last => return Use::Replayed,
            Some(last) if count < last => return Use::Past,
            Some(_) => {}
            None if issued(&stamp) <= used.forgotten_until => return Use::Past,
            None => {}
        }
        used.insert(stamp, count);
        Use::Fresh
    }

    fn read(&self, nonce: &str) -> Option<Stamp> {
        let bytes = STANDARD.decode(nonce).ok()?;
        let (stamp, tag) = bytes.split_first_chunk::<16>()?;
        let expected = self.tag(stamp);
        aws_lc_rs::constant_time::verify_slices_are_equal(&expected, tag).ok()?;
        Some(*stamp)
    }

    fn tag(&self, stamp: &Stamp) -> [u8; TAG_LENGTH] {
        let mut tag = [0; TAG_LENGTH];
        tag.copy_from_slice(&hmac::sign(&self.key, stamp).as_ref()[..TAG_LENGTH]);
        tag
    }
}

impl Used {
    fn insert(&mut self, stamp: Stamp, count: u64) {
        self.older.remove(&stamp);
        if self.younger.len() >= GENERATION_LENGTH_MAX && !self.younger.contains_key(&stamp) {
            let forgotten = std::mem::replace(&mut self.older, std::mem::take(&mut self.younger));
            let latest = forgotten.keys().map(issued).max().unwrap_or(0);
            // The start counts as given out at one, so that zero is nobody's time.
            self.forgotten_until = self.forgotten_until.max(latest);
        }
        self.younger.insert(stamp, count);
    }
}

/// When a nonce was given out, plus one.
fn issued(stamp: &Stamp) -> u64 {
    let mut milliseconds = [0; 8];
    milliseconds.copy_from_slice(&stamp[..8]);
    u64::from_be_bytes(milliseconds).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(counts: &[u64], expected: &[Use]) {
        let nonces = Nonces::new().expect("randomness");
        let nonce = nonces.issue().expect("randomness");
        let uses: Vec<Use> = counts.iter().map(|count| nonces.take(&nonce, *count)).collect();
        assert_eq!(uses, expected);
    }

    #[test]
    fn counts_must_grow() {
        check(
            &[1, 2, 4, 3, 4, 5],
            &[Use::Fresh, Use::Fresh, Use::Fresh, Use::Past, Use::Replayed, Use::Fresh],
        );
        check(&[0, 0], &[Use::Fresh, Use::Replayed]);
    }

    #[test]
    fn only_nonces_that_were_given_out_count() {
        let (ours, theirs) =
            (Nonces::new().expect("randomness"), Nonces::new().expect("randomness"));
        let nonce = theirs.issue().expect("randomness");
        assert_eq!(ours.take(&nonce, 1), Use::Unknown);
        assert_eq!(ours.take("", 1), Use::Unknown);
        assert_eq!(ours.take("bm90IG91cnM=", 1), Use::Unknown);
    }

    #[test]
    fn what_is_forgotten_is_not_taken_again() {
        let nonces = Nonces::new().expect("randomness");
        let first = nonces.issue_at(0).expect("randomness");
        assert_eq!(nonces.take(&first, 1), Use::Fresh);
        for time in 1..=2 * GENERATION_LENGTH_MAX as u64 {
            let nonce = nonces.issue_at(time).expect("randomness");
            assert_eq!(nonces.take(&nonce, 1), Use::Fresh);
        }
        assert_eq!(nonces.take(&first, 2), Use::Past);
        let used = nonces.used.lock().expect("no panic while locked");
        assert!(used.younger.len() + used.older.len() <= 2 * GENERATION_LENGTH_MAX);
    }
}
