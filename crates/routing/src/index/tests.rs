use std::sync::Arc;

use exchange::{Authority, Connection, Request};
use http::{HeaderValue, Method};
use proptest::prelude::*;

use super::*;
use crate::rule::{Syntax, default_priority};
use crate::{DeniedCharacters, Next};

fn entry(name: &str, rule: &str, priority: Option<i64>) -> Entry {
    Entry {
        rule: Arc::new(Rule::parse(rule, Syntax::V3).expect("a good rule")),
        priority: priority.unwrap_or_else(|| default_priority(rule)),
        tie: (0, name.into()),
        route: Arc::new(Route {
            name: name.into(),
            stages: Box::default(),
            next: Next::Children(RouterIndex::build(Vec::new())),
            tls_options: None,
            denied_characters: DeniedCharacters::default(),
        }),
    }
}

fn index(rules: impl IntoIterator<Item = String>) -> RouterIndex {
    RouterIndex::build(rules.into_iter().map(|rule| entry(&rule, &rule, None)).collect())
}

fn request(host: &str, target: &str) -> Request {
    let authority = Authority::new(HeaderValue::from_str(host).expect("a good host"));
    Request::new(Method::GET, target.parse().expect("a good target"), authority)
}

fn connection() -> Connection {
    let address = "127.0.0.1:1".parse().expect("a good address");
    Connection::new(address, address, "web".into(), None)
}

/// Checks which router takes a request.
fn check(index: &RouterIndex, host: &str, target: &str, expected: &str) {
    let request = request(host, target);
    let connection = connection();
    let found = index.find(&request, &connection).map_or("", |route| &route.name);
    assert_eq!(found, expected, "{host}{target}");
    assert_eq!(found, scan(index, &request, &connection), "{host}{target} by scan");
}

/// Asks every rule, as Traefik does.
fn scan<'a>(index: &'a RouterIndex, request: &Request, connection: &Connection) -> &'a str {
    let view = View::new(request, connection);
    let found = index.entries().find(|entry| entry.rule.matches(&view));
    found.map_or("", |entry| &entry.route.name)
}

fn evaluations(index: &RouterIndex, host: &str, target: &str) -> u32 {
    let request = request(host, target);
    let connection = connection();
    let view = View::new(&request, &connection);
    let search = index.search(&view);
    assert!(search.best.is_some(), "{host}{target} has a router");
    search.evaluations
}

#[test]
fn priority_decides_then_tie_then_name() {
    let with = |name: &str, priority, tie| {
        let mut entry = entry(name, "PathPrefix(`/`)", Some(priority));
        entry.tie.0 = tie;
        entry
    };
    let names = |entries| {
        let index = RouterIndex::build(entries);
        index.entries().map(|entry| entry.route.name.to_string()).collect::<Vec<_>>()
    };
    let entries =
        vec![with("d", 1, 1), with("c", 1, 0), with("b", 1, 0), with("a", -1, 0), with("e", 2, 9)];
    assert_eq!(names(entries), ["e", "b", "c", "d", "a"]);
}

#[test]
fn the_longer_rule_wins_wherever_it_is_kept() {
    let index = RouterIndex::build(vec![
        entry("everything", "PathPrefix(`/`)", None),
        entry("empty", "Path(`/empty`)", None),
        entry("wildcard", "Host(`*.example.org`)", None),
        entry("host", "Host(`a.example.org`)", Some(22)),
        entry("api", "Host(`a.example.org`) && PathPrefix(`/api`)", None),
        entry("post", "Host(`a.example.org`) && PathPrefix(`/api`) && Method(`POST`)", None),
    ]);
    check(&index, "x", "/empty", "everything");
    check(&index, "b.example.org", "/empty", "wildcard");
    check(&index, "a.example.org", "/", "host");
    check(&index, "A.example.org.:80", "/apis", "api");
    check(&index, "", "/", "everything");
    assert!(!index.is_empty());
    assert_eq!(index.len(), 6);
}

#[test]
fn more_prefixes_than_are_walked_at_once() {
    let rules = (1..60).map(|depth| format!("PathPrefix(`{}`)", "/a".repeat(depth)));
    let index = index(rules);
    check(&index, "x", "/a", "PathPrefix(`/a`)");
    check(&index, "x", &"/a".repeat(40), &format!("PathPrefix(`{}`)", "/a".repeat(40)));
    check(&index, "x", "/b", "");
}

#[test]
fn shorter_prefixes_win_when_their_priority_is_higher() {
    let rule = |depth: usize| format!("PathPrefix(`{}`)", "/a".repeat(depth));
    let entries = (1..60).map(|depth| entry(&rule(depth), &rule(depth), Some(-(depth as i64))));
    let index = RouterIndex::build(entries.collect());
    check(&index, "x", &"/a".repeat(50), "PathPrefix(`/a`)");
}

