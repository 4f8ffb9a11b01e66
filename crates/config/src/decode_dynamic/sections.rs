//! From sections to objects.

use serde::de::DeserializeOwned;

use super::outline::{Entry, What};
use super::{DynamicDecoded, Kind, Rejected};
use crate::decode;
use crate::diagnostic::{Diagnostic, Place};
use crate::dynamic::{Configuration, Named};
use crate::node::{Key, Node, Value};
use crate::suggest;

/// Does something with the objects of a kind, by name. Certificates have no names.
macro_rules! with_named {
    ($kind:expr, $configuration:expr, $named:ident => $body:expr) => {{
        let Configuration { http, tcp, udp, tls } = $configuration;
        match $kind {
            Kind::Router => with_named!(@ http.routers, $named => $body),
            Kind::Service => with_named!(@ http.services, $named => $body),
            Kind::Middleware => with_named!(@ http.middlewares, $named => $body),
            Kind::ServersTransport => with_named!(@ http.servers_transports, $named => $body),
            Kind::TcpRouter => with_named!(@ tcp.routers, $named => $body),
            Kind::TcpService => with_named!(@ tcp.services, $named => $body),
            Kind::TcpMiddleware => with_named!(@ tcp.middlewares, $named => $body),
            Kind::TcpServersTransport => with_named!(@ tcp.servers_transports, $named => $body),
            Kind::UdpRouter => with_named!(@ udp.routers, $named => $body),
            Kind::UdpService => with_named!(@ udp.services, $named => $body),
            Kind::TlsOptions => with_named!(@ tls.options, $named => $body),
            Kind::TlsStore => with_named!(@ tls.stores, $named => $body),
            Kind::Certificate => {}
        }
    }};
    (@ $field:expr, $named:ident => $body:expr) => {{
        let $named = &mut $field;
        $body
    }};
}
pub(super) use with_named;

impl DynamicDecoded {
    /// Decodes all sections of a tree.
    pub(super) fn sections(&mut self, root: &Node) {
        for (key, section) in self.section(root, "", SECTIONS) {
            let (known, kinds): (_, &[Kind]) = match key {
                "http" => (HTTP_SECTIONS, HTTP_KINDS),
                "tcp" => (HTTP_SECTIONS, TCP_KINDS),
                "udp" => (UDP_SECTIONS, UDP_KINDS),
                _ => (TLS_SECTIONS, TLS_KINDS),
            };
            for (key, objects) in self.section(section, key, known) {
                if let Some(kind) = kinds.iter().find(|kind| kind.section()[1] == key) {
                    self.objects(objects, *kind);
                }
            }
        }
        self.outline.sort();
        let order = |one: &Diagnostic, two: &Diagnostic| one.place.cmp(&two.place);
        self.diagnostics.sort_by(order);
    }

    /// Decodes the objects of one section.
    pub(super) fn objects(&mut self, node: &Node, kind: Kind) {
        let mut configuration = std::mem::take(&mut self.configuration);
        match kind {
            Kind::Certificate => self.certificates(node, &mut configuration.tls.certificates),
            kind => with_named!(kind, &mut configuration, named => self.named(node, kind, named)),
        }
        self.configuration = configuration;
    }

