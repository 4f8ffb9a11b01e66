//! Dynamic configuration, one object at a time.
//!
//! Traefik drops a whole file for one bad key. Here every router, service, middleware, transport,
//! store, TLS options and certificate stands alone: a bad one is listed as rejected, so that its last
//! good version can stay in service, and everything else is delivered.
//!
//! Of a text that is read again only the objects around a change are decoded ([`text`]), and what
//! stayed the same is the same value in memory. The tree of a text is not kept: where a value stands
//! is asked seldom, and then its object's lines are parsed again ([`outline`]).

mod outline;
mod sections;
mod text;

use std::fmt;
use std::sync::Arc;

pub use self::text::decode_text;

use self::outline::{Entry, Origin, Outline};
use crate::diagnostic::{Diagnostic, Place};
use crate::dynamic::Configuration;
use crate::node::Node;

/// What one text delivers.
#[derive(Clone, Debug, Default)]
pub struct DynamicDecoded {
    /// Only the objects that nothing was wrong with.
    pub configuration: Configuration,
    pub rejected: Vec<Rejected>,
    pub diagnostics: Vec<Diagnostic>,
    /// The name that places carry.
    file: Arc<str>,
    /// The keys of sections and objects in the order of the text.
    outline: Outline,
    origin: Origin,
}

impl DynamicDecoded {
    /// Tells whether the text has an object of this name, readable or not.
    pub fn mentions(&self, kind: Kind, name: &str) -> bool {
        self.outline.find(kind, name).is_some()
    }

    /// Finds where a value of an object stands, or, if it is not written, the object. `path` is in
    /// the object, such as `loadBalancer.servers[0].url` or `middlewares[1]`; case does not count.
    pub fn place(&self, kind: Kind, name: &str, path: &str) -> Option<Place> {
        let position = self.outline.find(kind, name)?;
        if !path.is_empty()
            && let Some(place) = self.origin.value_place(&self.outline, position, path, &self.file)
        {
            return Some(place);
        }
        Some(self.entry_place(&self.outline.entries[position]))
    }

    /// Where the certificates stand, in the order of `configuration.tls.certificates`.
    pub fn certificate_places(&self) -> Vec<Place> {
        let is_rejected = |name: &str| {
            let mut rejected = self.rejected.iter();
            rejected.any(|found| found.kind == Kind::Certificate && found.name == name)
        };
        let certificates = self.outline.entries.iter().filter(|entry| {
            entry
                .object()
                .is_some_and(|(kind, name)| kind == Kind::Certificate && !is_rejected(name))
        });
        certificates.map(|entry| self.entry_place(entry)).collect()
    }

    fn entry_place(&self, entry: &Entry) -> Place {
        Place::new(Arc::clone(&self.file), entry.line, entry.column)
    }
}

/// An object that has errors.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rejected {
    pub kind: Kind,
    /// Without provider. Certificates have no names; theirs is their position in the list.
    pub name: String,
}

/// The kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Router,
    Service,
    Middleware,
    ServersTransport,
    TcpRouter,
    TcpService,
    TcpMiddleware,
    TcpServersTransport,
    UdpRouter,
    UdpService,
    TlsOptions,
    TlsStore,
    Certificate,
}

impl Kind {
    /// The keys that lead to objects of the kind.
    fn section(self) -> [&'static str; 2] {
        match self {
            Self::Router => ["http", "routers"],
            Self::Service => ["http", "services"],
            Self::Middleware => ["http", "middlewares"],
            Self::ServersTransport => ["http", "serversTransports"],
            Self::TcpRouter => ["tcp", "routers"],
            Self::TcpService => ["tcp", "services"],
            Self::TcpMiddleware => ["tcp", "middlewares"],
            Self::TcpServersTransport => ["tcp", "serversTransports"],
            Self::UdpRouter => ["udp", "routers"],
            Self::UdpService => ["udp", "services"],
            Self::TlsOptions => ["tls", "options"],
            Self::TlsStore => ["tls", "stores"],
            Self::Certificate => ["tls", "certificates"],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Router => "router",
            Self::Service => "service",
            Self::Middleware => "middleware",
            Self::ServersTransport => "servers transport",
            Self::TcpRouter => "TCP router",
            Self::TcpService => "TCP service",
            Self::TcpMiddleware => "TCP middleware",
            Self::TcpServersTransport => "TCP servers transport",
            Self::UdpRouter => "UDP router",
            Self::UdpService => "UDP service",
            Self::TlsOptions => "TLS options",
            Self::TlsStore => "TLS store",
            Self::Certificate => "certificate",
        })
    }
}

/// Decodes a whole dynamic configuration. A null node, which an empty file gives, is an empty
/// configuration, and so is any section written `{}`.
pub fn decode_dynamic(root: Node) -> DynamicDecoded {
    let mut decoded = DynamicDecoded { file: Arc::clone(&root.place.file), ..Default::default() };
    decoded.sections(&root);
    decoded.origin = Origin::Tree(root);
    decoded
}

#[cfg(test)]
mod tests;
