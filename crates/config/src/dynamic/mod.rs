//! Dynamic configuration: what providers deliver. The types mirror Traefik v3.7's, key by key, so
//! that they read the same files and print the same API JSON.

mod http;
mod middlewares;
mod services;
mod tcp;
mod tls;

use serde::{Deserialize, Serialize};

pub use self::http::{
    HttpConfiguration, Router, RouterObservability, RouterTls, TlsDomain, TraceVerbosity,
};
pub use self::middlewares::*;
pub use self::services::*;
pub use self::tcp::*;
pub use self::tls::{
    CertificateAndStores, ClientAuth, GeneratedCertificate, TlsCertificate, TlsConfiguration,
    TlsOptions, TlsStore,
};

/// Names to objects, in the order of names as Traefik's API prints them.
pub type Named<T> = std::collections::BTreeMap<String, T>;

/// Holds everything one provider has to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Configuration {
    pub http: HttpConfiguration,
    pub tcp: TcpConfiguration,
    pub udp: UdpConfiguration,
    pub tls: TlsConfiguration,
}

pub(crate) fn is_false(value: &bool) -> bool {
    !value
}

pub(crate) fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
