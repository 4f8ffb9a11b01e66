//! Servers of `https`: which protocol is spoken with them is theirs to choose.

use std::net::SocketAddr;

use crate::support::server_frames::Frames;
use crate::support::tls::TlsFront;
use crate::support::{Answering, Received, Rig, Server, Setup, get, ok};

const UPGRADE: &str =
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

fn tls_rig(server: SocketAddr, protocols: &[&str], disable_http2: bool) -> (TlsFront, Rig) {
    let front = TlsFront::start(server, protocols);
    let mut setup = Setup::with_url(&format!("https://{}", front.address));
    setup.transport.insecure_skip_verify = true;
    setup.transport.disable_http2 = disable_http2;
    let rig = setup.start();
    (front, rig)
}

#[test]
fn http2_is_spoken_with_servers_that_choose_it() {
    let server = Server::start();
    let (front, rig) = tls_rig(server.address, &["h2", "http/1.1"], false);
    let mut clients: Vec<_> = (0..5).map(|_| rig.client_sending(get("/"))).collect();
    let mut frames = Frames::accept(&server, &[]);
    assert_eq!(front.agreed(), "h2");
    for _ in 0..5 {
        let stream = frames.request();
        frames.answer(stream, "two");
    }
    for client in &mut clients {
        assert_eq!(client.answer().text(), "two");
    }
    assert!(!server.was_connected_again());
}

#[test]
fn http1_is_spoken_with_servers_that_do_not() {
    let server = Answering::with_paths();
    let (front, rig) = tls_rig(server.address, &["http/1.1"], false);
    let mut clients: Vec<_> = (0..5).map(|_| rig.client_sending(get("/one"))).collect();
    for client in &mut clients {
        assert_eq!(client.answer().text(), "/one");
    }
    assert_eq!(front.agreed(), "http/1.1");
    let connections = |log: &[(usize, Received)]| log.iter().map(|(number, _)| *number).max();
    let before = connections(&server.log());
    // Connections are kept as those without TLS are.
    for client in &mut clients {
        client.send(get("/kept"));
        assert_eq!(client.answer().text(), "/kept");
    }
    assert_eq!(connections(&server.log()), before);
}

#[test]
fn http1_is_spoken_with_servers_that_know_no_alpn() {
    let server = Server::start();
    let (front, rig) = tls_rig(server.address, &[], false);
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    assert_eq!(front.agreed(), "");
    peer.request();
    peer.send(ok("one"));
    assert_eq!(client.answer().text(), "one");
}

#[test]
fn a_transport_may_forbid_http2() {
    let server = Server::start();
    let (front, rig) = tls_rig(server.address, &["h2", "http/1.1"], true);
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    assert_eq!(front.agreed(), "http/1.1");
    peer.request();
    peer.send(ok("one"));
    assert_eq!(client.answer().text(), "one");
}

#[test]
fn upgrades_go_over_http1_and_the_rest_does_not() {
    let server = Server::start();
    let (front, rig) = tls_rig(server.address, &["h2", "http/1.1"], false);
    let mut client = rig.client_sending(UPGRADE);
    let mut peer = server.accept();
    assert_eq!(front.agreed(), "http/1.1");
    peer.request();
    peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.answer().status, 403);
    client.send(get("/"));
    let mut frames = Frames::accept(&server, &[]);
    assert_eq!(front.agreed(), "h2");
    let stream = frames.request();
    frames.answer(stream, "two");
    assert_eq!(client.answer().text(), "two");
}
