//! Heads, bodies and trailers, and how fast they flow.

use crate::http2_servers::rig;
use crate::support::server_frames::{
    CANCEL, DATA, Frames, HEADERS, INITIAL_WINDOW_SIZE, NO_ERROR, RST_STREAM, WINDOW_UPDATE, encode,
};
use crate::support::{Server, get, post};

#[test]
fn trailers_and_interim_responses_pass_from_server_to_client() {
    let server = Server::start();
    let rig = rig(&server);
    let mut client = rig.client_sending(get("/"));
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    frames.head(stream, 103, &[("link", "</a>")], false);
    assert_eq!(client.head(), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    frames.head(stream, 200, &[("trailer", "x-sum")], false);
    frames.data(stream, b"hello", false);
    frames.trailers(stream, &[("x-sum", "5"), ("grpc-status", "0")]);
    let answer = client.answer();
    assert_eq!((answer.text(), answer.header("Trailer")), ("hello", Some("x-sum")));
    assert_eq!(answer.trailers, "X-Sum: 5\r\nGrpc-Status: 0\r\n");
}

#[test]
fn a_response_of_trailers_only_is_one_without_body() {
    let server = Server::start();
    let rig = rig(&server);
    let mut client = rig.client_sending(get("/"));
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    frames.head(stream, 200, &[("grpc-status", "5")], true);
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (200, ""));
    assert_eq!(answer.header("Grpc-Status"), Some("5"));
}

#[test]
fn trailers_pass_from_client_to_server() {
    let server = Server::start();
    let rig = rig(&server);
    let mut client = rig.client_sending(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
         5\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n",
    );
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    let data = frames.next(&[DATA]);
    assert_eq!((data.payload.as_slice(), data.ends_stream()), (&b"hello"[..], false));
    let trailers = frames.next(&[DATA, HEADERS]);
    assert!(trailers.kind == HEADERS && trailers.ends_stream());
    frames.answer(stream, "done");
    assert_eq!(client.answer().text(), "done");
}

#[test]
fn the_end_of_a_body_of_known_length_goes_with_its_last_frame() {
    let server = Server::start();
    let rig = rig(&server);
    let mut client = rig.client_sending(post("/", "hello"));
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    let data = frames.next(&[DATA]);
    assert_eq!((data.payload.as_slice(), data.ends_stream()), (&b"hello"[..], true));
    frames.answer(stream, "done");
    assert_eq!(client.answer().text(), "done");
}

#[test]
fn bodies_wait_for_the_servers_100() {
    let server = Server::start();
    let rig = rig(&server);
    let mut client = rig.client_sending(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
    );
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    frames.head(stream, 100, &[], false);
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    assert_eq!(frames.body(), b"body");
    frames.answer(stream, "done");
    assert_eq!(client.answer().text(), "done");
}

#[test]
fn an_answer_in_place_of_100_means_no_body() {
    let server = Server::start();
    let rig = rig(&server);
    let mut client = rig.client_sending(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
    );
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    frames.head(stream, 417, &[], false);
    frames.data(stream, b"no", true);
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (417, "no"));
    client.try_send("body");
    let reset = frames.next(&[DATA, RST_STREAM]);
    assert_eq!((reset.kind, reset.stream), (RST_STREAM, stream));
}

#[test]
fn a_server_may_answer_without_the_whole_body() {
    let server = Server::start();
    let rig = rig(&server);
    let mut client =
        rig.client_sending("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nbeginning");
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    assert_eq!(frames.next(&[DATA]).payload, b"beginning");
    frames.answer(stream, "enough");
    frames.reset(stream, NO_ERROR);
    assert_eq!(client.answer().text(), "enough");
}

#[test]
fn a_server_that_reads_nothing_stops_the_client() {
    let server = Server::start();
    let rig = rig(&server);
    let length = 64 << 20;
    let mut client = rig
        .client_sending(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"));
    let mut frames = Frames::accept(&server, &[(INITIAL_WINDOW_SIZE, 1000)]);
    let stream = frames.request();
    let sent = client.send_until_blocked(length);
    assert!(sent < length / 2, "the client got rid of {sent} bytes");
    let mut received = 0;
    while received < 1000 {
        received += frames.next(&[DATA]).payload.len();
    }
    assert_eq!(received, 1000, "not more than the window");
    frames.window(stream, 500);
    assert_eq!(frames.next(&[DATA]).payload.len(), 500);
    frames.answer(stream, "enough");
    assert_eq!(client.answer().text(), "enough");
}

#[test]
fn a_client_that_reads_nothing_stops_its_stream_alone() {
    let server = Server::start();
    let rig = rig(&server);
    let slow = rig.client_sending(get("/"));
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    frames.head(stream, 200, &[], false);
    // The stream's window as announced is filled, and reopened as far as the client's socket goes.
    let piece = [b'x'; 16 * 1024];
    let mut window = 1_i64 << 20;
    let mut sent = 0_u64;
    let mut neighbour = None;
    while neighbour.is_none() {
        while window >= piece.len() as i64 {
            frames.data(stream, &piece, false);
            window -= piece.len() as i64;
            sent += piece.len() as u64;
            assert!(sent < 64 << 20, "nothing stops the server");
        }
        // A request of a neighbour shows that the worker has seen all of it.
        let mut fast = rig.client_sending(get("/"));
        loop {
            let frame = frames.next(&[HEADERS, WINDOW_UPDATE]);
            if frame.kind == HEADERS {
                frames.answer(frame.stream, "fast");
                break;
            }
            if frame.stream == stream {
                window += i64::from(frame.code());
            }
        }
        assert_eq!(fast.answer().text(), "fast");
        if window < piece.len() as i64 {
            neighbour = Some(fast);
        }
    }
    // Once the client reads, the server may go on.
    let mut reader = slow.clone_stream();
    let reading = std::thread::spawn(move || reader.bytes(4 << 20).len());
    let update = frames.next(&[WINDOW_UPDATE]);
    assert_eq!(update.stream, stream);
    slow.shut_down();
    let _ = reading.join();
    let reset = frames.next(&[RST_STREAM]);
    assert_eq!((reset.stream, reset.code()), (stream, CANCEL));
}

#[test]
fn answers_to_head_and_without_body_have_none() {
    let server = Server::start();
    let rig = rig(&server);
    let mut client = rig.client_sending("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    frames.head(stream, 200, &[("content-length", "5")], true);
    let answer = client.answer_to("HEAD");
    assert_eq!((answer.header("Content-Length"), answer.closes()), (Some("5"), false));
    client.send(get("/"));
    let stream = frames.request();
    frames.head(stream, 304, &[("etag", "\"a\"")], true);
    let answer = client.answer();
    assert_eq!((answer.status, answer.header("Content-Length")), (304, None));
}

#[test]
fn a_head_may_come_in_pieces_with_others_between() {
    let server = Server::start();
    let rig = rig(&server);
    let mut client = rig.client_sending(get("/"));
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    for byte in encode(HEADERS, 4, stream, b"\x88") {
        frames.peer.send([byte]);
    }
    frames.data(stream, b"a", false);
    frames.data(stream, b"", false);
    frames.data(stream, b"b", false);
    frames.data(stream, b"", true);
    assert_eq!(client.answer().text(), "ab");
}
