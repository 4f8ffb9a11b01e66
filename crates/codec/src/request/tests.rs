use bytes::BytesMut;
use http::{HeaderMap, StatusCode};

use crate::error::HeadError::{self, *};
use crate::head::{BodyLength, RequestHead, parse_request};
use crate::limits::Limits;

fn parse(head: &[u8]) -> Result<Option<RequestHead>, HeadError> {
    let mut buffer = BytesMut::from(head);
    parse_request(&mut buffer, &Limits::default(), HeaderMap::new())
}

#[track_caller]
fn served(head: impl AsRef<[u8]>) -> RequestHead {
    parse(head.as_ref()).expect("a valid head").expect("a whole head")
}

#[track_caller]
fn refused(head: impl AsRef<[u8]>, expected: HeadError) {
    assert_eq!(parse(head.as_ref()).map(|_| ()), Err(expected));
}

/// Checks a request line, followed by a Host.
#[track_caller]
fn check_line(line: &str, expected: Result<&str, HeadError>) {
    let head = format!("{line}\r\nHost: a\r\n\r\n");
    match (parse(head.as_bytes()), expected) {
        (Ok(Some(head)), Ok(target)) => assert_eq!(head.target, target.as_bytes()),
        (Ok(other), Ok(_)) => panic!("incomplete: {other:?}"),
        (result, expected) => assert_eq!(result.map(|_| ()), expected.map(|_| ())),
    }
}

/// Checks field lines of an HTTP/1.1 POST that has a Host already.
#[track_caller]
fn check_fields(fields: &[u8], expected: Result<BodyLength, HeadError>) {
    let head = [b"POST / HTTP/1.1\r\nHost: a\r\n", fields, b"\r\n\r\n"].concat();
    let result = parse(&head).map(|head| head.expect("a whole head").body);
    assert_eq!(result, expected, "{}", fields.escape_ascii());
}

#[track_caller]
fn check_host(host: &str, expected: Result<(), HeadError>) {
    let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    assert_eq!(parse(head.as_bytes()).map(|_| ()), expected, "{host}");
}

#[test]
fn a_request_is_read_whole() {
    let head = served("PURGE /a?b HTTP/1.1\r\nHost: a:80\r\nX-A:1 \r\nx-a:\t2\r\nX-B:\r\n\r\n");
    assert_eq!(head.method, "PURGE");
    assert_eq!(head.target, "/a?b");
    assert_eq!(head.version, http::Version::HTTP_11);
    let values: Vec<_> = head.headers.get_all("x-a").iter().collect();
    assert_eq!(values, ["1", "2"]);
    assert_eq!(head.headers["x-b"], "");
    assert_eq!(head.body, BodyLength::None);
    assert!(head.keep_alive && !head.expects_continue && !head.upgrade);
}

#[test]
fn request_lines_follow_the_grammar() {
    check_line("GET /  HTTP/1.1", Err(InvalidTarget));
    check_line("GET  / HTTP/1.1", Err(InvalidTarget));
    check_line("GET / x HTTP/1.1", Err(InvalidTarget));
    check_line("GET /\tHTTP/1.1", Err(InvalidRequestLine));
    check_line("GET / HTTP/1.1 ", Err(InvalidVersion));
    check_line(" GET / HTTP/1.1", Err(InvalidMethod));
    check_line("GET\t/ HTTP/1.1", Err(InvalidMethod));
    check_line("GET", Err(InvalidRequestLine));
    check_line("GET /", Err(InvalidRequestLine));
    check_line("GET HTTP/1.1", Err(InvalidRequestLine));
    check_line("G@T / HTTP/1.1", Err(InvalidMethod));
    check_line("GÉT / HTTP/1.1", Err(InvalidMethod));
    check_line("get / HTTP/1.1", Ok("/"));
    check_line("M-SEARCH / HTTP/1.1", Ok("/"));
    check_line("A-METHOD-OF-MORE-THAN-15-BYTES / HTTP/1.1", Ok("/"));
}

#[test]
fn only_two_versions_are_served() {
    check_line("GET / HTTP/1.1", Ok("/"));
    check_line("GET / HTTP/1.0", Ok("/"));
    check_line("GET / HTTP/1.9", Err(UnsupportedVersion));
    check_line("GET / HTTP/0.9", Err(UnsupportedVersion));
    check_line("GET / HTTP/2.0", Err(UnsupportedVersion));
    check_line("GET / HTTP/11", Err(InvalidVersion));
    check_line("GET / HTTP/1.10", Err(InvalidVersion));
    check_line("GET / http/1.1", Err(InvalidVersion));
    check_line("GET / HTTP/1.x", Err(InvalidVersion));
    check_line("GET / FOO", Err(InvalidVersion));
}

