//! hot path
//!
//! A request's head, from HTTP/2's fields to the form that the door knows. What HTTP/1.1 could read
//! in two ways is refused here, so that nothing else can come out at the other end.

use bytes::Bytes;
use codec::{BodyLength, Limits, RequestHead, is_valid_authority};
use h2::ext::Protocol;
use http::header::{
    CONTENT_LENGTH, COOKIE, EXPECT, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
    SEC_WEBSOCKET_KEY, TE, TRAILER, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};

/// What RFC 9113, 6.5.2 counts for a field besides its name and value.
const FIELD_OVERHEAD: usize = 32;

/// A head that is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Malformed (RFC 9113, 8.1.1): the stream is reset.
    Malformed,
    /// It has a good form, and is answered with this.
    Answered(StatusCode),
}

/// A head that is served.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) request: RequestHead,
    /// It opens a tunnel (RFC 8441).
    pub(crate) is_tunnel: bool,
    /// The size of all fields as RFC 9113, 6.5.2 counts it.
    pub(crate) bytes: usize,
}

/// Reads a head. `has_body` tells whether anything follows it. What `h2` has checked already: names
/// in lower case and values without control characters, no connection-specific fields, pseudo-header
/// fields known, first and not repeated, and that the body is as long as announced.
pub(crate) fn read(parts: Parts, has_body: bool) -> Result<Head, Refusal> {
    let Parts { method, uri, mut headers, extensions, .. } = parts;
    let protocol = extensions.get::<Protocol>();
    let bytes = check_fields(&headers)?;
    if uri.scheme().is_some_and(|scheme| !matches!(scheme.as_str(), "http" | "https")) {
        return Err(Refusal::Malformed);
    }
    let host = host(uri.authority().map(|authority| authority.as_str()), &mut headers)?;
    if method == Method::CONNECT && protocol.is_none() {
        return Err(Refusal::Answered(StatusCode::NOT_IMPLEMENTED));
    }
    let path = uri.path_and_query().map(|path| path.as_str()).unwrap_or_default();
    let target = target(&method, path)?;
    let body = body_length(&mut headers, has_body)?;
    let expects_continue = expects_continue(&headers)? && !body.is_empty();
    join_cookies(&mut headers);

    let mut head = RequestHead {
        method,
        target,
        version: Version::HTTP_2,
        host: Some(host),
        has_hop_fields: has_hop_fields(&headers),
        headers,
        body,
        keep_alive: true,
        expects_continue,
        upgrade: false,
    };
    if let Some(protocol) = protocol {
        open_tunnel(&mut head, protocol.as_str())?;
    }
    Ok(Head { request: head, is_tunnel: protocol.is_some(), bytes })
}

