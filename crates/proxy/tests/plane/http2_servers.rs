//! Servers that speak HTTP/2.

use std::time::Duration;

use config::dynamic::ForwardingTimeouts;

use crate::support::server_frames::{
    CANCEL, DATA, Frames, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, INTERNAL_ERROR,
    MAX_CONCURRENT_STREAMS, NO_ERROR, PING, REFUSED_STREAM, RST_STREAM, WINDOW_UPDATE, encode,
};
use crate::support::{End, Rig, Server, Setup, get, post};

fn rig(server: &Server) -> Rig {
    Setup::h2c(server.address).start()
}

#[test]
fn many_requests_share_one_connection() {
    let server = Server::start();
    let rig = rig(&server);
    let mut clients: Vec<_> = (0..20).map(|_| rig.client_sending(get("/"))).collect();
    let mut frames = Frames::accept(&server, &[]);
    let streams: Vec<u32> = (0..20).map(|_| frames.request()).collect();
    for stream in streams.into_iter().rev() {
        frames.answer(stream, "shared");
    }
    for client in &mut clients {
        assert_eq!(client.answer().text(), "shared");
    }
    assert!(!server.was_connected_again());
}

#[test]
fn a_full_connection_gets_a_neighbour() {
    let server = Server::start();
    let rig = rig(&server);
    let mut first = rig.client_sending(get("/"));
    let mut frames = Frames::accept(&server, &[(MAX_CONCURRENT_STREAMS, 1)]);
    let one = frames.request();
    let mut second = rig.client_sending(get("/"));
    let mut neighbour = Frames::accept(&server, &[(MAX_CONCURRENT_STREAMS, 1)]);
    let other = neighbour.request();
    neighbour.answer(other, "second");
    assert_eq!(second.answer().text(), "second");
    frames.answer(one, "first");
    assert_eq!(first.answer().text(), "first");
    // There is room on both: the first is filled first.
    first.send(get("/"));
    let one = frames.request();
    frames.answer(one, "again");
    assert_eq!(first.answer().text(), "again");
    assert!(!server.was_connected_again());
}

#[test]
fn a_request_waits_for_room_while_a_connection_is_made() {
    let server = Server::start();
    let rig = rig(&server);
    let mut first = rig.client_sending(get("/"));
    let mut frames = Frames::accept(&server, &[(MAX_CONCURRENT_STREAMS, 1)]);
    let one = frames.request();
    let mut second = rig.client_sending(get("/"));
    // This one never begins to speak.
    let _silent = server.accept();
    frames.answer(one, "first");
    assert_eq!(first.answer().text(), "first");
    let two = frames.request();
    frames.answer(two, "second");
    assert_eq!(second.answer().text(), "second");
}

#[test]
fn a_server_that_takes_no_requests_is_told() {
    let server = Server::start();
    let rig = rig(&server);
    let mut client = rig.client_sending(get("/"));
    let mut frames = Frames::accept(&server, &[(MAX_CONCURRENT_STREAMS, 0)]);
    assert_eq!(client.answer().status, 502);
    assert!(frames.try_next(&[HEADERS]).is_none(), "the connection is not kept");
    assert!(!server.was_connected_again());
}

#[test]
fn a_server_of_http1_is_told_apart() {
    let server = Server::start();
    let rig = rig(&server);
    let mut client = rig.client_sending(get("/"));
    server.accept().send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.answer().status, 500);
}

/// Sends a request; the server does something to its first stream and closes.
fn check_broken(request: &str, breaks: impl FnOnce(&mut Frames, u32), expected: Option<u16>) {
    let server = Server::start();
    let rig = rig(&server);
    let mut client = rig.client_sending(request);
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    breaks(&mut frames, stream);
    drop(frames);
    assert_eq!(client.try_answer().map(|answer| answer.status), expected);
    assert!(!server.was_connected_again(), "the server may have processed it");
}

#[test]
fn what_a_server_may_have_processed_is_not_sent_again() {
    for request in [get("/"), post("/", "body")] {
        check_broken(&request, |frames, stream| frames.reset(stream, CANCEL), Some(502));
        check_broken(&request, |frames, stream| frames.reset(stream, INTERNAL_ERROR), Some(502));
        check_broken(&request, |frames, stream| frames.reset(stream, NO_ERROR), Some(502));
        check_broken(&request, |frames, stream| frames.go_away(stream, INTERNAL_ERROR), Some(502));
        check_broken(&request, |_, _| {}, Some(502));
        let nonsense = |frames: &mut Frames, stream| frames.data(stream, b"x", true);
        check_broken(&request, nonsense, Some(500));
    }
}

