//! Dynamic configuration, one object at a time.
//!
//! Traefik drops a whole file for one bad key. Here every router, service, middleware, transport,
//! store, TLS options and certificate stands alone: a bad one is listed as rejected, so that its last
//! good version can stay in service, and everything else is delivered.

use std::collections::HashMap;
use std::fmt;

use serde::de::DeserializeOwned;

use crate::decode;
use crate::diagnostic::{Diagnostic, Place};
use crate::dynamic::{Configuration, Named};
use crate::node::{Key, Node, Value};
use crate::suggest;

/// What one text delivers.
#[derive(Clone, Debug, Default)]
pub struct DynamicDecoded {
    /// Only the objects that nothing was wrong with.
    pub configuration: Configuration,
    pub rejected: Vec<Rejected>,
    pub diagnostics: Vec<Diagnostic>,
    /// Where every object's key stands, rejected ones included.
    pub places: HashMap<(Kind, String), Place>,
    /// What was decoded: places of values are asked for seldom, so they are looked up in it.
    root: Option<Node>,
    /// The position of every object's entry in its section.
    positions: HashMap<(Kind, String), usize>,
}

impl DynamicDecoded {
    /// Finds where a value of an object stands, or, if it is not written, the object. `path` is in
    /// the object, such as `loadBalancer.servers[0].url` or `middlewares[1]`; case does not count.
    pub fn place(&self, kind: Kind, name: &str, path: &str) -> Option<&Place> {
        let field = self.object_node(kind, name).and_then(|node| descend(node, path));
        field.map(|node| &node.place).or_else(|| self.places.get(&(kind, name.to_owned())))
    }

    fn object_node(&self, kind: Kind, name: &str) -> Option<&Node> {
        let root = self.root.as_ref()?;
        let objects = kind.section().iter().try_fold(root, |node, key| entry(node, key))?;
        let position = *self.positions.get(&(kind, name.to_owned()))?;
        match &objects.value {
            Value::Mapping(entries) => {
                entries.get(position).and_then(|(key, node)| (key.text == name).then_some(node))
            }
            Value::Sequence(nodes) => nodes.get(position),
            Value::Null | Value::Scalar(_) => None,
        }
    }
}

/// The value of a mapping's key, whatever its case.
fn entry<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Value::Mapping(entries) = &node.value else { return None };
    entries.iter().find(|(found, _)| found.text.eq_ignore_ascii_case(key)).map(|(_, node)| node)
}

/// Follows `a.b[1].c` down from a node.
fn descend<'a>(node: &'a Node, path: &str) -> Option<&'a Node> {
    if path.is_empty() {
        return None;
    }
    path.split('.').try_fold(node, |node, step| {
        let (key, indexes) = step.split_once('[').map_or((step, ""), |(key, rest)| (key, rest));
        let node = if key.is_empty() { node } else { entry(node, key)? };
        indexes.split('[').filter(|index| !index.is_empty()).try_fold(node, |node, index| {
            let Value::Sequence(nodes) = &node.value else { return None };
            nodes.get(index.trim_end_matches(']').parse::<usize>().ok()?)
        })
    })
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
    let mut decoded = decode_objects(&root);
    decoded.root = Some(root);
    decoded
}

