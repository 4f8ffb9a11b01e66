//! Requests and responses over HTTP/2, and what servers see of them.

use crate::support::frames::{
    END_HEADERS, END_STREAM, Frames, HEADERS, Streamed, frame, get_block, method_block, post_frame,
};
use crate::support::{Answering, Rig, Server, Setup, ok};

fn sends(client: &mut Frames, stream: u32, block: &[u8]) -> Streamed {
    client.send(frame(HEADERS, END_STREAM | END_HEADERS, stream, block));
    client.streamed(stream)
}

#[test]
fn a_request_reaches_the_server_in_canonical_form() {
    let server = Answering::start(|request| ok(request.path()));
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    let fields: [(&[u8], &[u8]); 7] = [
        (b"cookie", b"a=1"),
        (b"x-forwarded-for", b"1.2.3.4"),
        (b"te", b"trailers"),
        (b"cookie", b"b=2"),
        (b"x-thing", b"one"),
        (b"x-thing", b"two"),
        (b"x-empty", b""),
    ];
    let answer = sends(&mut client, 1, &get_block("/a%2fb/%41/../c//d?x=1;y=2", &fields));
    assert_eq!((answer.status(), answer.text()), (200, "/a%2Fb/c/d?x=1&y=2"));
    let (_, request) = &server.log()[0];
    assert_eq!(request.header("Host"), Some("example.org"));
    assert_eq!(request.header("Cookie"), Some("a=1; b=2"));
    assert_eq!(request.header("X-Forwarded-For"), Some("127.0.0.1"));
    assert_eq!(request.header("X-Forwarded-Proto"), Some("http"));
    assert_eq!(request.header("X-Forwarded-Host"), Some("example.org"));
    assert_eq!(request.header("Te"), Some("trailers"));
    assert_eq!(request.header("X-Empty"), Some(""));
    assert_eq!(request.head.matches("X-Thing: ").count(), 2);
    assert_eq!(request.header("Connection"), None);
    assert_eq!(request.header("Transfer-Encoding"), None);
    assert_eq!(request.head.matches("\r\nCookie: ").count(), 1);
}

#[test]
fn host_stands_in_for_authority() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    let head = crate::support::frames::block(&[
        (b":method", b"GET"),
        (b":scheme", b"http"),
        (b":path", b"/x"),
        (b"host", b"a.org:81"),
    ]);
    assert_eq!(sends(&mut client, 1, &head).text(), "/x");
    assert_eq!(server.log()[0].1.header("Host"), Some("a.org:81"));
}

#[test]
fn streams_do_not_wait_for_each_other() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    client.send(crate::support::frames::get_frame(1, "/slow"));
    let mut slow = server.accept();
    slow.request();
    client.send(crate::support::frames::get_frame(3, "/fast"));
    let mut fast = server.accept();
    fast.request();
    fast.send(ok("fast"));
    assert_eq!(client.streamed(3).text(), "fast");
    slow.send(ok("slow"));
    assert_eq!(client.streamed(1).text(), "slow");
}

#[test]
fn responses_without_a_body_end_with_their_head() {
    let server = Answering::start(|request| match request.path() {
        "/204" => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        "/304" => "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n".to_owned(),
        "/empty" => ok(""),
        _ => "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n".to_owned(),
    });
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    let mut check = |stream, method, path, status| {
        let answer = sends(&mut client, stream, &method_block(method, path, &[]));
        assert_eq!((answer.status(), answer.text()), (status, ""), "{method} {path}");
    };
    check(1, "HEAD", "/", 200);
    check(3, "GET", "/204", 204);
    check(5, "GET", "/304", 304);
    check(7, "GET", "/empty", 200);
    check(9, "HEAD", "/", 200);
}

#[test]
fn interim_responses_are_passed_on() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    client.send(crate::support::frames::get_frame(1, "/"));
    let mut peer = server.accept();
    peer.request();
    peer.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\n\r\n");
    peer.send(ok("done"));
    let answer = client.streamed(1);
    assert_eq!((answer.statuses.as_slice(), answer.text()), (&[103, 200][..], "done"));
}

#[test]
fn a_client_that_waits_to_continue_is_told_to() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    client.send(post_frame(1, "/", &[(b"expect", b"100-continue"), (b"content-length", b"4")]));
    let mut peer = server.accept();
    let head = peer.head();
    assert!(head.contains("Expect: 100-continue\r\n"), "{head}");
    peer.send("HTTP/1.1 100 Continue\r\n\r\n");
    let interim = client.until(HEADERS).expect("an interim response");
    let mut streamed = Streamed::default();
    streamed.take(&interim);
    assert_eq!(streamed.statuses, [100]);
    client.send(frame(crate::support::frames::DATA, END_STREAM, 1, b"body"));
    assert_eq!(peer.text(4), "body");
    peer.send(ok("thanks"));
    let answer = client.streamed(1);
    assert_eq!((answer.statuses.as_slice(), answer.text()), (&[200][..], "thanks"));
}

#[test]
fn connect_and_unknown_expectations_are_answered() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    let connect = crate::support::frames::block(&[
        (b":method", b"CONNECT"),
        (b":authority", b"example.org:443"),
    ]);
    client.send(frame(HEADERS, END_HEADERS, 1, &connect));
    assert_eq!(client.streamed(1).status(), 501);
    let unknown = get_block("/", &[(b"expect", b"miracles")]);
    assert_eq!(sends(&mut client, 3, &unknown).status(), 417);
    let star = method_block("OPTIONS", "*", &[]);
    assert_eq!(sends(&mut client, 5, &star).status(), 200);
    assert!(server.log().is_empty());
}

#[test]
fn heads_that_are_too_large_are_answered() {
    let server = Answering::with_paths();
    let mut setup = Setup::new(server.address);
    setup.settings.head_bytes_max = 4096;
    let rig = setup.start();
    let mut client = Frames::connect(rig.address);
    let large = get_block("/large", &[(b"x-large", &[b'x'; 5000])]);
    assert_eq!(sends(&mut client, 1, &large).status(), 431);
    assert_eq!(client.get(3, "/after").text(), "/after");
    assert_eq!(server.whole_paths(), ["/after"]);
}

#[test]
fn heads_with_too_many_fields_are_answered() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    let many: Vec<(&[u8], &[u8])> = vec![(b"x", b""); 1100];
    let many = get_block("/many", &many);
    assert_eq!(sends(&mut client, 1, &many).status(), 431);
    assert_eq!(client.get(3, "/after").text(), "/after");
    assert_eq!(server.whole_paths(), ["/after"]);
}

#[test]
fn a_failed_server_is_answered_for() {
    let refused = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = refused.local_addr().expect("an address");
    drop(refused);
    let rig = Rig::new(address);
    let mut client = Frames::connect(rig.address);
    let answer = client.get(1, "/");
    assert_eq!((answer.status(), answer.text()), (502, "Bad Gateway"));
}

#[test]
fn the_preface_after_a_request_is_refused() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(crate::support::get("/first"));
    assert_eq!(client.answer().text(), "/first");
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_eq!(client.answer().status, 505);
}
