//! Requests that two readers could read differently: refused, and nothing of them or of what
//! follows reaches a server.

use crate::support::{Answering, End, Peer, Rig, Setup, get};

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: example.org\r\n\r\n";

/// Sends `request` with another right behind it, and expects a refusal that ends the connection.
/// A connection to the server is idle meanwhile, and serves another client afterwards.
fn check(request: &[u8], status: u16) {
    let shown = request[..request.len().min(300)].escape_ascii();
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    assert_eq!(rig.client_sending(get("/before")).answer().text(), "/before");

    let mut client = rig.client();
    client.try_send(request);
    client.try_send(SMUGGLED);
    let answer = client.answer();
    assert_eq!(answer.status, status, "to {shown}");
    assert!(answer.closes(), "the connection closes after {shown}");
    assert_eq!(client.rest(), (Vec::new(), End::Closed), "after {shown}");

    let mut other = rig.client_sending(get("/after"));
    assert_eq!(other.answer().text(), "/after", "another client after {shown}");
    assert_eq!(server.whole_paths(), ["/before", "/after"], "requests served with {shown}");
}

/// As [`check`], with the given lines between the request line and the end of the head.
fn check_head(lines: &str, status: u16) {
    check(format!("POST /x HTTP/1.1\r\n{lines}\r\n").as_bytes(), status);
}

fn check_body(body: &str) {
    let head = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    check(format!("{head}{body}").as_bytes(), 400);
}

