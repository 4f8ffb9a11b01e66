use exchange::{Authority, Connection, Request};
use http::{HeaderName, HeaderValue, Method};

use crate::rule::{Rule, Syntax, View, default_priority};

/// A request as the data plane hands it over: `GET http://a.b/path?query` and what is changed.
struct Asked {
    request: Request,
    peer: &'static str,
}

fn get(host: &str, target: &str) -> Asked {
    let authority = Authority::new(HeaderValue::from_str(host).expect("a good host"));
    let target = target.parse().expect("a good target");
    Asked { request: Request::new(Method::GET, target, authority), peer: "127.0.0.1:9" }
}

fn with(fields: &[(&str, &[u8])]) -> Asked {
    let mut asked = get("a.b", "/");
    for (name, value) in fields {
        let name: HeaderName = name.parse().expect("a good name");
        asked.request.headers.append(name, HeaderValue::from_bytes(value).expect("a good value"));
    }
    asked
}

fn from(peer: &'static str) -> Asked {
    Asked { peer, ..get("a.b", "/") }
}

fn is_match(rule: &str, syntax: Syntax, asked: &Asked) -> bool {
    let local = "127.0.0.1:80".parse().expect("a good address");
    let peer = asked.peer.parse().expect("a good address");
    let connection = Connection::new(peer, local, "web".into(), None);
    let rule = Rule::parse(rule, syntax).expect("a good rule");
    rule.matches(&View::new(&asked.request, &connection))
}

fn matches(rule: &str, asked: Asked) {
    assert!(is_match(rule, Syntax::V3, &asked), "{rule} should match");
}

fn rejects(rule: &str, asked: Asked) {
    assert!(!is_match(rule, Syntax::V3, &asked), "{rule} should not match");
}

fn matches_v2(rule: &str, asked: Asked) {
    assert!(is_match(rule, Syntax::V2, &asked), "{rule} should match");
}

fn rejects_v2(rule: &str, asked: Asked) {
    assert!(!is_match(rule, Syntax::V2, &asked), "{rule} should not match");
}

#[test]
fn host_is_compared_without_case_and_port() {
    matches("Host(`A.B`)", get("a.b:8080", "/"));
    matches("Host(`a.b`)", get("A.b", "/"));
    matches("Host(`::1`)", get("[::1]:80", "/"));
    matches("Host(`::1`)", get("[::1]", "/"));
    rejects("Host(`[::1]`)", get("[::1]", "/"));
    rejects("Host(`a`)", get("", "/"));
    matches("!Host(`a`)", get("", "/"));
}

#[test]
fn host_takes_one_trailing_dot_for_none() {
    matches("Host(`a.b`)", get("a.b.", "/"));
    matches("Host(`a.b.`)", get("a.b", "/"));
    matches("Host(`a.b.`)", get("a.b.", "/"));
    matches("Host(`a.b.`)", get("a.b..", "/"));
    rejects("Host(`a.b`)", get("a.b..", "/"));
}

#[test]
fn an_asterisk_stands_for_one_whole_label() {
    matches("Host(`*.B`)", get("a.b", "/"));
    matches("Host(`*.b`)", get("a.b.", "/"));
    matches("Host(`*.b.`)", get("a.b", "/"));
    matches("Host(`*.b`)", get(".b", "/"));
    rejects("Host(`*.b`)", get("x.a.b", "/"));
    rejects("Host(`*.b`)", get("b", "/"));
    matches("Host(`*.`)", get("a", "/"));
    matches("Host(`*.`)", get("a.", "/"));
    rejects("Host(`*b`)", get("ab", "/"));
    rejects("Host(`**.b`)", get("x.a.b", "/"));
    matches("Host(`*`)", get("a", "/"));
    matches("Host(`*`)", get("", "/"));
}

#[test]
fn host_patterns_are_searched_in_the_lowered_name() {
    matches(r"HostRegexp(`^a\.b$`)", get("A.B:80", "/"));
    rejects("HostRegexp(`A`)", get("a.b", "/"));
    rejects("HostRegexp(`^x+$`)", get("a.b", "/"));
    rejects("HostRegexp(`a`)", get("", "/"));
}

#[test]
fn host_patterns_that_match_nothing_match_everything() {
    matches("HostRegexp(`^$`)", get("a.b", "/"));
    matches("HostRegexp(`^(x)?$`)", get("a.b", "/"));
}