/// Refuses too many fields and values that start or end with white space (RFC 9113, 8.2.1); tells
/// the size of all.
fn check_fields(headers: &HeaderMap) -> Result<usize, Refusal> {
    if headers.len() > Limits::default().fields {
        return Err(Refusal::Answered(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
    }
    let mut bytes = 0;
    for (name, value) in headers {
        let value = value.as_bytes();
        if is_padded(value) {
            return Err(Refusal::Malformed);
        }
        bytes += name.as_str().len() + value.len() + FIELD_OVERHEAD;
    }
    Ok(bytes)
}

/// Tells whether a value starts or ends with white space.
pub(crate) fn is_padded(value: &[u8]) -> bool {
    matches!(value, [b' ' | b'\t', ..] | [.., b' ' | b'\t'])
}

/// The one host of the request. `:authority` and Host must name the same (RFC 9113, 8.3.1).
fn host(authority: Option<&str>, headers: &mut HeaderMap) -> Result<HeaderValue, Refusal> {
    let mut fields = headers.get_all(HOST).iter();
    let field = fields.next().cloned();
    if fields.next().is_some() {
        return Err(Refusal::Malformed);
    }
    if field.is_some() {
        headers.remove(HOST);
    }
    let host = match (authority, field) {
        (Some(authority), None) => HeaderValue::from_str(authority).ok(),
        (None, field) => field,
        // Traefik: takes `:authority` and drops Host. Who looks at Host before us would see another
        // request than who looks at it behind us.
        (Some(authority), Some(field)) => {
            field.as_bytes().eq_ignore_ascii_case(authority.as_bytes()).then_some(field)
        }
    };
    host.filter(|host| is_valid_authority(host.as_bytes())).ok_or(Refusal::Malformed)
}

/// `:path` in origin-form, or `*` with OPTIONS; as strict as the request line of HTTP/1.1.
fn target(method: &Method, path: &str) -> Result<Bytes, Refusal> {
    let is_bad = path.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'#');
    let fits = path.starts_with('/') || (path == "*" && *method == Method::OPTIONS);
    if is_bad || !fits {
        return Err(Refusal::Malformed);
    }
    Ok(Bytes::copy_from_slice(path.as_bytes()))
}

fn body_length(headers: &mut HeaderMap, has_body: bool) -> Result<BodyLength, Refusal> {
    let mut fields = headers.get_all(CONTENT_LENGTH).iter();
    let Some(field) = fields.next() else {
        return Ok(if has_body { BodyLength::Chunked } else { BodyLength::None });
    };
    if fields.next().is_some() {
        return Err(Refusal::Malformed);
    }
    let field = field.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let length = field.and_then(|text| text.parse::<u64>().ok()).ok_or(Refusal::Malformed)?;
    if length > i64::MAX as u64 || (length > 0 && !has_body) {
        return Err(Refusal::Malformed);
    }
    headers.remove(CONTENT_LENGTH);
    Ok(BodyLength::Fixed(length))
}

fn expects_continue(headers: &HeaderMap) -> Result<bool, Refusal> {
    let mut expects = false;
    for value in headers.get_all(EXPECT) {
        if !value.as_bytes().eq_ignore_ascii_case(b"100-continue") {
            return Err(Refusal::Answered(StatusCode::EXPECTATION_FAILED));
        }
        expects = true;
    }
    Ok(expects)
}

/// Puts the crumbs of Cookie together again (RFC 9113, 8.2.3): HTTP/1.1 has one field.
fn join_cookies(headers: &mut HeaderMap) {
    let mut crumbs = headers.get_all(COOKIE).iter();
    if crumbs.next().is_none() || crumbs.next().is_none() {
        return;
    }
    let crumbs: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(whole) = HeaderValue::from_bytes(&crumbs.join(b"; ".as_slice())) {
        headers.insert(COOKIE, whole);
    }
}

fn has_hop_fields(headers: &HeaderMap) -> bool {
    [TE, TRAILER, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION]
        .iter()
        .any(|name| headers.contains_key(name))
}

/// Makes an extended CONNECT the upgrade that HTTP/1.1 has for it (RFC 8441, 5; RFC 6455, 4.1).
fn open_tunnel(head: &mut RequestHead, protocol: &str) -> Result<(), Refusal> {
    if protocol != "websocket" {
        return Err(Refusal::Answered(StatusCode::NOT_IMPLEMENTED));
    }
    // A length would be that of a body, and a tunnel has none.
    if head.body.is_empty() || matches!(head.body, BodyLength::Fixed(_)) {
        return Err(Refusal::Malformed);
    }
    head.method = Method::GET;
    head.body = BodyLength::None;
    head.expects_continue = false;
    head.upgrade = true;
    head.has_hop_fields = true;
    head.headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    head.headers.insert(SEC_WEBSOCKET_KEY, websocket_key());
    Ok(())
}

/// Sixteen random bytes in base64: HTTP/2 clients send no key of their own.
fn websocket_key() -> HeaderValue {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut random = fastrand::u128(..);
    let mut key = [b'='; 24];
    for digit in &mut key[..21] {
        *digit = DIGITS[(random & 63) as usize];
        random >>= 6;
    }
    // 128 bits are 21 digits and two bits; the four bits after them are zero.
    key[21] = DIGITS[((random & 3) << 4) as usize];
    HeaderValue::from_bytes(&key).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(uri: &str, fields: &[(&'static str, &'static str)]) -> Parts {
        let mut request = Request::builder().uri(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    fn check(uri: &str, fields: &[(&'static str, &'static str)], expected: Result<&str, Refusal>) {
        let read = read(parts(uri, fields), false).map(|head| {
            let host = head.request.host.expect("a host");
            let fields = head.request.headers.iter();
            let fields: Vec<String> = fields
                .map(|(name, value)| format!(" {name}={}", value.to_str().unwrap()))
                .collect();
            let target = String::from_utf8(head.request.target.to_vec()).expect("text");
            format!("{} {target}{}", host.to_str().expect("text"), fields.concat())
        });
        assert_eq!(read.as_deref().map_err(|refusal| *refusal), expected, "{uri} {fields:?}");
    }

    #[test]
    fn hosts_have_one_reading() {
        let malformed = Err(Refusal::Malformed);
        check("https://a.org/x?y", &[], Ok("a.org /x?y"));
        check("/x", &[("host", "a.org:81")], Ok("a.org:81 /x"));
        check("https://a.org/", &[("host", "A.org")], Ok("A.org /"));
        check("https://a.org/", &[("host", "b.org")], malformed);
        check("https://a.org/", &[("host", "a.org:443")], malformed);
        check("/", &[("host", "a.org"), ("host", "a.org")], malformed);
        check("/", &[], malformed);
        check("/", &[("host", "")], malformed);
        check("/", &[("host", "user@a.org")], malformed);
        check("https://user@a.org/", &[], malformed);
        check("ftp://a.org/", &[], malformed);
    }

    #[test]
    fn fields_have_one_reading() {
        let to = "https://a.org/";
        check(
            to,
            &[("cookie", "a=1"), ("x", "y"), ("cookie", "b=2")],
            Ok("a.org / cookie=a=1; b=2 x=y"),
        );
        check(to, &[("content-length", "0")], Ok("a.org /"));
        check(to, &[("content-length", "1")], Err(Refusal::Malformed));
        check(to, &[("content-length", "+0")], Err(Refusal::Malformed));
        check(to, &[("content-length", "")], Err(Refusal::Malformed));
        check(to, &[("content-length", "0"), ("content-length", "0")], Err(Refusal::Malformed));
        check(to, &[("x", " y")], Err(Refusal::Malformed));
        check(to, &[("x", "y\t")], Err(Refusal::Malformed));
        check(to, &[("x", "")], Ok("a.org / x="));
        check(to, &[("expect", "200-ok")], Err(Refusal::Answered(StatusCode::EXPECTATION_FAILED)));
    }

    #[test]
    fn too_many_fields_are_answered() {
        let fields = vec![("x", "y"); Limits::default().fields + 1];
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        check("https://a.org/", &fields, Err(Refusal::Answered(status)));
    }

    #[test]
    fn websockets_become_upgrades() {
        let mut parts = parts("https://a.org/chat", &[("sec-websocket-version", "13")]);
        parts.method = Method::CONNECT;
        assert_eq!(
            read(parts.clone(), true).map(|_| ()),
            Err(Refusal::Answered(StatusCode::NOT_IMPLEMENTED))
        );
        parts.extensions.insert(Protocol::from_static("websocket"));
        assert_eq!(read(parts.clone(), false).map(|_| ()), Err(Refusal::Malformed));
        let head = read(parts.clone(), true).expect("a websocket");
        assert!(head.is_tunnel && head.request.upgrade);
        assert_eq!((head.request.method, head.request.body), (Method::GET, BodyLength::None));
        let key = head.request.headers[SEC_WEBSOCKET_KEY].to_str().expect("text").to_owned();
        assert!(key.len() == 24 && key.ends_with("=="));
        parts.extensions.insert(Protocol::from_static("connect-udp"));
        assert_eq!(
            read(parts, true).map(|_| ()),
            Err(Refusal::Answered(StatusCode::NOT_IMPLEMENTED))
        );
    }
}
