//! HTTP: from accepted bytes to answered requests.
//!
//! Read `exchange.rs` first: it tells the life of a request from top to bottom.

pub(crate) mod client;
pub(crate) mod connect;
mod connection;
pub(crate) mod door;
mod exchange;
pub(crate) mod forward;
mod framing;
pub(crate) mod pool;
mod respond;
mod subrequest;
mod target;
mod track;
mod tunnel;
mod turn;
mod upload;
mod upstream_body;
mod wire;

pub(crate) use self::connection::serve;
pub(crate) use self::subrequest::Subrequests;
