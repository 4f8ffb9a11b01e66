//! Interim responses and `Expect: 100-continue`.

use crate::support::{End, Rig, Server, get, ok};

const EXPECTING: &str =
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";

#[test]
fn the_servers_100_is_passed_on() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(EXPECTING);
    let mut peer = server.accept();
    assert!(peer.head().contains("Expect: 100-continue"));
    peer.send("HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    assert_eq!(peer.text(4), "body");
    peer.send(ok("done"));
    assert_eq!(client.answer().text(), "done");
    client.send(get("/next"));
    assert_eq!(peer.request().path(), "/next");
    peer.send(ok("next"));
    assert_eq!(client.answer().text(), "next");
}

#[test]
fn a_silent_server_is_not_awaited_for_ever() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(EXPECTING);
    let mut peer = server.accept();
    peer.head();
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    assert_eq!(peer.text(4), "body");
    peer.send(ok("done"));
    assert_eq!(client.answer().text(), "done");
}

#[test]
fn a_final_answer_at_once_means_no_body_and_no_further_use() {
    for status in ["417 Expectation Failed", "200 OK"] {
        let server = Server::start();
        let rig = Rig::new(server.address);
        let mut client = rig.client_sending(EXPECTING);
        let mut peer = server.accept();
        peer.head();
        peer.send(format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nno"));
        let answer = client.answer();
        assert_eq!(answer.text(), "no");
        assert!(answer.closes(), "the client may or may not send its body now");
        // The body is not passed on, whatever the client does.
        client.try_send("body");
        assert_eq!(client.end(), End::Closed);
        peer.end();
    }
}

#[test]
fn no_100_stands_in_the_middle_of_a_slow_answer() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(EXPECTING);
    let mut peer = server.accept();
    peer.head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n");
    client.head();
    // Longer than the server has for its 100: half a minute of ticks would not bring one.
    let started = std::time::Instant::now();
    let mut sent = 0;
    while started.elapsed() < std::time::Duration::from_millis(1300) {
        if sent < 50 {
            peer.send("x");
            assert_eq!(client.text(1), "x");
            sent += 1;
        }
        std::thread::yield_now();
    }
    let rest = "y".repeat(60 - sent);
    peer.send(&rest);
    assert_eq!(client.text(rest.len()), rest);
}

#[test]
fn a_body_sent_without_waiting_is_passed_on_without_a_second_100() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(EXPECTING.to_owned() + "body" + &get("/next"));
    let mut peer = server.accept();
    peer.head();
    peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(peer.text(4), "body");
    peer.send(ok("done"));
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(client.answer().text(), "done");
    assert_eq!(peer.request().path(), "/next");
    peer.send(ok("next"));
    assert_eq!(client.answer().text(), "next");
}

#[test]
fn early_hints_are_passed_on_but_not_to_http_10() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: X-A\r\nX-A: b\r\n\r\n";
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    peer.send(hints);
    // The hint is there before the answer is.
    assert_eq!(client.head(), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    peer.send(hints.to_owned() + &ok("done"));
    assert_eq!(client.head(), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    assert_eq!(client.answer().text(), "done");

    let mut client = rig.client_sending("GET / HTTP/1.0\r\n\r\n");
    peer.request();
    peer.send(hints.to_owned() + "HTTP/1.1 100 Continue\r\n\r\n" + &ok("done"));
    assert_eq!(client.answer().text(), "done");
}

#[test]
fn an_unasked_100_is_read_over() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    peer.send("HTTP/1.1 100 Continue\r\n\r\n".to_owned() + &ok("done"));
    assert_eq!(client.answer().text(), "done");
}

#[test]
fn interim_responses_are_taken_no_faster_than_the_client_reads() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    let hint = format!("HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n", "x".repeat(8000));
    // The client does not read.
    let taken = peer.repeat_until_blocked(hint.as_bytes(), 100 << 20);
    assert!(taken < 40 << 20, "{taken} bytes of interim responses were taken");
    drop(client);
    peer.rest();
}
