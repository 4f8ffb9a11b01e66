//! hot path: the chunked transfer coding, reading side (RFC 9112, 7.1).

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;

use crate::error::{BodyError, HeadError};
use crate::facts::Keep;
use crate::fields::parse_fields;
use crate::limits::Limits;
use crate::scan::{ScanError, SectionScanner};

/// What a call of [`ChunkedDecoder::decode`] found.
#[derive(Debug)]
pub enum Decoded {
    /// Data of the body, never empty, in the allocation of the buffer it was read from.
    Data(Bytes),
    /// Everything in the buffer is used up, or is the start of the trailer section.
    NeedMore,
    /// The body is whole. The trailers are those that may be passed on, `None` if there are none.
    End(Option<HeaderMap>),
}

/// Decodes one chunked body.
///
/// Only the grammar is accepted: no white space after a size, no bare LF, no sign, no `0x`. It can
/// be interrupted at every byte, and never looks at a byte of data.
#[derive(Debug)]
pub struct ChunkedDecoder {
    state: State,
    /// Of the current chunk: the size read so far, then the bytes of data that are missing.
    remaining: u64,
    extension_bytes_left: usize,
    trailer_bytes: usize,
    trailer_fields: usize,
    trailer_scanner: SectionScanner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the digits of a size, so many of them read.
    Size(u8),
    /// In white space between a size and its extension.
    BeforeExtension,
    Extension,
    /// After the CR of the line with the size.
    SizeLineFeed,
    Data,
    /// After the data.
    DataCarriageReturn,
    DataLineFeed,
    Trailers,
    Done,
}

impl ChunkedDecoder {
    /// Starts a body.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        ChunkedDecoder {
            state: State::Size(0),
            remaining: 0,
            extension_bytes_left: limits.chunk_extension_bytes,
            trailer_bytes: limits.trailer_bytes,
            trailer_fields: limits.trailer_fields,
            trailer_scanner: SectionScanner::default(),
        }
    }

    /// Takes the next piece of the body out of `buffer`.
    ///
    /// After `NeedMore` the caller appends to the buffer and calls again. After `End` what is left
    /// in the buffer belongs to the next message. After an error the buffer is of no use.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Decoded, BodyError> {
        loop {
            match self.state {
                State::Data if buffer.is_empty() => return Ok(Decoded::NeedMore),
                State::Data => return Ok(Decoded::Data(self.take_data(buffer))),
                State::Trailers => return self.take_trailers(buffer),
                State::Done => return Ok(Decoded::End(None)),
                _ => {
                    if !self.take_framing(buffer)? {
                        return Ok(Decoded::NeedMore);
                    }
                }
            }
        }
    }

    /// Says whether the end of the body was reached. A connection that closes earlier cut it off.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    fn take_data(&mut self, buffer: &mut BytesMut) -> Bytes {
        debug_assert!(self.remaining > 0, "an empty chunk is the last");
        let available = usize::try_from(self.remaining)
            .map_or(buffer.len(), |remaining| remaining.min(buffer.len()));
        self.remaining -= available as u64;
        if self.remaining == 0 {
            self.state = State::DataCarriageReturn;
        }
        buffer.split_to(available).freeze()
    }

    /// Reads over what stands between data. Returns false if the buffer ended in it.
    fn take_framing(&mut self, buffer: &mut BytesMut) -> Result<bool, BodyError> {
        let mut used = 0;
        let mut is_over = false;
        for &byte in buffer.iter() {
            used += 1;
            self.state = self.step(byte)?;
            if matches!(self.state, State::Data | State::Trailers) {
                is_over = true;
                break;
            }
        }
        buffer.advance(used);
        Ok(is_over)
    }

    #[inline]
    fn step(&mut self, byte: u8) -> Result<State, BodyError> {
        match (self.state, byte) {
            (State::Size(digits), _) => self.step_size(digits, byte),
            (State::SizeLineFeed, b'\n') if self.remaining == 0 => Ok(State::Trailers),
            (State::SizeLineFeed, b'\n') => Ok(State::Data),
            (State::SizeLineFeed, _) => Err(BodyError::InvalidChunkSize),
            (State::DataCarriageReturn, b'\r') => Ok(State::DataLineFeed),
            (State::DataLineFeed, b'\n') => {
                self.remaining = 0;
                Ok(State::Size(0))
            }
            (State::BeforeExtension | State::Extension, _) => self.step_extension(byte),
            _ => Err(BodyError::MissingChunkEnd),
        }
    }

    #[inline]
    fn step_size(&mut self, digits: u8, byte: u8) -> Result<State, BodyError> {
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ if digits == 0 => return Err(BodyError::InvalidChunkSize),
            b'\r' => return Ok(State::SizeLineFeed),
            b';' | b' ' | b'\t' => {
                self.state = State::BeforeExtension;
                return self.step_extension(byte);
            }
            _ => return Err(BodyError::InvalidChunkSize),
        };
        if digits == SIZE_DIGITS_MAX {
            return Err(BodyError::ChunkSizeTooLarge);
        }
        self.remaining = self.remaining << 4 | u64::from(value);
        Ok(State::Size(digits + 1))
    }

    /// An extension is read over up to its line end; of its grammar only what matters to framing is
    /// held, which is that it starts with a semicolon and has no control character.
    fn step_extension(&mut self, byte: u8) -> Result<State, BodyError> {
        self.extension_bytes_left =
            self.extension_bytes_left.checked_sub(1).ok_or(BodyError::ChunkExtensionsTooLarge)?;
        match (self.state, byte) {
            (State::BeforeExtension, b' ' | b'\t') => Ok(State::BeforeExtension),
            (State::BeforeExtension, b';') => Ok(State::Extension),
            (State::BeforeExtension, _) => Err(BodyError::InvalidChunkSize),
            (_, b'\r') => Ok(State::SizeLineFeed),
            (_, b'\t' | b' '..=b'~' | 0x80..) => Ok(State::Extension),
            _ => Err(BodyError::InvalidChunkExtension),
        }
    }

    fn take_trailers(&mut self, buffer: &mut BytesMut) -> Result<Decoded, BodyError> {
        let end = self
            .trailer_scanner
            .find_end(buffer, self.trailer_bytes, self.trailer_fields)
            .map_err(|error| match error {
                ScanError::BareLineFeed => BodyError::InvalidTrailer(HeadError::BareLineFeed),
                ScanError::TooManyLines => BodyError::TooManyTrailers,
                ScanError::TooLarge => BodyError::TrailersTooLarge,
            })?;
        let Some(end) = end else {
            return Ok(Decoded::NeedMore);
        };
        let section = buffer.split_to(end).freeze();
        self.state = State::Done;
        // Trailers are rare, so their map is the one thing allocated here.
        let mut trailers = HeaderMap::new();
        parse_fields(&section, 0, &mut trailers, |name, _| {
            Ok(if is_forbidden_trailer(name) { Keep::No } else { Keep::Yes })
        })
        .map_err(BodyError::InvalidTrailer)?;
        Ok(Decoded::End((!trailers.is_empty()).then_some(trailers)))
    }
}

