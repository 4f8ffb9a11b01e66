//! Active health checks: asks servers whether they are well, as Traefik does.
//!
//! Servers start up. Those that are up are asked every `interval`, the others every
//! `unhealthyInterval`. Unlike Traefik's, checks and their findings outlive a reload as long as the
//! service is the same.

mod check;
mod reference;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use balance::Moment;
use config::dynamic::ServerHealthCheck;
use routing::compile::HealthChecked;
use routing::{LoadBalancer, Server, Service, Transport};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::MissedTickBehavior;

use self::check::Check;

/// The checks that run.
#[derive(Default)]
pub(crate) struct Checks {
    running: HashMap<Arc<str>, Running>,
}

struct Running {
    service: Arc<Service>,
    settings: ServerHealthCheck,
    task: AbortHandle,
}

impl Checks {
    /// Starts, keeps and ends checks so that they are those of these load balancers. Must be
    /// called within a tokio runtime.
    pub(crate) fn set(&mut self, checked: &[HealthChecked]) {
        let mut before = std::mem::take(&mut self.running);
        for HealthChecked { service, settings } in checked {
            let Some(balancer) = balancer(service) else { continue };
            let known = before.remove(&service.name);
            if let Some(running) = known {
                if running.settings == *settings && has_same_servers(&running.service, service) {
                    self.running.insert(Arc::clone(&service.name), running);
                    continue;
                }
                running.task.abort();
            }
            if settings.mode == GRPC {
                tracing::warn!(
                    service = &*service.name,
                    "health checks with mode grpc are not supported yet; its servers are not checked"
                );
                balancer.servers.iter().for_each(|server| set_up_again(server));
                continue;
            }
            let task = tokio::spawn(run(service.name.clone(), settings.clone(), balancer));
            let running = Running {
                service: Arc::clone(service),
                settings: settings.clone(),
                task: task.abort_handle(),
            };
            self.running.insert(Arc::clone(&service.name), running);
        }
        // Nobody would ever find out that these are well again.
        for running in before.into_values() {
            running.task.abort();
            for server in self::balancer(&running.service).iter().flat_map(|b| &b.servers) {
                set_up_again(server);
            }
        }
    }
}

impl Drop for Checks {
    fn drop(&mut self) {
        self.running.values().for_each(|running| running.task.abort());
    }
}

fn balancer(service: &Service) -> Option<&LoadBalancer> {
    service.load_balancer()
}

fn now() -> Moment {
    Moment::of(Instant::now())
}

fn has_same_servers(left: &Arc<Service>, right: &Arc<Service>) -> bool {
    if Arc::ptr_eq(left, right) {
        return true;
    }
    let (Some(left), Some(right)) = (balancer(left), balancer(right)) else { return false };
    Arc::ptr_eq(&left.transport, &right.transport)
        && left.servers.len() == right.servers.len()
        && left.servers.iter().zip(&right.servers).all(|(left, right)| Arc::ptr_eq(left, right))
}

fn set_up_again(server: &Server) {
    server.health.set_up(now());
}

/// Checks the servers of one load balancer for ever.
fn run(
    service: Arc<str>,
    settings: ServerHealthCheck,
    balancer: &LoadBalancer,
) -> impl Future<Output = ()> + Send + use<> {
    let servers: Vec<Arc<Server>> = balancer.servers.to_vec();
    let transport = Arc::clone(&balancer.transport);
    async move {
        let interval = positive(settings.interval, INTERVAL, &service, "interval");
        let unhealthy_interval = match settings.unhealthy_interval {
            None => interval,
            Some(interval) => positive(interval, INTERVAL, &service, "unhealthyInterval"),
        };
        let timeout = positive(settings.timeout, TIMEOUT, &service, "timeout");
        let checker =
            Checker { service, settings: Arc::new(settings), servers, transport, timeout };
        // The two kinds do not wait for each other.
        tokio::join!(checker.watch(true, interval), checker.watch(false, unhealthy_interval));
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

struct Checker {
    service: Arc<str>,
    settings: Arc<ServerHealthCheck>,
    servers: Vec<Arc<Server>>,
    transport: Arc<Transport>,
    timeout: Duration,
}

impl Checker {
    /// Asks those servers that are up, or those that are not. The first time is after one interval.
    async fn watch(&self, is_up: bool, interval: Duration) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            ticks.tick().await;
            let mut asked = JoinSet::new();
            for server in self.servers.iter().filter(|server| server.health.is_up(now()) == is_up) {
                if asked.len() >= CONCURRENT_MAX {
                    asked.join_next().await;
                }
                asked.spawn(ask(
                    Arc::clone(&self.service),
                    Arc::clone(&self.settings),
                    Arc::clone(&self.transport),
                    Arc::clone(server),
                    self.timeout,
                ));
            }
            while asked.join_next().await.is_some() {}
        }
    }
}

/// Asks one server and records what it says.
async fn ask(
    service: Arc<str>,
    settings: Arc<ServerHealthCheck>,
    transport: Arc<Transport>,
    server: Arc<Server>,
    timeout: Duration,
) {
    let check = Check { settings: &settings, transport: &transport, server: &server };
    let result = match tokio::time::timeout(timeout, check.run()).await {
        Ok(result) => result,
        Err(_) => Err(format!("no answer within {timeout:?}")),
    };
    let has_changed = match result {
        Ok(()) => server.health.set_up(now()),
        Err(_) => server.health.set_down(now()),
    };
    let (service, server) = (&*service, &*server.url);
    match result {
        Ok(()) if has_changed => tracing::info!(service, server, "server is up"),
        Ok(()) => {}
        Err(error) if has_changed => tracing::warn!(service, server, error, "server is down"),
        Err(error) => tracing::debug!(service, server, error, "server is still down"),
    }
}

const GRPC: &str = "grpc";
/// Traefik's defaults.
const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(5);
/// Servers of one service that are asked at the same time.
const CONCURRENT_MAX: usize = 16;
