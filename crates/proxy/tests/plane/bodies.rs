//! Bodies both ways: lengths, chunks, trailers, back-pressure, early answers.

use crate::support::{Answering, End, Rig, Server, get, ok, post};

#[test]
fn lengths_and_empty_bodies_arrive_as_sent() {
    let server = Answering::start(|request| ok(request.text()));
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(post("/", "hello"));
    assert_eq!(client.answer().text(), "hello");
    client.send(post("/", ""));
    assert_eq!(client.answer().text(), "");
    client.send("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().text(), "");
    let log = server.log();
    assert_eq!(log[0].1.header("Content-Length"), Some("5"));
    assert_eq!(log[1].1.header("Content-Length"), Some("0"));
    assert_eq!(log[2].1.header("Content-Length"), None);
    assert_eq!(log[2].1.header("Transfer-Encoding"), None);
}

#[test]
fn chunks_and_trailers_go_both_ways() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nX-Sum: 4\r\nContent-Length: 9\r\nX-Real-Ip: 6.6.6.6\r\n\r\n",
    );
    let mut peer = server.accept();
    let request = peer.request();
    assert_eq!(request.text(), "abcd");
    assert_eq!(request.header("Transfer-Encoding"), Some("chunked"));
    assert_eq!(request.trailers, "X-Sum: 4\r\n", "trailers that mean something early are dropped");
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n");
    peer.send("2\r\nhi\r\n0\r\nX-T: end\r\nSet-Cookie: a=b\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.text(), answer.trailers.as_str()), ("hi", "X-T: end\r\n"));
    assert_eq!(answer.header("Trailer"), Some("X-T"));
    // Both connections are clean.
    client.send(get("/again"));
    assert_eq!(peer.request().path(), "/again");
    peer.send(ok("again"));
    assert_eq!(client.answer().text(), "again");
}

#[test]
fn a_body_that_ends_with_its_connection_is_chunked_for_the_client() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\n\r\nuntil the end");
    drop(peer);
    let answer = client.answer();
    assert_eq!(answer.text(), "until the end");
    assert_eq!(answer.header("Transfer-Encoding"), Some("chunked"));
    assert!(!answer.closes());
}

#[test]
fn events_are_passed_on_one_by_one() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(get("/events"));
    let mut peer = server.accept();
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n");
    peer.send("Transfer-Encoding: chunked\r\n\r\n");
    client.head();
    for number in 0..20 {
        let event = format!("8\r\ndata: {number:02}\r\n");
        peer.send(&event);
        // The next is only sent when this one has arrived.
        assert_eq!(client.text(event.len()), event);
    }
    peer.send("0\r\n\r\n");
    assert_eq!(client.text(5), "0\r\n\r\n");
}

#[test]
fn a_head_is_passed_on_before_its_body() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
    client.head();
    peer.send("late");
    assert_eq!(client.text(4), "late");
}

const HUGE: usize = 100 << 20;
/// More than what the kernel's buffers on the way hold.
const OUTSTANDING_MAX: usize = 40 << 20;

#[test]
fn a_huge_download_is_not_held_in_memory() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(get("/huge"));
    let mut peer = server.accept();
    peer.request();
    peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {HUGE}\r\n\r\n"));
    client.head();
    let sent = peer.send_until_blocked(HUGE);
    assert!(sent < OUTSTANDING_MAX, "{sent} bytes were taken off the server unread");
    let sender = std::thread::spawn(move || {
        assert_eq!(peer.send_until_blocked(0), 0);
        let piece = vec![b'x'; 1 << 20];
        let mut left = HUGE - sent;
        while left > 0 {
            let length = left.min(piece.len());
            peer.send(&piece[..length]);
            left -= length;
        }
    });
    for _ in 0..HUGE >> 20 {
        assert!(client.bytes(1 << 20).iter().all(|byte| *byte == b'x'));
    }
    sender.join().expect("the sender");
}

