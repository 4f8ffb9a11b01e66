use std::collections::BTreeMap;

use super::*;
use crate::fixture;

fn map(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn list(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

/// Runs both phases: what the service saw, and what the client got. The service answers 200 with
/// `response`.
fn run(
    settings: &Settings,
    method: &str,
    url: &str,
    request: &[(&'static str, &str)],
    response: &[(&'static str, &str)],
) -> (String, String) {
    let middleware = Headers::new(settings).expect("valid settings");
    let mut exchange = fixture::exchange(method, url);
    exchange.request.headers = fixture::headers(request);
    let mut memo = None;
    if let Flow::Respond(answer) = middleware.on_request(&mut exchange, &mut memo) {
        return (String::new(), fixture::told(*answer));
    }
    let host = exchange.request.authority.text().to_str().expect("a plain host");
    let mut seen = vec![host.to_owned()];
    seen.extend(fixture::lines(&exchange.request.headers));
    exchange.response = fixture::response(200, response, "ok");
    assert!(matches!(middleware.on_response(&mut exchange, &mut memo), Flow::Continue));
    (seen.join("\n"), fixture::told(exchange.response))
}

fn check_response(
    settings: &Settings,
    url: &str,
    request: &[(&'static str, &str)],
    response: &[(&'static str, &str)],
    expected: &str,
) {
    assert_eq!(run(settings, "GET", url, request, response).1, expected);
}

#[test]
fn custom_headers_are_set_and_removed() {
    let settings = Settings {
        custom_request_headers: map(&[
            ("X-A", "1"),
            ("x-gone", ""),
            ("host", "Other:81"),
            ("X-Forwarded-For", ""),
        ]),
        custom_response_headers: map(&[("X-Up", ""), ("Server", "me")]),
        ..Settings::default()
    };
    let request = [("X-A", "0"), ("X-A", "2"), ("X-Gone", "x"), ("X-Forwarded-For", "1.1.1.1")];
    let (seen, told) = run(&settings, "GET", "http://h/", &request, &[("X-Up", "1")]);
    assert_eq!(seen, "Other:81\nx-a: 1\nx-forwarded-for: ");
    assert_eq!(told, "200\nserver: me\nok");
}

#[test]
fn headers_that_cannot_be_written_are_refused() {
    let error = |name: &str, value: &str| {
        let custom_request_headers = map(&[(name, value)]);
        Headers::new(&Settings { custom_request_headers, ..Settings::default() }).err()
    };
    assert_eq!(error("a b", "1").as_deref(), Some("invalid header name \"a b\""));
    assert_eq!(error("A", "1\n").as_deref(), Some("invalid value \"1\\n\" of header \"A\""));
    let empty = Headers::new(&Settings::default()).err();
    assert_eq!(empty.as_deref(), Some("headers configuration not valid"));
}

fn cors() -> Settings {
    Settings {
        access_control_allow_origin_list: list(&["http://o"]),
        access_control_allow_origin_list_regex: list(&["^https://.*\\.example$"]),
        access_control_allow_credentials: true,
        access_control_allow_methods: list(&["GET", "PUT"]),
        access_control_allow_headers: list(&["*"]),
        access_control_expose_headers: list(&["A", "B"]),
        access_control_max_age: Some(100),
        custom_response_headers: map(&[("X-C", "1")]),
        ..Settings::default()
    }
}

#[test]
fn preflight_requests_are_answered_even_for_origins_that_are_not_allowed() {
    let ask = |origin| {
        [
            ("Origin", origin),
            ("Access-Control-Request-Method", "PUT"),
            ("Access-Control-Request-Headers", "q"),
        ]
    };
    let (_, told) = run(&cors(), "OPTIONS", "http://h/", &ask("http://x"), &[]);
    assert_eq!(
        told,
        "200\naccess-control-allow-credentials: true\naccess-control-allow-headers: q\n\
         access-control-allow-methods: GET,PUT\naccess-control-expose-headers: A,B\n\
         access-control-max-age: 100\n"
    );
    let (_, told) = run(&cors(), "OPTIONS", "http://h/", &ask("http://o"), &[]);
    assert!(told.contains("\naccess-control-allow-origin: http://o\n"), "{told}");
}

#[test]
fn wildcards_with_credentials_allow_what_was_asked() {
    let settings = Settings {
        access_control_allow_origin_list: list(&["*"]),
        access_control_allow_methods: list(&["*"]),
        access_control_expose_headers: list(&["*"]),
        access_control_allow_credentials: true,
        ..Settings::default()
    };
    let ask = [("Origin", "http://o"), ("Access-Control-Request-Method", "PUT")];
    let (_, told) = run(&settings, "OPTIONS", "http://h/", &ask, &[]);
    assert_eq!(
        told,
        "200\naccess-control-allow-credentials: true\naccess-control-allow-methods: PUT\n\
         access-control-allow-origin: http://o\n"
    );
}

#[test]
fn requests_that_only_look_like_a_preflight_are_forwarded() {
    let ask = [("Origin", "http://o"), ("Access-Control-Request-Method", "PUT")];
    assert_ne!(run(&cors(), "GET", "http://h/", &ask, &[]).0, "");
    assert_ne!(run(&cors(), "OPTIONS", "http://h/", &ask[..1], &[]).0, "");
}

#[test]
fn responses_tell_allowed_origins() {
    let told = "200\naccess-control-allow-credentials: true\n";
    let rest = "access-control-expose-headers: A,B\nx-c: 1\nok";
    let response = |origin: &str| format!("{told}access-control-allow-origin: {origin}\n{rest}");
    check_response(&cors(), "http://h/", &[("Origin", "http://o")], &[], &response("http://o"));
    let origin = "https://a.example";
    check_response(&cors(), "http://h/", &[("Origin", origin)], &[], &response(origin));
    check_response(&cors(), "http://h/", &[("Origin", "http://x")], &[], &format!("{told}{rest}"));
}

#[test]
fn the_wildcard_is_told_without_an_origin_and_vary_is_extended() {
    let settings = Settings {
        access_control_allow_origin_list: list(&["*"]),
        add_vary_header: true,
        ..Settings::default()
    };
    let told = |vary: &str| format!("200\naccess-control-allow-origin: *\nvary: {vary}\nok");
    check_response(&settings, "http://h/", &[], &[], &told("Origin"));
    check_response(&settings, "http://h/", &[], &[("Vary", "Origin")], &told("Origin"));
    check_response(&settings, "http://h/", &[], &[("Vary", "X")], &told("X,Origin"));
    check_response(
        &settings,
        "http://h/",
        &[],
        &[("Vary", "X"), ("Vary", "Y")],
        &told("X,Y,Origin"),
    );
}

#[test]
fn a_broken_origin_expression_is_refused() {
    let settings =
        Settings { access_control_allow_origin_list_regex: list(&["(a"]), ..Settings::default() };
    assert_eq!(
        Headers::new(&settings).err().as_deref(),
        Some("error occurred during origin parsing: error parsing regexp: missing closing ): `(a`")
    );
}

fn security() -> Settings {
    Settings {
        sts_seconds: Some(10),
        sts_include_subdomains: true,
        sts_preload: true,
        browser_xss_filter: true,
        frame_deny: true,
        content_type_nosniff: true,
        public_key: "k".to_owned(),
        referrer_policy: "r".to_owned(),
        permissions_policy: "p".to_owned(),
        content_security_policy: "c".to_owned(),
        ssl_proxy_headers: map(&[("X-Forwarded-Proto", "https")]),
        ..Settings::default()
    }
}

const PLAIN: &str = "200\ncontent-security-policy: c\npermissions-policy: p\nreferrer-policy: r\n\
                     x-content-type-options: nosniff\nx-frame-options: DENY\n\
                     x-xss-protection: 1; mode=block\nok";
const OVER_TLS: &str = "200\ncontent-security-policy: c\npermissions-policy: p\n\
                        public-key-pins: k\nreferrer-policy: r\n\
                        strict-transport-security: max-age=10; includeSubDomains; preload\n\
                        x-content-type-options: nosniff\nx-frame-options: DENY\n\
                        x-xss-protection: 1; mode=block\nok";

#[test]
fn transport_security_is_told_only_over_tls() {
    check_response(&security(), "http://h/", &[], &[], PLAIN);
    check_response(&security(), "https://h/", &[], &[], OVER_TLS);
    check_response(&security(), "http://h/", &[("X-Forwarded-Proto", "https")], &[], OVER_TLS);
    check_response(&security(), "http://h/", &[("X-Forwarded-Proto", "http")], &[], PLAIN);
    let development = Settings { is_development: true, ..security() };
    check_response(&development, "https://h/", &[], &[], PLAIN);
}

#[test]
fn forced_transport_security_is_told_always() {
    let settings = Settings { sts_seconds: Some(5), force_sts_header: true, ..Settings::default() };
    let told = "200\nstrict-transport-security: max-age=5\nok";
    check_response(&settings, "http://h/", &[], &[], told);
    let zero = Settings { sts_seconds: Some(0), force_sts_header: true, ..Settings::default() };
    check_response(&zero, "https://h/", &[], &[], "200\nok");
}

#[test]
fn own_values_overrule_the_usual_ones_and_custom_headers_overrule_both() {
    let settings = Settings {
        frame_deny: true,
        custom_frame_options_value: "SAMEORIGIN".to_owned(),
        custom_browser_xss_value: "0".to_owned(),
        content_type_nosniff: true,
        custom_response_headers: map(&[("X-Content-Type-Options", "")]),
        ..Settings::default()
    };
    let told = "200\nx-frame-options: SAMEORIGIN\nx-xss-protection: 0\nok";
    check_response(&settings, "http://h/", &[], &[("X-Frame-Options", "up")], told);
}

#[test]
fn nonces_are_fresh_and_the_same_in_both_policies() {
    let settings = Settings {
        content_security_policy: "x $NONCE y".to_owned(),
        content_security_policy_report_only: "$NONCE".to_owned(),
        ..Settings::default()
    };
    let first = run(&settings, "GET", "http://h/", &[], &[]).1;
    let second = run(&settings, "GET", "http://h/", &[], &[]).1;
    assert_ne!(first, second);
    let nonces: Vec<&str> = first.matches("'nonce-").collect();
    assert_eq!(nonces.len(), 2, "{first}");
    let start = first.find("'nonce-").expect("a nonce");
    let nonce = &first[start..start + 30];
    assert_eq!(first.matches(nonce).count(), 2, "{first}");
}

#[test]
fn other_hosts_are_refused_with_the_custom_response_headers() {
    let settings = Settings {
        allowed_hosts: list(&["Good"]),
        hosts_proxy_headers: list(&["X-Host"]),
        custom_response_headers: map(&[("Server", "me")]),
        ..Settings::default()
    };
    let refused = "500\ncontent-type: text/plain; charset=utf-8\nserver: me\n\
                   x-content-type-options: nosniff\nBad Host\n";
    check_response(&settings, "http://h/", &[], &[], refused);
    check_response(&settings, "http://good:81/", &[], &[], refused);
    check_response(&settings, "http://good/", &[], &[], "200\nserver: me\nok");
    check_response(&settings, "http://h/", &[("X-Host", "GOOD")], &[], "200\nserver: me\nok");
    let development = Settings { is_development: true, ..settings };
    check_response(&development, "http://h/", &[], &[], "200\nserver: me\nok");
}
