//! HTTP/2 towards clients: connections, streams, and what keeps either from being abused.
//!
//! The `h2` crate speaks the protocol; here is what a proxy decides around it. A stream becomes one
//! run of the same exchange that HTTP/1.1 requests go through: `head.rs` gives the door a head in
//! the form that it knows, `response.rs` writes what comes back. Nothing here routes or forwards.
//!
//! `upstream/` is HTTP/2 towards servers.

mod flood;
mod head;
mod request_body;
mod response;
mod server;
mod socket;
mod stream;
mod tunnel;
pub(crate) mod upstream;

pub(crate) use self::flood::Counters;
pub(crate) use self::server::{Opened, serve};
pub(crate) use self::stream::Stream;
