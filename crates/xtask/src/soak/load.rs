//! Connections that never rest, and what they saw.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Expected;
use super::phase::Phase;
use super::site::{Ask, PATH};
use crate::client::Client;
use crate::latency::Histogram;
use crate::proxy::Proxy;

/// Threads that send requests over keep-alive connections and check every answer.
pub(super) struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Vec<Histogram>>>,
    started: Instant,
}

/// What a load came to.
pub(super) struct Totals {
    pub(super) answered: u64,
    failed: u64,
    failures: Vec<String>,
    latencies: Vec<Histogram>,
    took: Duration,
}

struct Shared {
    expected: Expected,
    address: SocketAddr,
    phase: AtomicU8,
    stops: AtomicBool,
    answered: AtomicU64,
    failed: AtomicU64,
    /// The first ones, as text.
    failures: Mutex<Vec<String>>,
}

impl Load {
    /// Starts sending.
    pub(super) fn start(address: SocketAddr, expected: &Expected, connections: usize) -> Self {
        let shared = Arc::new(Shared {
            expected: Arc::clone(expected),
            address,
            phase: AtomicU8::new(Phase::Before as u8),
            stops: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            failures: Mutex::default(),
        });
        let start = |index: usize| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.send_all(index as u64))
        };
        let threads = (0..connections).map(start).collect();
        Self { shared, threads, started: Instant::now() }
    }

    /// Says what goes on from now on.
    pub(super) fn enter(&self, phase: Phase) {
        self.shared.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Waits until so many more requests are answered. Fails when the proxy is gone.
    pub(super) fn answer(&self, count: u64, proxy: &mut Proxy) -> anyhow::Result<()> {
        self.answer_until(self.shared.answered.load(Ordering::Relaxed) + count, proxy)
    }

    /// Waits until so many requests are answered in all. Fails when the proxy is gone.
    pub(super) fn answer_until(&self, total: u64, proxy: &mut Proxy) -> anyhow::Result<()> {
        while self.shared.answered.load(Ordering::Relaxed) < total {
            proxy.check_running()?;
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Ends the load after the requests that are under way.
    pub(super) fn stop(self) -> Totals {
        self.shared.stops.store(true, Ordering::Relaxed);
        let mut latencies = vec![Histogram::new(); Phase::ALL.len()];
        for thread in self.threads {
            let of_thread = thread.join().expect("a thread of the load does not panic");
            for (all, one) in latencies.iter_mut().zip(&of_thread) {
                all.merge(one);
            }
        }
        let shared = &self.shared;
        let failures = shared.failures.lock().unwrap_or_else(PoisonError::into_inner);
        Totals {
            answered: shared.answered.load(Ordering::Relaxed),
            failed: shared.failed.load(Ordering::Relaxed),
            failures: failures.clone(),
            latencies,
            took: self.started.elapsed(),
        }
    }
}

impl Totals {
    /// The failed requests, as problems.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = self.failures.clone();
        if self.failed > 0 {
            problems.push(format!("{} requests failed", self.failed));
        }
        problems
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_second = self.answered as f64 / self.took.as_secs_f64();
        write!(
            f,
            "  {} requests answered ({per_second:.0} per second), {} failed",
            self.answered, self.failed
        )?;
        for (phase, latencies) in Phase::ALL.iter().zip(&self.latencies) {
            if latencies.count() > 0 {
                write!(
                    f,
                    "\n  {:<16}{:>9} requests, p50 {:>8.2?}, p99 {:>8.2?}, p99.9 {:>8.2?}, max {:>8.2?}",
                    phase.name(),
                    latencies.count(),
                    latencies.quantile(0.5),
                    latencies.quantile(0.99),
                    latencies.quantile(0.999),
                    latencies.max(),
                )?;
            }
        }
        Ok(())
    }
}

impl Shared {
    /// Sends requests until told to stop.
    fn send_all(&self, thread: u64) -> Vec<Histogram> {
        let mut latencies = vec![Histogram::new(); Phase::ALL.len()];
        // Each thread begins elsewhere; half of them take a new connection now and then.
        let mut number = thread * 1_000_003;
        let lifetime = if thread.is_multiple_of(2) { u64::MAX } else { REQUESTS_PER_CONNECTION };
        while !self.stops.load(Ordering::Relaxed) {
            if let Err(failure) = self.send_over_one(&mut number, lifetime, &mut latencies) {
                self.failed.fetch_add(1, Ordering::Relaxed);
                let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
                if failures.len() < FAILURES_SHOWN {
                    failures.push(format!("{failure:#}"));
                }
                drop(failures);
                // A proxy that is gone shall not be asked a million times.
                thread::sleep(Duration::from_millis(5));
            }
        }
        latencies
    }

    /// Sends requests over one connection until its time is over or something is wrong.
    fn send_over_one(
        &self,
        number: &mut u64,
        lifetime: u64,
        latencies: &mut [Histogram],
    ) -> anyhow::Result<()> {
        let failed = |ask, failure| anyhow::anyhow!("{ask:?}: {failure}");
        let mut client = Client::connect(self.address)
            .map_err(|failure| failed(Ask::of_number(*number), failure))?;
        for _ in 0..lifetime {
            if self.stops.load(Ordering::Relaxed) {
                return Ok(());
            }
            *number += 1;
            let ask = Ask::of_number(*number);
            let host = ask.host();
            let live = self.expected.live(ask);
            let phase = self.phase.load(Ordering::Relaxed);
            let asked = Instant::now();
            let answer = client.get(&host, PATH).map_err(|failure| failed(ask, failure))?;
            let took = asked.elapsed();
            self.expected.judge(ask, live, &answer)?;
            latencies[usize::from(phase)].add(took);
            self.answered.fetch_add(1, Ordering::Relaxed);
            if answer.closes {
                return Ok(());
            }
        }
        Ok(())
    }
}

const REQUESTS_PER_CONNECTION: u64 = 500;
const FAILURES_SHOWN: usize = 20;
