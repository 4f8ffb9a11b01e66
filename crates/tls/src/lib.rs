//! Certificates, server name selection and TLS options, as rustls wants them.
//!
//! Three values are made here, all immutable, all on the control plane:
//!
//! - [`Certificates`]: every certificate of one configuration, found by server name.
//! - [`ServerConfigs`] and [`ServerSettings`]: the TLS options, and which of them a server name gets.
//! - A rustls client configuration, from [`ClientSettings`].
//!
//! Reading PEM files is the only input; there are no sockets and no runtime here, and nothing of
//! rustls is installed process-wide. Who accepts or dials connections, watches files or orders
//! certificates is not known here.

mod algorithms;
mod authorities;
mod certificate;
mod certificates;
mod client;
mod error;
mod hosts;
mod material;
mod problem;
mod server;
mod session;
#[cfg(test)]
mod testing;

pub use certificate::{Certificate, CertificateInfo};
pub use certificates::Certificates;
pub use client::{ClientSettings, client_config, offering};
pub use error::Error;
pub use problem::{Problem, Subject};
pub use server::{Refusal, Selected, ServerConfigs, ServerSettings, server_config};
pub use session::{Session, session};
