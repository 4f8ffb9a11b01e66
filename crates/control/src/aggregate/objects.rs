//! Names of objects and the tables they live in.

use std::collections::BTreeSet;
use std::fmt;

use config::decode_dynamic::Kind;
use config::dynamic::Named;

use super::Merged;

/// Names one object of the merged configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id {
    pub(crate) kind: Kind,
    /// `name@provider`; only the default TLS options and store have no provider.
    pub(crate) name: String,
}

impl Id {
    pub(crate) fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }

    /// Names the object `name` of a provider.
    pub(crate) fn of_provider(kind: Kind, name: &str, provider: &str) -> Self {
        let is_shared = matches!(kind, Kind::TlsOptions | Kind::TlsStore) && name == DEFAULT;
        if is_shared {
            return Self::new(kind, name);
        }
        Self::new(kind, format!("{name}@{provider}"))
    }
}

/// As users know it: `router "web@file"`.
impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:?}", self.kind, self.name)
    }
}

/// What the run before had in force.
pub(crate) struct Previous<'a> {
    pub(crate) merged: &'a Merged,
    /// What was broken in it.
    pub(crate) broken: &'a BTreeSet<Id>,
}

impl Previous<'_> {
    /// Tells whether there is a good version of the object.
    pub(crate) fn has_good(&self, id: &Id) -> bool {
        self.merged.has(id) && !self.broken.contains(id)
    }
}

impl Merged {
    /// Tells whether the object exists.
    pub(crate) fn has(&self, id: &Id) -> bool {
        let Self { routers, configuration, .. } = self;
        let (http, tcp, udp) = (&configuration.http, &configuration.tcp, &configuration.udp);
        let name = &id.name;
        match id.kind {
            Kind::Router => routers.contains_key(name),
            Kind::Service => http.services.contains_key(name),
            Kind::Middleware => http.middlewares.contains_key(name),
            Kind::ServersTransport => http.servers_transports.contains_key(name),
            Kind::TcpRouter => tcp.routers.contains_key(name),
            Kind::TcpService => tcp.services.contains_key(name),
            Kind::TcpMiddleware => tcp.middlewares.contains_key(name),
            Kind::TcpServersTransport => tcp.servers_transports.contains_key(name),
            Kind::UdpRouter => udp.routers.contains_key(name),
            Kind::UdpService => udp.services.contains_key(name),
            Kind::TlsOptions => configuration.tls.options.contains_key(name),
            Kind::TlsStore => configuration.tls.stores.contains_key(name),
            Kind::Certificate => false,
        }
    }

    /// Tells whether the object is the same in both, or missing in both.
    pub(crate) fn is_same(&self, other: &Self, id: &Id) -> bool {
        let name = &id.name;
        let (mine, others) = (&self.configuration, &other.configuration);
        match id.kind {
            Kind::Router => self.routers.get(name) == other.routers.get(name),
            Kind::Service => mine.http.services.get(name) == others.http.services.get(name),
            Kind::Middleware => {
                mine.http.middlewares.get(name) == others.http.middlewares.get(name)
            }
            Kind::ServersTransport => {
                mine.http.servers_transports.get(name) == others.http.servers_transports.get(name)
            }
            Kind::TlsOptions => mine.tls.options.get(name) == others.tls.options.get(name),
            Kind::TlsStore => mine.tls.stores.get(name) == others.tls.stores.get(name),
            // Nothing asks: these are not compiled yet, so that none of them is ever broken.
            Kind::TcpRouter
            | Kind::TcpService
            | Kind::TcpMiddleware
            | Kind::TcpServersTransport
            | Kind::UdpRouter
            | Kind::UdpService
            | Kind::Certificate => true,
        }
    }

    /// Puts the other's version of the object in the place of the own one.
    pub(crate) fn take_over(&mut self, other: &Self, id: &Id) {
        let name = id.name.as_str();
        let Self { routers, configuration: mine, .. } = self;
        let others = &other.configuration;
        match id.kind {
            Kind::Router => copy(name, routers, &other.routers),
            Kind::Service => copy(name, &mut mine.http.services, &others.http.services),
            Kind::Middleware => copy(name, &mut mine.http.middlewares, &others.http.middlewares),
            Kind::ServersTransport => {
                let named = &others.http.servers_transports;
                copy(name, &mut mine.http.servers_transports, named);
            }
            Kind::TcpRouter => copy(name, &mut mine.tcp.routers, &others.tcp.routers),
            Kind::TcpService => copy(name, &mut mine.tcp.services, &others.tcp.services),
            Kind::TcpMiddleware => copy(name, &mut mine.tcp.middlewares, &others.tcp.middlewares),
            Kind::TcpServersTransport => {
                let named = &others.tcp.servers_transports;
                copy(name, &mut mine.tcp.servers_transports, named);
            }
            Kind::UdpRouter => copy(name, &mut mine.udp.routers, &others.udp.routers),
            Kind::UdpService => copy(name, &mut mine.udp.services, &others.udp.services),
            Kind::TlsOptions => copy(name, &mut mine.tls.options, &others.tls.options),
            Kind::TlsStore => copy(name, &mut mine.tls.stores, &others.tls.stores),
            Kind::Certificate => {}
        }
    }
}

/// Gives `name` the provider of the object that refers to it, unless it has one.
pub(crate) fn qualify(name: &str, owner: &str) -> String {
    match owner.rsplit_once('@') {
        Some((_, provider)) if !name.contains('@') => format!("{name}@{provider}"),
        _ => name.to_owned(),
    }
}

/// The name without provider, and the provider.
pub(crate) fn provider_of(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once('@') {
        Some((name, provider)) => (name, Some(provider)),
        None => (name, None),
    }
}

fn copy<T: Clone>(name: &str, into: &mut Named<T>, from: &Named<T>) {
    if let Some(object) = from.get(name) {
        into.insert(name.to_owned(), object.clone());
    }
}

/// The name of TLS options and stores that is never qualified.
pub(crate) const DEFAULT: &str = "default";
