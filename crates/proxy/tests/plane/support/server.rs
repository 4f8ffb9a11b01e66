//! Servers: one that a test answers for line by line, one that answers by itself.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;

use super::{LIMIT, Peer, Received};

/// A server whose connections the test takes and answers.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    accepted: Receiver<TcpStream>,
    is_over: Arc<AtomicBool>,
}

/// A server that reads requests strictly, writes them down and answers them.
pub(crate) struct Answering {
    pub(crate) address: SocketAddr,
    log: Arc<Mutex<Vec<(usize, Received)>>>,
    is_over: Arc<AtomicBool>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let (sender, accepted) = mpsc::channel();
        let (address, is_over) = listen(move |_, stream| {
            let _ = sender.send(stream);
        });
        Self { address, accepted, is_over }
    }

    /// The next connection.
    pub(crate) fn accept(&self) -> Peer {
        Peer::new(self.accepted.recv_timeout(LIMIT).expect("a connection to the server"))
    }

    /// Tells whether a connection came that was not taken yet.
    pub(crate) fn was_connected_again(&self) -> bool {
        self.accepted.try_recv().is_ok()
    }
}

impl Answering {
    /// Answers each request with what `answer` gives. The connection goes on.
    pub(crate) fn start(
        answer: impl Fn(&Received) -> String + Send + Sync + Clone + 'static,
    ) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&log);
        let (address, is_over) = listen(move |number, stream| {
            let (log, answer) = (Arc::clone(&written), answer.clone());
            thread::spawn(move || {
                let mut peer = Peer::new(stream);
                while let Some(request) = peer.try_request() {
                    log.lock().expect("the log").push((number, request.clone()));
                    if request.body.is_none() || !peer.try_send(answer(&request)) {
                        return;
                    }
                }
            });
        });
        Self { address, log, is_over }
    }

    /// Answers each request with its path.
    pub(crate) fn with_paths() -> Self {
        Self::start(|request| super::ok(request.path()))
    }

    /// All requests so far, each with the number of its connection.
    pub(crate) fn log(&self) -> Vec<(usize, Received)> {
        self.log.lock().expect("the log").clone()
    }

    /// The paths of all requests that came whole.
    pub(crate) fn whole_paths(&self) -> Vec<String> {
        let log = self.log();
        log.iter().filter(|(_, r)| r.body.is_some()).map(|(_, r)| r.path().to_owned()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        stop(&self.is_over, self.address);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        stop(&self.is_over, self.address);
    }
}

fn listen(
    mut serve: impl FnMut(usize, TcpStream) + Send + 'static,
) -> (SocketAddr, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let is_over = Arc::new(AtomicBool::new(false));
    let stops = Arc::clone(&is_over);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            if stops.load(Ordering::Relaxed) {
                return;
            }
            if let Ok(stream) = stream {
                serve(number, stream);
            }
        }
    });
    (address, is_over)
}

fn stop(is_over: &AtomicBool, address: SocketAddr) {
    is_over.store(true, Ordering::Relaxed);
    // Wakes the thread that accepts.
    let _ = TcpStream::connect(address);
}
