//! `passTLSClientCert`: tells servers about the client's certificate.
//!
//! Reading a certificate costs many times what a request does, so what was written about a
//! connection's chain is remembered for its other requests.

mod info;
mod recent;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use exchange::{Exchange, Flow, Memo, Middleware, Phases};
use http::header::{HeaderName, HeaderValue};

use self::info::Info;
use self::recent::Recent;
use crate::url_path::query_escape;

pub(crate) struct PassTlsClientCert {
    pem: bool,
    info: Option<Info>,
    recent: Recent<Told>,
}

/// What is told about a chain.
#[derive(Clone)]
struct Told {
    pem: Option<HeaderValue>,
    info: Option<HeaderValue>,
}

const X_FORWARDED_TLS_CLIENT_CERT: HeaderName =
    HeaderName::from_static("x-forwarded-tls-client-cert");
const X_FORWARDED_TLS_CLIENT_CERT_INFO: HeaderName =
    HeaderName::from_static("x-forwarded-tls-client-cert-info");

impl PassTlsClientCert {
    pub(crate) fn new(settings: &config::dynamic::PassTlsClientCert) -> Self {
        Self {
            pem: settings.pem,
            info: settings.info.clone().map(Info::new),
            recent: Recent::new(),
        }
    }

    fn tell(&self, chain: &[Vec<u8>]) -> Told {
        let pem = || chain.iter().map(|der| STANDARD.encode(der)).collect::<Vec<_>>().join(",");
        let info = |info: &Info| {
            let told: Vec<String> = chain.iter().map(|der| info.of(der)).collect();
            query_escape(told.join(",").as_bytes())
        };
        // Both are of letters, digits and a few signs.
        Told {
            pem: self.pem.then(pem).and_then(|text| HeaderValue::try_from(text).ok()),
            info: self.info.as_ref().map(info).and_then(|text| HeaderValue::try_from(text).ok()),
        }
    }
}

impl Middleware for PassTlsClientCert {
    fn on_request(&self, exchange: &mut Exchange, _memo: &mut Memo) -> Flow {
        let tls = exchange.connection.tls.as_ref();
        let Some(chain) = tls.map(|tls| &tls.peer_certificates).filter(|chain| !chain.is_empty())
        else {
            // Headers of a trusted proxy that has seen the client's certificate stay.
            return Flow::Continue;
        };
        let told = self.recent.find(chain, || self.tell(chain));
        let headers = &mut exchange.request.headers;
        if let Some(value) = told.pem {
            headers.insert(X_FORWARDED_TLS_CLIENT_CERT, value);
        }
        if let Some(value) = told.info {
            headers.insert(X_FORWARDED_TLS_CLIENT_CERT_INFO, value);
        }
        Flow::Continue
    }

    fn phases(&self) -> Phases {
        Phases::Request
    }
}

#[cfg(test)]
mod tests;
