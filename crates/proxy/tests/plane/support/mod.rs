//! A running data plane, scripted servers, raw clients.

pub(crate) mod frames;
mod message;
mod peer;
mod rig;
mod server;
pub(crate) mod server_frames;
pub(crate) mod tls;

use std::time::Duration;

pub(crate) use self::message::Received;
pub(crate) use self::peer::{End, Peer};
pub(crate) use self::rig::{Rig, Setup, load_balancer};
pub(crate) use self::server::{Answering, Server};

/// Waiting longer than this has failed.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A request without body and further headers.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: example.org\r\n\r\n")
}

/// A request with a body of known length.
pub(crate) fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: example.org\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A response with a body of known length.
pub(crate) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