#[test]
fn paths_are_compared_decoded_but_for_what_means_something() {
    matches("Path(`/foo bar`)", get("a.b", "/foo%20bar"));
    rejects("Path(`/a/b`)", get("a.b", "/a%2Fb"));
    matches("Path(`/a%2Fb`)", get("a.b", "/a%2Fb"));
    matches("Path(`/a%2Fb`)", get("a.b", "/a%2fb"));
    rejects("Path(`/a%2fb`)", get("a.b", "/a%2fb"));
    matches("Path(`/é`)", get("a.b", "/%c3%a9"));
    matches("Path(`/[a]`)", get("a.b", "/[a]"));
    rejects("Path(`/[a]`)", get("a.b", "/%5Ba%5D"));
    matches("Path(`/a%25b`)", get("a.b", "/a%25b"));
    rejects("Path(`/a%`)", get("a.b", "/a%25"));
    matches("Path(`/`)", get("a.b", "/?x"));
    rejects("Path(`/a`)", get("a.b", "/a/"));
    matches("Path(\"/\\xff\")", get("a.b", "/%FF"));
}

#[test]
fn path_prefixes_are_of_text_not_of_segments() {
    matches("PathPrefix(`/a`)", get("a.b", "/ab"));
    matches("PathPrefix(`/`)", get("a.b", "/"));
    rejects("PathPrefix(`/ab`)", get("a.b", "/a"));
    matches("PathPrefix(\"/\\xff\")", get("a.b", "/%FFa"));
}

#[test]
fn path_patterns_see_bytes_that_are_not_text_as_one_character_each() {
    matches("PathRegexp(`b`)", get("a.b", "/abc"));
    matches("PathRegexp(`^/.$`)", get("a.b", "/%ff"));
    matches("PathRegexp(`^/..$`)", get("a.b", "/%e2%82"));
    rejects("PathRegexp(`^/.$`)", get("a.b", "/%e2%82"));
}

#[test]
fn methods_are_compared_exactly_once_raised() {
    matches("Method(`get`)", get("a.b", "/"));
    rejects("Method(`POST`)", get("a.b", "/"));
}

#[test]
fn any_value_of_a_query_parameter_counts() {
    matches("Query(`a`,`1`)", get("a.b", "/?a=2&a=1"));
    matches("Query(`a`,`1`)", get("a.b", "/?a=2;a=1"));
    rejects("Query(`a`,`1`)", get("a.b", "/?A=1"));
    matches("Query(`a`,`1=2`)", get("a.b", "/?a=1=2"));
    matches("Query(`a`,`1;b=2`)", get("a.b", "/?a=1%3Bb=2"));
    matches("QueryRegexp(`a`,`^1`)", get("a.b", "/?a=2&a=12"));
    rejects("QueryRegexp(`a`,`^1`)", get("a.b", "/?a=2"));
    matches("QueryRegexp(`a`,`^.$`)", get("a.b", "/?a=%ff"));
}

#[test]
fn a_query_parameter_without_value_is_empty() {
    matches("Query(`a`)", get("a.b", "/?a"));
    matches("Query(`a`)", get("a.b", "/?a="));
    rejects("Query(`a`)", get("a.b", "/?a=1"));
    rejects("Query(`a`)", get("a.b", "/"));
    matches("QueryRegexp(`a`)", get("a.b", "/?a"));
    rejects("QueryRegexp(`a`)", get("a.b", "/?a=1"));
}

#[test]
fn queries_are_decoded_and_bad_escapes_dropped() {
    matches("Query(`a`,`x y`)", get("a.b", "/?a=x+y"));
    matches("Query(`a`,`x y`)", get("a.b", "/?a=x%20y"));
    matches("Query(`a`,`x+y`)", get("a.b", "/?a=x%2By"));
    matches("Query(`a b`,`1`)", get("a.b", "/?a+b=1"));
    rejects("Query(`a`,`%zz`)", get("a.b", "/?a=%zz"));
    matches("Query(`b`,`1`)", get("a.b", "/?a=%zz&b=1"));
    rejects("Query(`a`,`b%3Bc`)", get("a.b", "/?a=b%3Bc"));
}

