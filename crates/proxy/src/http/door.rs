//! hot path
//!
//! The door: a request is brought into its one canonical form here, once. Router, middlewares,
//! log and upstream all see that form, so none of them can read the request differently.
//!
//! Traefik's order: header aliases, fragment, path normalisation, path cleaning, semicolons in the
//! query, forwarded headers.

use codec::RequestHead;
use exchange::{Authority, Body, Connection, Request, Response};
use http::header::{
    CONNECTION, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    UPGRADE, USER_AGENT,
};
use http::{HeaderMap, Method, StatusCode};

use crate::http::target;
use crate::settings::{EntryPointSettings, HeaderAliases};

pub(crate) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_SERVER: HeaderName = HeaderName::from_static("x-forwarded-server");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Headers that only Ferrovia and trusted peers may set. Spelled with `_` they are dropped too,
/// because many servers cannot tell the spellings apart.
const MANAGED: [&str; 11] = [
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-method",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-forwarded-tls-client-cert",
    "x-forwarded-tls-client-cert-info",
    "x-forwarded-uri",
    "x-real-ip",
];

/// What the door knows besides the request.
pub(crate) struct Doorway<'a> {
    pub(crate) settings: &'a EntryPointSettings,
    pub(crate) connection: &'a Connection,
    /// Whether the peer's forwarded headers are believed.
    pub(crate) trusts_peer: bool,
    /// The machine's name, for `X-Forwarded-Server`.
    pub(crate) hostname: &'a HeaderValue,
}

/// A request that does not come through the door.
pub(crate) enum Turned {
    /// It is answered here.
    Answered(Box<Response>),
    /// It cannot be read: refused like a malformed head, and the connection closed.
    Unreadable,
}

/// Brings a request into canonical form, or turns it away.
pub(crate) fn admit(
    doorway: &Doorway<'_>,
    head: RequestHead,
    body: Body,
) -> Result<Request, Turned> {
    let RequestHead { method, target, version, host, mut headers, .. } = head;
    let RequestHead { upgrade, expects_continue, has_hop_fields, .. } = head;
    if method == Method::CONNECT {
        return Err(answered(Response::new(StatusCode::NOT_IMPLEMENTED)));
    }
    if target.as_ref() == b"*" {
        // Go answers `OPTIONS *` itself (RFC 9110, 9.3.7: a question about the server, not a resource).
        return Err(answered(Response::new(StatusCode::OK)));
    }
    aliases(doorway.settings.header_aliases, &mut headers)?;
    let target = target::canonical(&target, doorway.settings).ok_or(Turned::Unreadable)?;
    // RFC 9112, 3.2.2: the host of an absolute-form target replaces the Host field.
    let host = match target.authority {
        Some(authority) => authority,
        None => host.unwrap_or_else(|| HeaderValue::from_static("")),
    };
    let upgrade = if upgrade { take_upgrade(&headers) } else { None };
    let accepts_trailers = has_hop_fields && contains_token(&headers, &TE, b"trailers");
    if has_hop_fields {
        strip_connection(doorway, &mut headers);
    }
    // Go reads an empty User-Agent as the wish to send none.
    if headers.get(USER_AGENT).is_some_and(HeaderValue::is_empty) {
        headers.remove(USER_AGENT);
    }
    let mut request = Request::new(method, target.path_and_query, Authority::new(host));
    request.version = version;
    request.headers = headers;
    request.body = body;
    request.upgrade = upgrade;
    request.expects_continue = expects_continue;
    request.accepts_trailers = accepts_trailers;
    forwarded(doorway, &mut request);
    Ok(request)
}

fn answered(response: Response) -> Turned {
    Turned::Answered(Box::new(response))
}

/// Deals with header names that servers may confuse with others.
fn aliases(strategy: HeaderAliases, headers: &mut HeaderMap) -> Result<(), Turned> {
    let (is_alias, rejects): (fn(u8) -> bool, bool) = match strategy {
        HeaderAliases::Keep => return Ok(()),
        HeaderAliases::Delete => (|byte| !byte.is_ascii_alphanumeric() && byte != b'-', false),
        HeaderAliases::Reject => (|byte| !byte.is_ascii_alphanumeric() && byte != b'-', true),
        HeaderAliases::DeleteUnderscores => (|byte| byte == b'_', false),
        HeaderAliases::RejectUnderscores => (|byte| byte == b'_', true),
    };
    let found: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().bytes().any(is_alias)).cloned().collect();
    if rejects && !found.is_empty() {
        return Err(answered(Response::error(StatusCode::BAD_REQUEST, "Bad Request")));
    }
    for name in found {
        headers.remove(name);
    }
    Ok(())
}

/// Gives the protocol a client wants to change to. `h2c` is none: a tunnel of HTTP/2 past the
/// router would be a second reading of what the client may reach.
fn take_upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(UPGRADE)?;
    let is_h2c = value
        .as_bytes()
        .split(|byte| *byte == b',')
        .any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"h2c"));
    (!is_h2c).then(|| value.clone())
}

