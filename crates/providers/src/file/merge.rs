//! All files' objects in one update.

use std::collections::HashSet;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use config::Diagnostic;
use config::decode_dynamic::{DynamicDecoded, Kind, Rejected};
use config::dynamic::{Configuration, Named};
use control::Update;

use super::source::Source;

/// Merges files in their order. Of objects with the same name the first wins, as in Traefik.
pub(super) fn merge<'a>(provider: Arc<str>, sources: impl Iterator<Item = &'a Source>) -> Update {
    let mut update = Update::new(provider);
    let mut unreadable = HashSet::new();
    for source in sources {
        update.diagnostics.extend(source.problem.clone());
        let Some(decoded) = &source.good else { continue };
        update.diagnostics.extend(decoded.diagnostics.iter().cloned());
        let mut file = File { decoded, update: &mut update, unreadable: &mut unreadable };
        for rejected in decoded.rejected.iter().chain(&source.lost) {
            file.reject(rejected);
        }
        file.add();
        add_certificates(&mut update, decoded);
        update.places.sources.push(Arc::clone(decoded));
    }
    update
}

struct File<'a, 'b> {
    decoded: &'a DynamicDecoded,
    /// What the files before say.
    update: &'b mut Update,
    /// The rejected objects of this file and those before.
    unreadable: &'b mut HashSet<(Kind, &'a str)>,
}

impl<'a> File<'a, '_> {
    fn reject(&mut self, rejected: &'a Rejected) {
        let Rejected { kind, name } = rejected;
        // Certificates have no names that could be taken.
        if *kind != Kind::Certificate {
            let is_taken = self.unreadable.contains(&(*kind, name.as_str()))
                || is_in(&self.update.configuration, *kind, name);
            if is_taken {
                self.warn_of_duplicate(*kind, name);
                return;
            }
            self.unreadable.insert((*kind, name));
        }
        self.update.rejected.push(rejected.clone());
    }

    fn add(&mut self) {
        let mut into = std::mem::take(&mut self.update.configuration);
        let Configuration { http, tcp, udp, tls } = &self.decoded.configuration;
        self.objects(Kind::Router, &mut into.http.routers, &http.routers);
        self.objects(Kind::Service, &mut into.http.services, &http.services);
        self.objects(Kind::Middleware, &mut into.http.middlewares, &http.middlewares);
        let transports = &mut into.http.servers_transports;
        self.objects(Kind::ServersTransport, transports, &http.servers_transports);
        self.objects(Kind::TcpRouter, &mut into.tcp.routers, &tcp.routers);
        self.objects(Kind::TcpService, &mut into.tcp.services, &tcp.services);
        self.objects(Kind::TcpMiddleware, &mut into.tcp.middlewares, &tcp.middlewares);
        let transports = &mut into.tcp.servers_transports;
        self.objects(Kind::TcpServersTransport, transports, &tcp.servers_transports);
        self.objects(Kind::UdpRouter, &mut into.udp.routers, &udp.routers);
        self.objects(Kind::UdpService, &mut into.udp.services, &udp.services);
        self.objects(Kind::TlsOptions, &mut into.tls.options, &tls.options);
        self.objects(Kind::TlsStore, &mut into.tls.stores, &tls.stores);
        self.update.configuration = into;
    }

    fn objects<T: Clone>(&mut self, kind: Kind, into: &mut Named<T>, from: &'a Named<T>) {
        // One file alone is the common case, and copying a map is faster than filling one.
        if into.is_empty() && self.unreadable.is_empty() {
            into.clone_from(from);
            return;
        }
        for (name, object) in from {
            let is_unreadable = self.unreadable.contains(&(kind, name.as_str()));
            match into.entry(name.clone()) {
                Entry::Vacant(free) if !is_unreadable => drop(free.insert(object.clone())),
                _ => self.warn_of_duplicate(kind, name),
            }
        }
    }

    /// Says that another file has a name already.
    fn warn_of_duplicate(&mut self, kind: Kind, name: &str) {
        let first = self.update.places.find(kind, name, "");
        let elsewhere = match first {
            Some(place) => format!("is already defined at {place}; that one is used, this one not"),
            None => "is already defined in another file; that one is used, this one not".to_owned(),
        };
        let diagnostic = Diagnostic::warning("duplicate-name", elsewhere)
            .about(format!("{kind} {name:?}"))
            .at(self.decoded.place(kind, name, ""));
        self.update.diagnostics.push(diagnostic);
    }
}

/// Tells whether a configuration has an object.
fn is_in(configuration: &Configuration, kind: Kind, name: &str) -> bool {
    let Configuration { http, tcp, udp, tls } = configuration;
    match kind {
        Kind::Router => http.routers.contains_key(name),
        Kind::Service => http.services.contains_key(name),
        Kind::Middleware => http.middlewares.contains_key(name),
        Kind::ServersTransport => http.servers_transports.contains_key(name),
        Kind::TcpRouter => tcp.routers.contains_key(name),
        Kind::TcpService => tcp.services.contains_key(name),
        Kind::TcpMiddleware => tcp.middlewares.contains_key(name),
        Kind::TcpServersTransport => tcp.servers_transports.contains_key(name),
        Kind::UdpRouter => udp.routers.contains_key(name),
        Kind::UdpService => udp.services.contains_key(name),
        Kind::TlsOptions => tls.options.contains_key(name),
        Kind::TlsStore => tls.stores.contains_key(name),
        Kind::Certificate => false,
    }
}

/// Certificates have no names; all of them count.
fn add_certificates(update: &mut Update, decoded: &DynamicDecoded) {
    let certificates = &decoded.configuration.tls.certificates;
    update.configuration.tls.certificates.extend_from_slice(certificates);
    update.places.certificates.extend(decoded.certificate_places().into_iter().map(Some));
}
