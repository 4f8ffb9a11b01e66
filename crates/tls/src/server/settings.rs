//! hot path
//!
//! Which TLS options a client gets.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::ServerConfig;

use crate::hosts::{Hosts, canonical};

use super::options::{Options, ServerConfigs};
use super::resolver::Resolver;

/// Everything needed to accept TLS on one entry point. Immutable.
pub struct ServerSettings {
    /// `None`: refused.
    hosts: Hosts<Option<Arc<Options>>>,
    /// For every other name, and for none.
    default: Option<Arc<Options>>,
}

/// What a ClientHello gets.
#[derive(Clone, Debug)]
pub enum Selected {
    Options {
        /// The name of the options, for the 421 rule.
        name: Arc<str>,
        config: Arc<ServerConfig>,
    },
    Refused(Refusal),
}

/// Why a client is turned away before the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The host's TLS options are broken or do not exist. Traefik closes the connection.
    BrokenOptions,
    /// `sniStrict`, and no certificate has the name.
    UnrecognizedName,
}

impl ServerSettings {
    /// Binds hosts to options.
    ///
    /// A host is a name, `*.name` for one label before it, or `*` for every name and none; of
    /// several entries for one host the first counts. Options that are `None`, broken or unknown
    /// refuse their host, and only that. Hosts that are not listed get the options `default`.
    pub fn new(
        configs: &ServerConfigs,
        hosts: impl IntoIterator<Item = (String, Option<String>)>,
    ) -> Self {
        let hosts = hosts
            .into_iter()
            .map(|(host, name)| (host, name.and_then(|name| configs.find(&name)).cloned()));
        Self { hosts: Hosts::new(hosts), default: configs.find("default").cloned() }
    }

    /// Chooses what a ClientHello gets.
    ///
    /// `server_name` is as in the SNI extension: any case, perhaps with a trailing dot. `local_ip`,
    /// the address the client connected to, only matters without one: a certificate for that
    /// address then goes before the default certificate.
    pub fn select(&self, server_name: Option<&str>, local_ip: Option<IpAddr>) -> Selected {
        let name = server_name.map(canonical).filter(|name| !name.is_empty());
        let name = name.as_deref();
        let Some(options) = self.hosts.find(name).unwrap_or(&self.default) else {
            return Selected::Refused(Refusal::BrokenOptions);
        };
        let address = match name {
            None => local_ip,
            // RFC 6066 section 3 forbids it; rustls does as if there were no name. Go takes it
            // for one.
            Some(name) => literal(name),
        };
        if let Some(address) = address
            && let Some(certificate) = options.certificates.find_address(address)
        {
            return options.selected(options.for_address(Arc::clone(certificate.key())));
        }
        if options.is_strict() && !name.is_some_and(|name| options.certificates.knows(name)) {
            return Selected::Refused(Refusal::UnrecognizedName);
        }
        options.selected(Arc::clone(&options.config))
    }
}

impl Options {
    fn selected(&self, config: Arc<ServerConfig>) -> Selected {
        Selected::Options { name: Arc::clone(&self.name), config }
    }

    /// Allocates per connection: a few hundred nanoseconds before a full handshake, and only for
    /// clients without a server name where a certificate has the address. A cache would be a lock.
    fn for_address(&self, key: Arc<rustls::sign::CertifiedKey>) -> Arc<ServerConfig> {
        let mut config = ServerConfig::clone(&self.config);
        config.cert_resolver = Arc::new(Resolver {
            certificates: Arc::clone(&self.certificates),
            is_strict: self.is_strict(),
            for_address: Some(key),
        });
        Arc::new(config)
    }
}

impl Refusal {
    /// The TLS record to send before closing, if any.
    pub fn alert(self) -> Option<&'static [u8]> {
        match self {
            Self::BrokenOptions => None,
            Self::UnrecognizedName => Some(UNRECOGNIZED_NAME),
        }
    }
}

fn literal(name: &str) -> Option<IpAddr> {
    let may_be = name.contains(':') || name.ends_with(|last: char| last.is_ascii_digit());
    if may_be { name.parse().ok() } else { None }
}

/// Record of type alert (21), version 3.3, two bytes: fatal (2), `unrecognized_name` (112).
const UNRECOGNIZED_NAME: &[u8] = &[21, 3, 3, 0, 2, 2, 112];
