//! Bodies over HTTP/2: how far they stream, how they end, and how they break off.

use crate::support::frames::{
    CANCEL, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, INTERNAL_ERROR, NO_ERROR, RST_STREAM,
    Streamed, WINDOW_UPDATE, block, frame, get_frame, post_frame, reset_frame, window_frame,
};
use crate::support::{Answering, Rig, Server, ok};

/// What a client may send before any is taken.
const STREAM_WINDOW: usize = 512 * 1024;

#[test]
fn a_body_of_unknown_length_becomes_chunks_with_its_trailers() {
    let server = Answering::start(|request| ok(request.text()));
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    client.send(post_frame(1, "/", &[(b"te", b"trailers")]));
    client.send(frame(DATA, 0, 1, b"one "));
    client.send(frame(DATA, 0, 1, b""));
    client.send(frame(DATA, 0, 1, b"two"));
    let trailers = block(&[(b"x-sum", b"7"), (b"content-length", b"3"), (b"authorization", b"x")]);
    client.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, &trailers));
    assert_eq!(client.streamed(1).text(), "one two");
    let (_, request) = &server.log()[0];
    assert_eq!(request.header("Transfer-Encoding"), Some("chunked"));
    assert_eq!(request.trailers, "X-Sum: 7\r\n");
}

#[test]
fn a_body_of_known_length_keeps_it() {
    let server = Answering::start(|request| ok(request.text()));
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    client.send(post_frame(1, "/", &[(b"content-length", b"8")]));
    client.send(frame(DATA, 0, 1, b"half"));
    client.send(frame(DATA, END_STREAM, 1, b"half"));
    assert_eq!(client.streamed(1).text(), "halfhalf");
    assert_eq!(server.log()[0].1.header("Content-Length"), Some("8"));
    assert_eq!(server.log()[0].1.header("Transfer-Encoding"), None);
}

#[test]
fn trailers_of_a_response_come_after_its_data() {
    let server = Answering::start(|_| {
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
         4\r\nbody\r\n0\r\nX-Sum: 4\r\n\r\n"
            .to_owned()
    });
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    client.send(get_frame(1, "/"));
    let head = client.until(HEADERS).expect("a head");
    assert_eq!(head.flags & END_STREAM, 0);
    assert_eq!(client.until(DATA).expect("data").payload, b"body");
    let trailers = client.until(HEADERS).expect("trailers");
    assert_eq!(trailers.flags & END_STREAM, END_STREAM);
}

#[test]
fn a_client_sends_no_more_than_the_server_takes() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    client.send(post_frame(1, "/", &[]));
    let mut peer = server.accept();
    peer.head();
    // The server reads nothing more: what the client may send is the window once over, and what
    // the kernel holds of it.
    let mut sent = 0;
    let mut window = STREAM_WINDOW;
    let piece = frame(DATA, 0, 1, &[b'x'; 16 * 1024]);
    loop {
        while window >= 16 * 1024 {
            client.send(&piece);
            sent += 16 * 1024;
            window -= 16 * 1024;
        }
        assert!(sent < 64 << 20, "the client is never stopped");
        if client.peer.is_silent_for(std::time::Duration::from_millis(500)) {
            break;
        }
        let read = client.next().expect("the connection lives");
        if read.kind == WINDOW_UPDATE && read.stream == 1 {
            window +=
                u32::from_be_bytes(read.payload[..4].try_into().expect("four bytes")) as usize;
        }
    }
    // Another stream is served meanwhile.
    client.send(get_frame(3, "/other"));
    let mut other = server.accept();
    other.request();
    other.send(ok("other"));
    assert_eq!(client.streamed(3).text(), "other");
}

#[test]
fn a_server_sends_no_more_than_the_client_takes() {
    const LENGTH: usize = 64 << 20;
    let server = Server::start();
    let rig = Rig::new(server.address);
    // SETTINGS_INITIAL_WINDOW_SIZE
    let mut client = Frames::connect_with(rig.address, &[(0x4, 0)]);
    client.send(get_frame(1, "/"));
    let mut peer = server.accept();
    peer.request();
    peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n"));
    assert_eq!(client.until(HEADERS).expect("a head").flags & END_STREAM, 0);
    let taken = peer.send_until_blocked(LENGTH);
    assert!(taken < LENGTH / 2, "{taken} bytes were read for a client that takes none");
    client.send(window_frame(1, 5));
    assert_eq!(client.until(DATA).expect("data").payload, b"xxxxx");
}

#[test]
fn a_response_that_breaks_off_is_reset() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    let mut check = |stream, answer: &str| {
        client.send(get_frame(stream, "/"));
        let mut peer = server.accept();
        peer.request();
        peer.send(answer);
        drop(peer);
        let streamed = client.streamed(stream);
        let expected = Streamed {
            statuses: vec![200],
            body: b"part".to_vec(),
            is_whole: false,
            reset: Some(INTERNAL_ERROR),
        };
        assert_eq!(streamed, expected, "{answer:?}");
    };
    check(1, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart");
    check(3, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n");
    check(5, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nzzz\r\n");
}

#[test]
fn a_client_that_resets_takes_its_request_off_the_server() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    client.send(get_frame(1, "/waiting"));
    let mut waiting = server.accept();
    waiting.request();
    client.send(reset_frame(1, CANCEL));
    let (rest, _) = waiting.rest();
    assert!(rest.is_empty());

    client.send(post_frame(3, "/uploading", &[]));
    client.send(frame(DATA, 0, 3, b"part"));
    let mut uploading = server.accept();
    uploading.head();
    client.send(reset_frame(3, CANCEL));
    let (rest, _) = uploading.rest();
    assert!(!rest.ends_with(b"0\r\n\r\n"), "a cut body must not look whole");

    client.send(get_frame(5, "/streaming"));
    let mut streaming = server.accept();
    streaming.request();
    streaming.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
    client.until(DATA).expect("data");
    client.send(reset_frame(5, CANCEL));
    let (rest, _) = streaming.rest();
    assert!(rest.is_empty());
}

#[test]
fn a_response_before_the_whole_body_ends_the_upload() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    client.send(post_frame(1, "/", &[]));
    client.send(frame(DATA, 0, 1, b"part"));
    let mut peer = server.accept();
    peer.head();
    peer.send(ok("enough"));
    let answer = client.streamed(1);
    assert_eq!((answer.status(), answer.text()), (200, "enough"));
    let reset = client.until(RST_STREAM).expect("a reset");
    assert_eq!((reset.stream, reset.payload), (1, NO_ERROR.to_be_bytes().to_vec()));
}

#[test]
fn a_body_longer_or_shorter_than_announced_reaches_no_server_whole() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    client.send(post_frame(1, "/shorter", &[(b"content-length", b"10")]));
    client.send(frame(DATA, END_STREAM, 1, b"short"));
    assert_eq!(client.streamed(1).reset, Some(crate::support::frames::PROTOCOL_ERROR));
    client.send(post_frame(3, "/longer", &[(b"content-length", b"2")]));
    client.send(frame(DATA, END_STREAM, 3, b"longer"));
    assert_eq!(client.streamed(3).reset, Some(crate::support::frames::PROTOCOL_ERROR));
    assert_eq!(client.get(5, "/after").text(), "/after");
    assert_eq!(server.whole_paths(), ["/after"]);
}
