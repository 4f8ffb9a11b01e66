//! One file per middleware, and [`build`].
//!
//! Every middleware of Traefik v3.7 that is supported lives in the module of its name and turns
//! its settings into a [`Stage`] once; requests then pass through without parsing or formatting
//! what the settings already said. What several of them share (how Go escapes paths and resolves
//! URLs, how a client's address is found) has its own module. Nothing here opens sockets: other
//! services are reached through [`exchange::Upstreams`], found at build time through
//! [`Surroundings`].

mod add_prefix;
mod basic_auth;
mod buffering;
mod circuit_breaker;
mod client_address;
mod compress;
mod content_type;
mod digest_auth;
mod encoded_characters;
mod errors;
#[cfg(test)]
mod fixture;
mod forward_auth;
mod grpc_web;
mod header_names;
mod headers;
mod in_flight_req;
mod ip_allow_list;
mod pass_tls_client_cert;
mod predicate;
mod rate_limit;
mod redirect;
mod redirect_regex;
mod redirect_scheme;
mod registry;
mod replace_path;
mod replace_path_regex;
mod report;
mod retry;
mod source;
mod strip_prefix;
mod strip_prefix_regex;
mod url;
mod url_path;
mod users;

use std::sync::Arc;
use std::time::Duration;

use exchange::{ServiceHandle, Stage};

pub use self::registry::build;

/// What building a middleware may need of its surroundings.
pub trait Surroundings {
    /// Finds a service by the name a user wrote; the implementor qualifies it.
    ///
    /// # Errors
    /// Traefik's text when the service does not exist or is broken.
    fn service(&mut self, name: &str) -> Result<ServiceHandle, String>;

    /// Makes an anonymous service for one URL.
    ///
    /// Requests sent to it keep their own path, query and authority, get no forwarding headers,
    /// and their redirects are not followed.
    ///
    /// # Errors
    /// A text that names what is wrong with the URL or its TLS settings.
    fn endpoint(&mut self, endpoint: &Endpoint) -> Result<ServiceHandle, String>;
}

/// A server that only one middleware talks to.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The URL; only its scheme, host and port name the server.
    pub url: String,
    /// TLS towards it; `None`: the system's roots.
    pub tls: Option<config::dynamic::ClientTls>,
    /// Longest time for a whole call, body included.
    pub timeout: Duration,
}

/// Makes a stage whose state is new.
pub type StageMaker = Arc<dyn Fn() -> Stage + Send + Sync>;

/// What a middleware's settings come to.
pub enum Built {
    /// One stage, for all chains that name the middleware.
    Stage(Stage),
    /// A stage with state that is each chain's own: what one router's clients do says nothing of
    /// another's. Whoever compiles calls it once per chain and keeps the stage.
    PerOwner(StageMaker),
    /// Names of other middlewares as the user wrote them, to be put in its place in order.
    Chain(Vec<String>),
}

pub(crate) fn sync_stage(
    name: &Arc<str>,
    middleware: impl exchange::Middleware + 'static,
) -> Stage {
    Stage::Sync { name: Arc::clone(name), middleware: Arc::new(middleware) }
}

pub(crate) fn async_stage(
    name: &Arc<str>,
    middleware: impl exchange::AsyncMiddleware + 'static,
) -> Stage {
    Stage::Async { name: Arc::clone(name), middleware: Arc::new(middleware) }
}

/// Makes a stage for every chain that names the middleware, all from the same settings.
pub(crate) fn per_owner<T: Send + Sync + 'static>(
    name: &Arc<str>,
    settings: T,
    make: impl Fn(&Arc<str>, &Arc<T>) -> Stage + Send + Sync + 'static,
) -> Built {
    let (name, settings) = (Arc::clone(name), Arc::new(settings));
    Built::PerOwner(Arc::new(move || make(&name, &settings)))
}
