use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::{Just, any, prop, prop_assert_eq, prop_assert_ne, proptest};
use proptest::strategy::Strategy as _;

use super::*;

/// Members as a test describes them.
#[derive(Default)]
struct Fleet {
    down: BTreeSet<usize>,
    loads: Vec<Load>,
    shares: Vec<f64>,
}

impl Fleet {
    fn new(length: usize) -> Self {
        let loads = (0..length).map(|_| Load::default()).collect();
        Self { down: BTreeSet::new(), loads, shares: vec![1.0; length] }
    }

    fn busy(in_flight: &[usize]) -> Self {
        let fleet = Self::new(in_flight.len());
        for (load, count) in fleet.loads.iter().zip(in_flight) {
            (0..*count).for_each(|_| load.enter());
        }
        fleet
    }

    fn answering(self, times_ms: &[u64]) -> Self {
        for (load, time) in self.loads.iter().zip(times_ms) {
            load.answered(Duration::from_millis(*time));
        }
        self
    }
}

impl Members for Fleet {
    fn is_usable(&self, index: usize) -> bool {
        !self.down.contains(&index)
    }

    fn load(&self, index: usize) -> &Load {
        &self.loads[index]
    }

    fn share(&self, index: usize) -> f64 {
        self.shares[index]
    }
}

fn names(length: usize) -> Vec<String> {
    (0..length).map(|index| format!("http://10.0.0.{index}:80")).collect()
}

fn strategy(name: &str, weights: &[i64]) -> Strategy {
    Strategy::new(name, &names(weights.len()), weights, 0).expect("a known strategy")
}

fn client(number: u32) -> String {
    std::net::Ipv4Addr::from(0x0a01_0000 + number).to_string()
}

/// How often each member is picked for so many clients, one after the other.
fn counts(strategy: &Strategy, fleet: &Fleet, picks: u32) -> Vec<u32> {
    let mut counts = vec![0; fleet.loads.len()];
    for number in 0..picks {
        if let Some(index) = strategy.pick(client(number).as_bytes(), fleet) {
            counts[index] += 1;
        }
    }
    counts
}

#[test]
fn only_known_names_are_strategies() {
    for name in ["", "wrr", "p2c", "hrw", "leasttime", "leastconn", "source"] {
        assert!(Strategy::new(name, &["a"], &[1], 0).is_some(), "{name}");
    }
    assert!(Strategy::new("random", &["a"], &[1], 0).is_none());
}

#[test]
fn nobody_usable_gives_nobody() {
    let mut fleet = Fleet::new(2);
    fleet.down = [0, 1].into();
    for name in ["wrr", "p2c", "hrw", "leasttime", "leastconn", "source"] {
        assert_eq!(strategy(name, &[1, 1]).pick(b"::1", &fleet), None, "{name}");
        assert_eq!(strategy(name, &[]).pick(b"::1", &Fleet::new(0)), None, "{name}");
    }
}

#[test]
fn weight_zero_is_never_picked_where_weights_count() {
    let fleet = Fleet::new(3);
    for name in ["wrr", "hrw", "leasttime", "leastconn", "source"] {
        let counts = counts(&strategy(name, &[0, 1, -1]), &fleet, 50);
        assert_eq!(counts, [0, 50, 0], "{name}");
    }
    assert!(counts(&strategy("p2c", &[0, 1, 0]), &fleet, 300).iter().all(|count| *count > 50));
}

#[test]
fn round_robin_lets_who_starts_slowly_go_last() {
    let mut fleet = Fleet::new(2);
    fleet.shares[1] = 0.25;
    let counts = counts(&strategy("wrr", &[1, 1]), &fleet, 10_000);
    let share = f64::from(counts[1]) / f64::from(counts[0]);
    assert!((share - 0.25).abs() < 0.05, "{counts:?}");
    fleet.shares = vec![1e-9; 2];
    assert!(strategy("wrr", &[1, 1]).pick(b"", &fleet).is_some(), "somebody has to go");
}