#[test]
fn a_huge_upload_is_not_held_in_memory() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig
        .client_sending(format!("PUT /huge HTTP/1.1\r\nHost: a\r\nContent-Length: {HUGE}\r\n\r\n"));
    let mut peer = server.accept();
    peer.head();
    let sent = client.send_until_blocked(HUGE);
    assert!(sent < OUTSTANDING_MAX, "{sent} bytes were taken off the client unread");
    let receiver = std::thread::spawn(move || {
        for _ in 0..HUGE >> 20 {
            assert!(peer.bytes(1 << 20).iter().all(|byte| *byte == b'x'));
        }
        peer.send(ok("taken"));
        peer
    });
    let piece = vec![b'x'; 1 << 20];
    let mut left = HUGE - sent;
    while left > 0 {
        let length = left.min(piece.len());
        client.send(&piece[..length]);
        left -= length;
    }
    assert_eq!(client.answer().text(), "taken");
    let mut peer = receiver.join().expect("the receiver");
    // Both connections go on.
    client.send(get("/next"));
    assert_eq!(peer.request().path(), "/next");
    peer.send(ok("next"));
    assert_eq!(client.answer().text(), "next");
}

#[test]
fn an_early_413_reaches_a_client_that_is_still_sending() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client =
        rig.client_sending(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {HUGE}\r\n\r\n"));
    let mut peer = server.accept();
    peer.head();
    let mut writer = client.clone_stream();
    let sender = std::thread::spawn(move || {
        let piece = vec![b'x'; 64 * 1024];
        for _ in 0..HUGE / piece.len() {
            if !writer.try_send(&piece) {
                return;
            }
        }
    });
    peer.bytes(1 << 20);
    peer.send(
        "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig",
    );
    drop(peer);
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (413, "big"));
    assert!(answer.closes());
    drop(client);
    sender.join().expect("the sender");
}

#[test]
fn an_unread_body_of_moderate_length_does_not_cost_the_connection() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let body = "b".repeat(100_000);
    // Answered by the data plane itself: nobody reads the body.
    let mut client = rig.client_sending(format!(
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert_eq!(client.answer().status, 200);
    client.send(get("/next"));
    let mut peer = server.accept();
    assert_eq!(peer.request().path(), "/next");
    peer.send(ok("next"));
    assert_eq!(client.answer().text(), "next");
}

#[test]
fn the_rest_of_an_unread_body_is_not_awaited_for_ever() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client =
        rig.client_sending("OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    assert_eq!(client.answer().status, 200);
    assert_eq!(client.end(), End::Closed);
}

#[test]
fn a_client_that_cuts_its_body_ends_the_request() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    for framing in
        ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"]
    {
        let client = rig.client_sending(format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}"));
        let mut peer = server.accept();
        peer.head();
        drop(client);
        let (received, _) = peer.rest();
        let received = String::from_utf8_lossy(&received).into_owned();
        assert!(!received.contains("0\r\n\r\n"), "a whole body in {received:?}");
    }
}

#[test]
fn a_client_that_leaves_takes_its_request_along() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    drop(client);
    peer.end();

    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    client.head();
    client.reset();
    peer.end();
}

#[test]
fn both_bodies_flow_at_once() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client =
        rig.client_sending("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut peer = server.accept();
    peer.head();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.head();
    for number in 0..20 {
        let chunk = format!("2\r\n{number:02}\r\n");
        client.send(&chunk);
        assert_eq!(peer.text(chunk.len()), chunk);
        peer.send(&chunk);
        assert_eq!(client.text(chunk.len()), chunk);
    }
    client.send("0\r\n\r\n");
    assert_eq!(peer.text(5), "0\r\n\r\n");
    peer.send("0\r\n\r\n");
    assert_eq!(client.text(5), "0\r\n\r\n");
}

#[test]
fn one_byte_chunks_in_great_number() {
    let server = Answering::start(|request| ok(&request.text().len().to_string()));
    let rig = Rig::new(server.address);
    let count = 300_000;
    let mut body = "1\r\nx\r\n".repeat(count);
    body.push_str("0\r\n\r\n");
    let mut client =
        rig.client_sending("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send(body);
    assert_eq!(client.answer().text(), count.to_string());
}