#[test]
fn a_query_of_too_many_parameters_has_none() {
    let query = |count: usize| format!("/?{}a=1", "x&".repeat(count));
    matches("Query(`a`,`1`)", get("a.b", &query(9_999)));
    rejects("Query(`a`,`1`)", get("a.b", &query(10_000)));
}

#[test]
fn any_value_of_a_header_field_counts() {
    matches("Header(`x-a`,`1`)", with(&[("X-A", b"2"), ("x-a", b"1")]));
    rejects("Header(`x-a`,`A`)", with(&[("X-A", b"a")]));
    matches("Header(`x-a`,`a,b`)", with(&[("X-A", b"a,b")]));
    rejects("Header(`x a`,`A`)", with(&[]));
    rejects("Header(`Host`,`a.b`)", with(&[]));
    matches("HeaderRegexp(`x-a`,`b`)", with(&[("X-A", b"abc")]));
    rejects("HeaderRegexp(`x-a`,`^b`)", with(&[("X-A", b"abc")]));
    matches("HeaderRegexp(`x-a`,`^..$`)", with(&[("X-A", b"\xff\xfe")]));
}

#[test]
fn facts_of_the_connection_are_seen_as_header_fields() {
    let mut asked = get("a.b", "/");
    asked.request.upgrade = Some(HeaderValue::from_static("websocket"));
    asked.request.accepts_trailers = true;
    asked.request.expects_continue = true;
    let all = "Header(`Upgrade`,`websocket`) && Header(`Connection`,`Upgrade`) && \
               Header(`TE`,`trailers`) && Header(`Expect`,`100-continue`)";
    matches(all, asked);
    rejects("HeaderRegexp(`Connection`,`.*`) || HeaderRegexp(`Te`,`.*`)", get("a.b", "/"));
}

#[test]
fn client_addresses_are_those_of_the_connection() {
    matches("ClientIP(`127.0.0.1`)", from("127.0.0.1:9"));
    matches("ClientIP(`127.0.0.1`)", from("[::ffff:127.0.0.1]:9"));
    matches("ClientIP(`127.0.0.9/08`)", from("127.0.0.1:9"));
    matches("ClientIP(`0.0.0.0/0`)", from("127.0.0.1:9"));
    rejects("ClientIP(`::/0`)", from("127.0.0.1:9"));
    matches("ClientIP(`::/0`)", from("[::1]:9"));
    matches("ClientIP(`::ffff:127.0.0.1`)", from("127.0.0.1:9"));
    matches("ClientIP(`::ffff:127.0.0.0/104`)", from("127.0.0.1:9"));
    matches("ClientIP(`fe80::/10`)", from("[fe80::1]:9"));
    rejects("ClientIP(`10.0.0.0/8`)", from("127.0.0.1:9"));
}

#[test]
fn operators_bind_as_in_go() {
    matches("Host(`x`) && Host(`y`) || Host(`a.b`)", get("a.b", "/"));
    matches("Host(`a.b`) || Host(`x`) && Host(`y`)", get("a.b", "/"));
    rejects("(Host(`a.b`) || Host(`x`)) && Host(`y`)", get("a.b", "/"));
    matches("!Host(`x`) && !!Host(`a.b`)", get("a.b", "/"));
    rejects("!(Host(`x`) || Host(`a.b`))", get("a.b", "/"));
    matches("!(Host(`x`) && Host(`a.b`))", get("a.b", "/"));
    matches("Host(`a.b`) && // why\n  PathPrefix(\"\\x2f\") /* really */", get("a.b", "/"));
}

#[test]
fn hosts_of_v2_are_alternatives_without_asterisks() {
    matches_v2("Host(`x`,`A.b`)", get("a.b", "/"));
    matches_v2("HostHeader(`a.b`)", get("a.b.", "/"));
    rejects_v2("Host(`*.b`)", get("a.b", "/"));
    rejects_v2("Host(`*`)", get("a.b", "/"));
}

#[test]
fn host_patterns_of_v2_are_whole_templates() {
    matches_v2("HostRegexp(`{x:[a-z]+}.b`)", get("a.b", "/"));
    matches_v2("HostRegexp(`{x}.b`)", get("A.B:80", "/"));
    matches_v2("HostRegexp(`{x:[A-Z]}.b`)", get("a.b", "/"));
    rejects_v2("HostRegexp(`a.b`)", get("axb", "/"));
    rejects_v2("HostRegexp(`a.b`)", get("a.b.", "/"));
    matches_v2("HostRegexp(`[::1]`)", get("[::1]", "/"));
    matches_v2("HostRegexp(`::1`)", get("[::1]:80", "/"));
    rejects_v2("HostRegexp(`::1`)", get("[::1]", "/"));
}