#[test]
fn what_breaks_in_a_body_never_looks_complete() {
    let begins = |frames: &mut Frames, stream| {
        frames.head(stream, 200, &[], false);
        frames.data(stream, b"half", false);
    };
    for code in [NO_ERROR, INTERNAL_ERROR, CANCEL, REFUSED_STREAM] {
        let breaks = |frames: &mut Frames, stream| {
            begins(frames, stream);
            frames.reset(stream, code);
        };
        check_broken(&get("/"), breaks, None);
    }
    check_broken(&get("/"), begins, None);
    let goes_away = |frames: &mut Frames, stream| {
        begins(frames, stream);
        frames.go_away(0, NO_ERROR);
    };
    check_broken(&get("/"), goes_away, None);
    let short = |frames: &mut Frames, stream| {
        frames.head(stream, 200, &[("content-length", "9")], false);
        frames.data(stream, b"half", true);
    };
    check_broken(&get("/"), short, None);
}

/// Sends a request that the server does not process on the first stream; expects it again whole.
fn check_sent_again(body: &str, refuses: impl FnOnce(&mut Frames, u32), on_new_connection: bool) {
    let server = Server::start();
    let rig = rig(&server);
    let mut client = rig.client_sending(post("/", body));
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    if !body.is_empty() {
        assert_eq!(frames.body(), body.as_bytes());
    }
    refuses(&mut frames, stream);
    if on_new_connection {
        frames = Frames::accept(&server, &[]);
    }
    let stream = frames.request();
    if !body.is_empty() {
        assert_eq!(frames.body(), body.as_bytes());
    }
    frames.answer(stream, "done");
    assert_eq!(client.answer().text(), "done");
}

#[test]
fn what_a_server_did_not_process_is_sent_again() {
    let long = "x".repeat(30_000);
    for body in ["", "body", &long] {
        check_sent_again(body, |frames, stream| frames.reset(stream, REFUSED_STREAM), false);
        check_sent_again(body, |frames, _| frames.go_away(0, NO_ERROR), true);
        check_sent_again(body, |frames, _| frames.go_away(0, INTERNAL_ERROR), true);
    }
}

#[test]
fn a_server_that_refuses_everything_is_left() {
    let server = Server::start();
    let rig = rig(&server);
    let mut client = rig.client_sending(get("/"));
    let mut frames = Frames::accept(&server, &[]);
    for _ in 0..3 {
        let stream = frames.request();
        frames.reset(stream, REFUSED_STREAM);
    }
    assert_eq!(client.answer().status, 502);
}

#[test]
fn streams_before_goaway_end_well_and_new_ones_go_elsewhere() {
    let server = Server::start();
    let rig = rig(&server);
    let mut first = rig.client_sending(get("/"));
    let mut leaving = Frames::accept(&server, &[]);
    let stream = leaving.request();
    leaving.go_away(stream, NO_ERROR);
    let mut second = rig.client_sending(get("/"));
    // It may be on its way before the GOAWAY is read.
    let mut staying = Frames::accept(&server, &[]);
    let other = staying.request();
    staying.answer(other, "second");
    assert_eq!(second.answer().text(), "second");
    leaving.answer(stream, "first");
    assert_eq!(first.answer().text(), "first");
    assert!(leaving.try_next(&[HEADERS]).is_none(), "the connection ends");
}

#[test]
fn a_connection_that_was_closed_meanwhile_is_replaced() {
    let server = Server::start();
    let rig = rig(&server);
    let mut client = rig.client_sending(get("/"));
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    frames.answer(stream, "first");
    assert_eq!(client.answer().text(), "first");
    drop(frames);
    client.send(get("/"));
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    frames.answer(stream, "second");
    assert_eq!(client.answer().text(), "second");
}

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
fn a_client_that_leaves_resets_its_stream_and_no_other() {
    let server = Server::start();
    let rig = rig(&server);
    let leaving = rig.client_sending(get("/"));
    let mut frames = Frames::accept(&server, &[]);
    let left = frames.request();
    let mut staying = rig.client_sending(get("/"));
    let stays = frames.request();
    drop(leaving);
    let reset = frames.next(&[RST_STREAM]);
    assert_eq!((reset.stream, reset.code()), (left, CANCEL));
    frames.answer(stays, "here");
    assert_eq!(staying.answer().text(), "here");
}

