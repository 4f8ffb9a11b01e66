//! hot path: request heads (RFC 9112, 3).

use bytes::Bytes;
use http::{HeaderMap, Method, Version};
use memchr::{memchr2, memrchr};

use crate::authority::{is_valid_authority, is_valid_with_port};
use crate::error::HeadError;
use crate::facts::Facts;
use crate::fields::parse_fields;
use crate::head::{BodyLength, RequestHead};
use crate::token::token_length;

/// Parses a whole head whose lines all end in CRLF, the first after `line_length` bytes.
pub(crate) fn parse(
    head: &Bytes,
    line_length: usize,
    mut headers: HeaderMap,
) -> Result<RequestHead, HeadError> {
    let line = parse_line(&head[..line_length.saturating_sub(2)])?;
    let mut facts = Facts::default();
    let host = parse_fields(head, line_length, &mut headers, |name, value| {
        facts.note_request(name, value)
    })?;

    let is_http_11 = line.version == Version::HTTP_11;
    facts.check_framing(line.version)?;
    if is_http_11 && !facts.has_host {
        return Err(HeadError::MissingHost);
    }
    // RFC 9110, 10.1.1: an HTTP/1.0 client's expectation is ignored.
    if is_http_11 && facts.expects_other {
        return Err(HeadError::UnsupportedExpectation);
    }
    let body = match facts.content_length {
        _ if facts.is_chunked => BodyLength::Chunked,
        Some(length) => BodyLength::Fixed(length),
        None => BodyLength::None,
    };
    Ok(RequestHead {
        method: line.method,
        target: head.slice_ref(line.target),
        version: line.version,
        host,
        headers,
        has_hop_fields: facts.has_hop_fields,
        body,
        keep_alive: facts.keeps_alive(line.version),
        expects_continue: is_http_11 && facts.expects_continue && !body.is_empty(),
        upgrade: is_http_11 && facts.connection_upgrade && facts.has_upgrade,
    })
}

/// Reports the fault of a request line, without its CRLF, while the rest of the head is missing.
pub(crate) fn check_line(line: &[u8]) -> Result<(), HeadError> {
    parse_line(line).map(|_| ())
}

struct RequestLine<'a> {
    method: Method,
    target: &'a [u8],
    version: Version,
}

fn parse_line(line: &[u8]) -> Result<RequestLine<'_>, HeadError> {
    let method_length = token_length(line);
    let rest = match &line[method_length..] {
        [b' ', rest @ ..] if method_length > 0 => rest,
        [] => return Err(HeadError::InvalidRequestLine),
        _ => return Err(HeadError::InvalidMethod),
    };
    let method =
        Method::from_bytes(&line[..method_length]).map_err(|_| HeadError::InvalidMethod)?;
    let space = memrchr(b' ', rest).ok_or(HeadError::InvalidRequestLine)?;
    let version = parse_version(&rest[space + 1..])?;
    let target = &rest[..space];
    check_target(&method, target)?;
    Ok(RequestLine { method, target, version })
}

/// Reads `HTTP/1.0` or `HTTP/1.1`, the name being case-sensitive (RFC 9112, 2.3).
pub(crate) fn parse_version(version: &[u8]) -> Result<Version, HeadError> {
    match version {
        b"HTTP/1.1" => Ok(Version::HTTP_11),
        b"HTTP/1.0" => Ok(Version::HTTP_10),
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            Err(HeadError::UnsupportedVersion)
        }
        _ => Err(HeadError::InvalidVersion),
    }
}

fn check_target(method: &Method, target: &[u8]) -> Result<(), HeadError> {
    // No early return, so that the loop compiles to vector instructions. Bytes above 0x7f pass, as
    // in Traefik; the caller encodes or refuses them.
    let mut is_bad = target.is_empty();
    for &byte in target {
        is_bad |= byte <= b' ' || byte == 0x7f || byte == b'#';
    }
    let fits = match target {
        _ if is_bad => false,
        _ if *method == Method::CONNECT => is_valid_with_port(target),
        [b'/', ..] => true,
        // Traefik: lets `*` pass with other methods and answers 404.
        [b'*'] => *method == Method::OPTIONS,
        _ => is_absolute_form(target),
    };
    if fits { Ok(()) } else { Err(HeadError::InvalidTarget) }
}

/// Traefik: takes any scheme, user information and an empty host. Only `http` and `https` mean
/// something to a gateway, and the rest is what RFC 9110, 4.2.1 and 4.2.4 say to refuse.
fn is_absolute_form(target: &[u8]) -> bool {
    let after_scheme = match target.len() {
        length if length > 7 && target[..7].eq_ignore_ascii_case(b"http://") => &target[7..],
        length if length > 8 && target[..8].eq_ignore_ascii_case(b"https://") => &target[8..],
        _ => return false,
    };
    let end = memchr2(b'/', b'?', after_scheme).unwrap_or(after_scheme.len());
    is_valid_authority(&after_scheme[..end])
}

#[cfg(test)]
mod tests;