/// Says whether a field may not come in a trailer section (RFC 9110, 6.5.1), in any case.
///
/// These are the fields of framing, routing, request modifiers, authentication, response control
/// and content description. As a proxy acts on them before a trailer can arrive, one that came late
/// would be believed by the next server only.
#[must_use]
pub fn is_forbidden_trailer(name: &[u8]) -> bool {
    FORBIDDEN_TRAILERS.iter().any(|forbidden| name.eq_ignore_ascii_case(forbidden))
        || name.get(..12).is_some_and(|start| start.eq_ignore_ascii_case(b"x-forwarded-"))
}

/// Enough for every number below 2^64.
const SIZE_DIGITS_MAX: u8 = 16;

static FORBIDDEN_TRAILERS: [&[u8]; 42] = [
    b"age",
    b"authorization",
    b"cache-control",
    b"connection",
    b"content-encoding",
    b"content-length",
    b"content-range",
    b"content-type",
    b"cookie",
    b"date",
    b"expect",
    b"expires",
    b"forwarded",
    b"host",
    b"if-match",
    b"if-modified-since",
    b"if-none-match",
    b"if-range",
    b"if-unmodified-since",
    b"keep-alive",
    b"location",
    b"max-forwards",
    b"pragma",
    b"proxy-authenticate",
    b"proxy-authentication-info",
    b"proxy-authorization",
    b"proxy-connection",
    b"range",
    b"retry-after",
    b"set-cookie",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"vary",
    b"via",
    b"warning",
    b"www-authenticate",
    b"x-http-method-override",
    b"x-original-url",
    b"x-real-ip",
    b"x-rewrite-url",
];

#[cfg(test)]
mod tests;
