use exchange::Failure;

use super::*;
use crate::fixture::{self, FakeSurroundings, FakeUpstreams, Script, Step};

type Settings = config::dynamic::ForwardAuth;

fn settings() -> Settings {
    Settings { address: "http://auth:81/check?z=1".to_owned(), ..Settings::default() }
}

fn trusting(trust: bool) -> Settings {
    Settings { trust_forward_header: Some(trust), ..settings() }
}

fn list(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn build(settings: &Settings) -> Result<ForwardAuth, String> {
    ForwardAuth::new(&"m@file".into(), settings, &mut FakeSurroundings::default())
}

/// One exchange: what the authentication server was asked, and what became of the request.
struct Run {
    asked: String,
    answer: Option<String>,
    exchange: Exchange,
    memo: Memo,
    middleware: ForwardAuth,
}

fn run_with(settings: &Settings, mut exchange: Exchange, answer: Result<Response, Failure>) -> Run {
    let middleware = build(settings).expect("valid settings");
    let upstreams = FakeUpstreams::install(&mut exchange, [answer]);
    let mut memo = None;
    let answer = fixture::async_request_phase(&middleware, &mut exchange, &mut memo);
    let answer = answer.map(fixture::told);
    Run { asked: upstreams.only_request(), answer, exchange, memo, middleware }
}

fn run(
    settings: &Settings,
    request: &[(&'static str, &str)],
    answer: Result<Response, Failure>,
) -> Run {
    let mut exchange = fixture::exchange("PUT", "http://fa:8080/zz?x=y");
    exchange.request.headers = fixture::headers(request);
    run_with(settings, exchange, answer)
}

fn ok(fields: &[(&'static str, &str)]) -> Result<Response, Failure> {
    Ok(fixture::response(200, fields, "let in"))
}

const FORWARDED: [(&str, &str); 6] = [
    ("X-Forwarded-For", "1.1.1.1"),
    ("X-Forwarded-Prefix", "/p"),
    ("X-Forwarded-Proto", "wss"),
    ("X-Real-Ip", "1.1.1.1"),
    ("X_Forwarded_Host", "forged"),
    ("Accept", "*/*"),
];

fn check_asked(settings: &Settings, request: &[(&'static str, &str)], expected: &[&str]) {
    let run = run(settings, request, ok(&[]));
    assert!(run.answer.is_none());
    let expected = format!("GET auth:81/check?z=1\n{}\n", expected.join("\n"));
    assert_eq!(run.asked, expected);
}

#[test]
fn without_a_choice_some_forwarding_headers_are_replaced() {
    check_asked(
        &settings(),
        &FORWARDED,
        &[
            "accept: */*",
            "x-forwarded-for: 192.0.2.7",
            "x-forwarded-host: fa:8080",
            "x-forwarded-method: PUT",
            "x-forwarded-prefix: /p",
            "x-forwarded-proto: http",
            "x-forwarded-uri: /zz?x=y",
            "x-real-ip: 1.1.1.1",
            "x_forwarded_host: forged",
        ],
    );
}

#[test]
fn without_trust_all_forwarding_headers_are_made_anew() {
    check_asked(
        &trusting(false),
        &FORWARDED,
        &[
            "accept: */*",
            "x-forwarded-for: 192.0.2.7",
            "x-forwarded-host: fa:8080",
            "x-forwarded-method: PUT",
            "x-forwarded-port: 8080",
            "x-forwarded-proto: http",
            "x-forwarded-uri: /zz?x=y",
        ],
    );
}

#[test]
fn with_trust_forwarding_headers_are_kept_and_completed() {
    check_asked(
        &trusting(true),
        &FORWARDED,
        &[
            "accept: */*",
            "x-forwarded-for: 1.1.1.1, 192.0.2.7",
            "x-forwarded-host: fa:8080",
            "x-forwarded-method: PUT",
            "x-forwarded-port: 8080",
            "x-forwarded-prefix: /p",
            "x-forwarded-proto: wss",
            "x-forwarded-uri: /zz?x=y",
            "x-real-ip: 1.1.1.1",
            "x_forwarded_host: forged",
        ],
    );
}

#[test]
fn only_chosen_headers_are_sent() {
    let request = [("X-Keep", "1"), ("X-Drop", "1"), ("X-Real-Ip", "1.1.1.1")];
    let made = [
        "x-forwarded-for: 192.0.2.7",
        "x-forwarded-host: fa:8080",
        "x-forwarded-method: PUT",
        "x-forwarded-port: 8080",
        "x-forwarded-proto: http",
        "x-forwarded-uri: /zz?x=y",
        "x-keep: 1",
        "x-real-ip: 1.1.1.1",
    ];
    let trusting = Settings { auth_request_headers: list(&["x-keep"]), ..trusting(true) };
    check_asked(&trusting, &request, &made);
    let refusing = Settings { trust_forward_header: Some(false), ..trusting };
    check_asked(&refusing, &request, &made[..7]);
}

#[test]
fn hop_by_hop_headers_stay_behind_but_proxy_credentials_go_along() {
    let request = [("Te", "trailers"), ("Keep-Alive", "1"), ("Proxy-Authorization", "x")];
    let run = run(&settings(), &request, ok(&[]));
    assert!(run.asked.contains("\nproxy-authorization: x\n"), "{}", run.asked);
    assert!(!run.asked.contains("\nte:") && !run.asked.contains("\nkeep-alive:"), "{}", run.asked);
}

#[test]
fn user_and_password_of_the_address_become_credentials() {
    let settings = Settings { address: "http://us:p%40w@auth".to_owned(), ..settings() };
    let without = run(&settings, &[], ok(&[]));
    assert!(without.asked.starts_with("GET auth/\n"), "{}", without.asked);
    assert!(without.asked.contains("\nauthorization: Basic dXM6cEB3\n"), "{}", without.asked);
    let with = run(&settings, &[("Authorization", "own")], ok(&[]));
    assert!(with.asked.contains("\nauthorization: own\n"), "{}", with.asked);
}

#[test]
fn the_method_can_be_preserved() {
    let settings = Settings { preserve_request_method: true, ..settings() };
    assert!(run(&settings, &[], ok(&[])).asked.starts_with("PUT auth:81/check?z=1\n"));
}

fn check_body(max_body_size: Option<i64>, body: Body, expected: Result<&str, &str>) {
    let settings = Settings { forward_body: true, max_body_size, ..settings() };
    let middleware = build(&settings).expect("valid settings");
    let mut exchange = fixture::exchange("POST", "http://fa/");
    exchange.request.body = body;
    let upstreams = FakeUpstreams::install(&mut exchange, [ok(&[])]);
    let answer = fixture::async_request_phase(&middleware, &mut exchange, &mut None);
    match expected {
        Ok(body) => {
            assert!(answer.is_none());
            assert!(upstreams.only_request().ends_with(&format!("\n{body}")));
            assert_eq!(fixture::read(exchange.request.body), body.as_bytes());
        }
        Err(told) => assert_eq!(answer.map(fixture::told).as_deref(), Some(told)),
    }
}

#[test]
fn bodies_are_forwarded_within_their_limit() {
    let body = || Script::body(None, vec![Step::Data("12345"), Step::Data("6789")]);
    check_body(Some(9), body(), Ok("123456789"));
    check_body(Some(8), body(), Err("401\n"));
    check_body(Some(-1), body(), Ok("123456789"));
    check_body(None, body(), Ok("123456789"));
    check_body(Some(9), Body::Empty, Ok(""));
    let broken = Script::body(None, vec![Step::Data("1"), Step::Broken(BodyError::Cut)]);
    check_body(Some(9), broken, Err("500\n"));
}

#[test]
fn bodies_are_not_forwarded_unasked_or_out_of_a_tunnel() {
    let sent = |method: &str, forward_body: bool| {
        let settings = Settings { forward_body, ..settings() };
        let mut exchange = fixture::exchange(method, "http://fa/");
        exchange.request.body = Script::body(None, vec![Step::Data("body")]);
        let run = run_with(&settings, exchange, ok(&[]));
        assert_eq!(fixture::read(run.exchange.request.body), b"body");
        run.asked.ends_with("\nbody")
    };
    assert!(sent("POST", true));
    assert!(!sent("POST", false));
    assert!(!sent("CONNECT", true));
}

#[test]
fn servers_that_do_not_answer_refuse() {
    let told = |kind| run(&settings(), &[], Err(Failure::before_sending(kind))).answer;
    assert_eq!(told(FailureKind::ConnectRefused).as_deref(), Some("500\n"));
    assert_eq!(told(FailureKind::ResponseHeaderTimedOut).as_deref(), Some("500\n"));
    assert_eq!(told(FailureKind::ClientGone).as_deref(), Some("499\n"));
    let limited = Settings { max_response_body_size: Some(5), ..settings() };
    assert_eq!(run(&limited, &[], ok(&[])).answer.as_deref(), Some("401\n"));
    let enough = Settings { max_response_body_size: Some(6), ..settings() };
    assert_eq!(run(&enough, &[], ok(&[])).answer, None);
}

fn check_location(settings: &Settings, location: &str, expected: &str) {
    let fields = [("Location", location), ("Keep-Alive", "1"), ("X-Why", "no")];
    let answer = Ok(fixture::response(302, &fields, "go"));
    assert_eq!(run(settings, &[], answer).answer.as_deref(), Some(expected));
}

#[test]
fn refusals_pass_on_with_a_location_that_can_be_followed() {
    let whole = "302\nlocation: http://auth:81/rel/x?y\nx-why: no\ngo";
    check_location(&settings(), "rel/x?y", whole);
    let preserving = Settings { preserve_location_header: true, ..settings() };
    check_location(&preserving, "rel/x?y", "302\nlocation: rel/x?y\nx-why: no\ngo");
    check_location(&settings(), "http://[broken", "500\n");
    check_location(&settings(), "", "302\nlocation: \nx-why: no\ngo");
}

#[test]
fn refusals_of_head_requests_keep_their_length() {
    let exchange = fixture::exchange("HEAD", "http://fa/");
    let answer = Ok(fixture::response(403, &[("Content-Length", "2")], "no"));
    let run = run_with(&settings(), exchange, answer);
    assert_eq!(run.answer.as_deref(), Some("403\ncontent-length: 2\n"));
}

#[test]
fn unauthorized_clients_are_sent_to_sign_in() {
    let told = |url: &str, status: u16| {
        let settings = Settings { auth_signin_url: url.to_owned(), ..settings() };
        let mut exchange = fixture::exchange("GET", "http://fa/a/b/c");
        exchange.request.body = Body::Empty;
        run_with(&settings, exchange, Ok(fixture::response(status, &[], "no"))).answer
    };
    let absolute = told("https://sign.in/é?a=b c", 401);
    assert_eq!(absolute.as_deref(), Some("302\nlocation: https://sign.in/%c3%a9?a=b c\n"));
    assert_eq!(told("login?x=1", 401).as_deref(), Some("302\nlocation: /a/b/login?x=1\n"));
    assert_eq!(told("/x/../y/", 401).as_deref(), Some("302\nlocation: /y/\n"));
    assert_eq!(told("https://sign.in/", 403).as_deref(), Some("403\nno"));
}

fn check_passed(settings: &Settings, answer: &[(&'static str, &str)], expected: &[&str]) {
    let request = [("X-User", "forged"), ("X-Mine", "1")];
    let run = run(settings, &request, ok(answer));
    assert!(run.answer.is_none());
    assert_eq!(fixture::lines(&run.exchange.request.headers), expected);
}

#[test]
fn chosen_headers_of_the_answer_replace_those_of_the_request() {
    let answer = [("X-User", "a"), ("X-User", "b"), ("X-Other", "1")];
    let named = Settings { auth_response_headers: list(&["x-user"]), ..settings() };
    check_passed(&named, &answer, &["x-mine: 1", "x-user: a", "x-user: b"]);
    check_passed(&named, &[], &["x-mine: 1"]);
    check_passed(&settings(), &answer, &["x-mine: 1", "x-user: forged"]);
    let matched = Settings { auth_response_headers_regex: "^X-[OU]".to_owned(), ..settings() };
    check_passed(&matched, &answer, &["x-mine: 1", "x-other: 1", "x-user: a", "x-user: b"]);
    check_passed(&matched, &[], &["x-mine: 1"]);
}

#[test]
fn the_access_log_learns_the_user() {
    let settings = Settings { header_field: "X-User".to_owned(), ..settings() };
    let run = run(&settings, &[], Ok(fixture::response(403, &[("X-User", "me")], "no")));
    assert_eq!(run.exchange.record.user.as_deref(), Some("me"));
}

#[test]
fn chosen_cookies_of_the_answer_replace_those_of_the_response() {
    let settings = Settings { add_auth_cookies_to_response: list(&["a"]), ..settings() };
    let cookies = [("Set-Cookie", "a=auth; Path=/"), ("Set-Cookie", "c=auth")];
    let mut run = run(&settings, &[], ok(&cookies));
    let from_service =
        [("Set-Cookie", "a=up"), ("Set-Cookie", "b=up; Priority=High"), ("Set-Cookie", "c=up")];
    run.exchange.response = fixture::response(200, &from_service, "");
    fixture::block_on(run.middleware.on_response(&mut run.exchange, &mut run.memo));
    assert_eq!(
        fixture::told(run.exchange.response),
        "200\nset-cookie: a=auth; Path=/\nset-cookie: b=up; Priority=High\nset-cookie: c=up\n"
    );
}

#[test]
fn the_server_is_reached_through_an_endpoint_of_its_own() {
    let mut surroundings = FakeSurroundings::default();
    let settings = Settings { address: "https://us:pw@auth/x".to_owned(), ..settings() };
    assert!(ForwardAuth::new(&"m@file".into(), &settings, &mut surroundings).is_ok());
    let endpoint = ("https://auth/x".to_owned(), Duration::from_secs(30));
    assert_eq!(surroundings.endpoints, [endpoint]);
}

fn check_error(settings: &Settings, expected: &str) {
    assert_eq!(build(settings).err().as_deref(), Some(expected));
}

#[test]
fn broken_settings_are_refused() {
    let regex = Settings { auth_response_headers_regex: "(a".to_owned(), ..settings() };
    check_error(
        &regex,
        "error compiling regular expression (a: error parsing regexp: missing closing ): `(a`",
    );
    let tls = |ca: &str, cert: &str| Settings {
        tls: Some(config::dynamic::ClientTls {
            ca: ca.to_owned(),
            cert: cert.to_owned(),
            ..config::dynamic::ClientTls::default()
        }),
        ..settings()
    };
    check_error(
        &tls("", "/cert"),
        "unable to create client TLS configuration: both TLS cert and key must be defined",
    );
    check_error(&tls("/ca", ""), "unable to create client TLS configuration: failed to parse CA");
    check_error(
        &Settings { address: "auth".to_owned(), ..settings() },
        "forwardAuth address \"auth\": it must begin with http:// or https:// and name a host",
    );
}