fn decode_objects(node: &Node) -> DynamicDecoded {
    let mut decoded = DynamicDecoded::default();
    let mut configuration = Configuration::default();
    let Configuration { http, tcp, udp, tls } = &mut configuration;
    for (key, section) in decoded.section(node, "", SECTIONS) {
        match key {
            "http" => {
                for (key, objects) in decoded.section(section, key, HTTP_SECTIONS) {
                    match key {
                        "routers" => decoded.objects(objects, Kind::Router, &mut http.routers),
                        "services" => decoded.objects(objects, Kind::Service, &mut http.services),
                        "middlewares" => {
                            decoded.objects(objects, Kind::Middleware, &mut http.middlewares);
                        }
                        _ => {
                            let named = &mut http.servers_transports;
                            decoded.objects(objects, Kind::ServersTransport, named);
                        }
                    }
                }
            }
            "tcp" => {
                for (key, objects) in decoded.section(section, key, HTTP_SECTIONS) {
                    match key {
                        "routers" => decoded.objects(objects, Kind::TcpRouter, &mut tcp.routers),
                        "services" => decoded.objects(objects, Kind::TcpService, &mut tcp.services),
                        "middlewares" => {
                            decoded.objects(objects, Kind::TcpMiddleware, &mut tcp.middlewares);
                        }
                        _ => {
                            let named = &mut tcp.servers_transports;
                            decoded.objects(objects, Kind::TcpServersTransport, named);
                        }
                    }
                }
            }
            "udp" => {
                for (key, objects) in decoded.section(section, key, UDP_SECTIONS) {
                    match key {
                        "routers" => decoded.objects(objects, Kind::UdpRouter, &mut udp.routers),
                        _ => decoded.objects(objects, Kind::UdpService, &mut udp.services),
                    }
                }
            }
            _ => {
                for (key, objects) in decoded.section(section, key, TLS_SECTIONS) {
                    match key {
                        "options" => decoded.objects(objects, Kind::TlsOptions, &mut tls.options),
                        "stores" => decoded.objects(objects, Kind::TlsStore, &mut tls.stores),
                        _ => decoded.certificates(objects, &mut tls.certificates),
                    }
                }
            }
        }
    }
    decoded.configuration = configuration;
    decoded
}

impl DynamicDecoded {
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