#[test]
fn the_less_busy_of_two_is_taken() {
    let counts = counts(&strategy("p2c", &[1, 1, 1]), &Fleet::busy(&[9, 1, 5]), 3000);
    assert_eq!(counts[0], 0, "it is never the less busy of two");
    assert!((1800..2200).contains(&counts[1]), "{counts:?}");
    let counts = self::counts(&strategy("p2c", &[1, 1]), &Fleet::busy(&[3, 2]), 100);
    assert_eq!(counts, [0, 100]);
    let counts = self::counts(&strategy("p2c", &[1, 1, 1]), &Fleet::new(3), 3000);
    assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
}

/// Picks so often, each request staying under way; expects so many at each member in the end.
fn check_filling(weights: &[i64], before: &[usize], picks: usize, expected: &[usize]) {
    let (strategy, fleet) = (strategy("leastconn", weights), Fleet::busy(before));
    for _ in 0..picks {
        let index = strategy.pick(b"", &fleet).expect("a usable member");
        fleet.loads[index].enter();
    }
    let found: Vec<usize> = fleet.loads.iter().map(Load::in_flight).collect();
    assert_eq!(found, expected, "{weights:?} from {before:?}");
}

#[test]
fn the_fewest_requests_under_way_are_filled_up_exactly() {
    check_filling(&[1, 1, 1], &[5, 0, 2], 8, &[5, 5, 5]);
    check_filling(&[1, 1, 1], &[0, 0, 0], 9, &[3, 3, 3]);
    check_filling(&[3, 1], &[0, 0], 8, &[6, 2]);
    check_filling(&[0, 1, 1], &[0, 7, 7], 2, &[0, 8, 8]);
}

#[test]
fn equals_take_turns_by_weight() {
    assert_eq!(counts(&strategy("leastconn", &[1, 1, 1]), &Fleet::new(3), 9), [3, 3, 3]);
    assert_eq!(counts(&strategy("leastconn", &[3, 1]), &Fleet::new(2), 8), [6, 2]);
    assert_eq!(counts(&strategy("leasttime", &[2, 2]), &Fleet::new(2), 8), [4, 4]);
}

fn check_fastest(weights: &[i64], in_flight: &[usize], times_ms: &[u64], expected: usize) {
    let fleet = Fleet::busy(in_flight).answering(times_ms);
    let picked = strategy("leasttime", weights).pick(b"", &fleet);
    assert_eq!(picked, Some(expected), "{weights:?} {in_flight:?} {times_ms:?}");
}

#[test]
fn the_fastest_for_its_weight_and_load_is_taken() {
    check_fastest(&[1, 1], &[0, 0], &[20, 10], 1);
    check_fastest(&[1, 1], &[0, 3], &[20, 10], 0);
    check_fastest(&[5, 1], &[0, 0], &[20, 10], 0);
    check_fastest(&[1, 1], &[50, 0], &[0, 10], 1);
    check_fastest(&[1, 1], &[0, 0], &[9], 1);
}

#[test]
fn a_member_that_never_answered_does_not_get_everything() {
    let (strategy, fleet) = (strategy("leasttime", &[1, 1]), Fleet::busy(&[0, 0]).answering(&[10]));
    let mut picks = 0;
    while strategy.pick(b"", &fleet) == Some(1) {
        fleet.loads[1].enter();
        picks += 1;
        assert!(picks < 100);
    }
    assert!(picks >= 9, "{picks}");
}

#[test]
fn clients_are_mapped_as_traefik_maps_them() {
    // Recorded from Traefik 3.7.15 with `strategy: hrw`.
    let names = ["http://127.0.0.1:9101", "http://127.0.0.1:9102", "http://127.0.0.1:9103"];
    let strategy = Strategy::new("hrw", &names, &[1, 1, 1], 0).expect("a known strategy");
    let picks: Vec<usize> = (1..=12)
        .filter_map(|last| strategy.pick(format!("127.0.0.{last}").as_bytes(), &Fleet::new(3)))
        .collect();
    assert_eq!(picks, TRAEFIKS_PICKS);
}

