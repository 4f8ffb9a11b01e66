use exchange::{BodyError, Failure, Upgrade};

use super::*;
use crate::fixture::{self, Script, Step};

fn settings() -> config::dynamic::Retry {
    config::dynamic::Retry { attempts: 3, ..config::dynamic::Retry::default() }
}

fn on_status() -> config::dynamic::Retry {
    config::dynamic::Retry { status: vec!["500-503".to_owned()], ..settings() }
}

/// What a try comes to.
#[derive(Clone, Copy)]
enum Outcome {
    Status(u16),
    Unsent(FailureKind),
    Sent(FailureKind),
    Upgraded,
}

use Outcome::{Sent, Status, Unsent, Upgraded};

/// Sends a `method` request with `body` until nothing is tried again; every try comes to the next
/// of `outcomes`. Gives the bodies the tries had, and the last status.
fn run(
    settings: &config::dynamic::Retry,
    method: &str,
    body: Body,
    outcomes: &[Outcome],
) -> (Vec<String>, u16) {
    let middleware = Retry::new(settings).expect("valid settings");
    let mut exchange = fixture::exchange(method, "http://h/a?b");
    exchange.request.headers = fixture::headers(&[("X-A", "1")]);
    exchange.request.body = body;
    let mut memo = None;
    if let Some(answer) = fixture::async_request_phase(&middleware, &mut exchange, &mut memo) {
        return (Vec::new(), answer.status.as_u16());
    }
    let mut bodies = Vec::new();
    for outcome in outcomes {
        assert_eq!(exchange.request.target.as_str(), "/a?b");
        assert_eq!(fixture::lines(&exchange.request.headers), ["x-a: 1"]);
        // What later stages do to the request must not show in the next try.
        exchange.request.replace_path("/changed").expect("a valid path");
        exchange.request.headers.clear();
        exchange.failure = None;
        exchange.response = Response::default();
        let failed = |failure: Failure| (failure.status().as_u16(), Some(failure));
        let (status, failure) = match *outcome {
            Status(status) => (status, None),
            Upgraded => (101, None),
            Unsent(kind) => failed(Failure::before_sending(kind)),
            Sent(kind) => failed(Failure::after_sending(kind)),
        };
        if matches!(outcome, Upgraded) {
            exchange.response.upgrade = Some(Upgrade(Box::new(())));
        }
        if !matches!(outcome, Unsent(_)) {
            let body = fixture::read(exchange.request.body.take());
            bodies.push(String::from_utf8(body).expect("a text"));
        }
        exchange.response.status = StatusCode::from_u16(status).expect("a status");
        exchange.failure = failure;
        let flow = fixture::block_on(middleware.on_response(&mut exchange, &mut memo));
        if !matches!(flow, Flow::Retry { .. }) {
            break;
        }
        assert!(exchange.failure.is_none());
    }
    (bodies, exchange.response.status.as_u16())
}

fn check(
    settings: &config::dynamic::Retry,
    method: &str,
    outcomes: &[Outcome],
    sent: usize,
    status: u16,
) {
    let body = Script::body(None, vec![Step::Data("bo"), Step::Pending, Step::Data("dy")]);
    let (bodies, last) = run(settings, method, body, outcomes);
    assert_eq!(last, status);
    assert_eq!(bodies, vec!["body"; sent]);
}

#[test]
fn servers_that_cannot_be_reached_are_tried_again_with_any_method() {
    use FailureKind::{ConnectRefused, ConnectTimedOut, TlsVerify};
    let refused = Unsent(ConnectRefused);
    check(&settings(), "POST", &[refused, Unsent(ConnectTimedOut), Status(200)], 1, 200);
    check(&settings(), "GET", &[Unsent(TlsVerify), Status(503)], 1, 503);
    check(&settings(), "GET", &[refused, refused, refused, Status(200)], 0, 502);
    check(&on_status(), "PUT", &[refused, Status(200)], 1, 200);
}

#[test]
fn a_request_that_was_sent_is_not_sent_again() {
    use FailureKind::{UpstreamClosed, UpstreamReset};
    check(&settings(), "GET", &[Sent(UpstreamReset), Status(200)], 1, 502);
    check(&settings(), "GET", &[Sent(UpstreamClosed), Status(200)], 1, 502);
}

#[test]
fn clients_that_left_and_services_without_servers_end_it() {
    check(&settings(), "GET", &[Unsent(FailureKind::NoServer), Status(200)], 0, 503);
    check(&settings(), "GET", &[Unsent(FailureKind::ClientGone), Status(200)], 0, 499);
}

#[test]
fn network_errors_can_be_left_alone() {
    let settings = config::dynamic::Retry { disable_retry_on_network_error: true, ..on_status() };
    check(&settings, "GET", &[Unsent(FailureKind::TlsVerify), Status(200)], 1, 200);
    let refused = Unsent(FailureKind::ConnectRefused);
    let settings = config::dynamic::Retry { status: vec!["404".to_owned()], ..settings };
    check(&settings, "GET", &[refused, Status(200)], 0, 502);
}

