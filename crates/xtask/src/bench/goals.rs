//! What Ferrovia means to reach, as ratios to its peers.

use super::findings::{Findings, median};
use super::peer::Peer;
use super::row::{Routers, Row};

/// A ratio Ferrovia / other that shall not be exceeded.
#[derive(Clone, Copy, Debug)]
struct Goal {
    measure: Measure,
    at_most: f64,
}

#[derive(Clone, Copy, Debug)]
enum Measure {
    /// Processor time per request in a row, to a peer's.
    Cpu(Row, Peer),
    /// Processor time per request in a row with many routers, to Ferrovia's own with one.
    ManyRouters(Row),
    /// Resident memory with 10,000 routers, to a peer's.
    RoutersMemory(Peer),
}

const GOALS: [Goal; 10] = [
    Goal { measure: Measure::Cpu(Row::Http1, Peer::Haproxy), at_most: 0.88 },
    Goal { measure: Measure::Cpu(Row::Http1, Peer::Nginx), at_most: 0.92 },
    Goal { measure: Measure::Cpu(Row::Http1, Peer::Traefik), at_most: 0.32 },
    Goal { measure: Measure::Cpu(Row::Tls, Peer::Nginx), at_most: 0.92 },
    Goal { measure: Measure::Cpu(Row::Handshake, Peer::Envoy), at_most: 0.80 },
    Goal { measure: Measure::Cpu(Row::Body1m, Peer::Haproxy), at_most: 1.0 },
    Goal { measure: Measure::ManyRouters(Row::Routers10k), at_most: 1.05 },
    Goal { measure: Measure::ManyRouters(Row::Routers10kHostpath), at_most: 1.05 },
    Goal { measure: Measure::ManyRouters(Row::Routers10kPath), at_most: 1.05 },
    Goal { measure: Measure::RoutersMemory(Peer::Traefik), at_most: 0.5 },
];

/// One line for each goal: reached, missed or not measured.
pub(super) fn lines(findings: &Findings) -> Vec<String> {
    GOALS.iter().map(|goal| goal.line(findings)).collect()
}

impl Goal {
    fn line(&self, findings: &Findings) -> String {
        let name = self.measure.name();
        let at_most = self.at_most;
        let ratios = self.measure.ratios(findings);
        let lowest = ratios.iter().copied().fold(f64::MAX, f64::min);
        let highest = ratios.iter().copied().fold(f64::MIN, f64::max);
        let rounds = if ratios.len() > 1 {
            format!(" (rounds from {lowest:.2} to {highest:.2})")
        } else {
            String::new()
        };
        match median(ratios) {
            Some(ratio) if ratio <= at_most => {
                format!("reached: {name} {ratio:.3} ≤ {at_most:.2}{rounds}")
            }
            Some(ratio) => format!("missed: {name} {ratio:.3} > {at_most:.2}{rounds}"),
            None => format!("not measured: {name} ≤ {at_most:.2}"),
        }
    }
}

impl Measure {
    fn name(self) -> String {
        match self {
            Self::Cpu(row, peer) => format!("{} to {}", row.name(), peer.name()),
            Self::ManyRouters(row) => format!("{} to one router", row.name()),
            Self::RoutersMemory(peer) => format!("memory with 10,000 routers to {}", peer.name()),
        }
    }

    fn ratios(self, findings: &Findings) -> Vec<f64> {
        let ours = Peer::Ferrovia;
        let cpu = |row: Row, peer, routers| {
            let ferrovia = findings.speed_of(row, ours, row.routers())?;
            let other = findings.speed_of(row, peer, routers)?;
            Some(ferrovia.ratios(other, |sample| sample.cpu_micros))
        };
        let ratios = match self {
            Self::Cpu(row, peer) => cpu(row, peer, row.routers()),
            Self::ManyRouters(row) => cpu(row, ours, Routers::One),
            Self::RoutersMemory(peer) => findings
                .routers_bytes(ours)
                .zip(findings.routers_bytes(peer))
                .map(|(ours, theirs)| vec![ours / theirs]),
        };
        ratios.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::findings::tests::speed;

    fn check(ours: &[f64], theirs: &[f64], expected: &str) {
        let findings = Findings {
            speed: vec![
                speed(Peer::Ferrovia, Row::Tls, ours),
                speed(Peer::Nginx, Row::Tls, theirs),
            ],
            ..Findings::default()
        };
        let lines = lines(&findings);
        assert!(lines.iter().any(|line| line == expected), "{lines:?}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("not measured")).count(), 9);
    }

    #[test]
    fn compares_the_ratio_with_the_goal() {
        check(&[9.0], &[10.0], "reached: tls to nginx 0.900 ≤ 0.92");
        check(&[10.0], &[10.0], "missed: tls to nginx 1.000 > 0.92");
        let rounds = "reached: tls to nginx 0.850 ≤ 0.92 (rounds from 0.80 to 0.90)";
        check(&[8.0, 9.0], &[10.0, 10.0], rounds);
    }
}
