use config::dynamic::DigestAuth as Settings;

use super::*;
use crate::fixture;

/// Of `me`, `traefik` and `secret`.
fn me() -> String {
    format!("me:traefik:{}", md5_hex("me:traefik:secret"))
}

fn middleware(change: impl FnOnce(&mut Settings)) -> DigestAuth {
    let mut settings = Settings { users: vec![me()], ..Settings::default() };
    change(&mut settings);
    DigestAuth::new(&settings).expect("valid settings")
}

/// What a client answers with to a challenge.
struct Client {
    user: &'static str,
    password: &'static str,
    uri: &'static str,
    count: &'static str,
    nonce: String,
    opaque: String,
    extra: &'static str,
}

impl Client {
    fn of(middleware: &DigestAuth) -> Self {
        Self {
            user: "me",
            password: "secret",
            uri: "/a?b",
            count: "00000001",
            nonce: middleware.nonces.issue().expect("randomness"),
            opaque: middleware.opaque.clone(),
            extra: "algorithm=MD5, qop=auth",
        }
    }

    fn authorization(&self) -> String {
        let Self { user, password, uri, count, nonce, opaque, extra } = self;
        let hash = md5_hex(&format!("{user}:traefik:{password}"));
        let request = md5_hex(&format!("GET:{uri}"));
        let response = md5_hex(&format!("{hash}:{nonce}:{count}:cn:auth:{request}"));
        format!(
            "Digest username=\"{user}\", realm=\"traefik\", nonce=\"{nonce}\", uri=\"{uri}\", \
             nc={count}, cnonce=\"cn\", response=\"{response}\", opaque=\"{opaque}\", {extra}"
        )
    }
}

fn ask(middleware: &DigestAuth, authorization: &str) -> (Exchange, Option<Response>) {
    let mut exchange = fixture::exchange("GET", "http://h/a?b");
    exchange.request.headers =
        fixture::headers(&[("Authorization", authorization), ("X-User", "forged")]);
    let answer = fixture::request_phase(middleware, &mut exchange);
    (exchange, answer)
}

/// Sends what a client makes of a challenge; tells whether it passes.
fn check(change: impl FnOnce(&mut Client), passes: bool) {
    let middleware = middleware(|_| {});
    let mut client = Client::of(&middleware);
    change(&mut client);
    let (exchange, answer) = ask(&middleware, &client.authorization());
    assert_eq!(answer.is_none(), passes, "{}", client.authorization());
    assert_eq!(exchange.record.user.as_deref(), Some(client.user));
}

#[test]
fn users_pass_with_their_password_only() {
    check(|_| {}, true);
    check(|client| client.password = "wrong", false);
    check(|client| client.user = "nobody", false);
    check(|client| client.opaque = "other".to_owned(), false);
    check(|client| client.nonce = "other".to_owned(), false);
    check(|client| client.count = "x", false);
    check(|client| client.count = "+1", false);
    check(|client| client.count = "", false);
    check(|client| client.extra = "qop=auth", true);
    check(|client| client.extra = "algorithm=SHA-256, qop=auth", false);
    check(|client| client.extra = "qop=auth-int", false);
}

#[test]
fn the_uri_is_the_requests_or_a_path_before_it() {
    check(|client| client.uri = "/a", true);
    check(|client| client.uri = "/", true);
    check(|client| client.uri = "/a?other", true);
    check(|client| client.uri = "http://h/a?b", true);
    check(|client| client.uri = "/b", false);
    check(|client| client.uri = "/ab", false);
    check(|client| client.uri = "/%zz", false);
}

#[test]
fn users_that_do_not_exist_have_no_empty_hash() {
    let middleware = middleware(|_| {});
    let client = Client { user: "nobody", ..Client::of(&middleware) };
    let request = md5_hex("GET:/a?b");
    let response = md5_hex(&format!(":{}:00000001:cn:auth:{request}", client.nonce));
    let authorization = client.authorization();
    let (head, rest) = authorization.split_once("response=\"").expect("a response");
    let tail = rest.split_once('"').expect("its end").1;
    let forged = format!("{head}response=\"{response}\"{tail}");
    assert!(ask(&middleware, &forged).1.is_some());
}

#[test]
fn a_past_count_is_told_as_stale_and_a_replay_is_not() {
    let middleware = middleware(|_| {});
    let mut client = Client { count: "00000002", ..Client::of(&middleware) };
    let challenge = |client: &Client| {
        let (_, answer) = ask(&middleware, &client.authorization());
        let value = answer?.headers.get(WWW_AUTHENTICATE).cloned()?;
        Some(value.to_str().expect("text").contains("stale=\"true\""))
    };
    assert_eq!(challenge(&client), None);
    assert_eq!(challenge(&client), Some(false));
    client.count = "00000001";
    assert_eq!(challenge(&client), Some(true));
}

#[test]
fn the_refusal_is_traefiks() {
    let middleware = middleware(|settings| settings.realm = "mine".to_owned());
    for authorization in ["", "Digest", "Basic eDp5", "Digest \"", "Digest username=\""] {
        let answer = ask(&middleware, authorization).1.expect("a refusal");
        let challenge = answer.headers[WWW_AUTHENTICATE].to_str().expect("text").to_owned();
        let parts: Vec<&str> = challenge.split('"').collect();
        assert_eq!(parts[..3], ["Digest realm=", "mine", ", nonce="]);
        assert_eq!(
            parts[4..],
            [", opaque=", middleware.opaque.as_str(), ", algorithm=", "MD5", ", qop=", "auth", ""]
        );
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(fixture::read(answer.body), b"401 Unauthorized\n");
    }
}

#[test]
fn the_request_tells_the_user_and_hides_the_credentials() {
    let middleware = middleware(|settings| {
        settings.header_field = "X-User".to_owned();
        settings.remove_header = true;
    });
    let (exchange, answer) = ask(&middleware, &Client::of(&middleware).authorization());
    assert!(answer.is_none());
    assert_eq!(fixture::lines(&exchange.request.headers), ["x-user: me"]);
}

#[test]
fn broken_settings_are_refused_with_traefiks_words() {
    let error = |users: &[&str], file: &str| {
        let users = users.iter().map(|user| (*user).to_owned()).collect();
        DigestAuth::new(&Settings { users, users_file: file.to_owned(), ..Settings::default() })
            .err()
    };
    assert_eq!(error(&["a:b"], "").as_deref(), Some("error parsing DigestUser: a:b"));
    assert_eq!(error(&["a:b:c:d"], "").as_deref(), Some("error parsing DigestUser: a:b:c:d"));
    assert_eq!(error(&[], ""), None);
    assert_eq!(
        error(&[], "/nonexistent").as_deref(),
        Some("open /nonexistent: no such file or directory")
    );
}
