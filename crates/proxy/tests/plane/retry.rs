//! The exchange loop's contract with middlewares, with middlewares made for the purpose.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use exchange::{
    Body, BodyError, BodyStream, Exchange, Flow, Frame, Memo, Middleware, Response, Stage,
};
use http::StatusCode;

use crate::support::{Answering, End, Server, Setup, get, ok, post};

type Log = Arc<Mutex<Vec<String>>>;

fn stage(name: &str, middleware: impl Middleware + 'static) -> Stage {
    Stage::Sync { name: name.into(), middleware: Arc::new(middleware) }
}

/// Writes down its phases, and that its memo is kept from one to the other but not longer.
struct Recording {
    name: &'static str,
    log: Log,
}

impl Middleware for Recording {
    fn on_request(&self, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        assert!(memo.is_none(), "a new try begins without memo");
        assert!(exchange.failure.is_none(), "a new try begins without failure");
        *memo = Some(Box::new(self.name));
        self.log.lock().expect("the log").push(format!("{} in", self.name));
        Flow::Continue
    }

    fn on_response(&self, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        let kept = memo.take().and_then(|memo| memo.downcast::<&'static str>().ok());
        assert_eq!(kept.as_deref(), Some(&self.name));
        let status = exchange.response.status.as_u16();
        self.log.lock().expect("the log").push(format!("{} out {status}", self.name));
        Flow::Continue
    }
}

/// Tries again after failures and 503, so many times; its memo counts.
struct Again(u32);

impl Middleware for Again {
    fn on_response(&self, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        let tries =
            memo.take().and_then(|memo| memo.downcast::<u32>().ok()).map_or(1, |memo| *memo);
        *memo = Some(Box::new(tries + 1));
        let sent_nothing = exchange.failure.as_ref().is_some_and(|f| !f.request_was_sent);
        let is_worth_it =
            sent_nothing || exchange.response.status == StatusCode::SERVICE_UNAVAILABLE;
        if tries > self.0 || !is_worth_it {
            return Flow::Continue;
        }
        Flow::Retry { after: Duration::ZERO }
    }
}

/// Answers by itself.
struct Answer(fn() -> Response);

impl Middleware for Answer {
    fn on_request(&self, _exchange: &mut Exchange, _memo: &mut Memo) -> Flow {
        Flow::respond((self.0)())
    }
}

/// Replaces what comes back.
struct Replace(fn() -> Response);

impl Middleware for Replace {
    fn on_response(&self, _exchange: &mut Exchange, _memo: &mut Memo) -> Flow {
        Flow::respond((self.0)())
    }
}

#[test]
fn only_later_stages_run_again_and_begin_without_memo() {
    let log = Log::default();
    let server = Server::start();
    let mut setup = Setup::new(server.address);
    let recording = |name| stage(name, Recording { name, log: Arc::clone(&log) });
    setup.stages =
        vec![recording("outer"), stage("again", Again(5)), recording("inner"), recording("last")];
    let rig = setup.start();
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    for status in ["503 Service Unavailable", "503 Service Unavailable", "200 OK"] {
        assert_eq!(peer.request().path(), "/");
        peer.send(format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nhi"));
    }
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (200, "hi"));
    let attempt = |status| {
        [
            "inner in".to_owned(),
            "last in".to_owned(),
            format!("last out {status}"),
            format!("inner out {status}"),
        ]
    };
    let mut expected = vec!["outer in".to_owned()];
    expected.extend([503, 503, 200].into_iter().flat_map(attempt));
    expected.push("outer out 200".to_owned());
    assert_eq!(*log.lock().expect("the log"), expected);
}

#[test]
fn a_body_of_which_nothing_was_sent_is_there_for_the_next_try() {
    // Nobody listens on the address of a listener that is gone.
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|gone| gone.local_addr());
    let server = Answering::start(|request| ok(request.text()));
    let mut setup = Setup::new(server.address);
    setup.servers.insert(0, gone.expect("an address"));
    setup.stages = vec![stage("again", Again(1))];
    let rig = setup.start();
    let mut client = rig.client();
    for number in 0..6 {
        let body = format!("the body of request {number}");
        client.send(post("/", &body));
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (200, body.as_str()));
    }
}

#[test]
fn tries_have_an_end_whatever_a_middleware_says() {
    let server = Answering::start(|_| "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n".to_owned());
    let mut setup = Setup::new(server.address);
    setup.stages = vec![stage("again", Again(u32::MAX))];
    let rig = setup.start();
    let mut client = rig.client_sending(get("/"));
    assert_eq!(client.answer().status, 503);
    assert_eq!(server.log().len(), 1000);
}

