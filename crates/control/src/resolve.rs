//! Addresses of servers that are named by host names.
//!
//! The data plane never asks for a name: it finds addresses in the servers. They are there before
//! a server is first published, as far as the resolver answers in time, and are asked for again
//! regularly. An answer that fails leaves the last good one in use.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use routing::Server;
use tokio::sync::Semaphore;

/// Knows the addresses of hosts and the servers that want them.
#[derive(Default)]
pub(crate) struct Resolver {
    hosts: Mutex<HashMap<Arc<str>, Host>>,
}

#[derive(Default)]
struct Host {
    servers: Vec<Arc<Server>>,
    /// The last good answer, in the resolver's order.
    addresses: Vec<IpAddr>,
    /// Why the last question failed.
    failure: Option<String>,
}

impl Resolver {
    /// Takes the servers of the next snapshot. Hosts that were never asked for are asked for now,
    /// all at once, and waited for at most `bound`; answers that come later still count.
    pub(crate) async fn serve(self: &Arc<Self>, servers: &[Arc<Server>], bound: Duration) {
        let unknown = self.take(servers);
        let lookups: Vec<_> = unknown
            .into_iter()
            .map(|host| {
                let resolver = Arc::clone(self);
                tokio::spawn(async move { resolver.ask(&host).await })
            })
            .collect();
        let all = async {
            for lookup in lookups {
                let _ = lookup.await;
            }
        };
        let _ = tokio::time::timeout(bound, all).await;
    }

