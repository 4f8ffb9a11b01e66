//! When descriptors run out, and when some clients take more than their share.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Answering, Peer, Rig, Server, Setup, get, ok};

/// A request that is answered without a server.
const LOCAL: &str = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n";
/// No client that behaves waits longer, whatever the others do.
const DELAY_MAX: Duration = Duration::from_secs(2);

/// Sends requests one after the other and looks at the slowest.
fn check_service(rig: &Rig, requests: usize) {
    let mut client = rig.client();
    for _ in 0..requests {
        let started = Instant::now();
        client.send(LOCAL);
        assert_eq!(client.answer().status, 200);
        let taken = started.elapsed();
        assert!(taken < DELAY_MAX, "a request took {taken:?}");
    }
}

const DESCRIPTORS: u64 = 64;
/// The variable with the address of the server behind the data plane with few descriptors.
const SERVER: &str = "FERROVIA_TEST_SERVER";

/// Runs in a process of its own, which its parent ends by closing its standard input.
#[test]
#[ignore = "the other half of accepting_rests_without_descriptors_and_goes_on_with_them"]
fn a_data_plane_with_few_descriptors() {
    let server = std::env::var(SERVER).expect("a server's address");
    let mut setup = Setup::new(server.parse().expect("an address"));
    setup.workers = 2;
    let rig = setup.start();
    let limit = rustix::process::Rlimit { current: Some(DESCRIPTORS), maximum: Some(DESCRIPTORS) };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).expect("a limit");
    println!("\nlistening on {}", rig.address);
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a data plane with few descriptors; gives its address.
fn with_few_descriptors(server: SocketAddr) -> (Ended, SocketAddr) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "resources::a_data_plane_with_few_descriptors", "--ignored"])
        .arg("--nocapture")
        .env(SERVER, server.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child process");
    let output = BufReader::new(child.stdout.take().expect("its output"));
    let child = Ended(child);
    let address = output
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
        .expect("the child's address");
    (child, address.parse().expect("an address"))
}

#[test]
fn who_was_accepted_finds_descriptors_for_a_server() {
    let server = Answering::with_paths();
    let (_child, address) = with_few_descriptors(server.address);
    let mut clients: Vec<Peer> = (0..2 * DESCRIPTORS).map(|_| Peer::connect(address)).collect();
    for client in &mut clients {
        client.send(get("/waits-its-turn").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    }
    // Those that are not accepted yet are when others have left.
    for client in &mut clients {
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn accepting_rests_without_descriptors_and_goes_on_with_them() {
    let server = Server::start();
    let (child, address) = with_few_descriptors(server.address);
    let mut clients: Vec<Peer> = (0..DESCRIPTORS + 20).map(|_| Peer::connect(address)).collect();
    for client in &mut clients {
        client.send(LOCAL);
    }
    // Connections are accepted in the order they came; the last ones have to wait.
    let mut accepted = 0;
    while !clients[accepted].is_silent_for(Duration::from_millis(600)) {
        assert_eq!(clients[accepted].answer().status, 200);
        accepted += 1;
    }
    assert!(accepted > 0);
    let before = processor_time(child.0.id());
    let started = Instant::now();
    assert!(clients[accepted].is_silent_for(Duration::from_millis(600)));
    let spent = processor_time(child.0.id()) - before;
    assert!(spent < started.elapsed() / 4, "{spent:?} of processor time while waiting");

    // Who was accepted is served on.
    clients[0].send(LOCAL);
    assert_eq!(clients[0].answer().status, 200);
    assert!(!clients.iter_mut().any(Peer::has_ended), "a connection was closed");
    // As many as fit.
    clients.drain(..accepted);
    clients.truncate(accepted);
    for client in &mut clients {
        assert_eq!(client.answer().status, 200);
    }
}

/// The processor time that a process has used.
fn processor_time(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("its state");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
    // User and system time, in ticks; Linux has shown hundredths of a second for ever.
    let ticks: u64 = fields[12..14].iter().map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
    Duration::from_millis(ticks * 10)
}

#[test]
fn a_thousand_unfinished_heads_delay_nobody() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut slow: Vec<Peer> =
        (0..1000).map(|_| rig.client_sending("GET / HTTP/1.1\r\nHost: a\r\nX: ")).collect();
    for round in 0..5 {
        for client in &mut slow {
            client.send([b'a' + round]);
        }
        check_service(&rig, 20);
    }
}

#[test]
fn a_client_that_sends_without_end_delays_nobody() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let upload = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut bulk = rig.client_sending(upload);
    let mut peer = server.accept();
    peer.head();
    thread::scope(|scope| {
        let mut writer = bulk.clone_stream();
        scope.spawn(move || {
            let chunk = format!("100000\r\n{}\r\n", "x".repeat(1 << 20));
            while writer.try_send(&chunk) {}
        });
        let reader = peer.clone_stream();
        scope.spawn(move || reader.discard());
        check_service(&rig, 200);
        peer.send(ok("enough"));
        bulk.answer();
        peer.reset();
        bulk.reset();
    });
}

#[test]
fn pipelines_without_end_delay_nobody() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let bulk = rig.client();
    thread::scope(|scope| {
        let mut writer = bulk.clone_stream();
        let reader = bulk.clone_stream();
        let requests = LOCAL.repeat(1000);
        scope.spawn(move || while writer.try_send(&requests) {});
        scope.spawn(move || reader.discard());
        check_service(&rig, 200);
        bulk.shut_down();
    });
}

#[test]
fn a_refused_client_that_sends_on_delays_nobody_and_is_cut_off() {
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut bulk = rig.client_sending("nonsense\r\n\r\n");
    let garbage = vec![b'x'; 1 << 20];
    let started = Instant::now();
    while bulk.try_send(&garbage) {
        assert!(started.elapsed() < Duration::from_secs(10), "the garbage is taken for ever");
    }
    check_service(&rig, 20);
}

#[test]
#[ignore = "prints a number, and judges nothing"]
fn the_memory_of_idle_connections() {
    const CONNECTIONS: u64 = 5000;
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    check_service(&rig, 1);
    let bare = resident();
    let silent: Vec<Peer> = (0..CONNECTIONS).map(|_| rig.client()).collect();
    while (rig.plane.connections() as u64) < CONNECTIONS {
        thread::yield_now();
    }
    check_service(&rig, 1);
    let with_silent = resident();
    println!("new, silent: {} bytes each", (with_silent - bare) / CONNECTIONS);
    let mut clients = silent;
    for client in &mut clients {
        client.send(get("/"));
        client.answer();
    }
    println!("just served: {} bytes each", resident().saturating_sub(bare) / CONNECTIONS);
    assert!(clients[0].is_silent_for(Duration::from_millis(2500)));
    println!("idle: {} bytes each", resident().saturating_sub(bare) / CONNECTIONS);
}

/// Bytes of memory that this process has.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this process's state");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}
