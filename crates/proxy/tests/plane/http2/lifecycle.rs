//! How HTTP/2 connections begin, how long they live, and how they end.

use std::sync::Arc;
use std::time::Duration;

use crate::support::frames::{
    ACK, DATA, END_HEADERS, END_STREAM, Frame, Frames, GOAWAY, HEADERS, INTERNAL_ERROR, NO_ERROR,
    PING, PROTOCOL_ERROR, RST_STREAM, SETTINGS, frame, get_frame, post_frame,
};
use crate::support::{Answering, End, LIMIT, Peer, Server, Setup, get, ok};

const SHORT: Option<Duration> = Some(Duration::from_millis(200));

/// The last stream and the error of a GOAWAY.
fn farewell(frame: &Frame) -> (u32, u32) {
    let number =
        |at: usize| u32::from_be_bytes(frame.payload[at..at + 4].try_into().expect("four"));
    (number(0), number(4))
}

/// Reads up to the end of the connection, answering what must be; gives all GOAWAYs.
fn farewells(client: &mut Frames) -> Vec<(u32, u32)> {
    let mut all = Vec::new();
    while let Some(frame) = client.next() {
        client.answer(&frame);
        if frame.kind == GOAWAY {
            all.push(farewell(&frame));
        }
    }
    all
}

#[test]
fn settings_are_announced() {
    let server = Answering::with_paths();
    let mut setup = Setup::new(server.address);
    setup.settings.http2.concurrent_streams_max = 7;
    setup.settings.http2.decoder_table_bytes = 1000;
    let rig = setup.start();
    let mut client = Frames::connect(rig.address);
    let settings = client.until(SETTINGS).expect("settings").payload;
    let value = |wanted: u16| {
        settings
            .chunks(6)
            .find(|pair| pair[..2] == wanted.to_be_bytes())
            .map(|pair| u32::from_be_bytes(pair[2..].try_into().expect("four bytes")))
    };
    assert_eq!(value(0x1), Some(1000), "HEADER_TABLE_SIZE");
    assert_eq!(value(0x3), Some(7), "MAX_CONCURRENT_STREAMS");
    assert_eq!(value(0x4), Some(512 * 1024), "INITIAL_WINDOW_SIZE");
    assert_eq!(value(0x6), Some(1 << 20), "MAX_HEADER_LIST_SIZE");
    assert_eq!(value(0x8), Some(1), "ENABLE_CONNECT_PROTOCOL");
}

#[test]
fn more_streams_than_announced_are_refused() {
    let server = Server::start();
    let mut setup = Setup::new(server.address);
    setup.settings.http2.concurrent_streams_max = 2;
    let rig = setup.start();
    let mut client = Frames::connect(rig.address);
    let settings = client.until(SETTINGS).expect("settings");
    client.answer(&settings);
    for stream in [1, 3, 5] {
        client.send(get_frame(stream, "/"));
    }
    assert_eq!(client.streamed(5).reset, Some(0x7));
    let mut peer = server.accept();
    peer.request();
    peer.send(ok("served"));
    let first = loop {
        let frame = client.next().expect("a frame");
        if frame.kind == DATA {
            break frame.stream;
        }
    };
    assert!(first == 1 || first == 3);
}

#[test]
fn small_heads_leave_room_for_all_streams() {
    let server = Server::start();
    let mut setup = Setup::new(server.address);
    setup.settings.head_bytes_max = 4096;
    let rig = setup.start();
    let mut client = Frames::connect(rig.address);
    let padding = [b'x'; 1000];
    let head = crate::support::frames::get_block("/", &[(b"x-padding", &padding)]);
    let streams: Vec<u32> = (0..250).map(|number| 2 * number + 1).collect();
    for stream in &streams {
        client.send(frame(HEADERS, END_STREAM | END_HEADERS, *stream, &head));
    }
    for _ in &streams {
        let mut peer = server.accept();
        peer.request();
        peer.send(ok("room"));
    }
    let mut ended = 0;
    while ended < streams.len() {
        let read = client.next().expect("a frame");
        assert_ne!(read.kind, RST_STREAM, "stream {}", read.stream);
        client.answer(&read);
        ended += usize::from(read.kind == DATA && read.flags & END_STREAM != 0);
    }
}

#[test]
fn a_body_has_to_come_in_time() {
    let server = Server::start();
    let mut setup = Setup::new(server.address);
    setup.settings.read_timeout = SHORT;
    let rig = setup.start();
    let mut client = Frames::connect(rig.address);
    client.send(post_frame(1, "/", &[]));
    client.send(frame(DATA, 0, 1, b"part"));
    let mut peer = server.accept();
    peer.head();
    assert_eq!(client.streamed(1).status(), 408);
    let (rest, _) = peer.rest();
    assert!(!rest.ends_with(b"0\r\n\r\n"), "a cut body must not look whole");
    // The connection goes on, longer than a request may take.
    client.send(get_frame(3, "/"));
    let mut peer = server.accept();
    peer.request();
    peer.send(ok("next"));
    assert_eq!(client.streamed(3).text(), "next");
}