    /// Asks for all hosts again and again, for ever.
    pub(crate) async fn refresh(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(REFRESH_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        ticks.tick().await;
        let places = Arc::new(Semaphore::new(CONCURRENT_MAX));
        loop {
            ticks.tick().await;
            let hosts: Vec<Arc<str>> = self.lock().keys().cloned().collect();
            let mut lookups = Vec::with_capacity(hosts.len());
            for host in hosts {
                let (resolver, places) = (Arc::clone(&self), Arc::clone(&places));
                lookups.push(tokio::spawn(async move {
                    let _place = places.acquire().await;
                    resolver.ask(&host).await;
                }));
            }
            for lookup in lookups {
                let _ = lookup.await;
            }
        }
    }

    /// Takes the servers over and gives the hosts that are new.
    fn take(&self, servers: &[Arc<Server>]) -> Vec<Arc<str>> {
        let mut hosts = self.lock();
        let mut before = std::mem::take(&mut *hosts);
        let mut unknown = Vec::new();
        for server in servers.iter().filter(|server| server.host.parse::<IpAddr>().is_err()) {
            let host = hosts.entry(Arc::clone(&server.host)).or_insert_with(|| {
                let known = before.remove(&server.host);
                if known.is_none() {
                    unknown.push(Arc::clone(&server.host));
                }
                Host { servers: Vec::new(), ..known.unwrap_or_default() }
            });
            host.servers.push(Arc::clone(server));
            if server.addresses.load().is_empty() && !host.addresses.is_empty() {
                set_addresses(server, &host.addresses);
            }
        }
        unknown
    }

    async fn ask(&self, host: &str) {
        let answer = tokio::net::lookup_host((host, 0)).await;
        let answer = answer.map(|found| {
            let mut seen = BTreeSet::new();
            found.map(|address| address.ip()).filter(|ip| seen.insert(*ip)).collect::<Vec<_>>()
        });
        match answer {
            Ok(addresses) if !addresses.is_empty() => self.succeed(host, addresses),
            Ok(_) => self.fail(host, "no addresses".to_owned()),
            Err(error) => self.fail(host, error.to_string()),
        }
    }

    fn succeed(&self, name: &str, addresses: Vec<IpAddr>) {
        let mut hosts = self.lock();
        let Some(host) = hosts.get_mut(name) else { return };
        let had_failed = host.failure.take().is_some();
        // Resolvers rotate their answers.
        let sorted = |addresses: &[IpAddr]| addresses.iter().copied().collect::<BTreeSet<_>>();
        if sorted(&host.addresses) == sorted(&addresses) {
            if had_failed {
                tracing::info!(host = name, "host name is known again");
            }
            return;
        }
        if !host.addresses.is_empty() || had_failed {
            tracing::info!(host = name, ?addresses, before = ?host.addresses, "addresses changed");
        } else {
            tracing::debug!(host = name, ?addresses, "addresses found");
        }
        for server in &host.servers {
            set_addresses(server, &addresses);
        }
        host.addresses = addresses;
    }

    fn fail(&self, name: &str, error: String) {
        let mut hosts = self.lock();
        let Some(host) = hosts.get_mut(name) else { return };
        if host.failure.is_none() {
            let kept = host.addresses.len();
            tracing::warn!(host = name, error, kept, "cannot resolve host name");
        }
        host.failure = Some(error);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Host>> {
        // No code that can panic runs while the lock is held.
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set_addresses(server: &Server, addresses: &[IpAddr]) {
    let addresses = addresses.iter().map(|ip| SocketAddr::new(*ip, server.port)).collect();
    server.addresses.store(Arc::new(addresses));
}

const REFRESH_INTERVAL: Duration = Duration::from_secs(10);
/// Each lookup holds a thread while it lasts.
const CONCURRENT_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use arc_swap::ArcSwap;
    use http::HeaderValue;
    use routing::Scheme;

    use super::*;

    fn server(host: &str, port: u16) -> Arc<Server> {
        Arc::new(Server {
            url: format!("http://{host}:{port}").into(),
            scheme: Scheme::Http,
            host: host.into(),
            port,
            host_header: HeaderValue::from_static("x"),
            base_path: None,
            health: balance::Health::default(),
            load: balance::Load::default(),
            addresses: ArcSwap::default(),
            id: 1,
        })
    }

    /// Expects these addresses.
    fn check(server: &Server, expected: &[&str]) {
        let addresses: Vec<_> = server.addresses.load().iter().map(ToString::to_string).collect();
        assert_eq!(addresses, expected);
    }

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    #[tokio::test]
    async fn a_name_is_resolved_before_it_is_served() {
        let resolver = Arc::new(Resolver::default());
        let server = server("localhost", 81);
        resolver.serve(&[Arc::clone(&server)], Duration::from_secs(60)).await;
        let addresses = server.addresses.load();
        assert!(addresses.iter().all(|address| address.ip().is_loopback()));
        assert!(addresses.iter().all(|address| address.port() == 81));
        assert!(!addresses.is_empty());
    }

    #[test]
    fn a_failed_answer_leaves_the_last_good_one() {
        let resolver = Resolver::default();
        let first = server("app", 80);
        assert_eq!(resolver.take(&[Arc::clone(&first)]), ["app".into()]);
        resolver.succeed("app", ips(&["10.0.0.2", "10.0.0.1"]));
        check(&first, &["10.0.0.2:80", "10.0.0.1:80"]);
        resolver.succeed("app", ips(&["10.0.0.1", "10.0.0.2"]));
        check(&first, &["10.0.0.2:80", "10.0.0.1:80"]);
        resolver.fail("app", "no answer".to_owned());
        check(&first, &["10.0.0.2:80", "10.0.0.1:80"]);
        resolver.succeed("app", ips(&["10.0.0.3"]));
        check(&first, &["10.0.0.3:80"]);
    }

    #[test]
    fn a_new_server_of_a_known_host_need_not_wait() {
        let resolver = Resolver::default();
        resolver.take(&[server("app", 80)]);
        resolver.succeed("app", ips(&["10.0.0.1"]));
        let second = server("app", 90);
        assert!(resolver.take(&[Arc::clone(&second)]).is_empty());
        check(&second, &["10.0.0.1:90"]);
    }

    #[test]
    fn addresses_need_no_resolver() {
        let resolver = Resolver::default();
        assert!(resolver.take(&[server("127.0.0.1", 80), server("::1", 80)]).is_empty());
    }
}
