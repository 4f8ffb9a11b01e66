//! Idle connections to servers: used again when they are sound, replaced when they are not, and
//! never at the price of a request that is done twice.

use std::time::Duration;

use config::dynamic::ForwardingTimeouts;

use crate::support::{End, Peer, Rig, Server, Setup, get, ok, post};

/// A data plane with one idle connection to the server, and a client.
fn with_idle_connection() -> (Server, Rig, Peer, Peer) {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(get("/first"));
    let mut peer = server.accept();
    peer.request();
    peer.send(ok("first"));
    assert_eq!(client.answer().text(), "first");
    (server, rig, client, peer)
}

#[test]
fn other_clients_use_an_idle_connection() {
    let (server, rig, client, mut peer) = with_idle_connection();
    drop(client);
    let mut other = rig.client_sending(get("/second"));
    assert_eq!(peer.request().path(), "/second");
    peer.send(ok("second"));
    assert_eq!(other.answer().text(), "second");
    assert!(!server.was_connected_again());
}

#[test]
fn requests_at_the_same_time_have_connections_of_their_own() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut one = rig.client_sending(get("/one"));
    let mut first = server.accept();
    assert_eq!(first.request().path(), "/one");
    let mut two = rig.client_sending(get("/two"));
    let mut second = server.accept();
    assert_eq!(second.request().path(), "/two");
    second.send(ok("two"));
    assert_eq!(two.answer().text(), "two");
    first.send(ok("one"));
    assert_eq!(one.answer().text(), "one");
}

#[test]
fn a_connection_closed_while_idle_costs_no_request() {
    let (server, _rig, mut client, mut peer) = with_idle_connection();
    for number in 0..100 {
        // Every other is closed without a word, every other with a reset.
        if number % 2 == 0 {
            drop(peer)
        } else {
            peer.reset()
        }
        let path = format!("/{number}");
        let request = if number % 4 < 2 { get(&path) } else { post(&path, "body") };
        client.send(request);
        peer = server.accept();
        assert_eq!(peer.request().path(), path);
        peer.send(ok(&path));
        assert_eq!(client.answer().text(), path);
    }
}

#[test]
fn an_idempotent_request_on_a_stale_connection_is_sent_once_more() {
    let requests = [
        get("/again"),
        get("/again").replace("GET", "HEAD"),
        get("/again").replace("GET", "DELETE"),
        get("/again").replace("GET", "OPTIONS"),
    ];
    for request in requests {
        let (server, _rig, mut client, mut peer) = with_idle_connection();
        client.send(&request);
        let method = peer.request().method().to_owned();
        drop(peer);
        let mut fresh = server.accept();
        let repeated = fresh.request();
        assert_eq!((repeated.method(), repeated.path()), (method.as_str(), "/again"));
        fresh.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(client.answer_to(&method).status, 200);
    }
}

#[test]
fn a_second_failure_is_told() {
    let (server, _rig, mut client, mut peer) = with_idle_connection();
    client.send(get("/again"));
    peer.request();
    drop(peer);
    let mut fresh = server.accept();
    fresh.request();
    drop(fresh);
    assert_eq!(client.answer().status, 502);
    assert!(!server.was_connected_again());
}

#[test]
fn what_may_have_been_done_is_not_sent_again() {
    let requests = [
        post("/pay", "once"),
        post("/pay", ""),
        get("/pay").replace("GET", "PATCH"),
        // Idempotent, but its body is gone.
        post("/pay", "once").replace("POST", "PUT"),
    ];
    for request in requests {
        let (server, _rig, mut client, mut peer) = with_idle_connection();
        client.send(&request);
        assert_eq!(peer.request().path(), "/pay");
        drop(peer);
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (502, "Bad Gateway"), "to {request}");
        assert!(!server.was_connected_again(), "{request} was sent again");
    }
}

#[test]
fn an_answer_that_began_is_not_asked_for_again() {
    let (server, _rig, mut client, mut peer) = with_idle_connection();
    client.send(get("/once"));
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nContent-");
    drop(peer);
    assert_eq!(client.answer().status, 500);
    assert!(!server.was_connected_again());
}

#[test]
fn a_new_connection_that_is_closed_is_no_reason_to_try_again() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    drop(peer);
    assert_eq!(client.answer().status, 502);
    assert!(!server.was_connected_again());
}

#[test]
fn no_more_connections_than_allowed_stay_idle() {
    for (idle_max, kept) in [(2, 2), (-1, 0)] {
        let server = Server::start();
        let mut setup = Setup::new(server.address);
        setup.transport.max_idle_conns_per_host = idle_max;
        let rig = setup.start();
        let mut clients = Vec::new();
        let mut peers = Vec::new();
        for _ in 0..4 {
            clients.push(rig.client_sending(get("/")));
            let mut peer = server.accept();
            peer.request();
            peers.push(peer);
        }
        for (client, peer) in clients.iter_mut().zip(&mut peers) {
            peer.send(ok("done"));
            client.answer();
        }
        let open = peers.iter_mut().map(|peer| usize::from(!peer.has_ended())).sum::<usize>();
        assert_eq!(open, kept, "with idleMax {idle_max}");
    }
}

#[test]
fn idle_connections_are_closed_after_their_time() {
    let server = Server::start();
    let mut setup = Setup::new(server.address);
    setup.transport.forwarding_timeouts = Some(ForwardingTimeouts {
        idle_conn_timeout: Duration::from_millis(100).into(),
        ..ForwardingTimeouts::default()
    });
    let rig = setup.start();
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    peer.send(ok("done"));
    client.answer();
    assert_eq!(peer.end(), End::Closed);
}

#[test]
fn connections_to_a_server_that_is_gone_from_the_configuration_are_closed() {
    let (_server, rig, _client, mut peer) = with_idle_connection();
    let other = Server::start();
    rig.plane.publish(Setup::new(other.address).snapshot());
    assert_eq!(peer.end(), End::Closed);
}

#[test]
fn connections_that_a_server_ends_are_not_kept() {
    for head in ["HTTP/1.1 200 OK\r\nConnection: close\r\n", "HTTP/1.0 200 OK\r\n"] {
        let server = Server::start();
        let rig = Rig::new(server.address);
        let mut client = rig.client_sending(get("/"));
        let mut peer = server.accept();
        peer.request();
        peer.send(format!("{head}Content-Length: 2\r\n\r\nab"));
        let answer = client.answer();
        assert_eq!(answer.text(), "ab");
        assert!(!answer.closes());
        assert_eq!(peer.end(), End::Closed);
    }
}
