//! Draining, closing entry points, and new configurations under load.

use std::net::TcpStream;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use exchange::{Exchange, Flow, Memo, Middleware, Stage};
use proxy::EntryPointSettings;

use crate::support::{Answering, End, LIMIT, Peer, Rig, Server, Setup, get, ok};

#[test]
fn a_running_request_is_finished_and_says_that_it_is_the_last() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    let mut idle = rig.client_sending("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    idle.answer();
    thread::scope(|scope| {
        let drained = scope.spawn(|| rig.drain(LIMIT));
        // The drain has reached the worker when it closes what is idle.
        assert_eq!(idle.end(), End::Closed);
        assert!(TcpStream::connect(rig.address).is_err());
        peer.send(ok("last"));
        let answer = client.answer();
        assert_eq!(answer.text(), "last");
        assert!(answer.closes());
        assert_eq!(client.end(), End::Closed);
        assert_eq!(drained.join().expect("the drain"), 0);
    });
}

#[test]
fn idle_connections_are_closed_at_once() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut clients: Vec<Peer> = (0..20).map(|_| rig.client_sending(get("/"))).collect();
    for client in &mut clients {
        assert_eq!(client.answer().status, 200);
    }
    let started = Instant::now();
    assert_eq!(rig.drain(LIMIT), 0);
    assert!(started.elapsed() < LIMIT / 2);
    for client in &mut clients {
        assert_eq!(client.end(), End::Closed);
    }
}

#[test]
fn clients_that_said_nothing_yet_do_not_hold_a_drain_up() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut clients: Vec<Peer> = (0..20).map(|_| rig.client()).collect();
    let started = Instant::now();
    assert_eq!(rig.drain(LIMIT), 0);
    assert!(started.elapsed() < LIMIT / 2);
    for client in &mut clients {
        client.end();
    }
}

/// Holds its worker up: sends a word when it is reached, and waits for one.
struct Holding(SyncSender<()>, Mutex<Receiver<()>>);

impl Middleware for Holding {
    fn on_request(&self, exchange: &mut Exchange, _memo: &mut Memo) -> Flow {
        if exchange.request.path() == "/hold" {
            self.0.send(()).expect("the test");
            self.1.lock().expect("the word").recv_timeout(LIMIT).expect("a word");
        }
        Flow::Continue
    }
}

#[test]
fn requests_in_the_accept_queue_are_served() {
    for (workers, drains) in [(1, false), (1, true), (2, true)] {
        let server = Answering::with_paths();
        let mut setup = Setup::new(server.address);
        setup.workers = workers;
        let (reached_sender, reached) = sync_channel(1);
        let (go, go_receiver) = sync_channel(1);
        let holding = Holding(reached_sender, Mutex::new(go_receiver));
        setup.stages = vec![Stage::Sync { name: "hold".into(), middleware: Arc::new(holding) }];
        let rig = setup.start();
        // The first connection is served by the worker that accepts.
        let mut first = rig.client_sending(get("/hold"));
        reached.recv_timeout(LIMIT).expect("the worker to be held up");
        // More than are accepted in one go, all of them connected when the entry point closes.
        let mut clients: Vec<Peer> =
            (0..500).map(|number| rig.client_sending(get(&format!("/{number}")))).collect();
        thread::scope(|scope| {
            if drains {
                scope.spawn(|| assert_eq!(rig.drain(LIMIT), 0));
                // Its first act is to take the entry points.
                while !rig.plane.addresses().is_empty() {
                    thread::yield_now();
                }
            } else {
                rig.plane.close("web");
            }
            go.send(()).expect("the worker");
        });
        assert_eq!(first.answer().text(), "/hold");
        for (number, client) in clients.iter_mut().enumerate() {
            let answer = client.answer();
            assert_eq!(answer.text(), format!("/{number}"));
            if drains {
                assert_eq!(client.end(), End::Closed);
            } else {
                assert!(!answer.closes());
            }
        }
    }
}

