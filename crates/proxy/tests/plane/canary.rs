//! Requests that are in order, but invite a careless server or a careless proxy to lose count: the
//! next request on a pooled connection gets its own response.

use crate::support::{Answering, End, Peer, Rig, Server, get, ok, post};

/// Another client's request is answered with its own response, on whatever connection.
fn check_canary(rig: &Rig, server: &Server, pooled: Option<&mut Peer>) {
    let mut canary = rig.client_sending(get("/canary"));
    let mut fresh;
    let peer = match pooled {
        Some(peer) => peer,
        None => {
            fresh = server.accept();
            &mut fresh
        }
    };
    assert_eq!(peer.request().path(), "/canary");
    peer.send(ok("canary"));
    assert_eq!(canary.answer().text(), "canary");
}

#[test]
fn a_body_that_looks_like_a_request_stays_a_body() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let hidden = get("/smuggled");
    let mut client = rig.client_sending(post("/one", &hidden) + &get("/two"));
    assert_eq!(client.answer().text(), "/one");
    assert_eq!(client.answer().text(), "/two");
    assert_eq!(server.whole_paths(), ["/one", "/two"]);
    assert_eq!(server.log()[0].1.text(), hidden);
}

#[test]
fn a_body_of_get_stays_a_body() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let hidden = get("/smuggled");
    let request = post("/one", &hidden).replacen("POST", "GET", 1);
    let mut client = rig.client_sending(request + &get("/two"));
    assert_eq!(client.answer().text(), "/one");
    assert_eq!(client.answer().text(), "/two");
    assert_eq!(server.log()[0].1.text(), hidden);
}

#[test]
fn requests_behind_a_last_chunk_are_requests_of_their_own() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let chunked = "POST /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut client = rig.client_sending(format!("{chunked}3;ext=\"v\"\r\nabc\r\n0\r\n\r\n"));
    client.send(get("/two"));
    assert_eq!(client.answer().text(), "/one");
    assert_eq!(client.answer().text(), "/two");
    assert_eq!(server.whole_paths(), ["/one", "/two"]);
    assert_eq!(server.log()[0].1.text(), "abc");
}

#[test]
fn a_server_that_takes_a_body_for_a_request_does_not_answer_another_client() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(post("/one", &get("/smuggled")));
    let mut careless = server.accept();
    careless.request();
    careless.send(ok("one") + &ok("smuggled"));
    assert_eq!(client.answer().text(), "one");
    assert_eq!(careless.end(), End::Closed);
    check_canary(&rig, &server, None);
}

#[test]
fn a_server_that_answers_before_it_has_the_body_is_not_used_again() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client =
        rig.client_sending("POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
    let mut hasty = server.accept();
    assert!(hasty.head().starts_with("POST /one "));
    assert_eq!(hasty.text(3), "abc");
    hasty.send(ok("early"));
    assert_eq!(client.answer().text(), "early");
    // The connection is closed although the client has not sent its body.
    hasty.end();
    check_canary(&rig, &server, None);
}

#[test]
fn bytes_behind_a_response_end_its_connection() {
    for surplus in ["x", "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled"] {
        let server = Server::start();
        let rig = Rig::new(server.address);
        let mut client = rig.client_sending(get("/one"));
        let mut careless = server.accept();
        careless.request();
        careless.send(ok("one") + surplus);
        assert_eq!(client.answer().text(), "one");
        careless.end();
        check_canary(&rig, &server, None);
    }
}

#[test]
fn a_body_that_head_must_not_have_ends_its_connection() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending("HEAD /one HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut careless = server.accept();
    careless.request();
    careless.send(ok("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled"));
    let answer = client.answer_to("HEAD");
    assert_eq!(answer.header("Content-Length"), Some("46"));
    careless.end();
    check_canary(&rig, &server, None);
}

#[test]
fn a_204_that_announces_a_body_ends_its_connection() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(get("/one"));
    let mut careless = server.accept();
    careless.request();
    careless.send("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, answer.header("Content-Length")), (204, None));
    careless.end();
    check_canary(&rig, &server, None);
}

#[test]
fn responses_with_two_readings_are_refused() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n",
        "HTTP/1.1 200 OK\r\nX : y\r\n",
        "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n",
        "HTTP/1.1 2x0 OK\r\n",
        "ICY 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n",
    ] {
        let server = Server::start();
        let rig = Rig::new(server.address);
        let mut client = rig.client_sending(get("/one"));
        let mut careless = server.accept();
        careless.request();
        careless.send(format!("{head}\r\nabcde"));
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (500, "Internal Server Error"), "to {head}");
        careless.end();
        // The client's connection is as good as before.
        client.send(get("/two"));
        let mut fresh = server.accept();
        assert_eq!(fresh.request().path(), "/two");
        fresh.send(ok("two"));
        assert_eq!(client.answer().text(), "two");
        check_canary(&rig, &server, Some(&mut fresh));
    }
}

#[test]
fn malformed_chunks_of_a_server_cut_the_response() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(get("/one"));
    let mut careless = server.accept();
    careless.request();
    careless.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    assert!(client.head().contains("Transfer-Encoding: chunked"));
    assert_eq!(client.text(8), "3\r\nabc\r\n");
    careless.send("0x3\r\nabc\r\n0\r\n\r\n");
    client.end();
    careless.end();
    check_canary(&rig, &server, None);
}

#[test]
fn an_empty_line_before_a_request_is_read_over() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(format!("\r\n{}\r\n{}", get("/one"), get("/two")));
    assert_eq!(client.answer().text(), "/one");
    assert_eq!(client.answer().text(), "/two");
}

#[test]
fn nothing_is_served_behind_a_request_that_closes() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let closing = "GET /one HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut client = rig.client_sending(closing.to_owned() + &get("/two"));
    let answer = client.answer();
    assert_eq!(answer.text(), "/one");
    assert!(answer.closes());
    assert_eq!(client.end(), End::Closed);
    assert_eq!(server.whole_paths(), ["/one"]);
}

#[test]
fn managed_headers_cannot_be_removed_by_naming_them() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(
        "GET / HTTP/1.1\r\nHost: a\r\nX-Drop: 1\r\n\
         Connection: x-DROP, X-Real-Ip, X-Forwarded-For, x-forwarded-host, X-Forwarded-Proto\r\n\r\n",
    );
    assert_eq!(client.answer().status, 200);
    let (_, request) = &server.log()[0];
    assert_eq!(request.header("X-Drop"), None);
    assert_eq!(request.header("Connection"), None);
    assert_eq!(request.header("X-Real-Ip"), Some("127.0.0.1"));
    assert_eq!(request.header("X-Forwarded-For"), Some("127.0.0.1"));
    assert_eq!(request.header("X-Forwarded-Host"), Some("a"));
    assert_eq!(request.header("X-Forwarded-Proto"), Some("http"));
}

#[test]
fn an_absolute_target_decides_the_host() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending("GET http://b.org/x HTTP/1.1\r\nHost: a.org\r\n\r\n");
    assert_eq!(client.answer().text(), "/x");
    assert_eq!(server.log()[0].1.header("Host"), Some("b.org"));
}
