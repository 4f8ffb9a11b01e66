//! Active health checks: asks servers whether they are well, as Traefik does.
//!
//! Servers start up. Those that are up are asked every `interval`, the others every
//! `unhealthyInterval`. Unlike Traefik's, a server's check and its findings outlive every reload
//! in which neither the server nor the check has changed, whatever becomes of its neighbours.

mod check;
mod http2;
mod reference;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use balance::{Moment, Streak};
use config::dynamic::ServerHealthCheck;
use routing::{HealthCheck, Server, Service, Transport};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use self::check::Check;

/// The checks that run.
pub(crate) struct Checks {
    running: HashMap<Key, Running>,
    /// Limits how many servers are asked at the same time.
    permits: Arc<Semaphore>,
}

/// The service's name and the server's id; a server may stand twice in a service.
type Key = (Arc<str>, u64);

struct Running {
    server: Arc<Server>,
    settings: ServerHealthCheck,
    transport: Arc<Transport>,
    task: AbortHandle,
}

impl Default for Checks {
    fn default() -> Self {
        Self { running: HashMap::new(), permits: Arc::new(Semaphore::new(CONCURRENT_MAX)) }
    }
}

impl Checks {
    /// Starts, keeps and ends checks so that they are those of these services. Must be called
    /// within a tokio runtime.
    pub(crate) fn set(&mut self, services: &[Arc<Service>]) {
        let mut before = std::mem::take(&mut self.running);
        for service in services {
            let Some(balancer) = service.load_balancer() else { continue };
            let Some(check) = &balancer.health_check else { continue };
            let has_changed = |running: &Running| {
                running.settings != check.settings
                    || !Arc::ptr_eq(&running.transport, &balancer.transport)
            };
            let mut times = None;
            for server in &balancer.servers {
                let key = (Arc::clone(&service.name), server.id);
                if self.running.contains_key(&key) {
                    continue;
                }
                let running = match before.remove(&key) {
                    Some(running) if !has_changed(&running) => running,
                    replaced => {
                        if let Some(replaced) = replaced {
                            replaced.task.abort();
                        }
                        let checker = Checker {
                            service: Arc::clone(&service.name),
                            check: Arc::clone(check),
                            server: Arc::clone(server),
                            transport: Arc::clone(&balancer.transport),
                            times: *times
                                .get_or_insert_with(|| Times::of(&check.settings, &service.name)),
                            permits: Arc::clone(&self.permits),
                        };
                        Running {
                            server: Arc::clone(server),
                            settings: check.settings.clone(),
                            transport: Arc::clone(&balancer.transport),
                            task: tokio::spawn(checker.run()).abort_handle(),
                        }
                    }
                };
                self.running.insert(key, running);
            }
        }
        // Nobody would ever find out that these are well again.
        for running in before.into_values() {
            running.task.abort();
            running.server.health.set_up(now());
        }
    }
}

impl Drop for Checks {
    fn drop(&mut self) {
        self.running.values().for_each(|running| running.task.abort());
    }
}

fn now() -> Moment {
    Moment::of(Instant::now())
}

/// When a server is asked.
#[derive(Clone, Copy)]
struct Times {
    interval: Duration,
    unhealthy_interval: Duration,
    timeout: Duration,
}

impl Times {
    fn of(settings: &ServerHealthCheck, service: &str) -> Self {
        let interval = positive(settings.interval, INTERVAL, service, "interval");
        let unhealthy_interval = match settings.unhealthy_interval {
            None => interval,
            Some(interval) => positive(interval, INTERVAL, service, "unhealthyInterval"),
        };
        let timeout = positive(settings.timeout, TIMEOUT, service, "timeout");
        Self { interval, unhealthy_interval, timeout }
    }
}

/// As in Traefik, what cannot be an interval gives way to the default.
fn positive(
    value: config::Duration,
    default: Duration,
    service: &str,
    setting: &'static str,
) -> Duration {
    if value.as_std().is_zero() {
        tracing::error!(
            service,
            setting,
            "health check: {setting} is not above zero, the default is used"
        );
        return default;
    }
    value.as_std()
}

/// Tells whether this process cannot open anything, for which no server is to blame.
fn has_no_descriptor() -> bool {
    std::fs::File::open("/dev/null").is_err_and(|error| error.kind() != io::ErrorKind::NotFound)
}

/// Asks one server.
struct Checker {
    service: Arc<str>,
    check: Arc<HealthCheck>,
    server: Arc<Server>,
    transport: Arc<Transport>,
    times: Times,
    permits: Arc<Semaphore>,
}

impl Checker {
    /// Asks for ever. The first time is after one interval.
    async fn run(self) {
        let settings = &self.check.settings;
        let mut streak = Streak::new(settings.rise, settings.fall);
        let mut began = tokio::time::Instant::now();
        loop {
            let is_up = self.server.health.is_up(now());
            let interval = if is_up { self.times.interval } else { self.times.unhealthy_interval };
            tokio::time::sleep_until(began + interval).await;
            let Ok(permit) = self.permits.acquire().await else { return };
            began = tokio::time::Instant::now();
            let finding = self.ask().await;
            drop(permit);
            match finding {
                Err(error) if has_no_descriptor() => {
                    let (service, server) = (&*self.service, &*self.server.url);
                    tracing::debug!(service, server, error, "no descriptor is left to ask with");
                }
                finding => self.settle(finding, &mut streak),
            }
        }
    }

    /// The error says why the server is not well.
    async fn ask(&self) -> Result<(), String> {
        let check = Check { check: &self.check, transport: &self.transport, server: &self.server };
        let timeout = self.times.timeout;
        match tokio::time::timeout(timeout, check.run()).await {
            Ok(finding) => finding,
            Err(_) => Err(format!("no answer within {timeout:?}")),
        }
    }

    /// Takes the server in or out if that many findings say so.
    fn settle(&self, finding: Result<(), String>, streak: &mut Streak) {
        let health = &self.server.health;
        let (service, server) = (&*self.service, &*self.server.url);
        let is_up = health.is_up(now());
        let changes = streak.add(finding.is_ok(), is_up);
        match finding {
            Ok(()) if changes => {
                health.set_up(now());
                tracing::info!(service, server, "server is up");
            }
            Ok(()) => {}
            Err(error) if changes => {
                health.set_down(now());
                tracing::warn!(service, server, error, "server is down");
            }
            Err(error) if is_up => tracing::debug!(service, server, error, "server is not well"),
            Err(error) => {
                // It may have been out for a while only.
                health.set_down(now());
                tracing::debug!(service, server, error, "server is still down");
            }
        }
    }
}

/// Traefik's defaults.
const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(5);
/// Servers that are asked at the same time.
const CONCURRENT_MAX: usize = 256;
