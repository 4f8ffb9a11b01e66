//! Dialling TLS: towards servers and authentication servers.

mod identity;
mod settings;
#[cfg(test)]
mod tests;
mod verifier;

pub use settings::{ClientSettings, client_config, offering};