#[test]
fn chosen_statuses_are_tried_again_for_idempotent_methods() {
    let outcomes = [Status(503), Status(500), Status(503), Status(200)];
    check(&on_status(), "GET", &outcomes, 3, 503);
    check(&on_status(), "DELETE", &[Status(503), Status(404), Status(200)], 2, 404);
    check(&on_status(), "POST", &outcomes, 1, 503);
    check(&on_status(), "LOCK", &outcomes, 1, 503);
    let settings = config::dynamic::Retry { retry_non_idempotent_method: true, ..on_status() };
    check(&settings, "PATCH", &[Status(503), Status(200)], 2, 200);
    check(&on_status(), "GET", &[Sent(FailureKind::UpstreamClosed), Status(200)], 2, 200);
}

#[test]
fn bodies_over_the_limit_are_streamed_and_not_sent_again() {
    let settings = config::dynamic::Retry { max_request_body_bytes: Some(3), ..on_status() };
    check(&settings, "PUT", &[Status(503), Status(200)], 1, 503);
    let refused = Unsent(FailureKind::ConnectRefused);
    check(&settings, "PUT", &[refused, Status(200)], 1, 200);
    let unlimited = config::dynamic::Retry { max_request_body_bytes: Some(-1), ..on_status() };
    check(&unlimited, "PUT", &[Status(503), Status(200)], 2, 200);
}

#[test]
fn a_body_that_breaks_off_while_it_is_kept_answers_500() {
    let body = Script::body(None, vec![Step::Data("bo"), Step::Broken(BodyError::Cut)]);
    assert_eq!(run(&on_status(), "PUT", body, &[Status(200)]), (Vec::new(), 500));
}

#[test]
fn requests_without_body_stay_without() {
    let (bodies, status) = run(&on_status(), "GET", Body::Empty, &[Status(503), Status(200)]);
    assert_eq!((bodies, status), (vec![String::new(), String::new()], 200));
}

#[test]
fn upgrades_are_never_tried_again() {
    let settings = config::dynamic::Retry { status: vec!["100-599".to_owned()], ..settings() };
    check(&settings, "GET", &[Upgraded, Status(200)], 1, 101);
}

#[test]
fn one_attempt_means_no_retry() {
    let settings = config::dynamic::Retry { attempts: 1, ..on_status() };
    check(&settings, "GET", &[Status(503), Status(200)], 1, 503);
}

#[test]
fn the_timeout_ends_the_tries() {
    let timeout = config::Duration::from_nanos(1);
    check(&config::dynamic::Retry { timeout, ..on_status() }, "GET", &[Status(503)], 1, 503);
    let timeout = config::Duration::from_secs(3600);
    let settings = config::dynamic::Retry { timeout, ..on_status() };
    check(&settings, "GET", &[Status(503), Status(200)], 2, 200);
}

#[test]
fn retries_are_counted_and_waits_grow_within_their_jitter() {
    let settings = config::dynamic::Retry {
        attempts: 5,
        initial_interval: config::Duration::from_millis(100),
        ..on_status()
    };
    let middleware = Retry::new(&settings).expect("valid settings");
    let mut exchange = fixture::exchange("GET", "http://h/");
    let mut memo = None;
    fixture::async_request_phase(&middleware, &mut exchange, &mut memo);
    for expected in [100.0, 118.9, 141.4, 168.2_f64] {
        exchange.response.status = StatusCode::SERVICE_UNAVAILABLE;
        let flow = fixture::block_on(middleware.on_response(&mut exchange, &mut memo));
        let Flow::Retry { after } = flow else { panic!("it is tried again") };
        let wait = after.as_secs_f64() * 1000.0;
        assert!((expected * 0.499..expected * 1.501).contains(&wait), "{wait} near {expected}");
    }
    assert_eq!(exchange.record.retries, 4);
}

#[test]
fn broken_settings_are_refused_with_traefiks_words() {
    let error = |settings: &config::dynamic::Retry| Retry::new(settings).err();
    assert_eq!(
        error(&config::dynamic::Retry::default()).as_deref(),
        Some("incorrect (or empty) value for attempt (0)")
    );
    let nothing = config::dynamic::Retry { disable_retry_on_network_error: true, ..settings() };
    assert_eq!(
        error(&nothing).as_deref(),
        Some("retry middleware requires at least HTTP status codes or retry on TCP")
    );
    let broken = config::dynamic::Retry { status: vec!["abc".to_owned()], ..settings() };
    assert_eq!(
        error(&broken).as_deref(),
        Some("creating HTTP code ranges: strconv.Atoi: parsing \"abc\": invalid syntax")
    );
}
