//! HTTP/2 towards servers.
//!
//! `group.rs` holds a worker's connections to one server and shares them between requests,
//! `connection.rs` is one connection and its task, `send.rs` takes a request through a stream,
//! `outgoing.rs` and `incoming.rs` are the bodies. What a request is and what becomes of its
//! response is not known here but in `http`.

mod connection;
mod fields;
pub(crate) mod group;
mod incoming;
mod link;
mod outgoing;
mod send;

use routing::{Scheme, Server, Transport};

pub(crate) use self::send::forward;

/// Tells whether HTTP/2 may be spoken with a server. With `https` it is for the server to choose.
pub(crate) fn may_be_spoken(server: &Server, transport: &Transport) -> bool {
    match server.scheme {
        Scheme::Http => false,
        Scheme::H2c => true,
        Scheme::Https => !transport.is_http2_disabled,
    }
}
