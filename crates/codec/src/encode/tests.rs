use http::HeaderValue;

use super::ConnectionHeader::{Close, KeepAlive, Upgrade};
use super::*;

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
}

#[track_caller]
fn check_request(method: Method, body: BodyLength, expected: &str) {
    let headers = headers(&[
        ("x-a", "1"),
        ("host", "other"),
        ("content-length", "99"),
        ("transfer-encoding", "chunked"),
        ("x-a", "2"),
    ]);
    let mut out = BytesMut::new();
    encode_request(&mut out, &method, "/p?q", b"h:1", &headers, body);
    let expected =
        format!("{method} /p?q HTTP/1.1\r\nHost: h:1\r\n{expected}X-A: 1\r\nX-A: 2\r\n\r\n");
    assert_eq!(out, expected.as_bytes());
}

#[track_caller]
fn check_request_line(request_target: &str, host: &str, expected: &str) {
    let mut out = BytesMut::new();
    let none = HeaderMap::new();
    encode_request(
        &mut out,
        &Method::GET,
        request_target,
        host.as_bytes(),
        &none,
        BodyLength::None,
    );
    assert_eq!(out, expected.as_bytes());
}

#[track_caller]
fn check_response(
    version: Version,
    status: u16,
    body: BodyLength,
    connection: ConnectionHeader,
    expected: &str,
) {
    let headers = headers(&[
        ("etag", "1"),
        ("content-length", "7"),
        ("connection", "upgrade"),
        ("transfer-encoding", "gzip"),
    ]);
    let status = StatusCode::from_u16(status).expect("a valid status");
    let mut out = BytesMut::new();
    encode_response(&mut out, version, status, &headers, body, connection);
    assert_eq!(out, expected.as_bytes());
}

const V11: Version = Version::HTTP_11;
const V10: Version = Version::HTTP_10;

#[test]
fn requests_are_framed_by_their_body_alone() {
    check_request(Method::GET, BodyLength::None, "");
    check_request(Method::GET, BodyLength::Fixed(0), "");
    check_request(Method::DELETE, BodyLength::None, "");
    check_request(Method::DELETE, BodyLength::Fixed(0), "Content-Length: 0\r\n");
    check_request(Method::POST, BodyLength::None, "Content-Length: 0\r\n");
    check_request(Method::GET, BodyLength::Fixed(5), "Content-Length: 5\r\n");
    check_request(
        Method::PUT,
        BodyLength::Fixed(u64::MAX),
        "Content-Length: 18446744073709551615\r\n",
    );
    let chunked = "Transfer-Encoding: chunked\r\n";
    check_request(Method::POST, BodyLength::Chunked, chunked);
    check_request(Method::POST, BodyLength::UntilClose, chunked);
}

