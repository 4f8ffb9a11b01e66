//! HTTP/2 on both sides.

use crate::support::frames::{
    self as client_frames, END_HEADERS, END_STREAM, Frames as Client, block, frame, get_frame,
    post_frame, reset_frame,
};
use crate::support::server_frames::{
    CANCEL, DATA, Frames, HEADERS, INTERNAL_ERROR, NO_ERROR, REFUSED_STREAM, RST_STREAM,
};
use crate::support::{Rig, Server, Setup};

fn start() -> (Server, Rig, Client) {
    let server = Server::start();
    let rig = Setup::h2c(server.address).start();
    let client = Client::connect(rig.address);
    (server, rig, client)
}

#[test]
fn a_call_goes_both_ways_piece_by_piece() {
    let (server, _rig, mut client) = start();
    client.send(post_frame(1, "/", &[(b"te", b"trailers")]));
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    frames.head(stream, 200, &[], false);
    assert_eq!(client.until(HEADERS).expect("a head").flags & END_STREAM, 0);
    for piece in [b"one", b"two"] {
        client.send(frame(DATA, 0, 1, piece));
        assert_eq!(frames.next(&[DATA]).payload, piece);
        frames.data(stream, piece, false);
        assert_eq!(client.until(DATA).expect("data").payload, piece);
    }
    let trailers = block(&[(b"x-sum", b"6")]);
    client.send(frame(client_frames::HEADERS, END_STREAM | END_HEADERS, 1, &trailers));
    assert!(frames.next(&[DATA, HEADERS]).ends_stream());
    frames.trailers(stream, &[("grpc-status", "0")]);
    let end = client.until(HEADERS).expect("trailers");
    assert_eq!(end.flags & END_STREAM, END_STREAM);
}

#[test]
fn a_client_that_resets_resets_the_server() {
    let (server, _rig, mut client) = start();
    client.send(get_frame(1, "/"));
    let mut frames = Frames::accept(&server, &[]);
    let stream = frames.request();
    client.send(reset_frame(1, CANCEL));
    let reset = frames.next(&[RST_STREAM]);
    assert_eq!((reset.stream, reset.code()), (stream, CANCEL));
}

#[test]
fn a_response_that_breaks_off_is_reset() {
    for code in [NO_ERROR, INTERNAL_ERROR, REFUSED_STREAM] {
        let (server, _rig, mut client) = start();
        client.send(get_frame(1, "/"));
        let mut frames = Frames::accept(&server, &[]);
        let stream = frames.request();
        frames.head(stream, 200, &[], false);
        frames.data(stream, b"half", false);
        assert_eq!(client.until(DATA).expect("data").payload, b"half");
        frames.reset(stream, code);
        let streamed = client.streamed(1);
        assert!(!streamed.is_whole, "after {code}: {streamed:?}");
        assert!(streamed.reset.is_some(), "after {code}: {streamed:?}");
    }
}
