use bytes::BytesMut;
use http::{HeaderMap, Method};

use crate::error::HeadError::{self, *};
use crate::head::{BodyLength, ResponseHead, parse_response};
use crate::limits::Limits;

fn parse(method: &Method, head: &str) -> Result<ResponseHead, HeadError> {
    let mut buffer = BytesMut::from(head);
    parse_response(&mut buffer, method, &Limits::default(), HeaderMap::new())
        .map(|head| head.expect("a whole head"))
}

#[track_caller]
fn check_status_line(line: &str, expected: Result<u16, HeadError>) {
    let result = parse(&Method::GET, &format!("{line}\r\n\r\n"));
    assert_eq!(result.map(|head| head.status.as_u16()), expected, "{line}");
}

#[track_caller]
fn check_body(method: Method, status: u16, fields: &str, expected: Result<BodyLength, HeadError>) {
    let result = parse(&method, &format!("HTTP/1.1 {status} x\r\n{fields}\r\n"));
    assert_eq!(result.map(|head| head.body), expected, "{method} {status} {fields}");
}

#[track_caller]
fn check_keep_alive(head: &str, expected: bool) {
    let head = parse(&Method::GET, head).expect("a valid head");
    assert_eq!(head.keep_alive, expected);
}

const LENGTH: &str = "Content-Length: 5\r\n";
const EMPTY: &str = "Content-Length: 0\r\n";
const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

#[test]
fn status_lines_follow_the_grammar() {
    check_status_line("HTTP/1.1 200 OK", Ok(200));
    check_status_line("HTTP/1.1 200 ", Ok(200));
    check_status_line("HTTP/1.1 200", Ok(200));
    check_status_line("HTTP/1.0 404 Nicht gefünden\t!", Ok(404));
    check_status_line("HTTP/1.1 999 x", Ok(999));
    check_status_line("HTTP/1.1 099 x", Err(InvalidStatusLine));
    check_status_line("HTTP/1.1 20 x", Err(InvalidStatusLine));
    check_status_line("HTTP/1.1 2000 x", Err(InvalidStatusLine));
    check_status_line("HTTP/1.1 200x", Err(InvalidStatusLine));
    check_status_line("HTTP/1.1  200 x", Err(InvalidStatusLine));
    check_status_line("HTTP/1.1\t200 x", Err(InvalidStatusLine));
    check_status_line("HTTP/1.1 +20 x", Err(InvalidStatusLine));
    check_status_line("HTTP/1.1 200 a\rb", Err(InvalidStatusLine));
    check_status_line("HTTP/1.1 200 a\0b", Err(InvalidStatusLine));
    check_status_line("ICY 200 OK", Err(InvalidStatusLine));
    check_status_line("http/1.1 200 OK", Err(InvalidStatusLine));
    check_status_line("HTTP/2.0 200 OK", Err(UnsupportedVersion));
    check_status_line("HTTP/1.2 200 OK", Err(UnsupportedVersion));
    check_status_line("", Err(InvalidStatusLine));
    check_status_line("HTTP/1.1", Err(InvalidStatusLine));
    check_status_line("<html>", Err(InvalidStatusLine));
}

#[test]
fn body_length_follows_the_steps_of_the_rfc() {
    check_body(Method::GET, 200, LENGTH, Ok(BodyLength::Fixed(5)));
    check_body(Method::GET, 200, EMPTY, Ok(BodyLength::Fixed(0)));
    check_body(Method::GET, 200, CHUNKED, Ok(BodyLength::Chunked));
    check_body(Method::GET, 200, "", Ok(BodyLength::UntilClose));
    check_body(Method::POST, 500, "", Ok(BodyLength::UntilClose));
    check_body(Method::HEAD, 200, LENGTH, Ok(BodyLength::None));
    check_body(Method::HEAD, 200, CHUNKED, Ok(BodyLength::None));
    check_body(Method::HEAD, 200, "", Ok(BodyLength::None));
    check_body(Method::GET, 204, "", Ok(BodyLength::None));
    check_body(Method::GET, 204, LENGTH, Ok(BodyLength::None));
    check_body(Method::GET, 304, LENGTH, Ok(BodyLength::None));
    check_body(Method::GET, 304, CHUNKED, Ok(BodyLength::None));
    check_body(Method::GET, 103, "Link: x\r\n", Ok(BodyLength::None));
    check_body(Method::GET, 100, EMPTY, Ok(BodyLength::None));
    check_body(Method::GET, 101, CHUNKED, Ok(BodyLength::None));
    check_body(Method::CONNECT, 200, LENGTH, Ok(BodyLength::None));
    check_body(Method::CONNECT, 403, LENGTH, Ok(BodyLength::Fixed(5)));
}

