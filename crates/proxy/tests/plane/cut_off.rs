//! A response that its server cut off never looks complete to a client.

use crate::support::{End, Rig, Server};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Close,
    Reset,
}

const WITH_LENGTH: &str = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                       5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n";
const WITH_CONNECTION: &str = "HTTP/1.1 200 OK\r\nX: y\r\n\r\nhello world";

/// Sends every part of `response` that is not all of it, and ends the connection there.
fn check(response: &str, version: &str, cut: Cut) {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let head_length = response.find("\r\n\r\n").expect("an empty line") + 4;
    for length in 0..response.len() {
        let mut client =
            rig.client_sending(format!("GET / {version}\r\nHost: a\r\nConnection: close\r\n\r\n"));
        let mut peer = server.accept();
        peer.request();
        peer.send(&response[..length]);
        match cut {
            Cut::Close => drop(peer),
            Cut::Reset => peer.reset(),
        }
        let (seen, end) = client.rest();
        let seen = String::from_utf8(seen).expect("text");
        let shown =
            format!("{:?} cut at {length}: client saw {seen:?}, {end:?}", &response[..length]);
        // A close can be told from a server's end of body only by what the head announced.
        if response == WITH_CONNECTION && cut == Cut::Close && length >= head_length {
            assert!(looks_whole(&seen, end), "{shown}");
            continue;
        }
        if length < head_length {
            let status = &seen[9..12];
            assert!(matches!(status, "500" | "502"), "{shown}");
            assert!(looks_whole(&seen, end), "{shown}");
        } else {
            assert!(!looks_whole(&seen, end), "{shown}");
        }
    }
}

/// Tells whether a client takes what it saw for a whole response.
fn looks_whole(seen: &str, end: End) -> bool {
    let Some((head, body)) = seen.split_once("\r\n\r\n") else { return false };
    if head.contains("Transfer-Encoding: chunked") {
        return body == "0\r\n\r\n" || body.contains("\r\n0\r\n") && body.ends_with("\r\n\r\n");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    match length {
        Some(length) => body.len() >= length.parse().expect("a number"),
        None => end == End::Closed,
    }
}

#[test]
fn a_body_with_a_length() {
    check(WITH_LENGTH, "HTTP/1.1", Cut::Close);
    check(WITH_LENGTH, "HTTP/1.1", Cut::Reset);
    check(WITH_LENGTH, "HTTP/1.0", Cut::Close);
    check(WITH_LENGTH, "HTTP/1.0", Cut::Reset);
}

#[test]
fn a_chunked_body() {
    check(CHUNKED, "HTTP/1.1", Cut::Close);
    check(CHUNKED, "HTTP/1.1", Cut::Reset);
}

#[test]
fn a_chunked_body_for_http_10() {
    check(CHUNKED, "HTTP/1.0", Cut::Close);
    check(CHUNKED, "HTTP/1.0", Cut::Reset);
}

#[test]
fn a_body_that_ends_with_its_connection() {
    check(WITH_CONNECTION, "HTTP/1.1", Cut::Close);
    check(WITH_CONNECTION, "HTTP/1.1", Cut::Reset);
    check(WITH_CONNECTION, "HTTP/1.0", Cut::Close);
    check(WITH_CONNECTION, "HTTP/1.0", Cut::Reset);
}

#[test]
fn the_checks_own_judgement() {
    assert!(looks_whole("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", End::Reset));
    assert!(!looks_whole("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na", End::Closed));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert!(looks_whole(&format!("{chunked}1\r\na\r\n0\r\n\r\n"), End::Closed));
    assert!(!looks_whole(&format!("{chunked}1\r\na\r\n0\r\n"), End::Closed));
    assert!(!looks_whole(&format!("{chunked}1\r\na\r\n"), End::Closed));
    assert!(looks_whole("HTTP/1.0 200 OK\r\n\r\na", End::Closed));
    assert!(!looks_whole("HTTP/1.0 200 OK\r\n\r\na", End::Reset));
}
