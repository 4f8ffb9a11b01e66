//! What a run of the benchmark has found so far.

use std::time::Duration;

use super::install::Origin;
use super::peer::Peer;
use super::row::{Routers, Row};

/// All results, in the order in which they were measured.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) versions: Vec<(Peer, String, Origin)>,
    pub(super) speed: Vec<Speed>,
    pub(super) memory: Vec<Memory>,
    /// What the reader of the tables must know.
    pub(super) notes: Vec<String>,
}

impl Findings {
    pub(super) fn speed_of(&self, row: Row, peer: Peer, routers: Routers) -> Option<&Speed> {
        self.speed
            .iter()
            .find(|speed| speed.row == row && speed.peer == peer && speed.routers == routers)
    }

    /// Resident memory of a peer with 10,000 routers, in bytes.
    pub(super) fn routers_bytes(&self, peer: Peer) -> Option<f64> {
        let memory = self.memory.iter().find(|memory| memory.peer == peer)?;
        memory.routers_bytes.map(|bytes| bytes as f64)
    }
}

/// The measure of one proxy in one row.
#[derive(Debug)]
pub(super) struct Speed {
    pub(super) row: Row,
    pub(super) peer: Peer,
    /// Not always the row's: a row with many routers is compared with one router as well.
    pub(super) routers: Routers,
    /// One for each round; `None` where the run failed.
    pub(super) rounds: Vec<Option<Sample>>,
    pub(super) median: Sample,
    /// Difference between the largest and the smallest processor time, as a share of the median.
    pub(super) spread: f64,
}

impl Speed {
    /// Sums up the rounds; `None` if every run failed.
    pub(super) fn new(
        row: Row,
        peer: Peer,
        routers: Routers,
        rounds: Vec<Option<Sample>>,
    ) -> Option<Self> {
        let samples: Vec<Sample> = rounds.iter().flatten().copied().collect();
        let median = Sample::median(&samples)?;
        let cpu = samples.iter().map(|sample| sample.cpu_micros);
        let range = cpu.clone().fold(f64::MIN, f64::max) - cpu.fold(f64::MAX, f64::min);
        Some(Self { row, peer, routers, rounds, median, spread: range / median.cpu_micros })
    }

    /// How much of a measure this one has for each one of `other`'s: the median of the ratios of
    /// each round, whose runs were seconds apart, so that a slow minute of the machine cancels out.
    pub(super) fn ratio(&self, other: &Self, measure: fn(&Sample) -> f64) -> Option<f64> {
        median(self.ratios(other, measure))
    }

    /// That ratio for each round in which both runs succeeded.
    pub(super) fn ratios(&self, other: &Self, measure: fn(&Sample) -> f64) -> Vec<f64> {
        let pairs = self.rounds.iter().zip(&other.rounds);
        let both = pairs.filter_map(|(ours, theirs)| ours.as_ref().zip(theirs.as_ref()));
        both.map(|(ours, theirs)| measure(ours) / measure(theirs)).collect()
    }
}

/// One run of the load, or the median of several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    /// Processor time per request in microseconds.
    pub(super) cpu_micros: f64,
    pub(super) requests_per_second: f64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    /// Share of its core that the proxy used.
    pub(super) busy: f64,
    /// Share of the proxy's core that anything else used, this benchmark's idle proxies included.
    pub(super) others: f64,
}

impl Sample {
    /// The median of each measure for itself.
    fn median(samples: &[Self]) -> Option<Self> {
        let of = |measure: fn(&Self) -> f64| median(samples.iter().map(measure).collect());
        Some(Self {
            cpu_micros: of(|sample| sample.cpu_micros)?,
            requests_per_second: of(|sample| sample.requests_per_second)?,
            p50: Duration::from_secs_f64(of(|sample| sample.p50.as_secs_f64())?),
            p99: Duration::from_secs_f64(of(|sample| sample.p99.as_secs_f64())?),
            busy: of(|sample| sample.busy)?,
            others: of(|sample| sample.others)?,
        })
    }
}

/// The middle value, or the mean of the two in the middle.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        Some(values[middle])
    } else {
        Some(f64::midpoint(*values.get(middle.checked_sub(1)?)?, values[middle]))
    }
}

/// Resident memory of one proxy.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) peer: Peer,
    /// With one router, after a little load.
    pub(super) one_router_bytes: u64,
    /// With 10,000 routers, after a little load; only for peers with Traefik's tables.
    pub(super) routers_bytes: Option<u64>,
    /// Bytes for each idle connection, plain and over TLS.
    pub(super) plain_connection_bytes: f64,
    pub(super) tls_connection_bytes: f64,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A measure of which only the processor times matter; 0 stands for a failed run.
    pub(in crate::bench) fn speed(peer: Peer, row: Row, cpu: &[f64]) -> Speed {
        let run = |&cpu_micros: &f64| Sample {
            cpu_micros,
            requests_per_second: 1.0,
            p50: Duration::ZERO,
            p99: Duration::ZERO,
            busy: 1.0,
            others: 0.0,
        };
        let rounds = cpu.iter().map(|micros| (*micros > 0.0).then(|| run(micros))).collect();
        Speed::new(row, peer, Routers::One, rounds).unwrap()
    }

    fn check(ours: &[f64], theirs: &[f64], median: f64, spread: f64, ratio: Option<f64>) {
        let ours = speed(Peer::Ferrovia, Row::Http1, ours);
        let theirs = speed(Peer::Nginx, Row::Http1, theirs);
        assert_eq!((ours.median.cpu_micros, ours.spread), (median, spread));
        assert_eq!(ours.ratio(&theirs, |sample| sample.cpu_micros), ratio);
    }

    #[test]
    fn takes_the_middle_and_the_spread() {
        check(&[30.0, 10.0, 20.0], &[10.0, 10.0, 10.0], 20.0, 1.0, Some(2.0));
        check(&[1.0, 2.0, 3.0, 4.0], &[1.0, 1.0, 1.0, 1.0], 2.5, 1.2, Some(2.5));
    }

    #[test]
    fn compares_runs_of_the_same_round() {
        check(&[10.0, 20.0, 30.0], &[20.0, 40.0, 60.0], 20.0, 1.0, Some(0.5));
        check(&[10.0, 0.0, 30.0], &[0.0, 40.0, 60.0], 20.0, 1.0, Some(0.5));
        check(&[10.0, 0.0], &[0.0, 40.0], 10.0, 0.0, None);
    }
}
