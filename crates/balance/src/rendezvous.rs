//! Rendezvous hashing: a client's member is the one whose score for it is the highest. hot path
//!
//! No member's score depends on another's, nor on their order. So a member that goes away moves
//! its own clients only, and they come back with it; shares are as the weights say.

/// Picks by the client's address.
#[derive(Debug)]
pub struct Rendezvous {
    members: Box<[Member]>,
    hash: fn(u64, &Member) -> u64,
}

#[derive(Debug)]
struct Member {
    name: Box<str>,
    /// The hash of the name.
    seed: u64,
    weight: f64,
}

impl Rendezvous {
    /// Maps clients as Traefik's `hrw` does, so that both can serve the same clients side by side.
    /// A member of weight zero or less is never picked.
    ///
    /// With different weights clients are mapped evenly instead. Traefik: its hash hardly spreads
    /// names that differ in their last characters, as those of servers do, and so the heaviest
    /// server gets every client.
    pub fn like_traefik<S: AsRef<str>>(names: &[S], weights: &[i64]) -> Self {
        let mut above_zero = weights.iter().filter(|weight| **weight > 0);
        let first = above_zero.next();
        if above_zero.any(|weight| Some(weight) != first) {
            return Self::even(names, weights);
        }
        Self::new(names, weights, |client, member| continued(client, member.name.as_bytes()))
    }

    /// Maps clients evenly, in proportion to the weights.
    pub fn even<S: AsRef<str>>(names: &[S], weights: &[i64]) -> Self {
        Self::new(names, weights, |client, member| mixed(client ^ member.seed))
    }

    fn new<S: AsRef<str>>(names: &[S], weights: &[i64], hash: fn(u64, &Member) -> u64) -> Self {
        let member = |(name, weight): (&S, &i64)| Member {
            name: name.as_ref().into(),
            seed: mixed(continued(FNV_START, name.as_ref().as_bytes())),
            weight: *weight as f64,
        };
        Self { members: names.iter().zip(weights).map(member).collect(), hash }
    }

    /// Picks the member of the client with this address among those that are usable.
    pub fn pick(&self, client: &[u8], is_usable: impl Fn(usize) -> bool) -> Option<usize> {
        let client = continued(FNV_START, client);
        let mut highest = f64::NEG_INFINITY;
        let mut picked = None;
        for (index, member) in self.members.iter().enumerate() {
            if member.weight <= 0.0 || !is_usable(index) {
                continue;
            }
            // In this order Traefik computes it; any other may round differently.
            let share = (self.hash)(client, member) as f64 / 2_f64.powi(64);
            let score = 1.0 / -share.ln() * member.weight;
            if score > highest || picked.is_none() {
                (highest, picked) = (score, Some(index));
            }
        }
        picked
    }
}

/// Goes on with a 64-bit FNV-1a hash.
fn continued(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

/// Makes every bit depend on every other: the finisher of SplitMix64.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
