//! hot path: heads as values, and the reader that takes them out of a connection's buffer.

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};

use crate::error::HeadError;
use crate::limits::Limits;
use crate::scan::{ScanError, SectionScanner};
use crate::token::is_token;
use crate::{request, response};

/// How the end of a body is found (RFC 9112, 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyLength {
    /// There is no body, and the head announces none: a request without framing fields, or a
    /// response that has no body by its nature (to HEAD, 1xx, 204, 304).
    None,
    /// That many bytes follow. `Fixed(0)` is an explicit `Content-Length: 0`.
    Fixed(u64),
    /// Chunks follow; see [`crate::ChunkedDecoder`].
    Chunked,
    /// All bytes until the upstream closes. In responses only.
    UntilClose,
}

impl BodyLength {
    /// Says that no byte of body follows the head.
    #[must_use]
    pub fn is_empty(self) -> bool {
        matches!(self, BodyLength::None | BodyLength::Fixed(0))
    }

    /// The framing to use toward a client of that version.
    ///
    /// HTTP/1.0 knows no chunks, so such a body ends with the connection. The body must then be
    /// written without chunk heads, and the connection closed after it.
    #[must_use]
    pub fn for_version(self, version: Version) -> BodyLength {
        match self {
            BodyLength::Chunked if version == Version::HTTP_10 => BodyLength::UntilClose,
            other => other,
        }
    }
}

/// The head of a request whose framing has one reading only.
#[derive(Debug)]
pub struct RequestHead {
    /// The method, case kept.
    pub method: Method,
    /// The raw request-target: origin-form, absolute-form with `http` or `https`, authority-form
    /// with CONNECT, or `*` with OPTIONS. It has no control character, no space and no `#`, but may
    /// have bytes above 0x7f.
    pub target: Bytes,
    /// `HTTP_10` or `HTTP_11`.
    pub version: Version,
    /// The value of the Host field; always there in HTTP/1.1.
    pub host: Option<HeaderValue>,
    /// The other fields, in the order of their first occurrence. Those whose meaning the head tells
    /// are left out: Content-Length, Transfer-Encoding, and a Connection that says nothing but
    /// `close` or `keep-alive`.
    pub headers: HeaderMap,
    /// Whether `headers` has fields that belong to the connection (RFC 9110, 7.6.1) or to its
    /// proxies: Connection, Keep-Alive, Proxy-Authenticate, Proxy-Authorization, Proxy-Connection,
    /// TE, Trailer, Upgrade.
    pub has_hop_fields: bool,
    /// Never `UntilClose`.
    pub body: BodyLength,
    /// Whether the client wants the connection to go on (RFC 9112, 9.3).
    pub keep_alive: bool,
    /// Whether the client waits for 100 before it sends its body. False without a body and in
    /// HTTP/1.0 (RFC 9110, 10.1.1).
    pub expects_continue: bool,
    /// Whether the client offers to switch protocols: HTTP/1.1 with `Connection: upgrade` and an
    /// Upgrade field (RFC 9110, 7.8).
    pub upgrade: bool,
}

/// The head of a response whose framing has one reading only.
#[derive(Debug)]
pub struct ResponseHead {
    /// The status. The reason phrase is read over (RFC 9112, 4).
    pub status: StatusCode,
    /// `HTTP_10` or `HTTP_11`.
    pub version: Version,
    /// The fields, in the order of their first occurrence, without Transfer-Encoding and without a
    /// Connection that says nothing but `close` or `keep-alive`. The Content-Length is here, that of
    /// a response to HEAD too, although `body` is `None`.
    pub headers: HeaderMap,
    /// As [`RequestHead::has_hop_fields`].
    pub has_hop_fields: bool,
    /// `None` for 1xx, 204, 304, responses to HEAD and 2xx to CONNECT, whatever they announce.
    pub body: BodyLength,
    /// Whether the upstream connection may serve another request once the body is read to its end.
    pub keep_alive: bool,
    /// Whether the connection is a tunnel from here on: 101, and 2xx to CONNECT.
    pub upgrade: bool,
}

/// Reads the heads of one connection and direction.
///
/// It remembers how far it looked, so that a head which arrives byte by byte costs linear time, and
/// it keeps the recycled map while a head is incomplete. Between two calls for the same head the
/// caller appends to the buffer and does nothing else to it.
///
/// Names and values of a head share the buffer's allocation. To let the buffer reuse that memory,
/// drop the head or clear its map before the next read into the buffer.
#[derive(Debug)]
pub struct HeadReader {
    limits: Limits,
    scanner: SectionScanner,
    empty_lines: u8,
    is_start_line_checked: bool,
    spare: HeaderMap,
}

