use config::dynamic::Buffering as Settings;

use super::*;
use crate::fixture::{self, Script, Step};

fn buffering(change: impl FnOnce(&mut Settings)) -> Buffering {
    let mut settings = Settings::default();
    change(&mut settings);
    Buffering::new(&settings).expect("valid settings")
}

/// Sends a request with a body through the request phase; tells the length that is announced and
/// the body, or the answer.
fn check_request(method: &str, body: Body, expected: Result<(Option<u64>, &str), &str>) {
    let middleware = buffering(|settings| settings.max_request_body_bytes = 5);
    let mut exchange = fixture::exchange(method, "http://h/");
    exchange.request.body = body;
    exchange.request.expects_continue = true;
    match fixture::async_request_phase(&middleware, &mut exchange, &mut None) {
        Some(answer) => assert_eq!(Err(fixture::told(answer).as_str()), expected),
        None => {
            let body = exchange.request.body;
            let length = if matches!(body, Body::Empty) { None } else { body.length() };
            let body = String::from_utf8(fixture::read(body)).expect("text");
            assert_eq!(Ok((length, body.as_str())), expected);
        }
    }
}

#[test]
fn requests_are_whole_and_no_larger_than_their_limit() {
    use Step::{Broken, Data};
    let too_large = Err("413\nRequest Entity Too Large");
    check_request("POST", Body::Empty, Ok((None, "")));
    check_request("POST", Body::Full("12345".into()), Ok((Some(5), "12345")));
    check_request("POST", Body::Full("123456".into()), too_large);
    let body = Script::body(None, vec![Data("123"), Data("45")]);
    check_request("POST", body, Ok((Some(5), "12345")));
    check_request("POST", Script::body(None, vec![Data("123"), Data("456")]), too_large);
    check_request("POST", Script::body(Some(6), vec![]), too_large);
    check_request("POST", Script::body(None, vec![]), Ok((Some(0), "")));
    check_request("GET", Script::body(None, vec![]), Ok((None, "")));
    let malformed = Script::body(None, vec![Data("1"), Broken(BodyError::Malformed)]);
    check_request("POST", malformed, Err("400\nBad Request"));
    let late = Script::body(None, vec![Broken(BodyError::TimedOut)]);
    check_request("POST", late, Err("408\nRequest Timeout"));
}

/// Sends a response through the response phase; tells the answer.
fn check_response(method: &str, response: Response, expected: &str) {
    let middleware = buffering(|settings| settings.max_response_body_bytes = 5);
    let mut exchange = fixture::exchange(method, "http://h/");
    exchange.response = response;
    let flow = fixture::block_on(middleware.on_response(&mut exchange, &mut None));
    let response = match flow {
        Flow::Respond(response) => *response,
        _ => exchange.response,
    };
    assert_eq!(fixture::told(response), expected);
}

#[test]
fn responses_are_whole_and_no_larger_than_their_limit() {
    let streamed = |steps| {
        let mut response = fixture::response(200, &[("X-A", "1")], "");
        response.body = Script::body(None, steps);
        response
    };
    let too_large = "500\nInternal Server Error";
    check_response("GET", fixture::response(200, &[("X-A", "1")], "12345"), "200\nx-a: 1\n12345");
    check_response("GET", fixture::response(200, &[("X-A", "1")], "123456"), too_large);
    let (data, broken) = (Step::Data, || Step::Broken(BodyError::Cut));
    check_response("GET", streamed(vec![data("123"), data("45")]), "200\nx-a: 1\n12345");
    check_response("GET", streamed(vec![data("123"), data("456")]), too_large);
    check_response("GET", streamed(vec![data("1"), broken()]), "502\nBad Gateway");
    let grpc = fixture::response(200, &[("Grpc-Status", "7")], "123456");
    check_response("GET", grpc, "200\ngrpc-status: 7\n");
    let head = fixture::response(200, &[("Content-Length", "999")], "");
    check_response("HEAD", head, "200\ncontent-length: 999\n");
}

