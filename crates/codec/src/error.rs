use std::fmt;

use http::StatusCode;

/// Why a head was refused.
///
/// The connection cannot be read any further: the caller answers with [`HeadError::status`] and
/// closes, or, for an upstream's response, closes the upstream connection and answers 502.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeadError {
    /// The peer speaks TLS on a plain connection.
    TlsClientHello,
    /// The peer speaks HTTP/2 with prior knowledge; the preface is still in the buffer.
    Http2Preface,
    /// More empty lines before the request line than RFC 9112, 2.2 asks to bear with.
    TooManyEmptyLines,
    /// The request line is not `method SP request-target SP version`.
    InvalidRequestLine,
    /// The method is not a token.
    InvalidMethod,
    /// The request-target is in no form that its method allows (RFC 9112, 3.2).
    InvalidTarget,
    /// The version is not `HTTP/` digit `.` digit.
    InvalidVersion,
    /// The version is well-formed, but neither 1.0 nor 1.1.
    UnsupportedVersion,
    /// The request line is longer than [`crate::Limits::request_line_bytes`].
    RequestLineTooLong,
    /// The status line is not `version SP 3DIGIT SP reason`.
    InvalidStatusLine,
    /// The head is longer than [`crate::Limits::head_bytes`].
    HeadTooLarge,
    /// There are more field lines than [`crate::Limits::fields`].
    TooManyFields,
    /// A CR is not followed by LF (RFC 9112, 2.2).
    BareCarriageReturn,
    /// A LF does not follow a CR.
    BareLineFeed,
    /// White space stands between the start line and the first field (RFC 9112, 2.2).
    WhitespaceBeforeFields,
    /// A field value goes on in the next line (RFC 9112, 5.2).
    ObsoleteFold,
    /// White space stands between a field name and its colon (RFC 9112, 5.1).
    SpaceBeforeColon,
    /// A field line has no colon.
    MissingColon,
    /// A field line starts with its colon.
    EmptyFieldName,
    /// A field name is not a token.
    InvalidFieldName,
    /// A field value has a control character.
    InvalidFieldValue,
    /// An HTTP/1.1 request has no Host (RFC 9112, 3.2).
    MissingHost,
    /// A request has several Hosts.
    RepeatedHost,
    /// Host is not `host[:port]` (RFC 9110, 7.2).
    InvalidHost,
    /// Content-Length is not a decimal number below 2^63.
    InvalidContentLength,
    /// There are several Content-Length fields, equal or not.
    RepeatedContentLength,
    /// Content-Length and Transfer-Encoding are both there (RFC 9112, 6.3).
    ContentLengthWithTransferEncoding,
    /// Transfer-Encoding is not exactly one `chunked`.
    InvalidTransferEncoding,
    /// Transfer-Encoding in an HTTP/1.0 message (RFC 9112, 6.1).
    TransferEncodingInHttp10,
    /// An interim response announces a body (RFC 9112, 6.1; RFC 9110, 8.6).
    BodyInInterimResponse,
    /// Expect asks for something else than `100-continue` (RFC 9110, 10.1.1).
    UnsupportedExpectation,
}

