//! Many clients, and a server that misbehaves at random: no response reaches the wrong client.

use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::{Peer, Setup, get, ok, post};

const CLIENTS: usize = 50;
const REQUESTS: usize = 60;

/// Answers requests, most of them well.
fn misbehave(stream: TcpStream, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut peer = Peer::new(stream);
    while let Some(request) = peer.try_request() {
        if request.body.is_none() {
            return;
        }
        let id = request.path();
        let goes_on = match random.u8(0..100) {
            0..50 => peer.try_send(ok(id)),
            50..65 => {
                let length = id.len();
                peer.try_send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    && peer.try_send(format!("{length:x}\r\n{id}\r\n"))
                    && peer.try_send("0\r\n\r\n")
            }
            65..70 => peer.try_send(format!("HTTP/1.1 103 Early Hints\r\n\r\n{}", ok(id))),
            70..75 => peer.sends_last(ok(id) + &ok("poison")),
            75..80 => peer.sends_last(format!("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{id}")),
            80..85 => peer.sends_last("HTTP/1.1 200 OK\r\nX"),
            85..90 => peer.sends_last(ok(id)),
            90..94 => return peer.reset(),
            // Silent until it is left.
            94..96 => {
                peer.rest();
                false
            }
            _ => false,
        };
        if !goes_on {
            return;
        }
    }
}

#[test]
fn no_response_reaches_another_client() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for (seed, stream) in (1..).zip(listener.incoming()) {
            let Ok(stream) = stream else { return };
            thread::spawn(move || misbehave(stream, seed));
        }
    });
    let mut setup = Setup::new(address).response_header_timeout(Duration::from_secs(1));
    setup.workers = 2;
    let rig = setup.start();
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (rig, answered) = (&rig, &answered);
            scope.spawn(move || {
                let mut client = rig.client();
                for request in 0..REQUESTS {
                    let id = format!("/{number}-{request}");
                    let sent = if request % 3 == 0 { post(&id, &id) } else { get(&id) };
                    let whole = client.try_send(sent).then(|| next_final(&mut client)).flatten();
                    match whole {
                        Some((200, body)) => {
                            assert_eq!(body, id, "a response of somebody else");
                            answered.fetch_add(1, Ordering::Relaxed);
                        }
                        Some((500 | 502 | 504, _)) => {}
                        Some((status, body)) => panic!("{status} {body:?} to {id}"),
                        None => client = rig.client(),
                    }
                }
            });
        }
    });
    let answered = answered.into_inner();
    assert!(answered > CLIENTS * REQUESTS / 4, "only {answered} requests were answered");
    assert_eq!(rig.drain(Duration::from_secs(5)), 0);
}

/// The next response that is not interim; `None`: cut off.
fn next_final(client: &mut Peer) -> Option<(u16, String)> {
    loop {
        let answer = client.try_answer()?;
        if answer.status >= 200 {
            return Some((answer.status, answer.text().to_owned()));
        }
    }
}