#[test]
fn targets_fit_their_method() {
    check_line("GET /a/../b;c=%zz?d=[e]|\"f\" HTTP/1.1", Ok("/a/../b;c=%zz?d=[e]|\"f\""));
    check_line("GET // HTTP/1.1", Ok("//"));
    check_line("GET /é HTTP/1.1", Ok("/é"));
    check_line("GET /a#b HTTP/1.1", Err(InvalidTarget));
    check_line("GET /a\u{7f} HTTP/1.1", Err(InvalidTarget));
    check_line("GET /a\0 HTTP/1.1", Err(InvalidTarget));
    check_line("GET /a\r HTTP/1.1", Err(InvalidTarget));
    check_line("GET a HTTP/1.1", Err(InvalidTarget));
    check_line("GET ?a HTTP/1.1", Err(InvalidTarget));
    check_line("OPTIONS * HTTP/1.1", Ok("*"));
    check_line("GET * HTTP/1.1", Err(InvalidTarget));
    check_line("OPTIONS ** HTTP/1.1", Err(InvalidTarget));
    check_line("CONNECT a:443 HTTP/1.1", Ok("a:443"));
    check_line("CONNECT [::1]:443 HTTP/1.1", Ok("[::1]:443"));
    check_line("CONNECT a HTTP/1.1", Err(InvalidTarget));
    check_line("CONNECT /a HTTP/1.1", Err(InvalidTarget));
    check_line("CONNECT http://a:80/ HTTP/1.1", Err(InvalidTarget));
    check_line("GET a:443 HTTP/1.1", Err(InvalidTarget));
    check_line("GET http://a HTTP/1.1", Ok("http://a"));
    check_line("GET HTTPS://a:1/b?c HTTP/1.1", Ok("HTTPS://a:1/b?c"));
    check_line("GET http://a?b HTTP/1.1", Ok("http://a?b"));
    check_line("GET http:///b HTTP/1.1", Err(InvalidTarget));
    check_line("GET http:// HTTP/1.1", Err(InvalidTarget));
    check_line("GET http://u@a/ HTTP/1.1", Err(InvalidTarget));
    check_line("GET http://a\\b/ HTTP/1.1", Err(InvalidTarget));
    check_line("GET ftp://a/ HTTP/1.1", Err(InvalidTarget));
}

#[test]
fn other_protocols_are_told_apart() {
    refused(b"\x16\x03\x01", TlsClientHello);
    refused(b"PRI * HTTP/2.0\r\n", Http2Preface);
    refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Http2Preface);
    refused("PRI * HTTP/1.1\r\nHost: a\r\n\r\n", InvalidTarget);
    refused(b"\x80garbage", InvalidMethod);
    refused(b"\0\0\0\0", InvalidMethod);
}

#[test]
fn faults_of_the_request_line_do_not_wait_for_the_rest() {
    refused("GET /\r\n", InvalidRequestLine);
    refused("GET / HTTP/3.0\r\nHost:", UnsupportedVersion);
    assert!(matches!(parse(b"GET / HTTP/1.1\r\nHost:"), Ok(None)));
}

#[test]
fn empty_lines_before_the_request_line_are_bounded() {
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    served(format!("\r\n{request}"));
    served(format!("\r\n\r\n\r\n\r\n{request}"));
    refused(format!("\r\n\r\n\r\n\r\n\r\n{request}"), TooManyEmptyLines);
    refused(format!("\n{request}"), BareLineFeed);
    refused(format!("\r{request}"), InvalidMethod);
}

#[test]
fn lines_end_in_crlf_only() {
    refused("GET / HTTP/1.1\nHost: a\n\n", BareLineFeed);
    refused("GET / HTTP/1.1\r\nHost: a\n\r\n", BareLineFeed);
    refused("GET / HTTP/1.1\r\nHost: a\r\n\n", BareLineFeed);
    check_fields(b"X: a\nY: b", Err(BareLineFeed));
    check_fields(b"X: a\rb", Err(BareCarriageReturn));
    check_fields(b"X: a\r", Err(BareCarriageReturn));
    check_fields(b"X\r: a", Err(BareCarriageReturn));
    check_fields(b"\rX: a", Err(BareCarriageReturn));
    refused("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", InvalidVersion);
}