impl HeadReader {
    /// Starts a connection.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        HeadReader {
            limits,
            scanner: SectionScanner::default(),
            empty_lines: 0,
            is_start_line_checked: false,
            spare: HeaderMap::new(),
        }
    }

    /// Takes the next request head out of `buffer`, or returns `None` while it is incomplete.
    ///
    /// `recycled` is cleared and reused. Faults of the request line are reported as soon as the
    /// line is there. After [`HeadError::Http2Preface`] the preface is still in the buffer; after
    /// any other error the content of the buffer is of no use.
    pub fn read_request(
        &mut self,
        buffer: &mut BytesMut,
        recycled: HeaderMap,
    ) -> Result<Option<RequestHead>, HeadError> {
        self.keep(recycled);
        self.skip_empty_lines(buffer)?;
        match buffer.first() {
            None => return Ok(None),
            // RFC 8446, 5.1: the record type of a handshake.
            Some(0x16) => return Err(HeadError::TlsClientHello),
            Some(&first) if first != b'\r' && first != b'\n' && !is_token(first) => {
                return Err(HeadError::InvalidMethod);
            }
            Some(_) => {}
        }
        if buffer.starts_with(HTTP2_PREFACE) {
            return Err(HeadError::Http2Preface);
        }
        let Some(length) = self.find_end(buffer)? else {
            self.check_start_line(buffer, request::check_line)?;
            let unfinished_line = self.scanner.first_line_end() == 0;
            if unfinished_line && buffer.len() > self.limits.request_line_bytes {
                return Err(HeadError::RequestLineTooLong);
            }
            return Ok(None);
        };
        let line_length = self.scanner.first_line_end();
        if line_length > self.limits.request_line_bytes {
            return Err(HeadError::RequestLineTooLong);
        }
        self.restart();
        let head = buffer.split_to(length).freeze();
        request::parse(&head, line_length, std::mem::take(&mut self.spare)).map(Some)
    }

    /// Takes the next response head out of `buffer`, or returns `None` while it is incomplete.
    ///
    /// Interim responses (1xx) are returned like others; the caller reads on. `request_method` is
    /// the method of the request that is answered.
    pub fn read_response(
        &mut self,
        buffer: &mut BytesMut,
        request_method: &Method,
        recycled: HeaderMap,
    ) -> Result<Option<ResponseHead>, HeadError> {
        self.keep(recycled);
        let found = self.find_end(buffer).map_err(|error| match error {
            HeadError::RequestLineTooLong => HeadError::HeadTooLarge,
            other => other,
        })?;
        let Some(length) = found else {
            self.check_start_line(buffer, response::check_line)?;
            return Ok(None);
        };
        let line_length = self.scanner.first_line_end();
        self.restart();
        let head = buffer.split_to(length).freeze();
        let headers = std::mem::take(&mut self.spare);
        response::parse(&head, line_length, request_method, headers).map(Some)
    }

    fn keep(&mut self, mut recycled: HeaderMap) {
        if (1..=RECYCLED_CAPACITY_MAX).contains(&recycled.capacity()) {
            recycled.clear();
            self.spare = recycled;
        }
    }

    fn restart(&mut self) {
        self.scanner = SectionScanner::default();
        self.empty_lines = 0;
        self.is_start_line_checked = false;
    }

    fn find_end(&mut self, buffer: &[u8]) -> Result<Option<usize>, HeadError> {
        let lines_max = self.limits.fields.saturating_add(1);
        self.scanner.find_end(buffer, self.limits.head_bytes, lines_max).map_err(
            |error| match error {
                ScanError::BareLineFeed => HeadError::BareLineFeed,
                ScanError::TooManyLines => HeadError::TooManyFields,
                ScanError::TooLarge if self.scanner.first_line_end() == 0 => {
                    HeadError::RequestLineTooLong
                }
                ScanError::TooLarge => HeadError::HeadTooLarge,
            },
        )
    }

    /// RFC 9112, 2.2: an empty line before a request line is ignored. They are taken out at once,
    /// so that an idle connection has an empty buffer.
    fn skip_empty_lines(&mut self, buffer: &mut BytesMut) -> Result<(), HeadError> {
        while buffer.starts_with(b"\r\n") {
            if self.empty_lines == EMPTY_LINES_MAX {
                return Err(HeadError::TooManyEmptyLines);
            }
            self.empty_lines += 1;
            self.scanner = SectionScanner::default();
            buffer.advance(2);
        }
        Ok(())
    }

    /// Answers a peer that waits for its wrong start line to be refused, such as an HTTP/0.9
    /// client.
    #[cold]
    fn check_start_line(
        &mut self,
        buffer: &[u8],
        check: fn(&[u8]) -> Result<(), HeadError>,
    ) -> Result<(), HeadError> {
        let length = self.scanner.first_line_end();
        if length == 0 || self.is_start_line_checked {
            return Ok(());
        }
        self.is_start_line_checked = true;
        check(&buffer[..length - 2])
    }
}

/// Reads one request head without keeping anything between calls.
///
/// While the head is incomplete each call looks at it from its start and drops `recycled`: a
/// connection that may be dripped on wants a [`HeadReader`].
pub fn parse_request(
    buffer: &mut BytesMut,
    limits: &Limits,
    recycled: HeaderMap,
) -> Result<Option<RequestHead>, HeadError> {
    HeadReader::new(*limits).read_request(buffer, recycled)
}

/// Reads one response head without keeping anything between calls; see [`parse_request`].
pub fn parse_response(
    buffer: &mut BytesMut,
    request_method: &Method,
    limits: &Limits,
    recycled: HeaderMap,
) -> Result<Option<ResponseHead>, HeadError> {
    HeadReader::new(*limits).read_response(buffer, request_method, recycled)
}

/// The part of the preface that looks like HTTP/1 (RFC 9113, 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";

/// Empty lines before a request line. Old clients send one after a POST; some more do no harm.
const EMPTY_LINES_MAX: u8 = 4;

/// A map that grew beyond this is not reused: clearing it for each request would cost more than a
/// new one.
const RECYCLED_CAPACITY_MAX: usize = 256;

#[cfg(test)]
mod tests;
