//! hot path: field lines (RFC 9112, 5) into a [`HeaderMap`].
//!
//! Values are slices of the section's own allocation. Names that the `http` crate does not know
//! cost one small allocation each, inside that crate.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::memchr;

use crate::error::HeadError;
use crate::facts::Keep;
use crate::names;
use crate::token::{token_length, trim_whitespace};

/// Appends to `headers` the fields of `section` from `start` on.
///
/// `section` ends with an empty line, and each of its lines ends in CRLF; the scanner saw to that.
/// `accept` sees the name and the trimmed value of each field and says whether it is kept; a field
/// that is not kept must be valid all the same. Returns the value that it took for the Host.
#[inline]
pub(crate) fn parse_fields(
    section: &Bytes,
    start: usize,
    headers: &mut HeaderMap,
    mut accept: impl FnMut(&[u8], &[u8]) -> Result<Keep, HeadError>,
) -> Result<Option<HeaderValue>, HeadError> {
    let bytes = &section[..];
    let mut host = None;
    let mut position = start;
    loop {
        let line = &bytes[position..];
        if matches!(line, [] | [b'\r', b'\n', ..]) {
            return Ok(host);
        }
        let name_length = token_length(line);
        if name_length == 0 || line.get(name_length) != Some(&b':') {
            return Err(name_fault(line, name_length, position == start));
        }
        let name = &line[..name_length];
        let after_colon = &line[name_length + 1..];
        let line_feed = memchr(b'\n', after_colon).ok_or(HeadError::BareCarriageReturn)?;
        let value = trim_whitespace(&after_colon[..line_feed.saturating_sub(1)]);
        position += name_length + 1 + line_feed + 1;
        match accept(name, value)? {
            Keep::Yes => append(headers, name, value, section.slice_ref(value))?,
            Keep::AsHost => {
                let shared = HeaderValue::from_maybe_shared(section.slice_ref(value));
                host = Some(shared.map_err(|_| value_fault(value))?);
            }
            Keep::No if !value.iter().all(|&byte| is_value(byte)) => {
                return Err(value_fault(value));
            }
            Keep::No => {}
        }
    }
}

#[inline]
fn append(
    headers: &mut HeaderMap,
    name: &[u8],
    value: &[u8],
    shared: Bytes,
) -> Result<(), HeadError> {
    // A name that is a token is refused by the `http` crate only for being 64 KiB long.
    let name = match names::known(name) {
        Some(name) => name,
        None => HeaderName::from_bytes(name).map_err(|_| HeadError::HeadTooLarge)?,
    };
    // This looks at each byte of the value, in a loop that compiles to vector instructions.
    let value = HeaderValue::from_maybe_shared(shared).map_err(|_| value_fault(value))?;
    headers.try_append(name, value).map_err(|_| HeadError::TooManyFields)?;
    Ok(())
}

/// RFC 9110, 5.5: visible characters, blanks and bytes above 0x7f.
#[inline]
fn is_value(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

#[cold]
fn name_fault(line: &[u8], name_length: usize, is_first: bool) -> HeadError {
    let after_name = &line[name_length..];
    let after_blank = trim_whitespace_start(after_name);
    let has_blank = after_blank.len() != after_name.len();
    match after_blank.first() {
        _ if has_blank && name_length == 0 && is_first => HeadError::WhitespaceBeforeFields,
        _ if has_blank && name_length == 0 => HeadError::ObsoleteFold,
        Some(b':') if has_blank => HeadError::SpaceBeforeColon,
        Some(b':') => HeadError::EmptyFieldName,
        Some(b'\r') if after_blank.get(1) == Some(&b'\n') => HeadError::MissingColon,
        Some(b'\r') => HeadError::BareCarriageReturn,
        _ => HeadError::InvalidFieldName,
    }
}

#[cold]
fn value_fault(value: &[u8]) -> HeadError {
    if memchr(b'\r', value).is_some() {
        HeadError::BareCarriageReturn
    } else {
        HeadError::InvalidFieldValue
    }
}

fn trim_whitespace_start(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}