impl HeadError {
    /// The status that answers a request refused for this reason.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            // Traefik: 431 for this too; RFC 9112, 3 demands 414.
            HeadError::RequestLineTooLong => StatusCode::URI_TOO_LONG,
            HeadError::HeadTooLarge | HeadError::TooManyFields => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            // Traefik: serves every 1.x as 1.1.
            HeadError::UnsupportedVersion | HeadError::Http2Preface => {
                StatusCode::HTTP_VERSION_NOT_SUPPORTED
            }
            HeadError::UnsupportedExpectation => StatusCode::EXPECTATION_FAILED,
            // Traefik: 501 for an unknown transfer coding; here every fault of framing is a 400.
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Says in a few words what is wrong.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            HeadError::TlsClientHello => "connection: tls handshake on a plain connection",
            HeadError::Http2Preface => "connection: http/2 preface on an http/1.1 connection",
            HeadError::TooManyEmptyLines => "request line: too many empty lines before it",
            HeadError::InvalidRequestLine => "request line: malformed",
            HeadError::InvalidMethod => "method: not a token",
            HeadError::InvalidTarget => "request-target: malformed or not fit for the method",
            HeadError::InvalidVersion => "version: malformed",
            HeadError::UnsupportedVersion => "version: neither HTTP/1.0 nor HTTP/1.1",
            HeadError::RequestLineTooLong => "request line: too long",
            HeadError::InvalidStatusLine => "status line: malformed",
            HeadError::HeadTooLarge => "head: too large",
            HeadError::TooManyFields => "head: too many fields",
            HeadError::BareCarriageReturn => "head: carriage return without line feed",
            HeadError::BareLineFeed => "head: line feed without carriage return",
            HeadError::WhitespaceBeforeFields => "head: white space before the first field",
            HeadError::ObsoleteFold => "field: folded line",
            HeadError::SpaceBeforeColon => "field name: white space before the colon",
            HeadError::MissingColon => "field: no colon",
            HeadError::EmptyFieldName => "field name: empty",
            HeadError::InvalidFieldName => "field name: not a token",
            HeadError::InvalidFieldValue => "field value: control character",
            HeadError::MissingHost => "host: missing",
            HeadError::RepeatedHost => "host: repeated",
            HeadError::InvalidHost => "host: malformed",
            HeadError::InvalidContentLength => "content-length: not a number",
            HeadError::RepeatedContentLength => "content-length: repeated",
            HeadError::ContentLengthWithTransferEncoding => {
                "content-length: together with transfer-encoding"
            }
            HeadError::InvalidTransferEncoding => "transfer-encoding: not exactly one chunked",
            HeadError::TransferEncodingInHttp10 => "transfer-encoding: in an HTTP/1.0 message",
            HeadError::BodyInInterimResponse => "interim response: announces a body",
            HeadError::UnsupportedExpectation => "expect: not 100-continue",
        }
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl std::error::Error for HeadError {}

/// Why a chunked body was refused.
///
/// What was decoded before must not be passed on as a complete body, and both connections die.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyError {
    /// A chunk size is not made of hexadecimal digits, or something else follows it.
    InvalidChunkSize,
    /// A chunk size has more than 16 digits.
    ChunkSizeTooLarge,
    /// A chunk extension has a control character or a bare CR or LF.
    InvalidChunkExtension,
    /// The chunk extensions are together longer than [`crate::Limits::chunk_extension_bytes`].
    ChunkExtensionsTooLarge,
    /// The data of a chunk is not followed by CRLF.
    MissingChunkEnd,
    /// A trailer field is malformed.
    InvalidTrailer(HeadError),
    /// The trailer section is longer than [`crate::Limits::trailer_bytes`].
    TrailersTooLarge,
    /// There are more trailer fields than [`crate::Limits::trailer_fields`].
    TooManyTrailers,
}

impl BodyError {
    /// The status that answers a request whose body was refused, if no answer began yet.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            BodyError::TrailersTooLarge | BodyError::TooManyTrailers => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            BodyError::InvalidChunkSize => "chunk size: malformed",
            BodyError::ChunkSizeTooLarge => "chunk size: too large",
            BodyError::InvalidChunkExtension => "chunk extension: malformed",
            BodyError::ChunkExtensionsTooLarge => "chunk extensions: too large",
            BodyError::MissingChunkEnd => "chunk: no line end after its data",
            BodyError::InvalidTrailer(error) => return write!(formatter, "trailer: {error}"),
            BodyError::TrailersTooLarge => "trailers: too large",
            BodyError::TooManyTrailers => "trailers: too many fields",
        })
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            BodyError::InvalidTrailer(error) => Some(error),
            _ => None,
        }
    }
}