#[test]
fn contradicting_lengths() {
    check_head("Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400);
    check_head("Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400);
    check_head("Host: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n", 400);
    check_head("Host: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n", 400);
    check_head("Host: a\r\nContent-Length: 5, 5\r\n", 400);
}

#[test]
fn malformed_lengths() {
    check_head("Host: a\r\nContent-Length: +5\r\n", 400);
    check_head("Host: a\r\nContent-Length: -5\r\n", 400);
    check_head("Host: a\r\nContent-Length: 0x5\r\n", 400);
    check_head("Host: a\r\nContent-Length: 5 5\r\n", 400);
    check_head("Host: a\r\nContent-Length:\r\n", 400);
    check_head("Host: a\r\nContent-Length: 99999999999999999999\r\n", 400);
}

#[test]
fn transfer_codings_that_servers_read_differently() {
    check_head("Host: a\r\nTransfer-Encoding: xchunked\r\n", 400);
    check_head("Host: a\r\nTransfer-Encoding: chunked, chunked\r\n", 400);
    check_head("Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400);
    check_head("Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 400);
    check_head("Host: a\r\nTransfer-Encoding: gzip, chunked\r\n", 400);
    check_head("Host: a\r\nTransfer-Encoding: \x0bchunked\r\n", 400);
    check_head("Host: a\r\nTransfer-Encoding:\r\n", 400);
    check_head("Host: a\r\nTransfer-Encoding : chunked\r\n", 400);
    check_head("Host: a\r\nX: y\r\n Transfer-Encoding: chunked\r\n", 400);
    check(b"POST /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
    check(
        b"POST /x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\
          Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    );
}

#[test]
fn malformed_fields() {
    check_head("Host: a\r\nContent-Length : 5\r\n", 400);
    check_head("Host: a\r\nX: a\r\n b\r\n", 400);
    check_head("Host: a\r\nX: a\rb\r\n", 400);
    check_head("Host: a\r\nX: a\0b\r\n", 400);
    check_head("Host: a\r\nno colon\r\n", 400);
    check_head("Host: a\r\n: empty\r\n", 400);
    check_head(" Host: a\r\n", 400);
    check(b"GET /x HTTP/1.1\nHost: a\n\n", 400);
    check(b"GET /x HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400);
}

#[test]
fn missing_repeated_and_malformed_hosts() {
    check_head("X: y\r\n", 400);
    check_head("Host: a\r\nHost: b\r\n", 400);
    check_head("Host: a\r\nhost: a\r\n", 400);
    check_head("Host: a/b\r\n", 400);
    check_head("Host: user@a\r\n", 400);
}

#[test]
fn malformed_chunks() {
    check_body("5\nabcde\n0\n\n");
    check_body("5\r\nabcde\n0\r\n\r\n");
    check_body("0x1\r\na\r\n0\r\n\r\n");
    check_body("10000000000000001\r\na\r\n0\r\n\r\n");
    check_body("-1\r\na\r\n0\r\n\r\n");
    check_body("\r\na\r\n0\r\n\r\n");
    check_body("1\r\nab\r\n0\r\n\r\n");
    check_body("1 \rx\r\na\r\n0\r\n\r\n");
    check_body("1;a\nb\r\na\r\n0\r\n\r\n");
    check_body("0\r\nX : y\r\n\r\n");
    check_body(&format!("1;{}\r\na\r\n0\r\n\r\n", "e".repeat(17 << 10)));
    check_body(&format!("0\r\nX: {}\r\n\r\n", "t".repeat(9 << 10)));
}

#[test]
fn other_protocols_versions_and_targets() {
    check(b"GET /x HTTP/1.9\r\nHost: a\r\n\r\n", 505);
    check(b"GET /x HTTP/2.0\r\nHost: a\r\n\r\n", 505);
    check(b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    check(b"GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    check(b"GET  /x HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    check(b"GET /x\r\n", 400);
    check(b"G(T /x HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    check(b"\r\n\r\n\r\n\r\n\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}

#[test]
fn connect_is_refused_and_ends_the_connection() {
    check(b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n", 501);
    check(
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\nContent-Length: 3\r\n\r\nabc",
        501,
    );
}

#[test]
fn unknown_expectations() {
    check_head("Host: a\r\nExpect: 200-ok\r\nContent-Length: 0\r\n", 417);
    check_head("Host: a\r\nExpect: y 100-continue\r\nContent-Length: 5\r\n", 417);
}

#[test]
fn the_417_has_no_words_of_another_status() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending("GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (417, ""));
}

#[test]
fn heads_beyond_the_limits() {
    let server = Answering::with_paths();
    let mut setup = Setup::new(server.address);
    setup.settings.head_bytes_max = 4096;
    let rig = setup.start();
    let refused = |request: String| {
        let mut client = rig.client();
        client.try_send(request);
        let answer = client.answer();
        assert!(answer.closes());
        assert_eq!(client.rest(), (Vec::new(), End::Closed));
        answer.status
    };
    let start = "GET / HTTP/1.1\r\nHost: a\r\n";
    assert_eq!(refused(format!("{start}X: {}\r\n\r\n", "y".repeat(5000))), 431);
    // Without an end, and more than any buffer between here and there holds.
    assert_eq!(refused(format!("{start}X: {}", "y".repeat(1 << 20))), 431);
    assert_eq!(refused(format!("GET /{} HTTP/1.1\r\n", "p".repeat(5000))), 414);
    assert_eq!(refused(format!("GET /{}", "p".repeat(1 << 20))), 414);
    let fitting = 4096 - start.len() - "X: \r\n\r\n".len();
    let mut client = rig.client_sending(format!("{start}X: {}\r\n\r\n", "y".repeat(fitting)));
    assert_eq!(client.answer().status, 200);
}

#[test]
fn too_many_fields() {
    let fields = "X: y\r\n".repeat(1001);
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = rig.client();
    client.try_send(format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
    assert_eq!(client.answer().status, 431);
    assert_eq!(server.whole_paths(), [""; 0]);
}

#[test]
fn a_client_sees_the_whole_refusal_while_it_is_still_sending() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let client = rig.client_sending("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n");
    let mut reader = client.clone_stream();
    let mut writer: Peer = client;
    // More than the sockets' buffers hold, so that sending goes on when the answer is out.
    let sender = std::thread::spawn(move || {
        let piece = vec![b'x'; 64 * 1024];
        for _ in 0..1000 {
            if !writer.try_send(&piece) {
                return;
            }
        }
    });
    let answer = reader.answer();
    assert_eq!((answer.status, answer.text()), (400, "400 Bad Request"));
    drop(reader);
    sender.join().expect("the sender");
}
