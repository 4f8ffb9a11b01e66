//! HTTP: from accepted bytes to answered requests.
//!
//! Read `exchange.rs` first: it tells the life of a request from top to bottom.

mod client;
mod client_side;
pub(crate) mod connect;
mod connection;
pub(crate) mod door;
pub(crate) mod exchange;
pub(crate) mod forward;
mod framing;
mod handshake;
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

pub(crate) use self::client_side::ClientSide;
pub(crate) use self::connection::serve;
pub(crate) use self::pool::Lease;
pub(crate) use self::subrequest::Subrequests;
pub(crate) use self::wire::{ReadSize, Wire};