#[test]
fn ten_thousand_routers_cost_what_one_costs() {
    let hosts = index((0..10_000).map(|i| format!("Host(`h{i}.example.org`)")));
    assert_eq!(evaluations(&hosts, "h7777.example.org", "/"), 0);
    let both = |i| format!("Host(`h{i}.example.org`) && PathPrefix(`/api`)");
    assert_eq!(evaluations(&index((0..10_000).map(both)), "h7777.example.org", "/api/x"), 0);
    let paths = |i| format!("Host(`example.org`) && PathPrefix(`/service-{i}/`)");
    assert_eq!(evaluations(&index((0..10_000).map(paths)), "example.org", "/service-7777/x"), 0);
    let methods = |i| format!("Host(`h{i}.example.org`) && Path(`/api`) && Method(`GET`)");
    assert_eq!(evaluations(&index((0..10_000).map(methods)), "h7777.example.org", "/api"), 1);
    let nested = |i| format!("Host(`example.org`) && PathPrefix(`/{}`)", "a".repeat(i));
    assert_eq!(evaluations(&index((0..2_000).map(nested)), "example.org", "/aaa"), 0);
}

#[test]
fn rules_of_equal_demands_are_asked_until_one_matches() {
    let rule = |i| format!("Host(`a`) && PathPrefix(`/`) && Header(`x-version`, `{i}`)");
    let index = index((0..50).map(rule).chain(["Host(`a`)".to_owned()]));
    assert_eq!(evaluations(&index, "a", "/"), 50);
    check(&index, "a", "/", "Host(`a`)");
}

fn term() -> impl Strategy<Value = String> {
    let host = prop::sample::select(vec![
        "a", "b", "a.b", "b.b", "c.a.b", "*.b", "*.a.b", "*", "a.", "a.b.", "a..", "*.", "*.b.",
        ".", "*b",
    ]);
    let path = prop::sample::select(vec![
        "/", "/a", "/ab", "/abc", "/a/", "/a/b", "/b", "/a b", "/a%2Fb", "/é",
    ]);
    let other = prop::sample::select(vec![
        "Method(`GET`)",
        "Method(`POST`)",
        "Query(`x`,`1`)",
        "Query(`x`)",
        "HostRegexp(`^a`)",
        "HostRegexp(`^$`)",
        "PathRegexp(`^/a.`)",
        "PathRegexp(`^/ab*$`)",
        "PathRegexp(`b`)",
        "ClientIP(`127.0.0.0/8`)",
    ]);
    prop_oneof![
        4 => host.prop_map(|host| format!("Host(`{host}`)")),
        3 => path.clone().prop_map(|path| format!("PathPrefix(`{path}`)")),
        2 => path.prop_map(|path| format!("Path(`{path}`)")),
        2 => other.prop_map(str::to_owned),
    ]
}

fn rule() -> impl Strategy<Value = String> {
    term().prop_recursive(3, 12, 2, |inside| {
        prop_oneof![
            4 => (inside.clone(), inside.clone()).prop_map(|(a, b)| format!("{a} && {b}")),
            2 => (inside.clone(), inside.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            1 => inside.prop_map(|a| format!("!({a})")),
        ]
    })
}

fn router() -> impl Strategy<Value = (String, i64)> {
    // Few priorities, so that ties come up.
    (rule(), -1_i64..6)
}

fn asked() -> impl Strategy<Value = (String, String)> {
    let host = prop::sample::select(vec![
        "a", "b", "a.b", "b.b", "c.a.b", "d.c.a.b", "", "A.B:80", "a.", "a.b.", "a..", "a...",
        ".b", ".", "..", "x",
    ]);
    let target = prop::sample::select(vec![
        "/", "/a", "/ab", "/abc", "/abcd", "/a/", "/a/b", "/a/b/c", "/b?x=1", "/?x", "/a%20b",
        "/a%2fb", "/a%2Fb/", "/%C3%A9", "/%ff", "*",
    ]);
    (host.prop_map(str::to_owned), target.prop_map(str::to_owned))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_index_finds_what_a_scan_finds(
        routers in prop::collection::vec(router(), 0..40),
        requests in prop::collection::vec(asked(), 1..12),
    ) {
        let entries = routers.iter().enumerate().map(|(number, (rule, priority))| {
            entry(&format!("{number:02} {rule}"), rule, Some(*priority))
        });
        let index = RouterIndex::build(entries.collect());
        let connection = connection();
        for (host, target) in requests {
            let request = request(&host, &target);
            let found = index.find(&request, &connection).map_or("", |route| &route.name);
            prop_assert_eq!(found, scan(&index, &request, &connection), "{}{}", host, target);
        }
    }
}