    fn objects<T: DeserializeOwned>(&mut self, node: &Node, kind: Kind, named: &mut Named<T>) {
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
        for (position, (key, node)) in entries.iter().enumerate() {
            let name = &key.text;
            if matches!(node.value, Value::Null) {
                let diagnostic = Diagnostic::warning("empty-key", "has no value and is ignored")
                    .about(format!("{kind} {name:?}"))
                    .hint("give it a value, or remove the key");
                self.section_error(diagnostic, &key.place);
                continue;
            }
            let object = format!("{kind} {name:?}");
            self.positions.insert((kind, name.clone()), position);
            if let Some(value) = self.object(kind, name, &object, node, &key.place) {
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
            self.positions.insert((Kind::Certificate, name.clone()), index);
            if let Some(value) = self.object(Kind::Certificate, &name, &object, node, &node.place) {
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
        place: &Place,
    ) -> Option<T> {
        let id = (kind, name.to_owned());
        self.places.insert(id, place.clone());

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Format, parse};

    fn decode_text(text: &str) -> DynamicDecoded {
        decode_dynamic(parse(text, "d.yml", Format::Yaml).expect("well-formed YAML"))
    }

    /// Expects these diagnostics and rejected objects.
    fn check(text: &str, diagnostics: &[&str], rejected: &[(Kind, &str)]) -> DynamicDecoded {
        let decoded = decode_text(text);
        let rendered: Vec<_> = decoded.diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(rendered, diagnostics, "text:\n{text}");
        let names: Vec<_> =
            decoded.rejected.iter().map(|object| (object.kind, object.name.as_str())).collect();
        assert_eq!(names, rejected, "text:\n{text}");
        decoded
    }

    #[test]
    fn good_objects_go_live_beside_bad_ones() {
        let text = "\
http:
  routers:
    good: {rule: Host(`a`), service: s, middlewares: [m], tls: {}}
    typo:
      rul: Host(`b`)
      service: s
    bad: {rule: Host(`c`), priority: high}
  services:
    s: {loadBalancer: {servers: [{url: http://127.0.0.1:1}]}}
    t: {loadBalancer: {servers: [{ulr: x}]}}
";
        let decoded = check(
            text,
            &[
                "error: d.yml:5:7: router \"typo\": unknown key \"rul\" (did you mean \"rule\"?)",
                "error: d.yml:7:38: router \"bad\": priority: expected a whole number, found \"high\"",
                "error: d.yml:10:35: service \"t\": loadBalancer.servers[0]: unknown key \"ulr\" (did \
                 you mean \"url\"?)",
            ],
            &[(Kind::Router, "typo"), (Kind::Router, "bad"), (Kind::Service, "t")],
        );
        let routers: Vec<_> = decoded.configuration.http.routers.keys().collect();
        assert_eq!(routers, ["good"]);
        assert_eq!(decoded.configuration.http.services.len(), 1);
    }

    #[test]
    fn unknown_sections_take_nothing_down() {
        let text = "\
htp: {}
entryPoints: {}
http:
  routerss: {}
  routers: {a: {rule: x}}
  middlewares: []
tls:
  certificates: {}
";
        let decoded = check(
            text,
            &[
                "error: d.yml:1:1: unknown key \"htp\" (did you mean \"http\"?)",
                "warning: d.yml:2:1: \"entryPoints\" belongs to the static configuration (it is \
                 ignored here)",
                "error: d.yml:4:3: http: unknown key \"routerss\" (did you mean \"routers\"?)",
                "error: d.yml:6:16: middlewares: expected a mapping of names, found a list",
            ],
            &[],
        );
        assert_eq!(decoded.configuration.http.routers.len(), 1);
    }

    #[test]
    fn empty_sections_and_files_are_empty_configurations() {
        for text in ["", "# nothing", "http: {}", "http: {routers: {}}", "http:\ntls:\n"] {
            let decoded = check(text, &[], &[]);
            assert_eq!(decoded.configuration, Configuration::default(), "text: {text}");
        }
    }

    #[test]
    fn certificates_are_objects_too() {
        let text = "\
tls:
  certificates:
    - {certFile: a, keyFile: b}
    - {certFil: a, keyFile: b}
  options: {o: {minVersion: VersionTLS12}}
  stores: {default: {defaultCertificate: {certFile: a, keyFile: b}}}
";
        let decoded = check(
            text,
            &[
                "error: d.yml:4:8: certificate 1: unknown key \"certFil\" (did you mean \"certFile\"?)",
            ],
            &[(Kind::Certificate, "1")],
        );
        assert_eq!(decoded.configuration.tls.certificates.len(), 1);
        assert_eq!(decoded.configuration.tls.options.len(), 1);
        assert_eq!(decoded.configuration.tls.stores.len(), 1);
    }

    #[test]
    fn tcp_and_udp_objects_are_decoded() {
        let text = "\
tcp:
  routers: {r: {rule: HostSNI(`*`), service: s}}
  services: {s: {loadBalancer: {servers: [{address: 'h:1'}]}}}
udp:
  routers: {r: {service: s}, q: {servic: s}}
  services: {s: {loadBalancer: {servers: [{address: 'h:1'}]}}}
";
        let decoded = check(
            text,
            &[
                "error: d.yml:5:34: UDP router \"q\": unknown key \"servic\" (did you mean \"service\"?)",
            ],
            &[(Kind::UdpRouter, "q")],
        );
        assert_eq!(decoded.configuration.tcp.services.len(), 1);
        assert_eq!(decoded.configuration.udp.routers.len(), 1);
    }

    #[test]
    fn values_have_places() {
        let decoded = decode_text(
            "http:\n  services:\n    s:\n      loadBalancer:\n        servers:\n          - URL: x\n",
        );
        let line = |path: &str| {
            decoded.place(Kind::Service, "s", path).map(|place| (place.line, place.column))
        };
        assert_eq!(line("loadBalancer.servers[0].url"), Some((6, 18)));
        assert_eq!(line("weighted"), Some((3, 5)));
        assert_eq!(decoded.place(Kind::Service, "t", ""), None);
    }
}
