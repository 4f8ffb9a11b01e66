//! Upstreams, certificates and scenarios for tests. Development only.
//!
//! A *scenario* is a file: a configuration, upstreams, requests. [`run`] starts a proxy binary on
//! it, sends the requests one after the other and writes down what the client and the upstreams
//! saw. `cargo xtask record` does so once with the real Traefik and keeps the answers beside the
//! scenario; the tests do it with ferrovia and compare. The format is told in
//! `scenarios/README.md`.
//!
//! This crate knows nothing of the other crates of the workspace: it sees a proxy from outside, as
//! a user does. It uses threads and blocking sockets of `std` only, so that no bug of the proxy's
//! own libraries can hide itself. Upstreams of HTTP/2 alone are the `h2` crate's, which the proxy has
//! too: that the two agree is shown by Traefik's answers, not by them.

pub mod answer;
pub mod certificates;
pub mod client;
pub mod compare;
pub mod differs;
pub mod harness;
pub mod placeholders;
pub mod ports;
pub mod proxy;
pub mod rawdata;
pub mod run;
pub mod scenario;
pub mod upstream;
pub mod wire;
