//! The data plane from outside: raw clients on one side, scripted servers on the other.
//!
//! Nothing here sleeps. A test waits for bytes, for the end of a connection or for an event, and
//! [`support::LIMIT`] only says when waiting has failed.

mod bodies;
mod canary;
mod cut_off;
mod drain;
mod http2;
mod http2_servers;
mod interim;
mod keep_alive;
mod pool;
mod refusals;
mod resources;
mod retry;
mod services;
mod stress;
mod support;
mod timeouts;
mod upgrade;