#[test]
fn paths_of_v2_are_templates() {
    matches_v2("Path(`/{x}`)", get("a.b", "/abc"));
    rejects_v2("Path(`/{x}`)", get("a.b", "/abc/d"));
    rejects_v2("!Path(`/{x}`)", get("a.b", "/abc"));
    matches_v2("Path(`/{x:[0-9]{2}}/e`)", get("a.b", "/12/e"));
    matches_v2("PathPrefix(`/{x:[0-9]+}`)", get("a.b", "/12ab"));
    matches_v2("PathPrefix(`/a`,`/b`)", get("a.b", "/bc"));
    rejects_v2("Path(`/a.c`)", get("a.b", "/abc"));
    matches_v2("Path(`/a(`)", get("a.b", "/a("));
    rejects_v2("Path(`/a%28`)", get("a.b", "/a("));
    matches_v2("Path(`/a b`)", get("a.b", "/a%20b"));
}

#[test]
fn headers_of_v2_must_all_be_there() {
    matches_v2("Headers(`x-a`,`1`)", with(&[("X-A", b"1")]));
    rejects_v2("Headers(`x-a`,`1`,`x-b`,`2`)", with(&[("X-A", b"1"), ("X-B", b"3")]));
    matches_v2("Headers(`x-a`,`1`,`x-a`,`2`)", with(&[("X-A", b"2")]));
    rejects_v2("Headers(`x-a`,`1`,`X-A`,`2`)", with(&[("X-A", b"2")]));
    matches_v2("HeadersRegexp(`x-a`,`^b`)", with(&[("X-A", b"bc")]));
    matches_v2("Method(`post`,`get`)", with(&[]));
    matches_v2("ClientIP(`10.0.0.0/8`,`127.0.0.1`)", with(&[]));
}

#[test]
fn queries_of_v2_are_templates_for_the_first_value() {
    matches_v2("Query(`a=b`)", get("a.b", "/?a=b&a=c"));
    rejects_v2("Query(`a=b`)", get("a.b", "/?a=c&a=b"));
    matches_v2("Query(`a`,`b`)", get("a.b", "/?a=b"));
    matches_v2("Query(`a=`)", get("a.b", "/?a=xyz"));
    matches_v2("Query(`a=`)", get("a.b", "/?a"));
    rejects_v2("Query(`a=`)", get("a.b", "/?b=xyz"));
    matches_v2("Query(`a={x}`)", get("a.b", "/?a=q"));
    rejects_v2("Query(`a={x:[0-9]+}`)", get("a.b", "/?a=q"));
    rejects_v2("Query(`a=b`,`c=d`)", get("a.b", "/?a=b&c=e"));
    matches_v2("Query(`a=b`,`c=d`)", get("a.b", "/?a=b&c=d"));
    matches_v2("Query(`a=b=c`)", get("a.b", "/?a=b=c"));
    rejects_v2("Query(`{k}=v`)", get("a.b", "/?k=v"));
    matches_v2("Query(`=v`)", get("a.b", "/?=v"));
    rejects_v2("Query(`=`)", get("a.b", "/"));
    matches_v2("Query(`{a=b:.*}`)", get("a.b", "/?a=b"));
}

#[test]
fn hosts_are_all_arguments_of_host() {
    let hosts =
        |rule: &str, syntax| Rule::parse(rule, syntax).expect("a good rule").hosts().to_vec();
    let rule = "(Host(`A.b`) || !host(`*.c`)) && HostRegexp(`d`) && Host(`a.b`)";
    assert_eq!(hosts(rule, Syntax::V3), ["a.b", "*.c", "a.b"]);
    assert_eq!(hosts("Host(`a`,`B`) && HostHeader(`c`)", Syntax::V2), ["a", "b"]);
}

#[test]
fn priority_is_the_length_in_bytes() {
    assert_eq!(default_priority("PathPrefix(`/`)"), 15);
    assert_eq!(default_priority("Host(`é`)"), 10);
}
