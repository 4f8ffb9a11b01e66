//! HTTP/2 towards clients.

mod bodies;
mod floods;
mod lifecycle;
mod one_reading;
mod requests;
mod websocket;