/// Takes the fields off that belong to the connection (RFC 9110, 7.6.1), but for those that Ferrovia
/// manages: a client must not be able to remove them by naming them.
fn strip_connection(doorway: &Doorway<'_>, headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let kept = &doorway.settings.forwarded.connection;
        let named: Vec<HeaderName> = tokens(headers, &CONNECTION)
            .filter_map(|token| HeaderName::from_bytes(token).ok())
            .filter(|name| !is_managed(name.as_str()) && !kept.contains(name))
            .collect();
        for name in named {
            headers.remove(name);
        }
        let allowed: Vec<&[u8]> = tokens(headers, &CONNECTION)
            .filter(|token| {
                kept.iter().any(|name| name.as_str().as_bytes().eq_ignore_ascii_case(token))
            })
            .collect();
        // What may be named goes on to the middlewares, and is taken off before the server.
        match HeaderValue::from_bytes(&allowed.join(b", ".as_slice())) {
            Ok(value) if !value.is_empty() => headers.insert(CONNECTION, value),
            _ => headers.remove(CONNECTION),
        };
    }
    for name in [&UPGRADE, &TE, &TRAILER, &KEEP_ALIVE, &PROXY_CONNECTION] {
        if headers.contains_key(name) {
            headers.remove(name);
        }
    }
}

/// Sets the forwarded headers. `X-Forwarded-For` gets the peer's address when the request is sent
/// on, because address strategies of middlewares must see it as it came.
fn forwarded(doorway: &Doorway<'_>, request: &mut Request) {
    let connection = doorway.connection;
    if !doorway.trusts_peer {
        remove_managed(&mut request.headers);
    }
    let headers = &mut request.headers;
    let mut forwarded_already = false;
    if doorway.trusts_peer {
        join_values(headers, &X_FORWARDED_FOR);
        forwarded_already = true;
    }
    let is_set = |headers: &HeaderMap, name: &HeaderName| {
        forwarded_already && headers.get(name).is_some_and(|value| !value.is_empty())
    };
    if !is_set(headers, &X_REAL_IP) {
        headers.insert(X_REAL_IP, connection.peer_ip.clone());
    }
    if !is_set(headers, &X_FORWARDED_PROTO) {
        let is_websocket = request
            .upgrade
            .as_ref()
            .is_some_and(|p| p.as_bytes().eq_ignore_ascii_case(b"websocket"));
        let proto = match (is_websocket, connection.is_tls()) {
            (false, false) => "http",
            (false, true) => "https",
            (true, false) => "ws",
            (true, true) => "wss",
        };
        headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(proto));
    }
    if !is_set(headers, &X_FORWARDED_PORT) {
        let port = match request.authority.port() {
            Some(port) => HeaderValue::from_str(port).unwrap_or(HeaderValue::from_static("80")),
            None if connection.is_tls() || is_secure_proto(headers) => {
                HeaderValue::from_static("443")
            }
            None => HeaderValue::from_static("80"),
        };
        headers.insert(X_FORWARDED_PORT, port);
    }
    if !is_set(headers, &X_FORWARDED_HOST) && !request.authority.text().is_empty() {
        headers.insert(X_FORWARDED_HOST, request.authority.text().clone());
    }
    headers.insert(X_FORWARDED_SERVER, doorway.hostname.clone());
}

fn is_secure_proto(headers: &HeaderMap) -> bool {
    headers.get(X_FORWARDED_PROTO).is_some_and(|proto| proto == "https" || proto == "wss")
}

/// Removes managed headers in both spellings.
fn remove_managed(headers: &mut HeaderMap) {
    // Most clients send none; one look at the first letters is all they pay.
    if !headers.keys().any(|name| is_managed(name.as_str())) {
        return;
    }
    let found: Vec<HeaderName> =
        headers.keys().filter(|name| is_managed(name.as_str())).cloned().collect();
    for name in found {
        headers.remove(name);
    }
}

fn is_managed(name: &str) -> bool {
    if name.len() < 9 || !name.starts_with('x') {
        return false;
    }
    MANAGED.iter().any(|managed| {
        managed.len() == name.len()
            && managed
                .bytes()
                .zip(name.bytes())
                .all(|(expected, byte)| expected == byte || (expected == b'-' && byte == b'_'))
    })
}

/// Joins the values of a repeated header by a comma and a space.
fn join_values(headers: &mut HeaderMap, name: &HeaderName) {
    let mut values = headers.get_all(name).iter();
    if values.next().is_none() || values.next().is_none() {
        return;
    }
    let joined = headers
        .get_all(name)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect::<Vec<_>>()
        .join(b", ".as_slice());
    if let Ok(value) = HeaderValue::from_bytes(&joined) {
        headers.insert(name, value);
    }
}

/// The comma-separated tokens of a header's values.
fn tokens<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    headers
        .get_all(name)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}

fn contains_token(headers: &HeaderMap, name: &HeaderName, token: &[u8]) -> bool {
    headers.contains_key(name)
        && tokens(headers, name).any(|found| found.eq_ignore_ascii_case(token))
}

/// Takes the fields off that `Connection` names, and `Connection` itself.
pub(crate) fn strip_named(headers: &mut HeaderMap) {
    if !headers.contains_key(CONNECTION) {
        return;
    }
    let named: Vec<HeaderName> = tokens(headers, &CONNECTION)
        .filter_map(|token| HeaderName::from_bytes(token).ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    headers.remove(CONNECTION);
}

/// Takes the fields off a response that belong to the server's connection.
pub(crate) fn strip_response(headers: &mut HeaderMap, keeps_trailer: bool) {
    strip_named(headers);
    for name in
        [&KEEP_ALIVE, &PROXY_AUTHENTICATE, &PROXY_AUTHORIZATION, &PROXY_CONNECTION, &TE, &UPGRADE]
    {
        if headers.contains_key(name) {
            headers.remove(name);
        }
    }
    if !keeps_trailer && headers.contains_key(TRAILER) {
        headers.remove(TRAILER);
    }
}
