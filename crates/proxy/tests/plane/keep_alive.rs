//! How long client connections live, and what HTTP/1.0 clients get.

use std::time::Duration;

use crate::support::{Answering, End, Rig, Server, Setup, get, ok};

#[test]
fn a_connection_serves_request_after_request() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = rig.client();
    for number in 0..50 {
        let path = format!("/{number}");
        client.send(get(&path));
        assert_eq!(client.answer().text(), path);
    }
    assert!(server.log().iter().all(|(connection, _)| *connection == 0), "one connection upstream");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let requests: String = (0..2000).map(|number| get(&format!("/{number}"))).collect();
    let client = rig.client();
    let mut writer = client.clone_stream();
    let sender = std::thread::spawn(move || writer.send(requests));
    let mut reader = client;
    for number in 0..2000 {
        assert_eq!(reader.answer().text(), format!("/{number}"));
    }
    sender.join().expect("the sender");
}

#[test]
fn requests_are_not_read_ahead_without_bound() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(get("/one"));
    let mut slow = server.accept();
    slow.request();
    // The rest of one very long request line's worth of pipelined bytes.
    let taken = client.send_until_blocked(64 << 20);
    assert!(taken < 32 << 20, "{taken} bytes were taken while one request was waiting");
}

#[test]
fn requests_byte_by_byte() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = rig.client();
    for byte in get("/slow").into_bytes() {
        client.send([byte]);
    }
    assert_eq!(client.answer().text(), "/slow");
}

#[test]
fn the_last_of_so_many_requests_closes() {
    let server = Answering::with_paths();
    let mut setup = Setup::new(server.address);
    setup.settings.keep_alive_requests_max = Some(2);
    let rig = setup.start();
    let mut client = rig.client_sending(get("/1"));
    assert!(!client.answer().closes());
    client.send(get("/2"));
    assert!(client.answer().closes());
    assert_eq!(client.end(), End::Closed);
}

#[test]
fn the_first_response_after_so_long_closes() {
    let server = Answering::with_paths();
    let mut setup = Setup::new(server.address);
    setup.settings.keep_alive_time_max = Some(Duration::ZERO);
    let rig = setup.start();
    let mut client = rig.client_sending(get("/1"));
    assert!(client.answer().closes());
    assert_eq!(client.end(), End::Closed);
}

#[test]
fn http_10_goes_on_only_when_asked_and_only_with_a_length() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let answer = client.answer();
    assert!(answer.head.starts_with("HTTP/1.0 200 "), "{}", answer.head);
    assert_eq!(answer.header("Connection"), Some("keep-alive"));
    client.send("GET /2 HTTP/1.0\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.header("Connection"), None);
    assert_eq!(client.end(), End::Closed);
}

#[test]
fn http_10_gets_chunks_without_their_frames() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let mut peer = server.accept();
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n");
    peer.send("3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: y\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.text(), "abcde");
    assert_eq!((answer.header("Transfer-Encoding"), answer.header("Connection")), (None, None));
}

#[test]
fn head_204_and_304_have_no_body() {
    let server = Answering::start(|request| match request.path() {
        "/204" => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        "/304" => {
            "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 9\r\n\r\n".to_owned()
        }
        _ if request.method() == "HEAD" => {
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n".to_owned()
        }
        path => ok(path),
    });
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending("HEAD /head HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = client.answer_to("HEAD");
    assert_eq!((answer.status, answer.header("Content-Length")), (200, Some("9")));
    client.send(get("/204"));
    let answer = client.answer();
    assert_eq!((answer.status, answer.header("Content-Length")), (204, None));
    assert_eq!(answer.header("Transfer-Encoding"), None);
    client.send(get("/304"));
    let answer = client.answer();
    assert_eq!((answer.status, answer.header("Etag")), (304, Some("\"a\"")));
    // A local answer to HEAD has no body either.
    client.send("HEAD * HTTP/1.1\r\nHost: a\r\n\r\n".replace("HEAD", "OPTIONS"));
    assert_eq!(client.answer().status, 200);
    client.send(get("/last"));
    assert_eq!(client.answer().text(), "/last");
    assert!(server.log().iter().all(|(connection, _)| *connection == 0), "one connection upstream");
}

#[test]
fn an_error_page_to_head_has_no_body() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    drop(server.accept());
    // The connection was new, so there is no silent second try.
    let answer = client.answer_to("HEAD");
    assert_eq!((answer.status, answer.header("Content-Length")), (502, Some("11")));
    client.send(get("/"));
    let mut peer = server.accept();
    peer.request();
    peer.send(ok("fine"));
    assert_eq!(client.answer().text(), "fine");
}
