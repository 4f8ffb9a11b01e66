//! Websockets over HTTP/2: extended CONNECT (RFC 8441) becomes an upgrade of HTTP/1.1.

use crate::support::frames::{
    CANCEL, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, Streamed, block, frame, reset_frame,
};
use crate::support::{Peer, Rig, Server, ok};

/// Asks for a websocket.
fn connect(stream: u32, protocol: &[u8]) -> Vec<u8> {
    let head = block(&[
        (b":method", b"CONNECT"),
        (b":protocol", protocol),
        (b":scheme", b"http"),
        (b":authority", b"example.org"),
        (b":path", b"/chat"),
        (b"sec-websocket-version", b"13"),
        (b"origin", b"http://example.org"),
    ]);
    frame(HEADERS, END_HEADERS, stream, &head)
}

const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                        Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n";

fn opened(server: &Server, client: &mut Frames) -> Peer {
    client.send(connect(1, b"websocket"));
    let mut peer = server.accept();
    let request = peer.request();
    assert_eq!((request.method(), request.path()), ("GET", "/chat"));
    assert_eq!(request.header("Upgrade"), Some("websocket"));
    assert_eq!(request.header("Connection"), Some("Upgrade"));
    assert_eq!(request.header("Sec-Websocket-Version"), Some("13"));
    assert_eq!(request.header("Sec-Websocket-Key").map(str::len), Some(24));
    assert_eq!(request.header("X-Forwarded-Proto"), Some("ws"));
    assert_eq!(request.header("Content-Length"), None);
    peer.send(SWITCHED);
    let head = client.until(HEADERS).expect("a head");
    let mut answer = Streamed::default();
    answer.take(&head);
    assert_eq!((answer.status(), answer.is_whole), (200, false));
    peer
}

#[test]
fn bytes_go_both_ways_until_both_sides_are_done() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    let mut peer = opened(&server, &mut client);
    client.send(frame(DATA, 0, 1, b"hello"));
    assert_eq!(peer.text(5), "hello");
    peer.send("hi");
    assert_eq!(client.until(DATA).expect("data").payload, b"hi");
    client.send(frame(DATA, END_STREAM, 1, b"bye"));
    let (rest, _) = peer.rest();
    assert_eq!(rest, b"bye");
    peer.send("last");
    assert_eq!(client.until(DATA).expect("data").payload, b"last");
    drop(peer);
    let end = client.until(DATA).expect("an end");
    assert_eq!((end.payload.len(), end.flags & END_STREAM), (0, END_STREAM));
}

#[test]
fn a_reset_tunnel_ends_at_the_server() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    let mut peer = opened(&server, &mut client);
    client.send(reset_frame(1, CANCEL));
    let (rest, _) = peer.rest();
    assert!(rest.is_empty());
}

#[test]
fn a_server_that_does_not_want_to_answers_as_usual() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    client.send(connect(1, b"websocket"));
    let mut peer = server.accept();
    peer.request();
    peer.send(ok("no").replace("200 OK", "403 Forbidden"));
    let answer = client.streamed(1);
    assert_eq!((answer.status(), answer.text()), (403, "no"));
}

#[test]
fn other_protocols_are_not_served() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    client.send(connect(1, b"connect-udp"));
    assert_eq!(client.streamed(1).status(), 501);
    assert!(!server.was_connected_again());
}