#[test]
fn a_response_has_to_be_taken_in_time() {
    let server = Answering::start(|_| ok(&"x".repeat(200_000)));
    let mut setup = Setup::new(server.address);
    setup.settings.write_timeout = SHORT;
    let rig = setup.start();
    let mut client = Frames::connect(rig.address);
    client.send(get_frame(1, "/"));
    let streamed = client.streamed(1);
    assert_eq!((streamed.is_whole, streamed.reset), (false, Some(INTERNAL_ERROR)));
    assert_eq!(streamed.body.len(), 65_535);
}

#[test]
fn a_client_that_reads_nothing_is_dropped_in_time() {
    let server = Answering::start(|_| ok(&"x".repeat(32 << 20)));
    let mut setup = Setup::new(server.address);
    setup.settings.write_timeout = SHORT;
    let rig = setup.start();
    let mut client = Frames::connect_with(rig.address, &[(0x4, 0x7fff_ffff)]);
    client.send(crate::support::frames::window_frame(0, 0x7fff_0000));
    client.send(get_frame(1, "/"));
    let dropped = (0..).take(400).any(|_| {
        std::thread::park_timeout(Duration::from_millis(50));
        rig.plane.connections() == 0
    });
    assert!(dropped, "the connection lives on");
}

#[test]
fn an_idle_connection_ends_in_good_order() {
    let server = Answering::with_paths();
    let mut setup = Setup::new(server.address);
    setup.settings.idle_timeout = SHORT;
    let rig = setup.start();
    let mut client = Frames::connect(rig.address);
    assert_eq!(client.get(1, "/x").text(), "/x");
    assert_eq!(farewells(&mut client), [(0x7fff_ffff, NO_ERROR), (1, NO_ERROR)]);
}

#[test]
fn a_stream_under_way_keeps_a_connection() {
    let server = Server::start();
    let mut setup = Setup::new(server.address);
    setup.settings.idle_timeout = SHORT;
    let rig = setup.start();
    let mut client = Frames::connect(rig.address);
    client.send(get_frame(1, "/"));
    let mut peer = server.accept();
    peer.request();
    let settled = client.until(SETTINGS);
    assert!(settled.is_some());
    while !client.peer.is_silent_for(Duration::from_millis(600)) {
        let read = client.next().expect("the connection lives");
        assert_ne!(read.kind, GOAWAY);
    }
    peer.send(ok("late"));
    assert_eq!(client.streamed(1).text(), "late");
}

#[test]
fn a_connection_ends_after_so_many_requests() {
    let server = Answering::with_paths();
    let mut setup = Setup::new(server.address);
    setup.settings.keep_alive_requests_max = Some(2);
    let rig = setup.start();
    let mut client = Frames::connect(rig.address);
    assert_eq!(client.get(1, "/one").text(), "/one");
    client.send(get_frame(3, "/two"));
    let last = farewells(&mut client).pop().expect("a farewell");
    assert_eq!(last, (3, NO_ERROR));
    assert_eq!(server.whole_paths(), ["/one", "/two"]);
}

#[test]
fn a_connection_ends_after_some_time() {
    let server = Answering::with_paths();
    let mut setup = Setup::new(server.address);
    setup.settings.keep_alive_time_max = SHORT;
    let rig = setup.start();
    let mut client = Frames::connect(rig.address);
    assert_eq!(client.get(1, "/one").text(), "/one");
    let last = farewells(&mut client).pop().expect("a farewell");
    assert_eq!(last, (1, NO_ERROR));
}

#[test]
fn a_drain_lets_streams_finish() {
    let server = Server::start();
    let rig = Setup::new(server.address).start();
    let mut client = Frames::connect(rig.address);
    client.send(get_frame(1, "/"));
    let mut peer = server.accept();
    peer.request();
    let left = std::thread::scope(|scope| {
        let draining = scope.spawn(|| rig.drain(LIMIT));
        // The first farewell says that the end is near: what is on its way is still served.
        let first = client.until(GOAWAY).expect("a farewell");
        assert_eq!(farewell(&first), (0x7fff_ffff, NO_ERROR));
        client.send(get_frame(3, "/late"));
        let ping = client.until(PING).expect("a ping");
        let mut late = server.accept();
        late.request();
        client.answer(&ping);
        let last = client.until(GOAWAY).expect("another farewell");
        assert_eq!(farewell(&last), (3, NO_ERROR));
        peer.send(ok("early"));
        assert_eq!(client.streamed(1).text(), "early");
        late.send(ok("late"));
        assert_eq!(client.streamed(3).text(), "late");
        assert_eq!(client.peer.rest().1, End::Closed);
        draining.join().expect("a drain")
    });
    assert_eq!(left, 0);
}

