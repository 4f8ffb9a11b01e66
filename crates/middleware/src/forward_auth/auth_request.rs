//! The headers that an authentication server gets.

use exchange::{Connection, Exchange, Request};
use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TE, TRANSFER_ENCODING, UPGRADE,
};

use crate::header_names::{
    MANAGED, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_METHOD, X_FORWARDED_PORT,
    X_FORWARDED_PROTO, X_FORWARDED_URI, is_managed, read_list,
};

pub(super) struct RequestHeaders {
    trust: Trust,
    /// `None`: all.
    allowed: Option<Vec<HeaderName>>,
}

/// What is made of the forwarding headers that a request has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Some are replaced, others passed on: what Traefik did before the setting had three values.
    Unset,
    /// All are dropped and made anew.
    No,
    /// They are kept, and completed.
    Yes,
}

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const TRAILERS: HeaderName = HeaderName::from_static("trailers");

impl RequestHeaders {
    pub(super) fn new(settings: &config::dynamic::ForwardAuth) -> Self {
        let trust = match settings.trust_forward_header {
            None => Trust::Unset,
            Some(false) => Trust::No,
            Some(true) => Trust::Yes,
        };
        let allowed = (!settings.auth_request_headers.is_empty()).then(|| {
            let mut allowed = read_list(&settings.auth_request_headers);
            if trust == Trust::Yes {
                allowed.extend(MANAGED);
            }
            allowed
        });
        Self { trust, allowed }
    }

    /// Makes the headers for the exchange's request. Without a `User-Agent` of the client there is
    /// none (Traefik: names Go's client when `trustForwardHeader` is not set).
    pub(super) fn of(&self, exchange: &Exchange) -> HeaderMap {
        let (request, connection) = (&exchange.request, &*exchange.connection);
        let is_allowed = |name: &HeaderName| match &self.allowed {
            None => true,
            Some(allowed) => allowed.contains(name),
        };
        let mut headers = HeaderMap::with_capacity(request.headers.len() + 6);
        for (name, value) in &request.headers {
            let is_dropped = self.trust == Trust::No && is_managed(name);
            if is_allowed(name) && !is_dropped {
                headers.append(name.clone(), value.clone());
            }
        }
        remove_hop_headers(&mut headers);
        if self.trust == Trust::Unset {
            replace(&mut headers, request, connection);
        } else {
            complete(&mut headers, request, connection);
        }
        headers
    }
}

/// Removes what belongs to one connection. `Proxy-Authorization` may be meant for the
/// authentication server and stays.
pub(super) fn remove_hop_headers(headers: &mut HeaderMap) {
    for name in [CONNECTION, KEEP_ALIVE, TE, TRAILERS, TRANSFER_ENCODING, UPGRADE, CONTENT_LENGTH] {
        headers.remove(name);
    }
}

fn replace(headers: &mut HeaderMap, request: &Request, connection: &Connection) {
    headers.insert(X_FORWARDED_FOR, connection.peer_ip.clone());
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(scheme(connection)));
    headers.insert(X_FORWARDED_HOST, request.authority.text().clone());
    for (name, value) in
        [(X_FORWARDED_METHOD, request.method.as_str()), (X_FORWARDED_URI, request.target.as_str())]
    {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.insert(name, value);
        }
    }
}

fn complete(headers: &mut HeaderMap, request: &Request, connection: &Connection) {
    let mut forwarded_for: Vec<u8> = Vec::new();
    for value in headers.get_all(X_FORWARDED_FOR) {
        forwarded_for.extend_from_slice(value.as_bytes());
        forwarded_for.extend_from_slice(b", ");
    }
    forwarded_for.extend_from_slice(connection.peer_ip.as_bytes());
    if let Ok(value) = HeaderValue::from_bytes(&forwarded_for) {
        headers.insert(X_FORWARDED_FOR, value);
    }
    let mut add = |name: HeaderName, value: &str| {
        if !headers.contains_key(&name)
            && let Ok(value) = HeaderValue::from_bytes(value.as_bytes())
        {
            headers.insert(name, value);
        }
    };
    add(X_FORWARDED_METHOD, request.method.as_str());
    add(X_FORWARDED_PROTO, scheme(connection));
    add(X_FORWARDED_URI, request.target.as_str());
    if !headers.contains_key(X_FORWARDED_HOST) {
        headers.insert(X_FORWARDED_HOST, request.authority.text().clone());
    }
    if !headers.contains_key(X_FORWARDED_PORT) {
        let port = port(headers, request, connection);
        if let Ok(port) = HeaderValue::from_str(port) {
            headers.insert(X_FORWARDED_PORT, port);
        }
    }
}

fn scheme(connection: &Connection) -> &'static str {
    if connection.is_tls() { "https" } else { "http" }
}

fn port<'a>(headers: &HeaderMap, request: &'a Request, connection: &Connection) -> &'a str {
    if let Some(port) = request.authority.port() {
        return port;
    }
    let proto = headers.get(X_FORWARDED_PROTO).map_or(&b""[..], |value| value.as_bytes());
    if matches!(proto, b"https" | b"wss") || connection.is_tls() { "443" } else { "80" }
}