#[test]
fn field_lines_follow_the_grammar() {
    check_fields(b"X :a", Err(SpaceBeforeColon));
    check_fields(b"X\t:a", Err(SpaceBeforeColon));
    check_fields(b"Content-Length : 5", Err(SpaceBeforeColon));
    check_fields(b"X Y: a", Err(InvalidFieldName));
    check_fields(b"X(Y): a", Err(InvalidFieldName));
    check_fields(b"X\0: a", Err(InvalidFieldName));
    check_fields(b"X\xe9: a", Err(InvalidFieldName));
    check_fields(b"X\"Y: a", Err(InvalidFieldName));
    check_fields(b": a", Err(EmptyFieldName));
    check_fields(b"X", Err(MissingColon));
    check_fields(b"X ", Err(MissingColon));
    check_fields(b"X: a\r\n b", Err(ObsoleteFold));
    check_fields(b"X: a\r\n\tb: c", Err(ObsoleteFold));
    check_fields(b"X: a\r\n ", Err(ObsoleteFold));
    check_fields(b"X: a\0b", Err(InvalidFieldValue));
    check_fields(b"X: a\x01b", Err(InvalidFieldValue));
    check_fields(b"X: a\x7fb", Err(InvalidFieldValue));
    check_fields(b"X: a\x0bb", Err(InvalidFieldValue));
    check_fields(b"X: a\tb \x80\xff\"(),/:;<=>?@[\\]{}", Ok(BodyLength::None));
    check_fields(b"!#$%&'*+-.^_`|~09aZ: a", Ok(BodyLength::None));
    check_fields(b"X: \t ", Ok(BodyLength::None));
    refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n", WhitespaceBeforeFields);
    refused("GET / HTTP/1.1\r\n\t\r\nHost: a\r\n\r\n", WhitespaceBeforeFields);
}

#[test]
fn host_is_there_once_and_valid() {
    refused("GET / HTTP/1.1\r\n\r\n", MissingHost);
    refused("GET http://a/ HTTP/1.1\r\n\r\n", MissingHost);
    refused("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", RepeatedHost);
    refused("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", RepeatedHost);
    refused("GET / HTTP/1.1\r\nHost:\r\nHost:\r\n\r\n", RepeatedHost);
    served("GET / HTTP/1.0\r\n\r\n");
    check_host("", Ok(()));
    check_host("a", Ok(()));
    check_host("[::1]:8080", Ok(()));
    check_host("a b", Err(InvalidHost));
    check_host("a,b", Ok(()));
    check_host("u@a", Err(InvalidHost));
    check_host("a:99999", Err(InvalidHost));
    check_host("a/b", Err(InvalidHost));
    check_host("http://a", Err(InvalidHost));
}

#[test]
fn content_length_has_one_reading() {
    check_fields(b"Content-Length: 5", Ok(BodyLength::Fixed(5)));
    check_fields(b"content-length:\t007 ", Ok(BodyLength::Fixed(7)));
    check_fields(b"CONTENT-LENGTH: 0", Ok(BodyLength::Fixed(0)));
    check_fields(b"Content-Length: 9223372036854775807", Ok(BodyLength::Fixed(i64::MAX as u64)));
    for value in ["", "+5", "-5", "5,", "5, 5", "5 5", "0x5", "5.0", "5e0", "five", "\u{b}5", "٥"]
    {
        let field = format!("Content-Length: {value}");
        check_fields(field.as_bytes(), Err(InvalidContentLength));
    }
    check_fields(b"Content-Length: 9223372036854775808", Err(InvalidContentLength));
    check_fields(b"Content-Length: 18446744073709551621", Err(InvalidContentLength));
    check_fields(b"Content-Length: 5\r\nContent-Length: 5", Err(RepeatedContentLength));
    check_fields(b"Content-Length: 5\r\ncontent-length: 6", Err(RepeatedContentLength));
}