#[test]
fn a_drain_does_not_wait_for_clients_that_do_not_answer() {
    let server = Answering::with_paths();
    let rig = Setup::new(server.address).start();
    let mut client = Frames::connect(rig.address);
    assert_eq!(client.get(1, "/x").text(), "/x");
    std::thread::scope(|scope| {
        let draining = scope.spawn(|| rig.drain(LIMIT));
        while client.next().is_some() {}
        client.peer.shut_down();
        assert_eq!(draining.join().expect("a drain"), 0);
    });
}

#[test]
fn a_preface_has_to_come_whole_and_in_time() {
    let server = Answering::with_paths();
    let mut setup = Setup::new(server.address);
    setup.settings.read_timeout = SHORT;
    let rig = setup.start();
    let mut slow = rig.client_sending("PRI * HTTP/2.0\r\n\r\nSM");
    slow.rest();
    let mut false_one = rig.client_sending("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
    false_one.rest();
    let mut bytewise = rig.client();
    for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" {
        bytewise.send([*byte]);
    }
    let mut bytewise = Frames { peer: bytewise };
    bytewise.send(crate::support::frames::settings_frame(&[(0x1, 0)]));
    assert_eq!(bytewise.get(1, "/x").text(), "/x");
}

#[test]
fn a_broken_frame_ends_the_connection_with_its_reason() {
    let server = Answering::with_paths();
    let rig = Setup::new(server.address).start();
    let mut client = Frames::connect(rig.address);
    // DATA on the connection itself (RFC 9113, 6.1).
    client.send(frame(DATA, END_STREAM, 0, b"x"));
    assert_eq!(farewells(&mut client), [(0, PROTOCOL_ERROR)]);
    assert_eq!(rig.http2_counts(0).protocol_errors, 1);
}

/// A TLS client's connection, carried over a pair of plain ones so that tests can read it.
fn check_tls(offered: &[&str], expected: Option<&[u8]>, ask: impl FnOnce(Tls)) {
    let server = Answering::with_paths();
    let mut setup = Setup::new(server.address);
    setup.is_tls = true;
    let rig = setup.start();
    let settings = tls::ClientSettings { insecure_skip_verify: true, ..Default::default() };
    let (config, _) = tls::client_config(&settings.with_alpn(offered)).expect("a TLS client");
    let name = "example.org".try_into().expect("a name");
    let connection = rustls::ClientConnection::new(Arc::clone(&config), name).expect("a client");
    let stream = std::net::TcpStream::connect(rig.address).expect("a connection");
    stream.set_read_timeout(Some(LIMIT)).expect("a timeout");
    let mut stream = rustls::StreamOwned::new(connection, stream);
    stream
        .conn
        .complete_io(&mut stream.sock)
        .unwrap_or_else(|error| panic!("a handshake with {offered:?}: {error}"));
    assert_eq!(stream.conn.alpn_protocol(), expected, "{offered:?}");
    ask(stream);
}

type Tls = rustls::StreamOwned<rustls::ClientConnection, std::net::TcpStream>;

#[test]
fn tls_settles_the_protocol() {
    use std::io::{Read, Write};
    let ask_http2 = |mut stream: Tls| {
        let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        hello.extend(crate::support::frames::settings_frame(&[(0x1, 0)]));
        hello.extend(get_frame(1, "/x"));
        stream.write_all(&hello).expect("sent");
        let mut kinds = Vec::new();
        while !kinds.contains(&DATA) {
            let mut head = [0; 9];
            stream.read_exact(&mut head).expect("a frame");
            let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
            stream.read_exact(&mut payload).expect("a payload");
            kinds.push(head[3]);
        }
        assert!(kinds.contains(&HEADERS));
        stream.write_all(&frame(SETTINGS, ACK, 0, b"")).expect("sent");
    };
    check_tls(&["h2", "http/1.1"], Some(b"h2"), ask_http2);
    let ask_http1 = |mut stream: Tls| {
        stream.write_all(get("/x").as_bytes()).expect("sent");
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
    };
    check_tls(&["http/1.1"], Some(b"http/1.1"), ask_http1);
    check_tls(&[], None, ask_http1);
    // The handshake has settled it: no prior knowledge over TLS.
    check_tls(&["http/1.1"], Some(b"http/1.1"), |mut stream: Tls| {
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").expect("sent");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 505");
    });
}

#[test]
fn http1_on_the_same_port_is_not_disturbed() {
    let server = Answering::with_paths();
    let rig = Setup::new(server.address).start();
    let mut old: Peer = rig.client_sending(get("/old"));
    let mut new = Frames::connect(rig.address);
    assert_eq!(new.get(1, "/new").text(), "/new");
    assert_eq!(old.answer().text(), "/old");
    old.send(get("/older"));
    assert_eq!(old.answer().text(), "/older");
}
