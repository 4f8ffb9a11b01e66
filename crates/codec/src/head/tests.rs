use http::header::HeaderName;

use super::*;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[track_caller]
fn check_limits(limits: Limits, head: &[u8], expected: Result<bool, HeadError>) {
    let mut buffer = BytesMut::from(head);
    let whole = parse_request(&mut buffer, &limits, HeaderMap::new()).map(|head| head.is_some());
    assert_eq!(whole, expected, "whole");

    let mut reader = HeadReader::new(limits);
    let mut buffer = BytesMut::new();
    let mut dripped = Ok(false);
    for &byte in head {
        buffer.extend_from_slice(&[byte]);
        dripped = reader.read_request(&mut buffer, HeaderMap::new()).map(|head| head.is_some());
        if dripped != Ok(false) {
            break;
        }
    }
    assert_eq!(dripped, expected, "dripped");
}

#[test]
fn what_follows_the_head_stays_in_the_buffer() {
    let mut reader = HeadReader::new(Limits::default());
    let mut buffer = BytesMut::new();
    buffer.extend_from_slice(REQUEST);
    buffer.extend_from_slice(b"POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    let first = reader.read_request(&mut buffer, HeaderMap::new());
    assert_eq!(first.unwrap().unwrap().target, "/");
    let second = reader.read_request(&mut buffer, HeaderMap::new());
    assert_eq!(second.unwrap().unwrap().target, "/2");
    assert_eq!(buffer, "abc");
}

#[test]
fn the_preface_of_http_2_stays_in_the_buffer() {
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut buffer = BytesMut::from(preface);
    let result = parse_request(&mut buffer, &Limits::default(), HeaderMap::new());
    assert_eq!(result.map(|_| ()), Err(HeadError::Http2Preface));
    assert_eq!(buffer, preface);
}

#[test]
fn an_empty_line_alone_leaves_an_empty_buffer() {
    let mut reader = HeadReader::new(Limits::default());
    let mut buffer = BytesMut::from("\r\n");
    let result = reader.read_request(&mut buffer, HeaderMap::new());
    assert!(matches!(result, Ok(None)));
    assert!(buffer.is_empty());
}

#[test]
fn limits_are_inclusive() {
    let head_bytes = |head_bytes| Limits { head_bytes, ..Limits::default() };
    check_limits(head_bytes(27), REQUEST, Ok(true));
    check_limits(head_bytes(26), REQUEST, Err(HeadError::HeadTooLarge));
    check_limits(head_bytes(15), REQUEST, Err(HeadError::RequestLineTooLong));

    let line_bytes = |request_line_bytes| Limits { request_line_bytes, ..Limits::default() };
    check_limits(line_bytes(16), REQUEST, Ok(true));
    check_limits(line_bytes(15), REQUEST, Err(HeadError::RequestLineTooLong));

    let fields = |fields| Limits { fields, ..Limits::default() };
    let two = b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\r\n";
    check_limits(fields(2), two, Ok(true));
    check_limits(fields(1), two, Err(HeadError::TooManyFields));
}

#[test]
fn an_endless_line_is_refused_at_the_limit() {
    let limits = Limits { head_bytes: 1000, ..Limits::default() };
    let mut buffer = BytesMut::from(&[b'a'; 1000][..]);
    let mut reader = HeadReader::new(limits);
    assert!(matches!(reader.read_request(&mut buffer, HeaderMap::new()), Ok(None)));
    buffer.extend_from_slice(b"a");
    let result = reader.read_request(&mut buffer, HeaderMap::new());
    assert_eq!(result.map(|_| ()), Err(HeadError::RequestLineTooLong));
}

#[test]
fn a_name_too_long_for_the_library_is_no_panic() {
    let name = "x".repeat(70_000);
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{name}: b\r\n\r\n");
    check_limits(Limits::default(), head.as_bytes(), Err(HeadError::HeadTooLarge));
}

#[test]
fn more_fields_than_the_library_holds_are_no_panic() {
    let mut head = String::from("GET / HTTP/1.1\r\nHost: a\r\n");
    for number in 0..40_000 {
        head.push_str(&format!("x{number}: b\r\n"));
    }
    head.push_str("\r\n");
    let limits = Limits { fields: usize::MAX, ..Limits::default() };
    let mut buffer = BytesMut::from(head.as_str());
    let result = parse_request(&mut buffer, &limits, HeaderMap::new());
    assert_eq!(result.map(|_| ()), Err(HeadError::TooManyFields));
}

#[test]
fn a_large_head_dripped_byte_by_byte_costs_linear_time() {
    // Quadratic scanning would look at 5 * 10^11 bytes here, which takes minutes.
    let mut head = b"GET / HTTP/1.1\r\nHost: a\r\nX: ".to_vec();
    head.resize(1_000_000, b'x');
    head.extend_from_slice(b"\r\n\r\n");
    check_limits(Limits::default(), &head[..], Ok(true));
}

#[test]
fn the_recycled_map_is_cleared_and_used() {
    let mut recycled = HeaderMap::with_capacity(100);
    recycled.insert(HeaderName::from_static("old"), "1".parse().unwrap());
    let capacity = recycled.capacity();
    let mut reader = HeadReader::new(Limits::default());
    let mut buffer = BytesMut::from(&REQUEST[..20]);
    assert!(matches!(reader.read_request(&mut buffer, recycled), Ok(None)));
    buffer.extend_from_slice(&REQUEST[20..]);
    let head = reader.read_request(&mut buffer, HeaderMap::new());
    let headers = head.unwrap().unwrap().headers;
    assert_eq!(headers.capacity(), capacity);
    assert!(headers.is_empty());
}

#[test]
fn a_map_that_grew_large_is_not_recycled() {
    let mut buffer = BytesMut::from(REQUEST);
    let recycled = HeaderMap::with_capacity(5000);
    let head = parse_request(&mut buffer, &Limits::default(), recycled);
    assert!(head.unwrap().unwrap().headers.capacity() < 100);
}

#[test]
fn interim_responses_come_one_by_one() {
    let mut reader = HeadReader::new(Limits::default());
    let mut buffer = BytesMut::from(
        "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    );
    let mut statuses = Vec::new();
    while let Ok(Some(head)) = reader.read_response(&mut buffer, &Method::GET, HeaderMap::new()) {
        statuses.push((head.status.as_u16(), head.body));
    }
    assert_eq!(statuses, [(103, BodyLength::None), (200, BodyLength::Fixed(1))]);
}

#[test]
fn a_response_too_large_is_not_a_long_request_line() {
    let limits = Limits { head_bytes: 10, ..Limits::default() };
    let mut buffer = BytesMut::from("HTTP/1.1 200 OK\r\n");
    let result = parse_response(&mut buffer, &Method::GET, &limits, HeaderMap::new());
    assert_eq!(result.map(|_| ()), Err(HeadError::HeadTooLarge));
}
