//! Upstreams: servers that do what a scenario tells them and write down what reached them.
//!
//! Each is one listening socket on a port of the kernel's choice, with a thread for every
//! connection. They end when the [`Upstream`] is dropped.

mod connection;
mod http2;
mod reply;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde::Deserialize;

pub use reply::{Action, BodyFraming, Reply};

use crate::certificates::Certificates;
use crate::ports::ReservedPort;

/// What a scenario says of an upstream.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpstreamSpec {
    /// Its name; in upper case the placeholder of its address.
    pub name: String,
    /// Nobody listens on its port.
    pub refuse: bool,
    /// The certificate it serves TLS with (see [`Certificates`]); plain without.
    pub tls: Option<String>,
    /// Speaks HTTP/2, without TLS, and nothing else.
    pub http2: bool,
    /// The authority whose client certificates it demands.
    pub client_authority: Option<String>,
    /// Replies to the first requests, whatever their path, in order.
    pub first: Vec<Reply>,
    /// Replies to the others: the first one whose path fits.
    pub reply: Vec<Reply>,
}

impl UpstreamSpec {
    /// What it says to its request of that number.
    fn reply_to(&self, number: usize, path: &str) -> &Reply {
        let fits = |reply: &&Reply| reply.path.as_ref().is_none_or(|wanted| wanted == path);
        let by_path = || self.reply.iter().find(fits).unwrap_or(&NOTHING_ELSE);
        self.first.get(number).unwrap_or_else(by_path)
    }
}

/// A request as it reached an upstream, or something that happened to its connection.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// The upstream's name.
    pub upstream: String,
    /// The request line.
    pub first_line: String,
    /// The field lines as sent.
    pub fields: Vec<(String, String)>,
    /// The body, chunks joined.
    pub body: Vec<u8>,
    /// Trailer field lines.
    pub trailers: Vec<(String, String)>,
    /// Whether the body came whole.
    pub complete: bool,
}

/// Everything the upstreams of a scenario received, in order.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<(Mutex<Vec<Received>>, Condvar)>);

impl Log {
    /// Takes what was received since the last call, waiting until there are `count` entries.
    pub fn take(&self, count: usize, patience: Duration) -> Vec<Received> {
        let deadline = Instant::now() + patience;
        let (entries, changed) = &*self.0;
        let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
        while entries.len() < count {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            entries = match changed.wait_timeout(entries, left) {
                Ok((entries, _)) => entries,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        std::mem::take(&mut *entries)
    }

    /// Waits until there are `count` entries without taking them.
    pub fn wait(&self, count: usize, patience: Duration) {
        let mut taken = self.take(count, patience);
        let (entries, _) = &*self.0;
        let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
        taken.append(&mut entries);
        *entries = taken;
    }

    fn push(&self, received: Received) {
        let (entries, changed) = &*self.0;
        entries.lock().unwrap_or_else(PoisonError::into_inner).push(received);
        changed.notify_all();
    }
}

/// The answer where nothing is said.
static NOTHING_ELSE: LazyLock<Reply> = LazyLock::new(Reply::default);

/// A running upstream.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    _reserved: Option<ReservedPort>,
}

impl Upstream {
    /// Starts listening.
    pub fn start(spec: UpstreamSpec, certificates: &mut Certificates, log: &Log) -> Result<Self> {
        let stopping = Arc::new(AtomicBool::new(false));
        if spec.refuse {
            let reserved = ReservedPort::claim()?;
            let address = SocketAddr::from(([127, 0, 0, 1], reserved.number()));
            return Ok(Self { address, stopping, _reserved: Some(reserved) });
        }
        let tls = match &spec.tls {
            Some(name) => Some(server_config(name, &spec, certificates)?),
            None => None,
        };
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(connection::Shared {
            spec,
            tls,
            log: log.clone(),
            served: AtomicUsize::new(0),
        });
        let stop = Arc::clone(&stopping);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Acquire) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let shared = Arc::clone(&shared);
                // A peer that goes away ends the connection's thread, nothing else.
                thread::spawn(move || match shared.spec.http2 {
                    true => drop(http2::serve(stream, &shared)),
                    false => connection::serve(stream, &shared),
                });
            }
        });
        Ok(Self { address, stopping, _reserved: None })
    }

    /// Where it listens, or nobody does.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        // Wakes the accepting thread, which then sees the flag.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn server_config(
    name: &str,
    spec: &UpstreamSpec,
    certificates: &mut Certificates,
) -> Result<Arc<ServerConfig>> {
    let builder = ServerConfig::builder();
    let builder = match &spec.client_authority {
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(certificates.authority_certificate(authority)?)?;
            builder.with_client_cert_verifier(WebPkiClientVerifier::builder(roots.into()).build()?)
        }
        None => builder.with_no_client_auth(),
    };
    let issued = certificates.issue(name)?;
    let mut config = builder
        .with_single_cert(vec![issued.certificate.clone()], issued.key.clone_key())
        .with_context(|| format!("certificate {name:?}"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
