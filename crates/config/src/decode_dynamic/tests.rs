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
        &["error: d.yml:4:8: certificate 1: unknown key \"certFil\" (did you mean \"certFile\"?)"],
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
