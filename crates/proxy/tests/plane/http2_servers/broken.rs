//! Streams and connections that break: what is sent again, and what clients see.

use crate::http2_servers::rig;
use crate::support::server_frames::{
    CANCEL, Frames, HEADERS, INTERNAL_ERROR, MAX_CONCURRENT_STREAMS, NO_ERROR, REFUSED_STREAM,
};
use crate::support::{Server, get, post};

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
    // Open until the end: closed over what it has not read, it would be reset over its answer.
    let mut peer = server.accept();
    peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
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