#[test]
fn transfer_encoding_is_one_chunked() {
    check_fields(b"Transfer-Encoding: chunked", Ok(BodyLength::Chunked));
    check_fields(b"transfer-encoding:\t CHUNKED \t", Ok(BodyLength::Chunked));
    for value in [
        "",
        "xchunked",
        "chunkedx",
        "chunked, chunked",
        "gzip, chunked",
        "chunked, gzip",
        "identity",
        "chunked;a=b",
        ", chunked",
        "chunked,",
        "\"chunked\"",
    ] {
        let field = format!("Transfer-Encoding: {value}");
        check_fields(field.as_bytes(), Err(InvalidTransferEncoding));
    }
    check_fields(b"Transfer-Encoding: \x0bchunked", Err(InvalidTransferEncoding));
    check_fields(
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        Err(InvalidTransferEncoding),
    );
    check_fields(
        b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
        Err(InvalidTransferEncoding),
    );
    check_fields(
        b"Transfer-Encoding: chunked\r\nContent-Length: 5",
        Err(ContentLengthWithTransferEncoding),
    );
    check_fields(
        b"Content-Length: 0\r\nTransfer-Encoding: chunked",
        Err(ContentLengthWithTransferEncoding),
    );
    refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", TransferEncodingInHttp10);
}

#[track_caller]
fn check_connection(version: &str, connection: &str, keep_alive: bool, upgrade: bool) {
    let head = served(format!(
        "GET / {version}\r\nHost: a\r\nUpgrade: websocket\r\nConnection: {connection}\r\n\r\n"
    ));
    assert_eq!((head.keep_alive, head.upgrade), (keep_alive, upgrade), "{version} {connection}");
}

#[test]
fn connection_options_are_a_list_of_tokens() {
    check_connection("HTTP/1.1", "", true, false);
    check_connection("HTTP/1.1", "keep-alive", true, false);
    check_connection("HTTP/1.1", "Close", false, false);
    check_connection("HTTP/1.1", "x,\tCLOSE ,y", false, false);
    check_connection("HTTP/1.1", "keep-alive, close", false, false);
    check_connection("HTTP/1.1", "closed", true, false);
    check_connection("HTTP/1.1", "keep-alive, Upgrade", true, true);
    check_connection("HTTP/1.0", "", false, false);
    check_connection("HTTP/1.0", "Keep-Alive", true, false);
    check_connection("HTTP/1.0", "keep-alive, close", false, false);
    check_connection("HTTP/1.0", "keep-alive, upgrade", true, false);
    let without_upgrade = served("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n");
    assert!(!without_upgrade.upgrade);
}

#[track_caller]
fn check_expect(version: &str, fields: &str, expected: Result<bool, HeadError>) {
    let head = format!("POST / {version}\r\nHost: a\r\n{fields}\r\n\r\n");
    let result = parse(head.as_bytes()).map(|head| head.expect("a whole head").expects_continue);
    assert_eq!(result, expected, "{version} {fields}");
}

#[test]
fn only_100_continue_can_be_expected() {
    let with_body = |expect: &str| format!("Expect: {expect}\r\nContent-Length: 1");
    check_expect("HTTP/1.1", &with_body("100-continue"), Ok(true));
    check_expect("HTTP/1.1", &with_body("100-Continue"), Ok(true));
    check_expect("HTTP/1.1", &with_body(""), Ok(false));
    check_expect("HTTP/1.1", &with_body("100-continue, x"), Err(UnsupportedExpectation));
    check_expect("HTTP/1.1", &with_body("x"), Err(UnsupportedExpectation));
    check_expect("HTTP/1.0", &with_body("100-continue"), Ok(false));
    check_expect("HTTP/1.0", &with_body("x"), Ok(false));
    check_expect("HTTP/1.1", "Expect: 100-continue", Ok(false));
    check_expect("HTTP/1.1", "Expect: 100-continue\r\nContent-Length: 0", Ok(false));
}

#[test]
fn refusals_have_the_status_that_fits() {
    assert_eq!(RequestLineTooLong.status(), StatusCode::URI_TOO_LONG);
    assert_eq!(HeadTooLarge.status().as_u16(), 431);
    assert_eq!(TooManyFields.status().as_u16(), 431);
    assert_eq!(UnsupportedVersion.status().as_u16(), 505);
    assert_eq!(UnsupportedExpectation.status().as_u16(), 417);
    assert_eq!(InvalidTransferEncoding.status(), StatusCode::BAD_REQUEST);
    assert_eq!(MissingHost.status(), StatusCode::BAD_REQUEST);
    assert_eq!(MissingHost.to_string(), "host: missing");
}
