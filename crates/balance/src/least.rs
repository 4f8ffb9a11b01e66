//! Strategies that look for the member with the least to do. hot path
//!
//! Both compare a score and leave it to weighted round robin to choose among equals. The counts
//! are those of the process: nodes do not tell each other.

use crate::{Members, RoundRobin};

/// Picks the member with the fewest requests under way for its weight, as HAProxy's `leastconn`.
#[derive(Debug)]
pub struct LeastConnections(Least);

/// Picks the member that answered fastest lately, for its weight and what it has under way, as
/// Traefik's `leasttime`.
#[derive(Debug)]
pub struct LeastTime(Least);

impl LeastConnections {
    /// A member of weight zero or less is never picked. `start` is where the first pick falls.
    pub fn new(weights: &[i64], start: usize) -> Self {
        Self(Least::new(weights, start))
    }

    /// Picks a member that is usable.
    pub fn pick(&self, members: &impl Members) -> Option<usize> {
        self.0.pick(members, |index| members.load(index).in_flight() as f64)
    }
}

impl LeastTime {
    /// A member of weight zero or less is never picked. `start` is where the first pick falls.
    pub fn new(weights: &[i64], start: usize) -> Self {
        Self(Least::new(weights, start))
    }

    /// Picks a member that is usable.
    pub fn pick(&self, members: &impl Members) -> Option<usize> {
        self.0.pick(members, |index| {
            let load = members.load(index);
            // Traefik: a mean of zero makes the whole score zero, so that a server which has not
            // answered yet, or never does, gets all requests however many it has under way.
            load.mean_response_time_ms().max(1.0) * (1 + load.in_flight()) as f64
        })
    }
}

#[derive(Debug)]
struct Least {
    weights: Box<[f64]>,
    turns: RoundRobin,
}

impl Least {
    fn new(weights: &[i64], start: usize) -> Self {
        let turns = RoundRobin::new(weights, start);
        Self { weights: weights.iter().map(|weight| *weight as f64).collect(), turns }
    }

    fn pick(&self, members: &impl Members, busy: impl Fn(usize) -> f64) -> Option<usize> {
        let score = |index: usize| busy(index) / (self.weights[index] * members.share(index));
        let is_usable = |index: usize| self.weights[index] > 0.0 && members.is_usable(index);
        let mut least = f64::INFINITY;
        let mut first = None;
        let mut has_equals = false;
        for index in (0..self.weights.len()).filter(|index| is_usable(*index)) {
            let score = score(index);
            has_equals = score == least || (has_equals && score > least);
            if score < least {
                (least, first) = (score, Some(index));
            }
        }
        if !has_equals {
            return first;
        }
        // What other workers did meanwhile may have left nobody with that score.
        self.turns.next(|index| is_usable(index) && score(index) <= least).or(first)
    }
}