const TRAEFIKS_PICKS: [usize; 12] = [0, 0, 1, 2, 0, 0, 1, 2, 0, 0, 2, 1];

fn check_shares(name: &str, weights: &[i64]) {
    let found = counts(&strategy(name, weights), &Fleet::new(weights.len()), 20_000);
    let sum: i64 = weights.iter().sum();
    for (count, weight) in found.iter().zip(weights) {
        let due = 20_000.0 * *weight as f64 / sum as f64;
        assert!((f64::from(*count) - due).abs() < due * 0.08, "{weights:?}: {found:?}");
    }
}

#[test]
fn clients_are_spread_by_weight() {
    check_shares("source", &[1, 1, 1]);
    check_shares("source", &[1, 2, 5]);
    check_shares("source", &[100; 10]);
    check_shares("hrw", &[1, 2, 5]);
}

proptest! {
    #[test]
    fn round_robin_is_exact_over_a_cycle(weights in prop::collection::vec(0_i64..20, 1..8)) {
        let sum: i64 = weights.iter().sum();
        let fleet = Fleet::new(weights.len());
        let found = counts(&strategy("wrr", &weights), &fleet, (sum * 2) as u32);
        let expected: Vec<u32> = weights.iter().map(|weight| *weight as u32 * 2).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn who_goes_away_moves_only_its_own_clients(
        weights in prop::collection::vec(1_i64..9, 2..8),
        gone in any::<prop::sample::Index>(),
        clients in prop::collection::vec(any::<u32>(), 1..60),
        name in prop::sample::select(vec!["hrw", "source"]),
    ) {
        let strategy = strategy(name, &weights);
        let (all, mut less) = (Fleet::new(weights.len()), Fleet::new(weights.len()));
        let gone = gone.index(weights.len());
        less.down.insert(gone);
        for number in clients {
            let client = std::net::Ipv4Addr::from(number).to_string();
            let before = strategy.pick(client.as_bytes(), &all);
            let after = strategy.pick(client.as_bytes(), &less);
            prop_assert_ne!(after, Some(gone));
            if before != Some(gone) {
                prop_assert_eq!(before, after);
            }
        }
    }

    #[test]
    fn the_order_of_servers_does_not_matter(
        order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle(),
        client in any::<u32>(),
        name in prop::sample::select(vec!["hrw", "source"]),
    ) {
        let names = names(6);
        let shuffled: Vec<&String> = order.iter().map(|index| &names[*index]).collect();
        let straight = Strategy::new(name, &names, &[1; 6], 0).expect("a known strategy");
        let other = Strategy::new(name, &shuffled, &[1; 6], 0).expect("a known strategy");
        let client = std::net::Ipv4Addr::from(client).to_string();
        let picked = straight.pick(client.as_bytes(), &Fleet::new(6)).map(|index| &names[index]);
        let again = other.pick(client.as_bytes(), &Fleet::new(6)).map(|index| shuffled[index]);
        prop_assert_eq!(picked, again);
    }

    #[test]
    fn the_fewest_are_never_passed_over(
        members in prop::collection::vec((1_i64..10, 0_usize..30, any::<bool>()), 1..9),
    ) {
        let weights: Vec<i64> = members.iter().map(|(weight, ..)| *weight).collect();
        let in_flight: Vec<usize> = members.iter().map(|(_, count, _)| *count).collect();
        let mut fleet = Fleet::busy(&in_flight);
        fleet.down = (0..members.len()).filter(|index| members[*index].2).collect();
        let score = |index: usize| in_flight[index] as f64 / weights[index] as f64;
        let least = (0..members.len())
            .filter(|index| !members[*index].2)
            .map(score)
            .min_by(f64::total_cmp);
        let picked = strategy("leastconn", &weights).pick(b"", &fleet);
        prop_assert_eq!(picked.map(score), least);
    }
}
