use std::collections::BTreeMap;
use std::fmt::Write;

use super::unsupported::unsupported;
use super::*;
use crate::decode::schema::{self, KnownOption, OptionKind};
use crate::decode::{Decoded, decode};
use crate::diagnostic::Place;
use crate::node::{Node, Value};
use crate::parse::{Format, parse};
use crate::{Duration, tree};

const FLAGS: &str = include_str!("../../testdata/traefik-3.7-flags.txt");

/// Traefik's flags with their defaults, names as the program prints them.
fn traefik_flags() -> Vec<(&'static str, &'static str)> {
    let lines = FLAGS.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('\t'))
        .filter(|(name, _)| *name != "configfile")
        .collect()
}

fn options() -> BTreeMap<String, KnownOption> {
    let options = schema::options::<StaticConfiguration>();
    options.into_iter().map(|option| (option.path.to_lowercase(), option)).collect()
}

/// A value that every type of that kind takes.
fn sample(kind: OptionKind) -> &'static str {
    match kind {
        OptionKind::Boolean | OptionKind::Switch => "true",
        _ => "1",
    }
}

fn place() -> Place {
    Place::outside_files("test")
}

/// A tree with every key of Traefik's flags, in the spelling of the types.
fn every_key() -> Node {
    let options = options();
    let mut node = Node::null(place());
    for (flag, _) in traefik_flags() {
        let Some(option) = options.get(flag) else { continue };
        if matches!(option.kind, OptionKind::Section | OptionKind::Map) {
            continue;
        }
        let path = option.path.replace("<name>", "name").replace("[n]", "[0]");
        tree::insert(&mut node, &path, sample(option.kind), &place());
    }
    node
}

/// Writes a tree as JSON-like flow text, which is YAML, or as TOML inline tables.
fn render(node: &Node, assign: &str, text: &mut String) {
    let entries = match &node.value {
        Value::Mapping(entries) => entries,
        Value::Scalar(scalar) => {
            let _ = write!(text, "\"{}\"", scalar.text);
            return;
        }
        _ => panic!("the sample holds mappings and text only"),
    };
    if entries.iter().all(|(key, _)| key.text == "[0]") {
        text.push('[');
        entries.iter().for_each(|(_, node)| render(node, assign, text));
        return text.push(']');
    }
    text.push('{');
    for (index, (key, node)) in entries.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let _ = write!(text, "{separator}{}{assign}", key.text);
        render(node, assign, text);
    }
    text.push('}');
}

fn decode_text(text: &str, format: Format) -> Decoded<StaticConfiguration> {
    let node = parse(text, "f", format).unwrap_or_else(|error| panic!("{error}:\n{text}"));
    decode(&node, None, "")
}