#[test]
fn a_dropped_response_does_not_hold_its_connection() {
    let server = Server::start();
    let mut setup = Setup::new(server.address);
    setup.stages = vec![stage("again", Again(1))];
    let rig = setup.start();
    let mut client = rig.client_sending(get("/"));
    let mut first = server.accept();
    first.request();
    first.send("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    let mut second = server.accept();
    second.request();
    first.end();
    second.send(ok("second"));
    assert_eq!(client.answer().text(), "second");
}

#[test]
fn an_answer_on_the_way_in_is_seen_by_earlier_stages_only() {
    let log = Log::default();
    let server = Server::start();
    let mut setup = Setup::new(server.address);
    let recording = |name| stage(name, Recording { name, log: Arc::clone(&log) });
    let teapot = || Response::bare(StatusCode::IM_A_TEAPOT, "short");
    setup.stages = vec![recording("outer"), stage("answer", Answer(teapot)), recording("inner")];
    let rig = setup.start();
    let mut client = rig.client_sending(post("/", "unread"));
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (418, "short"));
    assert_eq!(*log.lock().expect("the log"), ["outer in", "outer out 418"]);
    // The unread body was read over.
    client.send(get("/next"));
    assert_eq!(client.answer().status, 418);
    assert!(!server.was_connected_again());
}

#[test]
fn a_replaced_response_leaves_no_trace_of_the_first() {
    let server = Server::start();
    let mut setup = Setup::new(server.address);
    setup.stages = vec![stage("replace", Replace(|| Response::bare(StatusCode::OK, "mine")))];
    let rig = setup.start();
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nX-Theirs: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    let answer = client.answer();
    assert_eq!((answer.text(), answer.header("X-Theirs")), ("mine", None));
    peer.end();
}

/// Announces one length and delivers another.
struct Lying {
    announced: u64,
    data: Option<&'static str>,
}

impl BodyStream for Lying {
    fn poll_frame(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let data =
            self.data.take().map(|data| Ok(Frame::Data(Bytes::from_static(data.as_bytes()))));
        Poll::Ready(data)
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.announced)
    }
}

fn lying(announced: u64) -> Response {
    let body = Body::Stream(Box::new(Lying { announced, data: Some("hello") }));
    Response { body, ..Response::new(StatusCode::OK) }
}

#[test]
fn a_response_body_that_is_not_as_long_as_announced_ends_the_connection() {
    for answer in [|| lying(9), || lying(3)] {
        let server = Server::start();
        let mut setup = Setup::new(server.address);
        setup.stages = vec![stage("answer", Answer(answer))];
        let rig = setup.start();
        let mut client = rig.client_sending(get("/one") + &get("/two"));
        let (seen, _) = client.rest();
        let seen = String::from_utf8_lossy(&seen).into_owned();
        let (head, body) = seen.split_once("\r\n\r\n").unwrap_or_default();
        assert_eq!(head.matches("HTTP/1.1").count(), usize::from(!head.is_empty()), "{seen}");
        assert!(matches!(body, "" | "hello"), "{seen}");
    }
}

/// Gives the request another body.
struct Feed(u64);

impl Middleware for Feed {
    fn on_request(&self, exchange: &mut Exchange, _memo: &mut Memo) -> Flow {
        let lying = Lying { announced: self.0, data: Some("hello") };
        exchange.request.body = Body::Stream(Box::new(lying));
        Flow::Continue
    }
}

#[test]
fn a_request_body_that_is_not_as_long_as_announced_ends_the_servers_connection() {
    for announced in [9, 3] {
        let server = Server::start();
        let mut setup = Setup::new(server.address);
        setup.stages = vec![stage("feed", Feed(announced))];
        let rig = setup.start();
        let mut client = rig.client_sending(get("/"));
        let mut peer = server.accept();
        let (seen, end) = peer.rest();
        let seen = String::from_utf8_lossy(&seen).into_owned();
        assert_eq!(end, End::Closed);
        assert!(seen.ends_with("\r\n\r\n") || seen.ends_with("\r\n\r\nhello"), "{seen}");
        assert!(announced == 9 || seen.ends_with("\r\n\r\n"), "{seen}");
        assert_eq!(client.answer().status, 500);
    }
}