#[test]
fn nothing_breaks_out_of_the_request_line() {
    check_request_line("/a", "h", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    check_request_line("", "", "GET / HTTP/1.1\r\nHost: \r\n\r\n");
    check_request_line(
        "/a HTTP/1.1\r\nX: 1\r\n\r\n",
        "h\r\nX: 1",
        "GET /a%20HTTP/1.1%0D%0AX:%201%0D%0A%0D%0A HTTP/1.1\r\nHost: h\r\n\r\n",
    );
    check_request_line("/é#\0", "h b", "GET /%C3%A9%23%00 HTTP/1.1\r\nHost: h\r\n\r\n");
}

#[test]
fn responses_are_framed_by_their_body_alone() {
    check_response(
        V11,
        200,
        BodyLength::Fixed(3),
        KeepAlive,
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nEtag: 1\r\n\r\n",
    );
    check_response(
        V11,
        404,
        BodyLength::Chunked,
        KeepAlive,
        "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nEtag: 1\r\n\r\n",
    );
    check_response(
        V11,
        200,
        BodyLength::UntilClose,
        KeepAlive,
        "HTTP/1.1 200 OK\r\nConnection: close\r\nEtag: 1\r\n\r\n",
    );
    check_response(
        V11,
        200,
        BodyLength::Fixed(0),
        Close,
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\nEtag: 1\r\n\r\n",
    );
}

#[test]
fn a_forwarded_length_survives_only_without_a_body() {
    check_response(
        V11,
        200,
        BodyLength::None,
        KeepAlive,
        "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nEtag: 1\r\n\r\n",
    );
    check_response(
        V11,
        304,
        BodyLength::None,
        KeepAlive,
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nEtag: 1\r\n\r\n",
    );
    check_response(
        V11,
        304,
        BodyLength::Fixed(0),
        KeepAlive,
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nEtag: 1\r\n\r\n",
    );
    check_response(
        V11,
        304,
        BodyLength::UntilClose,
        KeepAlive,
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nEtag: 1\r\n\r\n",
    );
    check_response(
        V11,
        204,
        BodyLength::None,
        KeepAlive,
        "HTTP/1.1 204 No Content\r\nEtag: 1\r\n\r\n",
    );
    check_response(
        V11,
        204,
        BodyLength::Fixed(0),
        Close,
        "HTTP/1.1 204 No Content\r\nConnection: close\r\nEtag: 1\r\n\r\n",
    );
    check_response(
        V11,
        103,
        BodyLength::None,
        Close,
        "HTTP/1.1 103 Early Hints\r\nEtag: 1\r\n\r\n",
    );
    check_response(
        V11,
        101,
        BodyLength::None,
        Upgrade,
        "HTTP/1.1 101 Switching Protocols\r\nEtag: 1\r\nConnection: upgrade\r\n\r\n",
    );
}

#[test]
fn http_1_0_clients_get_no_chunks() {
    check_response(V10, 200, BodyLength::Chunked, KeepAlive, "HTTP/1.0 200 OK\r\nEtag: 1\r\n\r\n");
    check_response(
        V10,
        200,
        BodyLength::Fixed(3),
        KeepAlive,
        "HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\nEtag: 1\r\n\r\n",
    );
    check_response(
        V10,
        200,
        BodyLength::Fixed(3),
        Close,
        "HTTP/1.0 200 OK\r\nContent-Length: 3\r\nEtag: 1\r\n\r\n",
    );
    assert_eq!(BodyLength::Chunked.for_version(V10), BodyLength::UntilClose);
    assert_eq!(BodyLength::Chunked.for_version(V11), BodyLength::Chunked);
}

#[track_caller]
fn check_reason(status: u16, expected: &str) {
    let mut out = BytesMut::new();
    put_status_line(&mut out, V11, StatusCode::from_u16(status).unwrap());
    assert_eq!(out, format!("HTTP/1.1 {status} {expected}\r\n").as_bytes());
}

#[test]
fn reasons_are_those_of_go() {
    check_reason(200, "OK");
    check_reason(203, "Non-Authoritative Information");
    check_reason(413, "Request Entity Too Large");
    check_reason(414, "Request URI Too Long");
    check_reason(416, "Requested Range Not Satisfiable");
    check_reason(418, "I'm a teapot");
    check_reason(502, "Bad Gateway");
    check_reason(299, "status code 299");
    check_reason(999, "status code 999");
}

#[test]
fn chunks_are_written_in_hexadecimal() {
    let mut out = BytesMut::new();
    encode_chunk_head(&mut out, 1);
    encode_chunk_head(&mut out, 0xabc0);
    encode_chunk_head(&mut out, usize::MAX);
    assert_eq!(out, "1\r\nabc0\r\nffffffffffffffff\r\n");

    let mut out = BytesMut::new();
    encode_chunk(&mut out, b"hello world 1234");
    encode_chunk(&mut out, b"");
    encode_last_chunk(&mut out, None);
    assert_eq!(out, "10\r\nhello world 1234\r\n0\r\n\r\n");
}

#[test]
fn forbidden_trailers_are_not_written() {
    let trailers = headers(&[
        ("grpc-status", "0"),
        ("content-length", "5"),
        ("authorization", "x"),
        ("x-forwarded-for", "x"),
    ]);
    let mut out = BytesMut::new();
    encode_last_chunk(&mut out, Some(&trailers));
    assert_eq!(out, "0\r\nGrpc-Status: 0\r\n\r\n");
}
