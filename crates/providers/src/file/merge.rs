//! All files' objects in one update.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use config::Diagnostic;
use config::decode_dynamic::{DynamicDecoded, Kind, Rejected};
use config::dynamic::{Configuration, Named};
use control::Update;

use super::source::Source;

/// Merges files in their order. Of objects with the same name the first wins, as in Traefik.
pub(super) fn merge<'a>(provider: Arc<str>, sources: impl Iterator<Item = &'a Source>) -> Update {
    let mut update = Update::new(provider);
    let mut taken = HashMap::new();
    for source in sources {
        update.diagnostics.extend(source.problem.clone());
        let Some(decoded) = &source.good else { continue };
        update.diagnostics.extend(decoded.diagnostics.iter().cloned());
        let mut file = File { decoded, taken: &mut taken, diagnostics: &mut update.diagnostics };
        for rejected in decoded.rejected.iter().chain(&source.lost) {
            // Certificates have no names that could be taken.
            if rejected.kind == Kind::Certificate || file.claim(rejected.kind, &rejected.name) {
                update.rejected.push(rejected.clone());
            }
        }
        file.add(&mut update.configuration);
        add_certificates(&mut update, decoded);
        update.places.sources.push(Arc::clone(decoded));
    }
    update
}

struct File<'a, 'b> {
    decoded: &'a DynamicDecoded,
    /// Which file has a name already.
    taken: &'b mut HashMap<(Kind, &'a str), &'a DynamicDecoded>,
    diagnostics: &'b mut Vec<Diagnostic>,
}

impl<'a> File<'a, '_> {
    fn add(&mut self, into: &mut Configuration) {
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
    }

    fn objects<T: Clone>(&mut self, kind: Kind, into: &mut Named<T>, from: &'a Named<T>) {
        for (name, object) in from {
            if self.claim(kind, name) {
                into.insert(name.clone(), object.clone());
            }
        }
    }

    /// Takes a name; if another file has it, says so.
    fn claim(&mut self, kind: Kind, name: &'a str) -> bool {
        let first = match self.taken.entry((kind, name)) {
            Entry::Vacant(free) => {
                free.insert(self.decoded);
                return true;
            }
            Entry::Occupied(taken) => *taken.get(),
        };
        let elsewhere = match first.place(kind, name, "") {
            Some(place) => format!("is already defined at {place}; that one is used, this one not"),
            None => "is already defined in another file; that one is used, this one not".to_owned(),
        };
        let place = self.decoded.place(kind, name, "").cloned();
        let diagnostic = Diagnostic::warning("duplicate-name", elsewhere);
        self.diagnostics.push(diagnostic.about(format!("{kind} {name:?}")).at(place));
        false
    }
}

/// Certificates have no names; all of them count.
fn add_certificates(update: &mut Update, decoded: &DynamicDecoded) {
    let is_rejected = |position: usize| {
        let id = Rejected { kind: Kind::Certificate, name: position.to_string() };
        decoded.rejected.contains(&id)
    };
    // Those that were rejected are missing from the list.
    let mut positions = (0..).filter(|position| !is_rejected(*position));
    for certificate in &decoded.configuration.tls.certificates {
        let place = positions.next().and_then(|position| {
            decoded.place(Kind::Certificate, &position.to_string(), "").cloned()
        });
        update.configuration.tls.certificates.push(certificate.clone());
        update.places.certificates.push(place);
    }
}
