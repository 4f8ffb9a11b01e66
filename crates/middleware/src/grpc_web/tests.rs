use exchange::BodyError;

use super::*;
use crate::fixture::{self, Script, Step};

fn middleware(origins: &[&str]) -> GrpcWeb {
    let allow_origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
    GrpcWeb::new(&config::dynamic::GrpcWeb { allow_origins })
}

/// Sends a request of that type and body; tells the type and the body that the server gets.
fn check_request(content_type: &str, body: Vec<Step>, expected: (&str, &str)) {
    let mut exchange = fixture::exchange("POST", "http://h/");
    exchange.request.headers = fixture::headers(&[("Content-Type", content_type)]);
    exchange.request.body = Script::body(Some(99), body);
    assert!(fixture::request_phase(&middleware(&[]), &mut exchange).is_none());
    let request = exchange.request;
    assert_eq!(request.headers[CONTENT_TYPE], expected.0);
    assert_eq!(request.body.length().is_none(), content_type.starts_with(GRPC_WEB));
    assert_eq!(fixture::read(request.body), expected.1.as_bytes());
}

#[test]
fn requests_become_grpc() {
    use Step::{Data, Pending};
    check_request("application/grpc-web", vec![Data("hello")], (GRPC, "hello"));
    let expected = ("application/grpc+proto", "hello");
    check_request("application/grpc-web+proto", vec![Data("hello")], expected);
    let text = vec![Data("aG"), Pending, Data("Vsb"), Data("G8="), Data("\r\naGVsbG8=")];
    check_request(
        "application/grpc-web-text+proto",
        text,
        ("application/grpc+proto", "hellohello"),
    );
    check_request("application/json", vec![Data("hello")], ("application/json", "hello"));
}

fn check_malformed(body: &'static str) {
    let mut body = Decoded::wrap(Script::body(None, vec![Step::Data(body)]), true);
    let ended = fixture::block_on(async {
        loop {
            match body.frame().await {
                Some(Ok(_)) => {}
                other => break other.map(|frame| frame.err()),
            }
        }
    });
    assert_eq!(ended, Some(Some(BodyError::Malformed)));
}

#[test]
fn text_that_is_not_base64_is_refused() {
    check_malformed("aGVsb");
    check_malformed("a=VsbG8=");
    check_malformed("a!!!");
}

/// Answers a translated request; tells the answer.
fn respond(content_type: &'static str, origin: &'static str, response: Response) -> String {
    let middleware = middleware(&["http://one.example"]);
    let mut exchange = fixture::exchange("POST", "http://h/");
    exchange.request.headers =
        fixture::headers(&[("Content-Type", content_type), ("Origin", origin)]);
    let mut memo = None;
    middleware.on_request(&mut exchange, &mut memo);
    exchange.response = response;
    middleware.on_response(&mut exchange, &mut memo);
    fixture::told(exchange.response)
}

fn streamed(steps: Vec<Step>) -> Response {
    let mut response = fixture::response(200, &[("Content-Type", "application/grpc")], "");
    response.body = Script::body(None, steps);
    response
}

#[test]
fn trailers_become_the_last_frame() {
    let fields = fixture::headers(&[("Grpc-Status", "0"), ("Content-Type", "x"), ("A", "b")]);
    let told =
        respond(GRPC_WEB, "", streamed(vec![Step::Data("hello"), Step::Trailers(fields.clone())]));
    assert_eq!(
        told,
        "200\naccess-control-expose-headers: Content-Type, Vary, grpc-status, grpc-message\n\
         content-type: application/grpc-web\nvary: Origin\n\
         hello\u{fffd}\0\0\0\u{16}a: b\r\ngrpc-status: 0\r\n"
    );
    let told =
        respond(GRPC_WEB_TEXT, "", streamed(vec![Step::Data("hello"), Step::Trailers(fields)]));
    assert!(told.ends_with("aGVsbG8=gAAAABZhOiBiDQpncnBjLXN0YXR1czogMA0K"), "{told}");
    let told = respond(GRPC_WEB, "", streamed(vec![Step::Data("hello")]));
    assert!(told.ends_with("hello\u{fffd}\0\0\0\0"), "{told}");
}

#[test]
fn what_has_a_length_keeps_it_unless_it_is_to_be_text() {
    let whole = || fixture::response(200, &[("Grpc-Status", "5")], "hello");
    assert!(respond(GRPC_WEB, "", whole()).ends_with("\nhello"));
    assert!(respond(GRPC_WEB_TEXT, "", whole()).ends_with("\naGVsbG8=gAAAAAA="));
}

#[test]
fn only_allowed_origins_are_told_so() {
    let allowed = respond(GRPC_WEB, "http://one.example", Response::default());
    assert!(allowed.contains("access-control-allow-origin: http://one.example\n"));
    assert!(allowed.contains("access-control-allow-credentials: true\n"));
    let other = respond(GRPC_WEB, "http://two.example", Response::default());
    assert!(!other.contains("access-control-allow"));
}

fn check_preflight(origins: &[&str], method: &str, expected: Option<&str>) {
    let mut exchange = fixture::exchange("OPTIONS", "http://h/");
    exchange.request.headers = fixture::headers(&[
        ("Origin", "http://one.example"),
        ("Access-Control-Request-Headers", "content-type, X-GRPC-Web"),
    ]);
    if let Ok(value) = HeaderValue::from_str(method) {
        exchange.request.headers.insert(ACCESS_CONTROL_REQUEST_METHOD, value);
    }
    let answer = fixture::request_phase(&middleware(origins), &mut exchange);
    let vary = "\nvary: Access-Control-Request-Headers\nvary: Access-Control-Request-Method\n\
                vary: Origin\n";
    let expected = expected.map(|expected| format!("200{expected}{vary}"));
    assert_eq!(answer.map(fixture::told), expected);
}

#[test]
fn preflights_are_answered() {
    let allowed = "\naccess-control-allow-credentials: true\n\
                   access-control-allow-headers: Content-Type, X-Grpc-Web\n\
                   access-control-allow-methods: POST\n\
                   access-control-allow-origin: http://one.example\naccess-control-max-age: 600";
    check_preflight(&["*"], "post", Some(allowed));
    check_preflight(&["http://one.example"], "POST", Some(allowed));
    check_preflight(&["http://two.example"], "POST", Some(""));
    check_preflight(&["*"], "PUT", Some(""));
    check_preflight(&["*"], "", None);
}
