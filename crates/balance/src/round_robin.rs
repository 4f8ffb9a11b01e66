//! Weighted round robin. hot path
//!
//! Traefik keeps a heap of deadlines behind a mutex: whoever has the earliest deadline is next,
//! and its deadline moves on by one over its weight. That order repeats after the sum of the
//! weights, so it is computed once here; a pick is one atomic increment, exact across workers.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Longest cycle kept; larger weights are scaled down to fit.
const CYCLE_LENGTH_MAX: u64 = 8192;

/// Picks indexes in proportion to their weights.
#[derive(Debug)]
pub struct RoundRobin {
    cycle: Box<[u32]>,
    position: AtomicUsize,
}

impl RoundRobin {
    /// Makes the cycle of `weights`; a weight of zero or less is never picked. `start` is where
    /// in the cycle the first pick falls.
    pub fn new(weights: &[i64], start: usize) -> Self {
        let cycle = cycle(&scaled(weights));
        let position = AtomicUsize::new(if cycle.is_empty() { 0 } else { start % cycle.len() });
        Self { cycle, position }
    }

    /// Picks the next index that is usable. A pick passed over is used up, so that what it would
    /// have got is shared by all others and not by its neighbour alone.
    pub fn next(&self, is_usable: impl Fn(usize) -> bool) -> Option<usize> {
        for _ in 0..self.cycle.len() {
            let position = self.position.fetch_add(1, Ordering::Relaxed);
            let index = self.cycle[position % self.cycle.len()] as usize;
            if is_usable(index) {
                return Some(index);
            }
        }
        None
    }
}

/// Divides by the greatest common divisor, then scales so that the sum fits.
fn scaled(weights: &[i64]) -> Vec<u64> {
    let weights: Vec<u64> = weights.iter().map(|w| u64::try_from(*w).unwrap_or(0)).collect();
    let divisor = weights.iter().copied().fold(0, gcd).max(1);
    let weights: Vec<u64> = weights.iter().map(|w| w / divisor).collect();
    let sum: u128 = weights.iter().map(|w| u128::from(*w)).sum();
    if sum <= u128::from(CYCLE_LENGTH_MAX) {
        return weights;
    }
    let scale = |w: u64| {
        if w == 0 {
            0
        } else {
            ((u128::from(w) * u128::from(CYCLE_LENGTH_MAX) / sum) as u64).max(1)
        }
    };
    weights.into_iter().map(scale).collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Earliest deadline first; ties go to the lower index.
fn cycle(weights: &[u64]) -> Box<[u32]> {
    let length: u64 = weights.iter().sum();
    let mut picks: Vec<(f64, u32)> = Vec::with_capacity(length as usize);
    for (index, weight) in weights.iter().enumerate() {
        let step = 1.0 / (*weight as f64);
        picks.extend((1..=*weight).map(|turn| (turn as f64 * step, index as u32)));
    }
    picks.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    picks.into_iter().map(|(_, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(weights: &[i64], picks: &[usize]) {
        let strategy = RoundRobin::new(weights, 0);
        let picked: Vec<usize> =
            (0..picks.len()).map(|_| strategy.next(|_| true).expect("a usable index")).collect();
        assert_eq!(picked, picks, "weights {weights:?}");
    }

    #[test]
    fn picks_are_spread_in_proportion() {
        check(&[1, 1], &[0, 1, 0, 1]);
        check(&[3, 1], &[0, 0, 0, 1, 0, 0, 0, 1]);
        check(&[2, 1, 0], &[0, 0, 1, 0, 0, 1]);
        check(&[200, 100], &[0, 0, 1]);
    }

    #[test]
    fn what_is_down_is_shared_by_all_others() {
        let strategy = RoundRobin::new(&[1, 1, 1], 0);
        let mut counts = [0; 3];
        for _ in 0..300 {
            counts[strategy.next(|index| index != 1).expect("two are up")] += 1;
        }
        assert_eq!(counts, [150, 0, 150]);
    }

    #[test]
    fn nothing_usable_gives_nothing() {
        assert_eq!(RoundRobin::new(&[1, 1], 0).next(|_| false), None);
        assert_eq!(RoundRobin::new(&[0, -1], 0).next(|_| true), None);
        assert_eq!(RoundRobin::new(&[], 7).next(|_| true), None);
    }

    #[test]
    fn huge_weights_keep_their_proportion() {
        let strategy = RoundRobin::new(&[i64::MAX, i64::MAX / 3, 1], 0);
        assert!(strategy.cycle.len() as u64 <= CYCLE_LENGTH_MAX + 3);
        let first = strategy.cycle.iter().filter(|index| **index == 0).count();
        let share = first as f64 / strategy.cycle.len() as f64;
        assert!((share - 0.75).abs() < 0.01, "share {share}");
    }
}
