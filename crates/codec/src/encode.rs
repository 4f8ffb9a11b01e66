//! hot path: heads and chunks onto the wire, with no formatting machinery.
//!
//! Framing fields are written from [`BodyLength`] alone, so that what a head says and how its body
//! is written cannot disagree.

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};

use crate::canonical::{put_canonical_name, put_request_name};
use crate::chunked::is_forbidden_trailer;
use crate::head::BodyLength;

/// Ends the data of a chunk.
pub const CHUNK_END: &[u8] = b"\r\n";

/// What a response says about its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionHeader {
    /// The connection goes on: nothing is written for HTTP/1.1, `Connection: keep-alive` for 1.0.
    KeepAlive,
    /// The connection ends after this response: `Connection: close` for HTTP/1.1, nothing for 1.0.
    Close,
    /// The Connection field among the headers is written as it is.
    Upgrade,
}

/// Appends the head of a request, always as HTTP/1.1.
///
/// `Host` comes first; Host, Content-Length and Transfer-Encoding among `headers` are skipped. Like
/// Traefik it announces `Content-Length: 0` for POST, PUT and PATCH without a body, since some
/// servers answer 411 otherwise, and does not announce it for GET and HEAD.
/// `BodyLength::UntilClose` does not exist in requests and is written as chunked.
///
/// Neither `request_target` nor `host` can break out of its line: a byte that may not stand in a
/// request-target is percent-encoded, and a host ends before the first byte that may not stand in
/// it.
pub fn encode_request(
    out: &mut BytesMut,
    method: &Method,
    request_target: &str,
    host: &[u8],
    headers: &HeaderMap,
    body: BodyLength,
) {
    out.extend_from_slice(method.as_str().as_bytes());
    out.extend_from_slice(b" ");
    put_request_target(out, request_target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\nHost: ");
    let host_length = host.iter().position(|&byte| !is_visible(byte));
    out.extend_from_slice(&host[..host_length.unwrap_or(host.len())]);
    out.extend_from_slice(b"\r\n");
    match body {
        BodyLength::None if expects_content_length(method) => put_content_length(out, 0),
        BodyLength::Fixed(0) if matches!(*method, Method::GET | Method::HEAD) => {}
        BodyLength::None => {}
        BodyLength::Fixed(length) => put_content_length(out, length),
        BodyLength::Chunked | BodyLength::UntilClose => put_chunked(out),
    }
    for (name, value) in headers {
        if !is_framing(name) && name != http::header::HOST {
            put_request_name(out, name);
            put_value(out, value);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends the head of a response for a client of `version`; Go and Traefik answer HTTP/1.0 with
/// `HTTP/1.0` and everything else with `HTTP/1.1`, and so does this.
///
/// Content-Length and Transfer-Encoding among `headers` are skipped and written from `body`:
///
/// - `Fixed(n)` writes `Content-Length: n`. That is right for an answer to HEAD too, where `n` is
///   the length that GET would have and no body follows.
/// - `None` is for a response without a body by its nature, and there a Content-Length among
///   `headers` survives: it is what the upstream announced for HEAD or 304. An empty answer to
///   another method is `Fixed(0)`; with `None` the client would wait for the connection to end.
/// - `Chunked` writes `Transfer-Encoding: chunked`, but for HTTP/1.0 nothing: such a body must be
///   written without chunks until the connection closes ([`BodyLength::for_version`]).
/// - `UntilClose` writes nothing but `Connection: close`, even with `ConnectionHeader::KeepAlive`.
///
/// 1xx and 204 never have framing fields (RFC 9110, 8.6), and 304 is treated as `None`. An interim
/// response says nothing about the connection, except 101 with `ConnectionHeader::Upgrade`.
pub fn encode_response(
    out: &mut BytesMut,
    version: Version,
    status: StatusCode,
    headers: &HeaderMap,
    body: BodyLength,
    connection: ConnectionHeader,
) {
    put_status_line(out, version, status);
    let never_framed = status.is_informational() || status == StatusCode::NO_CONTENT;
    let body = match body.for_version(version) {
        _ if never_framed || status == StatusCode::NOT_MODIFIED => BodyLength::None,
        other => other,
    };
    match body {
        BodyLength::None if never_framed => {}
        BodyLength::None => put_forwarded_content_length(out, headers),
        BodyLength::Fixed(length) => put_content_length(out, length),
        BodyLength::Chunked => put_chunked(out),
        BodyLength::UntilClose => {}
    }
    let must_close = body == BodyLength::UntilClose;
    match connection {
        ConnectionHeader::Upgrade => {}
        _ if status.is_informational() => {}
        ConnectionHeader::KeepAlive if !must_close => {
            if version == Version::HTTP_10 {
                out.extend_from_slice(b"Connection: keep-alive\r\n");
            }
        }
        ConnectionHeader::KeepAlive | ConnectionHeader::Close => {
            if version != Version::HTTP_10 {
                out.extend_from_slice(b"Connection: close\r\n");
            }
        }
    }
    let skips_connection = connection != ConnectionHeader::Upgrade;
    put_fields(out, headers, |name| {
        is_framing(name) || (skips_connection && name == http::header::CONNECTION)
    });
    out.extend_from_slice(b"\r\n");
}

/// Appends one whole chunk. An empty `data` is left out, because an empty chunk would be the last.
pub fn encode_chunk(out: &mut BytesMut, data: &[u8]) {
    if !data.is_empty() {
        encode_chunk_head(out, data.len());
        out.extend_from_slice(data);
        out.extend_from_slice(CHUNK_END);
    }
}

/// Appends the line before the data of a chunk; [`CHUNK_END`] goes behind the data.
///
/// `length` is not 0: that would be the last chunk, which [`encode_last_chunk`] writes.
pub fn encode_chunk_head(out: &mut BytesMut, length: usize) {
    debug_assert_ne!(length, 0, "the last chunk has its own function");
    let mut line = *b"0000000000000000\r\n";
    let mut start = 16;
    let mut rest = length;
    while rest > 0 {
        start -= 1;
        line[start] = b"0123456789abcdef"[rest & 0xf];
        rest >>= 4;
    }
    out.extend_from_slice(&line[start..]);
}

/// Appends the last chunk with the trailers, leaving out those that [`is_forbidden_trailer`] names.
pub fn encode_last_chunk(out: &mut BytesMut, trailers: Option<&HeaderMap>) {
    out.extend_from_slice(b"0\r\n");
    if let Some(trailers) = trailers {
        put_fields(out, trailers, |name| is_forbidden_trailer(name.as_str().as_bytes()));
    }
    out.extend_from_slice(b"\r\n");
}

/// The reason phrase that Go writes for `status`, or `None` if it has none.
#[must_use]
pub fn reason_phrase(status: StatusCode) -> Option<&'static str> {
    match status.as_u16() {
        203 => Some("Non-Authoritative Information"),
        413 => Some("Request Entity Too Large"),
        414 => Some("Request URI Too Long"),
        416 => Some("Requested Range Not Satisfiable"),
        _ => status.canonical_reason(),
    }
}

fn put_status_line(out: &mut BytesMut, version: Version, status: StatusCode) {
    if status == StatusCode::OK && version != Version::HTTP_10 {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    out.extend_from_slice(match version {
        Version::HTTP_10 => b"HTTP/1.0 ",
        _ => b"HTTP/1.1 ",
    });
    out.extend_from_slice(status.as_str().as_bytes());
    out.extend_from_slice(b" ");
    match reason_phrase(status) {
        Some(reason) => out.extend_from_slice(reason.as_bytes()),
        None => {
            out.extend_from_slice(b"status code ");
            out.extend_from_slice(status.as_str().as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

#[inline]
fn put_fields(out: &mut BytesMut, headers: &HeaderMap, skip: impl Fn(&HeaderName) -> bool) {
    for (name, value) in headers {
        if skip(name) {
            continue;
        }
        put_canonical_name(out, name);
        put_value(out, value);
    }
}

#[inline]
fn put_value(out: &mut BytesMut, value: &HeaderValue) {
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}

#[inline]
fn is_framing(name: &HeaderName) -> bool {
    name == http::header::CONTENT_LENGTH || name == http::header::TRANSFER_ENCODING
}

/// Go's `transferWriter`: methods whose servers often demand a length.
fn expects_content_length(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

fn put_content_length(out: &mut BytesMut, length: u64) {
    out.extend_from_slice(b"Content-Length: ");
    out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn put_chunked(out: &mut BytesMut) {
    out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
}

fn put_forwarded_content_length(out: &mut BytesMut, headers: &HeaderMap) {
    if let Some(length) = headers.get(http::header::CONTENT_LENGTH) {
        let length = length.as_bytes();
        if !length.is_empty() && length.iter().all(u8::is_ascii_digit) {
            out.extend_from_slice(b"Content-Length: ");
            out.extend_from_slice(length);
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn put_request_target(out: &mut BytesMut, request_target: &[u8]) {
    let mut is_bad = false;
    for &byte in request_target {
        is_bad |= !is_visible(byte);
    }
    if !is_bad && !request_target.is_empty() {
        out.extend_from_slice(request_target);
        return;
    }
    put_repaired_request_target(out, request_target);
}

#[cold]
fn put_repaired_request_target(out: &mut BytesMut, request_target: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if request_target.is_empty() {
        out.extend_from_slice(b"/");
    }
    for &byte in request_target {
        if is_visible(byte) {
            out.extend_from_slice(&[byte]);
        } else {
            let high = DIGITS[usize::from(byte >> 4)];
            let low = DIGITS[usize::from(byte & 0xf)];
            out.extend_from_slice(&[b'%', high, low]);
        }
    }
}

/// Visible ASCII except the start of a fragment, which no request-target and no host has.
#[inline]
fn is_visible(byte: u8) -> bool {
    byte > b' ' && byte < 0x7f && byte != b'#'
}

#[cfg(test)]
mod tests;