#[test]
fn a_server_that_does_not_answer_in_time_is_left() {
    let server = Server::start();
    let rig =
        Setup::h2c(server.address).response_header_timeout(Duration::from_millis(200)).start();
    let mut client = rig.client_sending(get("/"));
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    assert_eq!(client.answer().status, 504);
    assert_eq!(frames.next(&[RST_STREAM]).stream, stream);
    // The connection goes on.
    client.send(get("/"));
    let stream = frames.request();
    frames.answer(stream, "second");
    assert_eq!(client.answer().text(), "second");
}

fn timeouts(server: &Server, timeouts: ForwardingTimeouts) -> Rig {
    let mut setup = Setup::h2c(server.address);
    setup.transport.forwarding_timeouts = Some(timeouts);
    setup.start()
}

#[test]
fn idle_connections_are_closed() {
    let server = Server::start();
    let idle_conn_timeout = Duration::from_millis(100).into();
    let rig = timeouts(&server, ForwardingTimeouts { idle_conn_timeout, ..Default::default() });
    let mut client = rig.client_sending(get("/"));
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    frames.answer(stream, "done");
    assert_eq!(client.answer().text(), "done");
    assert_eq!(frames.next(&[GOAWAY]).kind, GOAWAY);
    assert!(frames.try_next(&[HEADERS]).is_none());
}

#[test]
fn a_server_that_left_the_configuration_finishes_what_it_has() {
    let server = Server::start();
    let rig = rig(&server);
    let mut client = rig.client_sending(get("/"));
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    let other = Server::start();
    rig.plane.publish(Setup::h2c(other.address).snapshot());
    // A worker that has taken the new configuration sends further requests elsewhere.
    let mut next = rig.client_sending(get("/"));
    let mut elsewhere = Frames::accept(&other, &[]);
    let there = elsewhere.request();
    elsewhere.answer(there, "there");
    assert_eq!(next.answer().text(), "there");
    frames.answer(stream, "here");
    assert_eq!(client.answer().text(), "here");
    assert_eq!(frames.next(&[GOAWAY]).kind, GOAWAY);
    assert!(frames.try_next(&[HEADERS]).is_none());
}

#[test]
fn those_who_wait_for_one_connection_share_its_failure() {
    let server = Server::start();
    let rig = rig(&server);
    let mut first = rig.client_sending(get("/"));
    let silent = server.accept();
    let mut others: Vec<_> = (0..20).map(|_| rig.client_sending(get("/"))).collect();
    // A response shows that the worker has seen all of them.
    let mut last = rig.client_sending("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(last.answer().status, 200);
    assert!(!server.was_connected_again());
    drop(silent);
    assert_eq!(first.answer().status, 502);
    for client in &mut others {
        assert_eq!(client.answer().status, 502);
    }
    assert!(!server.was_connected_again());
}

#[test]
fn a_silent_server_is_pinged_and_left_if_it_does_not_answer() {
    let server = Server::start();
    let read_idle_timeout = Duration::from_millis(100).into();
    let ping_timeout = Duration::from_millis(300).into();
    let settings =
        ForwardingTimeouts { read_idle_timeout, ping_timeout, ..ForwardingTimeouts::default() };
    let rig = timeouts(&server, settings);
    let mut client = rig.client_sending(get("/"));
    let mut frames = Frames::accept(&server, &[]);
    frames.request();
    let ping = frames.next(&[PING]);
    frames.pong(&ping);
    // The next one goes unanswered.
    frames.next(&[PING]);
    assert_eq!(client.answer().status, 502);
    assert_eq!(frames.peer.rest().1, End::Closed);
}

#[test]
fn an_upgrade_goes_over_http1() {
    let server = Server::start();
    let rig = rig(&server);
    let upgrade =
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let mut client = rig.client_sending(upgrade);
    let mut peer = server.accept();
    assert_eq!(peer.request().header("Upgrade"), Some("websocket"));
    peer.send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    client.send("ping");
    assert_eq!(peer.text(4), "ping");
    // A refused one does not make the server one of HTTP/1.
    let mut client = rig.client_sending(upgrade);
    let mut peer = server.accept();
    peer.request();
    peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.answer().status, 403);
    client.send(get("/"));
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    frames.answer(stream, "two");
    assert_eq!(client.answer().text(), "two");
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