/// Answers every try with the next status; tells how many tries there are, and the last body sent.
fn check_retry(expression: &str, body: Body, statuses: &[u16], tries: usize) {
    let middleware = buffering(|settings| settings.retry_expression = expression.to_owned());
    let mut exchange = fixture::exchange("POST", "http://h/a");
    let expected = if matches!(body, Body::Empty) { "" } else { "hello" };
    exchange.request.body = body;
    let mut memo = None;
    assert!(fixture::async_request_phase(&middleware, &mut exchange, &mut memo).is_none());
    let mut made = 0;
    for status in statuses {
        made += 1;
        assert_eq!(exchange.request.path(), "/a");
        assert_eq!(fixture::read(exchange.request.body.take()), expected.as_bytes());
        exchange.request.target = "/changed/by/later/stages".parse().expect("valid target");
        exchange.response = fixture::response(*status, &[], "");
        let flow = fixture::block_on(middleware.on_response(&mut exchange, &mut memo));
        if !matches!(flow, Flow::Retry { .. }) {
            break;
        }
    }
    assert_eq!(made, tries, "{expression}");
    assert_eq!(exchange.record.retries as usize, tries - 1);
}

#[test]
fn requests_are_tried_again_as_the_expression_says() {
    let hello = || Body::Full("hello".into());
    check_retry("ResponseCode() == 503 && Attempts() < 3", hello(), &[503; 9], 3);
    check_retry("ResponseCode() == 503 && Attempts() < 3", hello(), &[503, 200], 2);
    check_retry("ResponseCode() == 503", hello(), &[502, 503], 1);
    check_retry("IsNetworkError()", hello(), &[502, 504, 503], 3);
    check_retry("RequestMethod() == \"POST\" && Attempts() <= 2", hello(), &[200; 9], 3);
    check_retry("RequestMethod() != \"POST\"", hello(), &[503; 9], 1);
    check_retry("IsNetworkError()", Body::Empty, &[502, 200], 1);
    let streamed = Script::body(None, vec![Step::Data("hel"), Step::Data("lo")]);
    check_retry("IsNetworkError()", streamed, &[502, 502, 200], 3);
}

#[test]
fn tries_are_bounded_whatever_the_expression_says() {
    check_retry("Attempts() > 0", Body::Full("hello".into()), &[200; 20], 11);
}

#[test]
fn what_was_upgraded_passes() {
    let middleware = buffering(|_| {});
    let mut exchange = fixture::exchange("GET", "http://h/");
    exchange.response.upgrade = Some(exchange::Upgrade(Box::new(())));
    let flow = fixture::block_on(middleware.on_response(&mut exchange, &mut None));
    assert!(matches!(flow, Flow::Continue) && exchange.response.upgrade.is_some());
}

fn check_error(change: impl FnOnce(&mut Settings), expected: &str) {
    let mut settings = Settings::default();
    change(&mut settings);
    assert_eq!(Buffering::new(&settings).err().as_deref(), Some(expected));
}

#[test]
fn broken_settings_are_refused_with_traefiks_words() {
    check_error(|s| s.max_request_body_bytes = -1, "max bytes should be >= 0 got -1");
    check_error(|s| s.mem_response_body_bytes = -1, "mem bytes should be >= 0 got -1");
    for (expression, expected) in [
        ("RequestMethod() > \"GET\"", "unsupported argument: buffer.toString"),
        ("RequestMethod() == 1", "expected string, got int"),
        ("Attempts() < 2.5", "expected int, got float64"),
        ("IsNetworkError() == 1", "unsupported argument: buffer.hpredicate"),
        ("!IsNetworkError()", "! is not supported"),
        ("Attempts()", "expected predicate, got buffer.toInt"),
        ("\"GET\" == RequestMethod()", "unsupported argument: string"),
        ("IsNetworkError(1)", "reflect: Call with too many input arguments"),
        ("1 == 1", "unsupported argument: int"),
        (
            "Attempts() && IsNetworkError()",
            "reflect: cannot use buffer.toInt as type buffer.hpredicate in Call",
        ),
    ] {
        check_error(|s| s.retry_expression = expression.to_owned(), expected);
    }
}
