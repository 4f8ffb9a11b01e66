//! Every wait for a peer has an end. The limits are set low and only their effect is looked at.

use std::time::Duration;

use proxy::EntryPointSettings;

use crate::support::{Answering, End, Peer, Rig, Server, Setup, get, ok, post};

const SHORT: Duration = Duration::from_millis(400);

fn rig(server: std::net::SocketAddr, change: impl FnOnce(&mut EntryPointSettings)) -> Rig {
    let mut setup = Setup::new(server);
    change(&mut setup.settings);
    setup.start()
}

#[test]
fn a_client_that_says_nothing_is_closed() {
    let server = Server::start();
    let rig = rig(server.address, |settings| settings.read_timeout = Some(SHORT));
    assert_eq!(rig.client().end(), End::Closed);
}

#[test]
fn a_head_that_does_not_end_is_closed_although_bytes_keep_coming() {
    let server = Server::start();
    let rig = rig(server.address, |settings| settings.read_timeout = Some(SHORT));
    let mut client = rig.client_sending("GET / HTTP/1.1\r\nHost: a\r\n");
    while client.try_send("X: y\r\n") {
        std::thread::yield_now();
    }
    let (bytes, _) = client.rest();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 431 "), "{text}");
}

#[test]
fn a_handshake_that_stops_anywhere_is_closed() {
    let server = Server::start();
    let rig = rig(server.address, |settings| settings.read_timeout = Some(SHORT));
    // The start of a ClientHello: record header, message header, version, random.
    let mut hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec();
    hello.extend([7; 32]);
    let mut clients: Vec<Peer> =
        (1..=hello.len()).map(|length| rig.client_sending(&hello[..length])).collect();
    for client in &mut clients {
        client.end();
    }
}

#[test]
fn the_second_heads_time_runs_from_its_first_byte() {
    let server = Answering::with_paths();
    let rig = rig(server.address, |settings| settings.read_timeout = Some(SHORT));
    let mut client = rig.client_sending(get("/one") + "GET /two HTTP/1.1\r\n");
    assert_eq!(client.answer().text(), "/one");
    assert_eq!(client.end(), End::Closed);
}

#[test]
fn a_body_that_does_not_come_ends_the_request() {
    let server = Server::start();
    let rig = rig(server.address, |settings| settings.read_timeout = Some(SHORT));
    let mut client =
        rig.client_sending("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    let mut peer = server.accept();
    peer.head();
    assert_eq!(peer.text(3), "abc");
    peer.end();
    let answer = client.answer();
    assert_eq!(answer.status, 408);
    assert!(answer.closes());
    assert_eq!(client.end(), End::Closed);
}

#[test]
fn an_idle_connection_is_closed() {
    let server = Answering::with_paths();
    let rig = rig(server.address, |settings| settings.idle_timeout = Some(SHORT));
    let mut client = rig.client_sending(get("/"));
    assert_eq!(client.answer().status, 200);
    assert_eq!(client.end(), End::Closed);
}

#[test]
fn a_connection_that_gave_its_buffers_back_still_serves_and_still_times_out() {
    let server = Answering::with_paths();
    let rig = rig(server.address, |settings| {
        settings.idle_timeout = Some(Duration::from_millis(2500));
    });
    let mut client = rig.client_sending(get("/one"));
    assert_eq!(client.answer().text(), "/one");
    let started = std::time::Instant::now();
    assert_eq!(client.end(), End::Closed);
    assert!(started.elapsed() > Duration::from_secs(2), "closed after {:?}", started.elapsed());
}

#[test]
fn no_time_runs_while_a_server_thinks() {
    let server = Server::start();
    let rig = rig(server.address, |settings| {
        settings.idle_timeout = Some(SHORT);
        settings.read_timeout = Some(SHORT);
    });
    let mut client = rig.client_sending(post("/", "body"));
    let mut peer = server.accept();
    peer.request();
    // Another connection's time runs out meanwhile, twice.
    assert_eq!(rig.client().end(), End::Closed);
    assert_eq!(rig.client().end(), End::Closed);
    peer.send(ok("thought"));
    assert_eq!(client.answer().text(), "thought");
}

#[test]
fn a_server_that_does_not_answer_in_time_is_left() {
    let server = Server::start();
    let rig = Setup::new(server.address).response_header_timeout(SHORT).start();
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (504, "Gateway Timeout"));
    peer.end();
    client.send(get("/again"));
    let mut peer = server.accept();
    peer.request();
    // Inside the head counts too.
    peer.send("HTTP/1.1 200 OK\r\n");
    assert_eq!(client.answer().status, 504);
    peer.end();
}

#[test]
fn a_client_that_does_not_read_in_time_is_left() {
    let server = Server::start();
    let rig = rig(server.address, |settings| settings.write_timeout = Some(SHORT));
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n");
    let piece = vec![b'x'; 1 << 20];
    let mut sent = 0;
    while peer.try_send(&piece) {
        sent += 1;
        assert!(sent < 100, "the whole body was taken although nobody reads it");
    }
    // Not an orderly end, which would have to wait behind all that lies unread in the kernels.
    let (received, end) = client.rest();
    assert!(received.len() < 104_857_600);
    assert_eq!(end, End::Reset);
}

#[test]
fn a_response_that_takes_too_long_is_cut() {
    let server = Server::start();
    let rig = rig(server.address, |settings| settings.write_timeout = Some(SHORT));
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    client.head();
    assert_eq!(client.text(6), "1\r\na\r\n");
    client.end();
    peer.end();
}
