//! hot path: response heads (RFC 9112, 4).

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Version};

use crate::error::HeadError;
use crate::facts::Facts;
use crate::fields::parse_fields;
use crate::head::{BodyLength, ResponseHead};
use crate::request::parse_version;

/// Parses a whole head whose lines all end in CRLF, the first after `line_length` bytes.
pub(crate) fn parse(
    head: &Bytes,
    line_length: usize,
    request_method: &Method,
    mut headers: HeaderMap,
) -> Result<ResponseHead, HeadError> {
    let (version, status) = parse_line(&head[..line_length.saturating_sub(2)])?;
    let mut facts = Facts::default();
    parse_fields(head, line_length, &mut headers, |name, value| facts.note_response(name, value))?;

    let is_switching = status == StatusCode::SWITCHING_PROTOCOLS;
    let is_tunnel = is_switching || (*request_method == Method::CONNECT && status.is_success());
    // What 101 announces is no framing: some servers write a Content-Length or chunked there.
    if !is_tunnel {
        facts.check_framing(version)?;
    }
    let announces_body = facts.is_chunked || facts.content_length.is_some_and(|length| length > 0);
    if status.is_informational() && !is_switching && announces_body {
        return Err(HeadError::BodyInInterimResponse);
    }
    let body = body_length(&facts, status, is_tunnel, request_method);
    // A 204 that announces a body is likely to be followed by one, which nobody may take for the
    // next response.
    let is_contradictory = status == StatusCode::NO_CONTENT && announces_body;
    Ok(ResponseHead {
        status,
        version,
        headers,
        has_hop_fields: facts.has_hop_fields,
        body,
        keep_alive: !is_tunnel
            && !is_contradictory
            && body != BodyLength::UntilClose
            && facts.keeps_alive(version),
        upgrade: is_tunnel,
    })
}

/// Reports the fault of a status line, without its CRLF, while the rest of the head is missing.
pub(crate) fn check_line(line: &[u8]) -> Result<(), HeadError> {
    parse_line(line).map(|_| ())
}

/// The steps of RFC 9112, 6.3, in their order.
fn body_length(
    facts: &Facts,
    status: StatusCode,
    is_tunnel: bool,
    request_method: &Method,
) -> BodyLength {
    let has_no_body = is_tunnel
        || *request_method == Method::HEAD
        || status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED;
    match facts.content_length {
        _ if has_no_body => BodyLength::None,
        _ if facts.is_chunked => BodyLength::Chunked,
        Some(length) => BodyLength::Fixed(length),
        None => BodyLength::UntilClose,
    }
}

fn parse_line(line: &[u8]) -> Result<(Version, StatusCode), HeadError> {
    let (version, rest) = line.split_at_checked(8).ok_or(HeadError::InvalidStatusLine)?;
    let version = parse_version(version).map_err(|error| match error {
        HeadError::UnsupportedVersion => error,
        _ => HeadError::InvalidStatusLine,
    })?;
    // Servers often leave out the space before an empty reason phrase.
    let (code, reason) = match rest {
        [b' ', code @ ..] if code.len() == 3 => (code, &[][..]),
        [b' ', a, b, c, b' ', reason @ ..] => (&[*a, *b, *c][..], reason),
        _ => return Err(HeadError::InvalidStatusLine),
    };
    let is_text = |&byte: &u8| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
    if !reason.iter().all(is_text) {
        return Err(HeadError::InvalidStatusLine);
    }
    // `StatusCode` takes three digits from 100 to 999.
    let status = StatusCode::from_bytes(code).map_err(|_| HeadError::InvalidStatusLine)?;
    Ok((version, status))
}

#[cfg(test)]
mod tests;