#[test]
fn every_flag_of_traefik_is_a_key() {
    let options = options();
    let missing: Vec<_> = traefik_flags()
        .into_iter()
        .map(|(flag, _)| flag)
        .filter(|flag| !options.contains_key(*flag))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn every_key_is_a_flag_of_traefik() {
    let flags = traefik_flags();
    // In Traefik's types, but left out of its list of flags.
    let unlisted = ["global.sendanonymoususage"];
    let is_leaf =
        |option: &KnownOption| !matches!(option.kind, OptionKind::Section | OptionKind::Map);
    let extra: Vec<_> = options()
        .into_iter()
        .filter(|(path, option)| is_leaf(option) && !unlisted.contains(&path.as_str()))
        .filter(|(path, _)| !flags.iter().any(|(flag, _)| flag == path))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(extra, Vec::<String>::new());
}

#[test]
fn what_takes_no_value_as_a_flag_is_the_same() {
    // Traefik prints the default "false" for booleans and for sections that need no key.
    let options = options();
    let wrong: Vec<_> = traefik_flags()
        .into_iter()
        .filter(|(_, default)| matches!(*default, "true" | "false"))
        .filter(|(flag, _)| {
            let kind = options.get(*flag).map(|option| option.kind);
            !matches!(kind, Some(OptionKind::Boolean | OptionKind::Switch))
        })
        .map(|(flag, _)| flag)
        .collect();
    assert_eq!(wrong, Vec::<&str>::new());
    let flags = traefik_flags();
    let not_flags: Vec<_> = options
        .iter()
        .filter(|(_, option)| option.kind == OptionKind::Switch)
        .filter(|(path, _)| !flags.iter().any(|(flag, _)| flag == path))
        .map(|(path, _)| path.clone())
        .collect();
    assert_eq!(not_flags, Vec::<String>::new());
}

#[test]
fn a_yaml_file_with_every_key_is_read() {
    let mut text = String::new();
    render(&every_key(), ": ", &mut text);
    assert_eq!(decode_text(&text, Format::Yaml).diagnostics, []);
}

#[test]
fn a_toml_file_with_every_key_is_read() {
    let mut text = String::new();
    for (key, node) in every_key().entries() {
        let _ = write!(text, "{} = ", key.text);
        render(node, " = ", &mut text);
        text.push('\n');
    }
    assert_eq!(decode_text(&text, Format::Toml).diagnostics, []);
}

#[test]
fn a_file_with_one_misspelt_key_is_not() {
    let mut node = every_key();
    tree::insert(&mut node, "providers.docker.exposeByDefault", "true", &place());
    assert_eq!(decode::<StaticConfiguration>(&node, None, "").diagnostics.len(), 1);
}

/// The value of `path` when its section is there and the key is not; `None` if that cannot be
/// asked because the section has no other key.
fn default_of(path: &str, options: &BTreeMap<String, KnownOption>) -> Option<String> {
    let option = options.get(path)?;
    let (section, _) = path.rsplit_once('.').unwrap_or_default();
    let is_sibling = |(other, sibling): &(&String, &KnownOption)| {
        let parent = other.rsplit_once('.').map(|(parent, _)| parent).unwrap_or_default();
        let is_leaf = !matches!(sibling.kind, OptionKind::Section | OptionKind::Map);
        parent == section && other.as_str() != path && is_leaf
    };
    let other = match options.get(section) {
        Some(parent) if parent.kind == OptionKind::Switch => parent,
        _ => options.iter().find(is_sibling)?.1,
    };
    let mut node = Node::null(place());
    let name = other.path.replace("<name>", "name").replace("[n]", "[0]");
    tree::insert(&mut node, &name, sample(other.kind), &place());
    let configuration = decode::<StaticConfiguration>(&node, None, "").clean()?;
    let json = serde_json::to_value(&configuration).ok()?;
    let path = option.path.replace("<name>", "name").replace("[n]", ".0");
    let pointer = path.split('.').fold(String::new(), |pointer, key| pointer + "/" + key);
    json.pointer(&pointer).map(print)
}

/// Prints a JSON value as Traefik prints defaults.
fn print(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => items.iter().map(print).collect::<Vec<_>>().join(", "),
        serde_json::Value::Number(number) if number.is_f64() => {
            format!("{:.6}", number.as_f64().unwrap_or_default())
        }
        other => other.to_string(),
    }
}