#[test]
fn requests_sent_right_after_the_drain_began_are_served_on_connections_accepted_before() {
    let server = Answering::with_paths();
    let mut setup = Setup::new(server.address);
    setup.workers = 2;
    let rig = setup.start();
    let mut clients: Vec<Peer> = (0..100).map(|_| rig.client()).collect();
    thread::scope(|scope| {
        let drained = scope.spawn(|| rig.drain(LIMIT));
        for client in &mut clients {
            client.send(get("/new"));
        }
        for client in &mut clients {
            let answer = client.answer();
            assert_eq!(answer.text(), "/new");
        }
        assert_eq!(drained.join().expect("the drain"), 0);
    });
}

#[test]
fn streams_get_their_grace_and_no_more() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.head();
    assert_eq!(rig.drain(Duration::from_millis(100)), 1, "the stream is still there");
    peer.send("3\r\nend\r\n0\r\n\r\n");
    assert_eq!(client.text(13), "3\r\nend\r\n0\r\n\r\n");
    assert_eq!(client.end(), End::Closed);
    assert_eq!(rig.drain(LIMIT), 0);
}

#[test]
fn tunnels_get_their_grace() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let upgrade = "Connection: Upgrade\r\nUpgrade: x\r\n\r\n";
    let mut client = rig.client_sending(format!("GET / HTTP/1.1\r\nHost: a\r\n{upgrade}"));
    let mut peer = server.accept();
    peer.request();
    peer.send(format!("HTTP/1.1 101 Switching Protocols\r\n{upgrade}"));
    client.head();
    assert_eq!(rig.drain(Duration::from_millis(100)), 1);
    client.send("on");
    assert_eq!(peer.text(2), "on");
    drop(client);
    peer.end();
    drop(peer);
    assert_eq!(rig.drain(LIMIT), 0);
}

#[test]
fn an_entry_point_closes_while_its_connections_and_the_others_live() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let other = EntryPointSettings::new("other", ([127, 0, 0, 1], 0).into());
    let other = rig.plane.open(other).expect("another entry point");
    let mut client = rig.client_sending(get("/one"));
    assert_eq!(client.answer().text(), "/one");
    rig.plane.close("web");
    while TcpStream::connect(rig.address).is_ok() {
        thread::yield_now();
    }
    client.send(get("/two"));
    assert_eq!(client.answer().text(), "/two");
    let mut neighbour = Peer::connect(other);
    neighbour.send(get("/"));
    assert_eq!(neighbour.answer().status, 404);
    // The name is free again.
    let again = rig.plane.open(EntryPointSettings::new("web", ([127, 0, 0, 1], 0).into()));
    let mut fresh = Peer::connect(again.expect("the entry point again"));
    fresh.send(get("/three"));
    assert_eq!(fresh.answer().text(), "/three");
}

#[test]
fn an_address_in_use_is_said() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let error = rig.plane.open(EntryPointSettings::new("twice", server.address));
    let text = error.expect_err("a second listener").to_string();
    assert!(text.starts_with("entry point \"twice\": cannot listen on 127.0.0.1:"), "{text}");
}

#[test]
fn new_settings_hold_for_new_connections() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut before = rig.client_sending(get("/1"));
    before.answer();
    let mut settings = EntryPointSettings::new("web", rig.address);
    settings.keep_alive_requests_max = Some(1);
    rig.plane.reconfigure(settings);
    before.send(get("/2"));
    assert!(!before.answer().closes());
    let mut after = rig.client_sending(get("/3"));
    assert!(after.answer().closes());
}

#[test]
fn new_configurations_cost_no_request() {
    let server = Answering::with_paths();
    let setup = || {
        let mut setup = Setup::new(server.address);
        setup.workers = 2;
        setup
    };
    let rig = setup().start();
    thread::scope(|scope| {
        for number in 0..4 {
            let rig = &rig;
            scope.spawn(move || {
                let mut client = rig.client();
                for request in 0..300 {
                    let path = format!("/{number}-{request}");
                    client.send(get(&path));
                    let answer = client.answer();
                    assert_eq!((answer.status, answer.text()), (200, path.as_str()));
                }
            });
        }
        for _ in 0..100 {
            rig.plane.publish(setup().snapshot());
        }
    });
}

#[test]
fn dropping_the_data_plane_ends_its_connections() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = rig.client_sending(get("/"));
    client.answer();
    let address = rig.address;
    drop(rig);
    client.end();
    while TcpStream::connect(address).is_ok() {
        thread::yield_now();
    }
}
