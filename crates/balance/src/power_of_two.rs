//! Power of two random choices. hot path

use crate::Members;

/// Picks the less busy of two members chosen at random. Weights do not count, as in Traefik.
#[derive(Debug)]
pub struct PowerOfTwo {
    length: usize,
}

impl PowerOfTwo {
    /// Picks among that many members.
    pub fn new(length: usize) -> Self {
        Self { length }
    }

    /// Picks a member that is usable.
    pub fn pick(&self, members: &impl Members) -> Option<usize> {
        let usable = || (0..self.length).filter(|index| members.is_usable(*index));
        let count = usable().count();
        if count < 2 {
            return usable().next();
        }
        let first = fastrand::usize(..count);
        let second = (first + fastrand::usize(1..count)) % count;
        // Health may have changed meanwhile; then there is one less to choose from.
        let (first, second) = (usable().nth(first), usable().nth(second));
        let (Some(first), Some(second)) = (first, second) else { return first.or(second) };
        // A member that starts slowly counts as busier than it is.
        let busy =
            |index: usize| (members.load(index).in_flight() + 1) as f64 / members.share(index);
        Some(if busy(second) < busy(first) { second } else { first })
    }
}