#[test]
fn defaults_are_those_of_traefik() {
    let options = options();
    // Traefik lists the first default and never applies it. Ferrovia logs at INFO unless told
    // otherwise: an operator's first question is what listens where.
    let unapplied = ["providers.precedence", "log.level"];
    let (mut asked, mut wrong) = (0, Vec::new());
    for (flag, expected) in traefik_flags() {
        let kind = options.get(flag).map(|option| option.kind);
        let is_leaf =
            matches!(kind, Some(OptionKind::Boolean | OptionKind::Value | OptionKind::List));
        if !is_leaf || flag.ends_with("<name>") || unapplied.contains(&flag) {
            continue;
        }
        let Some(found) = default_of(flag, &options) else { continue };
        asked += 1;
        let duration = |text: &str| Duration::parse(text).ok();
        let is_zero = |text: &str| matches!(text, "" | "0" | "0s");
        let is_same = found == expected
            || duration(&found).is_some_and(|found| Some(found) == duration(expected))
            || is_zero(&found) && is_zero(expected);
        if !is_same {
            wrong.push(format!("{flag}: {found:?} instead of {expected:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(asked > 380, "only {asked} defaults could be asked for");
}

#[test]
fn sections_without_effect_are_named() {
    let text = "\
accessLog: {}
metrics: {prometheus: {}}
tracing: false
entryPoints:
  web: {address: ':80', http3: {}}
  dns: {address: ':53/udp'}
certificatesResolvers: {le: {acme: {email: a@b}}}
providers: {docker: {}, file: {filename: x}}
api: {}
";
    let node = parse(text, "f", Format::Yaml).expect("well-formed YAML");
    let rendered: Vec<_> = unsupported(&node).iter().map(ToString::to_string).collect();
    assert_eq!(
        rendered,
        [
            "warning: f:1:1: accessLog is not supported yet and has no effect",
            "warning: f:7:25: certificatesResolvers.le is not supported yet and has no effect",
            "warning: f:5:25: entryPoints.web.http3 is not supported yet and has no effect",
            "warning: f:2:1: metrics is not supported yet and has no effect",
            "warning: f:8:13: providers.docker is not supported yet and has no effect",
            "warning: f:6:18: entryPoints.dns is not opened: UDP is not supported yet",
        ]
    );
}

#[test]
fn patterns_of_unsupported_sections_are_keys() {
    let mut node = every_key();
    tree::insert(&mut node, "entryPoints.name.http3.advertisedPort", "1", &place());
    tree::insert(&mut node, "tcpServersTransport.dialTimeout", "1", &place());
    let found = unsupported(&node).len();
    assert_eq!(found, super::unsupported::PATTERNS, "each pattern must lead to one key");
}

/// Expects these findings about values that decode.
fn check_validation(text: &str, expected: &[&str]) {
    let node = parse(text, "f", Format::Yaml).expect("well-formed YAML");
    let mut configuration: StaticConfiguration =
        decode(&node, None, "").clean().unwrap_or_else(|| panic!("bad sample:\n{text}"));
    configuration.set_effective();
    let findings = validate::validate(&configuration, &node);
    let rendered: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(rendered, expected, "text:\n{text}");
}

#[test]
fn entry_points_that_cannot_work() {
    check_validation(
        "entryPoints:\n  a: {address: ':70000'}\n  b: {address: ':80/sctp'}\n",
        &[
            "error: f:2:16: entryPoints.a.address: invalid port \"70000\"",
            "error: f:3:16: entryPoints.b.address: invalid protocol \"sctp\", expected tcp or udp",
        ],
    );
    check_validation(
        "entryPoints: {a: {address: ':80'}, b: {address: ':80'}, c: {address: ':80/udp'}}",
        &["error: f:1:49: entryPoints.b.address: :80 is the address of a too"],
    );
    check_validation(
        "entryPoints: {a: {address: ':80', reusePort: true}, b: {address: ':80', reusePort: true}}",
        &[],
    );
    check_validation(
        "entryPoints: {a: {address: ':1', http: {aliasHeadersStrategy: foo}, http2: \
         {maxConcurrentStreams: -1}}}",
        &[
            "error: f:1:63: entryPoints.a.http.aliasHeadersStrategy: \"foo\" is not one of keep, \
             delete, reject",
            "error: f:1:99: entryPoints.a.http2.maxConcurrentStreams: -1 is less than zero",
        ],
    );
    check_validation(
        "entryPoints: {a: {address: ':1', forwardedHeaders: {trustedIPs: [10.0.0.0/8, ::1, x]}}}",
        &[
            "error: f:1:65: entryPoints.a.forwardedHeaders.trustedIPs: \"x\" is neither an address nor \
           a CIDR range",
        ],
    );
    check_validation(
        "entryPoints: {a: {address: ':1', http: {redirections: {entryPoint: {to: nope}}}}}",
        &[
            "warning: f:1:73: entryPoints.a.http.redirections.entryPoint.to: there is no entry point \
           \"nope\"",
        ],
    );
}

#[test]
fn values_that_cannot_go_together() {
    check_validation(
        "api: {basePath: x}",
        &["error: f:1:17: api.basePath: \"x\" is not an absolute path"],
    );
    check_validation("api: {basePath: /a-b/c}", &[]);
    check_validation(
        "ping: {entryPoint: x}",
        &["error: f:1:20: ping.entryPoint: there is no entry point \"x\""],
    );
    check_validation(
        "core: {defaultRuleSyntax: v1}",
        &["error: f:1:27: core.defaultRuleSyntax: \"v1\" is neither v2 nor v3"],
    );
    check_validation(
        "certificatesResolvers: {a: {acme: {email: x}, tailscale: {}}, b: {acme: {storage: ''}}}",
        &[
            "error: f:1:28: certificatesResolvers.a: acme and tailscale cannot be used together",
            "error: f:1:83: certificatesResolvers.b.acme.storage: is missing",
        ],
    );
    check_validation(
        "providers: {file: {watch: true}, knative: {}}",
        &[
            "error: f:1:19: providers.file: neither filename nor directory is given",
            "error: f:1:43: providers.knative: needs experimental.knative",
        ],
    );
    check_validation("providers: {precedence: [file, Docker, plugin-x]}", &[]);
    check_validation(
        "log: {level: LOUD}",
        &["warning: f:1:14: log.level: \"LOUD\" is not one of trace, debug, info, warn, error, \
           fatal, panic; ERROR is used"],
    );
    check_validation(
        "{experimental: {otlpLogs: true}, accessLog: {otlp: {grpc: {insecure: true, tls: {ca: x}}}}}",
        &["error: f:1:59: accessLog.otlp.grpc: tls and insecure cannot be used together"],
    );
}
