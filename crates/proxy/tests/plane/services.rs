//! What services make of answers: requests under way, failures, copies.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use config::dynamic::{
    MirrorService, Mirroring, PassiveServerHealthCheck, ServersLoadBalancer, Service,
};

use crate::support::{Answering, LIMIT, Rig, Server, Setup, get, load_balancer, ok, post};

fn balanced(servers: &[SocketAddr], settings: ServersLoadBalancer) -> Rig {
    Setup::with_services(vec![("app", load_balancer(servers, settings))]).start()
}

/// Answers at once, but sends the body of `/slow` in part only.
fn half_answering() -> Answering {
    Answering::start(|request| match request.path() {
        "/slow" => "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf ".to_owned(),
        path => ok(path),
    })
}

fn check_under_way(strategy: &str) {
    let servers = [half_answering(), half_answering()];
    let settings = ServersLoadBalancer { strategy: strategy.to_owned(), ..Default::default() };
    let rig = balanced(&servers.each_ref().map(|server| server.address), settings);
    let mut slow = rig.client_sending(get("/slow"));
    slow.head();
    assert_eq!(slow.text(5), "half ");
    let [busy, idle] = match servers[0].log().len() {
        1 => [&servers[0], &servers[1]],
        _ => [&servers[1], &servers[0]],
    };
    let mut client = rig.client();
    for _ in 0..6 {
        client.send(get("/quick"));
        assert_eq!(client.answer().text(), "/quick");
    }
    assert_eq!((busy.log().len(), idle.log().len()), (1, 6), "{strategy}");
    // With the client its request is over.
    drop(slow);
    let start = Instant::now();
    while busy.log().len() == 1 {
        assert!(start.elapsed() < LIMIT, "the server stays busy for {strategy}");
        client.send(get("/quick"));
        client.answer();
    }
}

#[test]
fn a_response_that_is_still_arriving_keeps_its_server_busy() {
    check_under_way("leastconn");
    check_under_way("p2c");
}

#[test]
fn a_server_whose_requests_fail_is_out_for_a_while() {
    let server = Answering::start(|request| match request.path() {
        "/bad" => "HTTP/1.1 500 Bad\r\nContent-Length: 0\r\n\r\n".to_owned(),
        path => ok(path),
    });
    let check = PassiveServerHealthCheck {
        failure_window: Duration::from_millis(300).into(),
        max_failed_attempts: 2,
    };
    let settings = ServersLoadBalancer { passive_health_check: Some(check), ..Default::default() };
    let rig = balanced(&[server.address], settings);
    let mut client = rig.client();
    let mut status = |path: &str| {
        client.send(get(path));
        client.answer().status
    };
    assert_eq!(
        [status("/bad"), status("/good"), status("/bad"), status("/bad")],
        [500, 200, 500, 500]
    );
    let start = Instant::now();
    assert_eq!(status("/good"), 503);
    while status("/good") == 503 {
        assert!(start.elapsed() < LIMIT, "the server stays out");
    }
    assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());
}

#[test]
fn a_server_that_cuts_its_answers_off_is_out_for_a_while() {
    let server = Server::start();
    let check = PassiveServerHealthCheck {
        failure_window: Duration::from_secs(60).into(),
        max_failed_attempts: 2,
    };
    let settings = ServersLoadBalancer { passive_health_check: Some(check), ..Default::default() };
    let rig = balanced(&[server.address], settings);
    for rest in ["", "lo"] {
        let mut client = rig.client_sending(get("/"));
        let mut peer = server.accept();
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
        // The head is out before the answer breaks off.
        assert!(client.head().starts_with("HTTP/1.1 200"));
        peer.send(rest);
        drop(peer);
        assert_eq!(client.rest().0, format!("he{rest}").into_bytes());
    }
    let mut client = rig.client_sending(get("/"));
    assert_eq!(client.answer().status, 503);
}

#[test]
fn a_client_that_leaves_within_an_answer_says_nothing_of_the_server() {
    let server = Server::start();
    let check = PassiveServerHealthCheck {
        failure_window: Duration::from_secs(60).into(),
        max_failed_attempts: 1,
    };
    let settings = ServersLoadBalancer { passive_health_check: Some(check), ..Default::default() };
    let rig = balanced(&[server.address], settings);
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    client.head();
    drop(client);
    peer.end();
    let mut client = rig.client_sending(get("/"));
    let mut peer = server.accept();
    peer.request();
    peer.send(ok("well"));
    assert_eq!(client.answer().text(), "well");
}

fn mirroring(main: SocketAddr, mirror: SocketAddr, settings: Mirroring) -> Rig {
    let mirroring = Mirroring {
        service: "main".to_owned(),
        mirrors: vec![MirrorService { name: "copy".to_owned(), percent: 100 }],
        ..settings
    };
    Setup::with_services(vec![
        ("app", Service { mirroring: Some(mirroring), ..Service::default() }),
        ("main", load_balancer(&[main], ServersLoadBalancer::default())),
        ("copy", load_balancer(&[mirror], ServersLoadBalancer::default())),
    ])
    .start()
}

#[test]
fn mirrors_that_hang_delay_nobody() {
    let (main, mirror) = (Answering::with_paths(), Server::start());
    let rig = mirroring(main.address, mirror.address, Mirroring::default());
    let mut client = rig.client();
    let mut hanging = Vec::new();
    for number in 0..20 {
        let path = format!("/{number}");
        client.send(post(&path, "body"));
        assert_eq!(client.answer().text(), path);
        let mut copy = mirror.accept();
        let request = copy.request();
        assert_eq!((request.path(), request.text()), (path.as_str(), "body"));
        hanging.push(copy);
    }
}

#[test]
fn bodies_too_large_to_be_mirrored_stream_to_the_service_alone() {
    let (main, mirror) = (Server::start(), Server::start());
    let settings = Mirroring { max_body_size: Some(1000), ..Mirroring::default() };
    let rig = mirroring(main.address, mirror.address, settings);
    let body = "x".repeat(1001);
    let mut client = rig.client_sending(post("/large", &body));
    let mut served = main.accept();
    assert_eq!(served.request().text(), body);
    served.send(ok("taken"));
    assert_eq!(client.answer().text(), "taken");
    // What comes next is mirrored, and nothing came before it.
    client.send(post("/small", &body[1..]));
    served.request();
    served.send(ok("taken"));
    client.answer();
    assert_eq!(mirror.accept().request().path(), "/small");
    assert!(!mirror.was_connected_again());
}