    /// The entries of a section whose keys are known; the others are reported.
    fn section<'a>(
        &mut self,
        node: &'a Node,
        path: &str,
        known: &'static [&'static str],
    ) -> Vec<(&'static str, &'a Node)> {
        let entries = match &node.value {
            Value::Mapping(entries) => entries.as_slice(),
            Value::Null => &[],
            _ => {
                let found = node.kind_name();
                let name = if path.is_empty() { "the configuration" } else { path };
                self.section_error(
                    Diagnostic::error(
                        "invalid-value",
                        format!("{name}: expected a mapping, found {found}"),
                    ),
                    &node.place,
                );
                return Vec::new();
            }
        };
        let mut sections = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            self.outline.entries.push(Entry::new(What::Section, &key.place));
            match known.iter().find(|name| name.eq_ignore_ascii_case(&key.text)) {
                Some(name) => sections.push((*name, node)),
                None => self.unknown_section(key, path, known),
            }
        }
        sections
    }

    fn unknown_section(&mut self, key: &Key, path: &str, known: &'static [&'static str]) {
        let is_static =
            STATIC_SECTIONS.iter().any(|section| section.eq_ignore_ascii_case(&key.text));
        // One file may hold both kinds of configuration, as Traefik allows.
        if path.is_empty() && is_static {
            let message = format!("{:?} belongs to the static configuration", key.text);
            let diagnostic = Diagnostic::warning("static-key", message);
            self.section_error(diagnostic.hint("it is ignored here"), &key.place);
            return;
        }
        let message = match path {
            "" => format!("unknown key {:?}", key.text),
            path => format!("{path}: unknown key {:?}", key.text),
        };
        let hint = match suggest::nearest(&key.text, known.iter().copied()) {
            Some(nearest) => format!("did you mean {nearest:?}?"),
            None => format!("known keys are {}", known.join(", ")),
        };
        self.section_error(Diagnostic::error("unknown-key", message).hint(hint), &key.place);
    }

    fn section_error(&mut self, diagnostic: Diagnostic, place: &Place) {
        self.diagnostics.push(diagnostic.at(Some(place.clone())));
    }

    fn named<T: DeserializeOwned>(&mut self, node: &Node, kind: Kind, named: &mut Named<T>) {
        let entries = match &node.value {
            Value::Mapping(entries) => entries.as_slice(),
            Value::Null => &[],
            _ => {
                let found = node.kind_name();
                let message = format!("{kind}s: expected a mapping of names, found {found}");
                self.section_error(Diagnostic::error("invalid-value", message), &node.place);
                return;
            }
        };
        // A mapping in braces begins before its first key.
        let is_block = entries.first().is_some_and(|(key, _)| key.place == node.place);
        for (key, node) in entries {
            let name = &key.text;
            let is_empty = matches!(node.value, Value::Null);
            let what = What::Object { kind, name: name.as_str().into(), is_empty };
            let entry = Entry { stands_alone: is_block, ..Entry::new(what, &key.place) };
            self.outline.entries.push(entry);
            if is_empty {
                let diagnostic = Diagnostic::warning("empty-key", "has no value and is ignored")
                    .about(format!("{kind} {name:?}"))
                    .hint("give it a value, or remove the key");
                self.section_error(diagnostic, &key.place);
                continue;
            }
            let object = format!("{kind} {name:?}");
            if let Some(value) = self.object(kind, name, &object, node) {
                named.insert(name.clone(), value);
            }
        }
    }

    fn certificates<T: DeserializeOwned>(&mut self, node: &Node, certificates: &mut Vec<T>) {
        let nodes = match &node.value {
            Value::Sequence(nodes) => nodes.as_slice(),
            Value::Null => &[],
            Value::Mapping(entries) if entries.is_empty() => &[],
            _ => {
                let message =
                    format!("tls.certificates: expected a list, found {}", node.kind_name());
                self.section_error(Diagnostic::error("invalid-value", message), &node.place);
                return;
            }
        };
        for (index, node) in nodes.iter().enumerate() {
            let object = format!("certificate {index}");
            let name = index.to_string();
            let kind = Kind::Certificate;
            let what = What::Object { kind, name: name.as_str().into(), is_empty: false };
            self.outline.entries.push(Entry::new(what, &node.place));
            if let Some(value) = self.object(kind, &name, &object, node) {
                certificates.push(value);
            }
        }
    }

    fn object<T: DeserializeOwned>(
        &mut self,
        kind: Kind,
        name: &str,
        object: &str,
        node: &Node,
    ) -> Option<T> {
        let decoded = decode::decode::<T>(node, Some(object), "");
        let is_good = !decoded.has_errors() && decoded.value.is_some();
        self.diagnostics.extend(decoded.diagnostics);
        if !is_good {
            self.rejected.push(Rejected { kind, name: name.to_owned() });
            return None;
        }
        decoded.value
    }
}

const SECTIONS: &[&str] = &["http", "tcp", "udp", "tls"];
const HTTP_SECTIONS: &[&str] = &["routers", "services", "middlewares", "serversTransports"];
const UDP_SECTIONS: &[&str] = &["routers", "services"];
const TLS_SECTIONS: &[&str] = &["certificates", "options", "stores"];
const HTTP_KINDS: &[Kind] =
    &[Kind::Router, Kind::Service, Kind::Middleware, Kind::ServersTransport];
const TCP_KINDS: &[Kind] =
    &[Kind::TcpRouter, Kind::TcpService, Kind::TcpMiddleware, Kind::TcpServersTransport];
const UDP_KINDS: &[Kind] = &[Kind::UdpRouter, Kind::UdpService];
const TLS_KINDS: &[Kind] = &[Kind::Certificate, Kind::TlsOptions, Kind::TlsStore];
/// First-level keys of the static configuration.
const STATIC_SECTIONS: &[&str] = &[
    "global",
    "serversTransport",
    "tcpServersTransport",
    "entryPoints",
    "providers",
    "api",
    "metrics",
    "ping",
    "log",
    "accessLog",
    "tracing",
    "hostResolver",
    "certificatesResolvers",
    "experimental",
    "core",
    "spiffe",
    "ocsp",
];
