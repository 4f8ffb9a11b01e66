use std::collections::BTreeMap;

use serde::Deserialize;

use super::schema::{self, OptionKind};
use super::*;
use crate::Duration;
use crate::parse::{Format, parse};

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Sample {
    entry_points: Vec<String>,
    priority: i64,
    port: Option<u16>,
    pass_host: Option<bool>,
    ratio: f64,
    wait: Duration,
    mode: Mode,
    #[serde(rename = "TLS")]
    section: Option<Section>,
    sections: Vec<Section>,
    named: BTreeMap<String, Section>,
    headers: BTreeMap<String, String>,
    plugin: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Section {
    name: String,
    weight: Option<i32>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Minimal,
    Detailed,
}

fn decode_yaml<T: DeserializeOwned>(text: &str) -> Decoded<T> {
    let node = parse(text, "f", Format::Yaml).expect("well-formed YAML");
    decode(&node, None, "")
}

/// Expects `text` to give `expected` without a word.
fn check(text: &str, expected: Sample) {
    let decoded = decode_yaml::<Sample>(text);
    assert_eq!(decoded.diagnostics, [], "text: {text}");
    assert_eq!(decoded.value, Some(expected), "text: {text}");
}

/// Expects these diagnostics.
fn check_diagnostics(text: &str, expected: &[&str]) {
    let decoded = decode_yaml::<Sample>(text);
    let rendered: Vec<_> = decoded.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(rendered, expected, "text: {text}");
}

#[test]
fn keys_match_without_regard_to_case() {
    let expected = Sample { priority: 7, pass_host: Some(true), ..Sample::default() };
    check("{PRIORITY: 7, passhost: true}", expected);
}

#[test]
fn booleans_are_go_booleans() {
    for (text, value) in [("true", true), ("1", true), ("t", true), ("'F'", false), ("0", false)] {
        check(&format!("passHost: {text}"), Sample { pass_host: Some(value), ..Sample::default() });
    }
    check_diagnostics(
        "passHost: yes",
        &["error: f:1:11: passHost: expected true or false, found \"yes\""],
    );
}

#[test]
fn numbers_follow_go_yaml() {
    for (text, value) in
        [("7", 7), ("'7'", 7), ("0x10", 16), ("017", 15), ("1e3", 1000), ("-1_0", -10)]
    {
        check(&format!("priority: {text}"), Sample { priority: value, ..Sample::default() });
    }
    check(
        "{ratio: 1.5, port: 65535}",
        Sample { ratio: 1.5, port: Some(65535), ..Sample::default() },
    );
    check_diagnostics(
        "priority: ''",
        &["error: f:1:11: priority: expected a whole number, found \"\""],
    );
    check_diagnostics(
        "priority: 1.5",
        &["error: f:1:11: priority: expected a whole number, found \"1.5\""],
    );
    check_diagnostics("port: 65536", &["error: f:1:7: port: 65536 is not between 0 and 65535"]);
}

#[test]
fn text_keeps_its_spelling() {
    let headers = [("A", "1.10"), ("B", "true"), ("C", "017"), ("d", "")];
    let headers = headers.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    check("headers: {A: 1.10, B: True, C: 017, d: ''}", Sample { headers, ..Sample::default() });
    check_diagnostics(
        "headers: {A: [x]}",
        &["error: f:1:14: headers.A: expected a single value, found a list"],
    );
}

#[test]
fn durations_are_checked_where_they_stand() {
    check("wait: 10", Sample { wait: Duration::from_secs(10), ..Sample::default() });
    check("wait: 1m", Sample { wait: Duration::from_secs(60), ..Sample::default() });
    check_diagnostics(
        "\nwait: abc",
        &[
            "error: f:2:7: wait: invalid duration \"abc\": expected a whole number of seconds or a Go \
           duration such as 1m30s",
        ],
    );
}

#[test]
fn one_text_is_a_comma_list() {
    let entry_points = || vec!["a".to_owned(), "b".to_owned()];
    check("entryPoints: [a, b]", Sample { entry_points: entry_points(), ..Sample::default() });
    check("entryPoints: 'a, b'", Sample { entry_points: entry_points(), ..Sample::default() });
    check("entryPoints: ''", Sample::default());
    check_diagnostics(
        "entryPoints: {a: b}",
        &["error: f:1:14: entryPoints: expected a list, found a mapping"],
    );
    check_diagnostics(
        "entryPoints: [a, ~]",
        &["error: f:1:18: entryPoints[1]: an item of a list cannot be empty"],
    );
}

#[test]
fn indexed_keys_are_a_list() {
    let sections = || {
        let section = |name: &str| Section { name: name.to_owned(), weight: None };
        vec![section("a"), section("b")]
    };
    let expected = Sample { sections: sections(), ..Sample::default() };
    check("sections: {'[1]': {name: b}, '[0]': {name: a}}", expected);
    let expected = Sample { sections: sections(), ..Sample::default() };
    check("sections: {0: {name: a}, 1: {name: b}}", expected);
}

#[test]
fn unknown_keys_are_all_reported_and_skipped() {
    check_diagnostics(
        "priorty: 1\nsections:\n  - {nam: x}\n  - {weight: 2, zzz: ~}\nqqqqqqq: 1\n",
        &[
            "error: f:1:1: unknown key \"priorty\" (did you mean \"priority\"?)",
            "error: f:5:1: unknown key \"qqqqqqq\"",
            "error: f:3:6: sections[0]: unknown key \"nam\" (did you mean \"name\"?)",
            "error: f:4:17: sections[1]: unknown key \"zzz\" (known keys are name, weight)",
        ],
    );
    let decoded = decode_yaml::<Sample>("{priorty: 1, priority: 3}");
    assert_eq!(decoded.value, Some(Sample { priority: 3, ..Sample::default() }));
}

#[test]
fn keys_without_value_are_absent_with_a_warning() {
    check_diagnostics(
        "priority:\nnamed: {a: ~}\n",
        &[
            "warning: f:1:1: priority: has no value and is ignored (give it a value, or remove the \
             key)",
            "warning: f:2:9: named.a: has no value and is ignored (give it a value, or remove the \
             key)",
        ],
    );
}

#[test]
fn sections_need_keys_unless_they_are_switches() {
    check_diagnostics(
        "TLS: {}",
        &["error: f:1:6: TLS: cannot be empty; give it at least one key, or remove it"],
    );
    check_diagnostics(
        "TLS: true",
        &["error: f:1:6: TLS: expected a mapping, found the value \"true\""],
    );
    let named = BTreeMap::from([("a".to_owned(), Section::default())]);
    check("named: {a: {}}", Sample { named, ..Sample::default() });
    let named = BTreeMap::from([("a".to_owned(), Section::default())]);
    check("named: {a: true}", Sample { named, ..Sample::default() });
}

#[test]
fn switches_go_on_and_off() {
    use crate::dynamic::{Router, RouterTls};

    let tls = |text: &str| decode_yaml::<Router>(text).clean().map(|router| router.tls);
    assert_eq!(tls("tls: {}"), Some(Some(RouterTls::default())));
    assert_eq!(tls("tls: true"), Some(Some(RouterTls::default())));
    assert_eq!(tls("tls: false"), Some(None));
    assert_eq!(tls("tls: maybe"), None);
    let decoded = decode_yaml::<Router>("tls:");
    assert_eq!(
        decoded.diagnostics.first().and_then(|diagnostic| diagnostic.hint.as_deref()),
        Some("write `tls: {}` to switch it on, or remove the key")
    );
}

#[test]
fn keys_that_differ_in_case_are_one_key() {
    let decoded = decode_yaml::<Sample>("{Priority: 1, priority: 2}");
    assert_eq!(decoded.value.map(|sample| sample.priority), Some(2));
    assert_eq!(decoded.diagnostics.len(), 1);
}

#[test]
fn words_are_checked_against_the_known_ones() {
    check("mode: Detailed", Sample { mode: Mode::Detailed, ..Sample::default() });
    check_diagnostics(
        "mode: detaild",
        &["error: f:1:7: mode: \"detaild\" is not one of minimal, detailed; did you mean \
           \"detailed\"?"],
    );
}

#[test]
fn free_values_keep_their_types() {
    let decoded = decode_yaml::<Sample>("plugin: {p: {a: [1, 2.5], b: true, c: 'x', d: ~}}");
    let json = decoded.value.and_then(|sample| serde_json::to_string(&sample.plugin).ok());
    assert_eq!(json.as_deref(), Some("{\"p\":{\"a\":[1,2.5],\"b\":true,\"c\":\"x\"}}"));
}

#[test]
fn the_object_is_named() {
    let node = parse("wait: x", "f", Format::Yaml).expect("well-formed YAML");
    let decoded = decode::<Sample>(&node, Some("router \"web\""), "");
    assert_eq!(decoded.diagnostics[0].object.as_deref(), Some("router \"web\""));
    assert!(decoded.value.is_none());
}

#[test]
fn the_schema_lists_every_key() {
    let options = schema::options::<Sample>();
    let rendered: Vec<_> =
        options.iter().map(|option| format!("{} {:?}", option.path, option.kind)).collect();
    assert_eq!(
        rendered,
        [
            "entryPoints List",
            "priority Value",
            "port Value",
            "passHost Boolean",
            "ratio Value",
            "wait Value",
            "mode Value",
            "TLS Section",
            "TLS.name Value",
            "TLS.weight Value",
            "sections List",
            "sections[n].name Value",
            "sections[n].weight Value",
            "named Map",
            "named.<name> Switch",
            "named.<name>.name Value",
            "named.<name>.weight Value",
            "headers Map",
            "headers.<name> Value",
            "plugin Map",
            "plugin.<name> Value",
        ]
    );
    let router = schema::options::<crate::dynamic::Router>();
    let tls = router.iter().find(|option| option.path == "tls");
    assert_eq!(tls.map(|option| option.kind), Some(OptionKind::Switch));
}
