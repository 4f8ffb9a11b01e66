//! How requests share connections, and how these begin and end.

use std::time::Duration;

use config::dynamic::ForwardingTimeouts;

use crate::http2_servers::rig;
use crate::support::server_frames::{
    CANCEL, Frames, GOAWAY, HEADERS, MAX_CONCURRENT_STREAMS, PING, RST_STREAM,
};
use crate::support::{End, Rig, Server, Setup, get};

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
