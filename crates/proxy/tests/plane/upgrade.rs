//! Changes of protocol: only when asked for, only after 101, bytes both ways until both are done.

use crate::support::{End, Peer, Rig, Server, get, ok};

const ASKING: &str =
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n";
const SWITCHING: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

fn tunnel() -> (Server, Rig, Peer, Peer) {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(ASKING);
    let mut peer = server.accept();
    let request = peer.request();
    assert_eq!(request.header("Connection"), Some("Upgrade"));
    assert_eq!(request.header("Upgrade"), Some("websocket"));
    peer.send(SWITCHING);
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(head.contains("Connection: Upgrade\r\n") && head.contains("Upgrade: websocket\r\n"));
    assert!(!head.contains("Content-Length"));
    (server, rig, client, peer)
}

#[test]
fn bytes_go_both_ways_and_each_end_is_passed_on() {
    let (_server, _rig, mut client, mut peer) = tunnel();
    client.send("ping");
    assert_eq!(peer.text(4), "ping");
    peer.send("pong");
    assert_eq!(client.text(4), "pong");
    client.end_sending();
    assert_eq!(peer.end(), End::Closed);
    peer.send("still here");
    assert_eq!(client.text(10), "still here");
    peer.end_sending();
    assert_eq!(client.end(), End::Closed);
}

#[test]
fn the_servers_end_is_passed_on_first() {
    let (_server, _rig, mut client, mut peer) = tunnel();
    peer.end_sending();
    assert_eq!(client.end(), End::Closed);
    client.send("still here");
    assert_eq!(peer.text(10), "still here");
    client.end_sending();
    assert_eq!(peer.end(), End::Closed);
}

#[test]
fn a_side_that_is_reset_ends_the_other() {
    let (_server, _rig, client, mut peer) = tunnel();
    client.reset();
    peer.end();
    let (_server, _rig, mut client, peer) = tunnel();
    peer.reset();
    client.end();
}

#[test]
fn bytes_in_the_packet_of_the_101_are_not_lost() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(ASKING);
    let mut peer = server.accept();
    peer.request();
    peer.send(SWITCHING.to_owned() + "first frame");
    client.head();
    assert_eq!(client.text(11), "first frame");
}

#[test]
fn large_messages_pass_with_back_pressure() {
    let (_server, _rig, mut client, mut peer) = tunnel();
    let sent = client.send_until_blocked(100 << 20);
    assert!(sent < 40 << 20, "{sent} bytes were taken unread");
    assert_eq!(peer.bytes(sent).len(), sent);
    peer.send("seen");
    assert_eq!(client.text(4), "seen");
}

#[test]
fn bytes_before_the_101_are_refused() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(ASKING.to_owned() + &get("/smuggled"));
    let answer = client.answer();
    assert_eq!(answer.status, 400);
    assert!(answer.closes());
    assert_eq!(client.end(), End::Closed);
    assert!(!server.was_connected_again());
}

#[test]
fn bytes_while_the_answer_is_awaited_do_not_reach_the_server() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(ASKING);
    let mut peer = server.accept();
    peer.request();
    client.send(get("/two"));
    peer.send(ok("not switching"));
    assert_eq!(client.answer().text(), "not switching");
    // What came early is the client's next request, and routed as one.
    let request = peer.request();
    assert_eq!(request.path(), "/two");
    assert!(request.header("X-Forwarded-For").is_some(), "it went through the door");
    peer.send(ok("two"));
    assert_eq!(client.answer().text(), "two");
}

#[test]
fn a_refused_upgrade_is_an_ordinary_answer() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(ASKING);
    let mut peer = server.accept();
    peer.request();
    peer.send("HTTP/1.1 426 Upgrade Required\r\nUpgrade: other\r\nContent-Length: 2\r\n\r\nno");
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (426, "no"));
    client.send(get("/next"));
    assert_eq!(peer.request().path(), "/next");
    peer.send(ok("next"));
    assert_eq!(client.answer().text(), "next");
}

#[test]
fn a_switch_that_nobody_asked_for_is_an_error() {
    for (request, switching) in [
        (get("/"), SWITCHING.to_owned()),
        (ASKING.to_owned(), SWITCHING.replace("websocket", "other")),
        (ASKING.to_owned(), "HTTP/1.1 101 Switching Protocols\r\n\r\n".to_owned()),
    ] {
        let server = Server::start();
        let rig = Rig::new(server.address);
        let mut client = rig.client_sending(request);
        let mut peer = server.accept();
        peer.request();
        peer.send(switching + &ok("smuggled"));
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (500, "Internal Server Error"));
        peer.end();
        client.send(get("/next"));
        let mut fresh = server.accept();
        assert_eq!(fresh.request().path(), "/next");
        fresh.send(ok("next"));
        assert_eq!(client.answer().text(), "next");
    }
}

#[test]
fn an_unasked_switch_on_a_pooled_connection_is_not_tried_again() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    peer.send(ok("one"));
    client.answer();
    client.send(get("/"));
    peer.request();
    peer.send(SWITCHING);
    assert_eq!(client.answer().status, 500);
    assert!(!server.was_connected_again());
}

#[test]
fn h2c_is_not_an_upgrade_here() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n\
         Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    );
    let mut peer = server.accept();
    let request = peer.request();
    assert_eq!((request.header("Upgrade"), request.header("Connection")), (None, None));
    assert_eq!(request.header("Http2-Settings"), None);
    peer.send(ok("plain"));
    assert_eq!(client.answer().text(), "plain");
}

#[test]
fn a_switch_before_the_request_is_whole_is_an_error() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let asking = ASKING.replace("GET", "POST").replace("Host: a", "Host: a\r\nContent-Length: 9");
    let mut client = rig.client_sending(asking);
    let mut peer = server.accept();
    peer.head();
    peer.send(SWITCHING);
    assert_eq!(client.answer().status, 500);
    peer.end();
}