#[test]
fn doubtful_framing_is_refused_whatever_the_status() {
    let both = format!("{LENGTH}{CHUNKED}");
    let twice = format!("{LENGTH}{LENGTH}");
    let gzip = "Transfer-Encoding: gzip, chunked\r\n";
    for (method, status) in
        [(Method::GET, 200), (Method::HEAD, 200), (Method::GET, 204), (Method::GET, 304)]
    {
        check_body(method.clone(), status, &both, Err(ContentLengthWithTransferEncoding));
        check_body(method.clone(), status, &twice, Err(RepeatedContentLength));
        check_body(method.clone(), status, "Content-Length: 5, 5\r\n", Err(InvalidContentLength));
        check_body(method.clone(), status, gzip, Err(InvalidTransferEncoding));
    }
    check_body(Method::GET, 103, LENGTH, Err(BodyInInterimResponse));
    check_body(Method::GET, 100, CHUNKED, Err(BodyInInterimResponse));
    let old = format!("HTTP/1.0 200 OK\r\n{CHUNKED}\r\n");
    let result = parse(&Method::GET, &old).map(|_| ());
    assert_eq!(result, Err(TransferEncodingInHttp10));
}

#[test]
fn field_lines_are_as_strict_as_in_requests() {
    check_body(Method::GET, 200, "X: a\r\n b\r\n", Err(ObsoleteFold));
    check_body(Method::GET, 200, "X : a\r\n", Err(SpaceBeforeColon));
    check_body(Method::GET, 200, "X: a\rb\r\n", Err(BareCarriageReturn));
    check_body(Method::GET, 200, "X: a\n", Err(BareLineFeed));
    check_body(Method::GET, 200, "X: a\0\r\n", Err(InvalidFieldValue));
    check_body(Method::GET, 200, " X: a\r\n", Err(WhitespaceBeforeFields));
    // Host means nothing in a response.
    check_body(Method::GET, 204, "Host: a b\r\nHost: c\r\n", Ok(BodyLength::None));
}

#[test]
fn content_length_of_a_response_to_head_is_kept() {
    let head = parse(&Method::HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
    assert_eq!(head.expect("a valid head").headers["content-length"], "7");
}

#[test]
fn connections_go_on_only_when_the_end_is_known() {
    check_keep_alive("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true);
    check_keep_alive("HTTP/1.1 200 OK\r\n\r\n", false);
    check_keep_alive("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n", false);
    check_keep_alive("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", false);
    check_keep_alive(
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n",
        true,
    );
    check_keep_alive("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", false);
    check_keep_alive("HTTP/1.1 204 x\r\n\r\n", true);
    check_keep_alive("HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n", false);
    check_keep_alive("HTTP/1.1 101 x\r\nUpgrade: x\r\n\r\n", false);
}

#[test]
fn tunnels_are_marked() {
    let switched = parse(&Method::GET, "HTTP/1.1 101 x\r\n\r\n").expect("a valid head");
    assert!(switched.upgrade);
    let connected = parse(&Method::CONNECT, "HTTP/1.1 200 x\r\n\r\n").expect("a valid head");
    assert!(connected.upgrade && !connected.keep_alive);
    let plain = parse(&Method::GET, "HTTP/1.1 200 x\r\n\r\n").expect("a valid head");
    assert!(!plain.upgrade);
}
