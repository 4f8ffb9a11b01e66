//! What is measured: the rows of the table and the requests that each sends.

/// One row of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// HTTP/1.1 with keep-alive, small responses.
    Http1,
    /// The same over TLS 1.3.
    Tls,
    /// One full TLS handshake and one request per connection.
    Handshake,
    /// HTTP/1.1 with keep-alive, responses of 1 MiB.
    Body1m,
    /// 10,000 routers, one Host each.
    Routers10k,
    /// 10,000 routers, Host and PathPrefix each: 100 hosts with 100 paths.
    Routers10kHostpath,
    /// 10,000 routers, one PathPrefix each under one host.
    Routers10kPath,
    /// Resident memory with many routers and many idle connections.
    Memory,
}

impl Row {
    pub(super) const ALL: [Self; 8] = [
        Self::Http1,
        Self::Tls,
        Self::Handshake,
        Self::Body1m,
        Self::Routers10k,
        Self::Routers10kHostpath,
        Self::Routers10kPath,
        Self::Memory,
    ];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|row| row.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Tls => "tls",
            Self::Handshake => "handshake",
            Self::Body1m => "body1m",
            Self::Routers10k => "routers10k",
            Self::Routers10kHostpath => "routers10k-hostpath",
            Self::Routers10kPath => "routers10k-path",
            Self::Memory => "memory",
        }
    }

    /// All rows but memory measure processor time per request.
    pub(super) fn is_speed(self) -> bool {
        self != Self::Memory
    }

    /// The routing table that the row needs.
    pub(super) fn routers(self) -> Routers {
        match self {
            Self::Routers10k | Self::Memory => Routers::Hosts,
            Self::Routers10kHostpath => Routers::HostPaths,
            Self::Routers10kPath => Routers::Paths,
            Self::Http1 | Self::Tls | Self::Handshake | Self::Body1m => Routers::One,
        }
    }

    /// The requests that the load repeats in this order.
    pub(super) fn requests(self, routers: Routers) -> Vec<Request> {
        match self {
            Self::Body1m => vec![Request { host: HOST.to_owned(), path: BODY_PATH.to_owned() }],
            Self::Http1 | Self::Tls | Self::Handshake => vec![routers.request(0)],
            // The one router takes every path of its host: both tables are asked the same, since a
            // longer path costs a little wherever it is looked up.
            Self::Routers10kPath => {
                (0..SPREAD).map(|index| Routers::Paths.request(spread(index))).collect()
            }
            Self::Routers10k | Self::Routers10kHostpath | Self::Memory => {
                (0..SPREAD).map(|index| routers.request(spread(index))).collect()
            }
        }
    }
}

/// A routing table by its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Routers {
    One,
    Hosts,
    HostPaths,
    Paths,
}

impl Routers {
    /// How many routers the table has.
    pub(super) fn count(self) -> usize {
        if self == Self::One { 1 } else { MANY }
    }

    /// The rule of router `index`, in Traefik's rule language.
    pub(super) fn rule(self, index: usize) -> String {
        let Request { host, path } = self.request(index);
        match self {
            Self::One | Self::Hosts => format!("Host(`{host}`)"),
            Self::HostPaths | Self::Paths => format!("Host(`{host}`) && PathPrefix(`{path}`)"),
        }
    }

    /// A request that only router `index` accepts.
    pub(super) fn request(self, index: usize) -> Request {
        let (host, path) = match self {
            Self::One => (HOST.to_owned(), "/".to_owned()),
            Self::Hosts => (format!("host-{index:05}.{HOST}"), "/".to_owned()),
            Self::HostPaths => (
                format!("host-{:05}.{HOST}", index / PATHS_PER_HOST),
                format!("/path-{:05}", index % PATHS_PER_HOST),
            ),
            Self::Paths => (HOST.to_owned(), format!("/path-{index:05}")),
        };
        Request { host, path }
    }
}

/// A GET request of the load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) host: String,
    pub(super) path: String,
}

/// The router that request `index` of the spread set asks for: far from its neighbours, so that
/// neither the order of the table nor the cache favours anyone.
fn spread(index: usize) -> usize {
    // 7919 is prime and does not divide MANY, so the first MANY indexes are all different.
    (index * 7919 + 37) % MANY
}

/// The host name that all proxies serve.
pub(super) const HOST: &str = "bench.test";
/// Where the upstream servers have their large response.
pub(super) const BODY_PATH: &str = "/body1m";
const MANY: usize = 10_000;
const PATHS_PER_HOST: usize = 100;
const SPREAD: usize = 64;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_read_back() {
        for row in Row::ALL {
            assert_eq!(Row::from_name(row.name()), Some(row));
        }
    }

    #[test]
    fn rules_of_a_table_differ() {
        for routers in [Routers::Hosts, Routers::HostPaths, Routers::Paths] {
            let rules: HashSet<_> = (0..MANY).map(|index| routers.rule(index)).collect();
            assert_eq!(rules.len(), MANY);
        }
    }

    #[test]
    fn spread_requests_reach_different_routers() {
        let requests = Row::Routers10kHostpath.requests(Routers::HostPaths);
        let hosts: HashSet<_> = requests.iter().map(|request| &request.host).collect();
        assert_eq!(requests.len(), SPREAD);
        assert!(hosts.len() > SPREAD / 3, "{}", hosts.len());
    }
}
