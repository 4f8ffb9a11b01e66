//! Accepting TLS: options as rustls configurations, and which of them a client gets.

mod client_auth;
mod options;
mod resolver;
mod settings;
#[cfg(test)]
mod tests;

pub use options::{ServerConfigs, server_config};
pub use settings::{Refusal, Selected, ServerSettings};
