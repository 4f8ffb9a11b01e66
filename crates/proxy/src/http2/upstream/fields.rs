//! Header fields that HTTP/2 has no room for.

use http::HeaderMap;
use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Takes off what belongs to a connection (RFC 9113, 8.2.2) and what a message's head says
/// otherwise: host and length.
pub(super) fn strip_framing(headers: &mut HeaderMap) {
    for name in [
        &CONNECTION,
        &CONTENT_LENGTH,
        &HOST,
        &KEEP_ALIVE,
        &PROXY_CONNECTION,
        &TE,
        &TRANSFER_ENCODING,
        &UPGRADE,
    ] {
        if headers.contains_key(name) {
            headers.remove(name);
        }
    }
}

/// Takes off what trailers must not hold (RFC 9110, 6.5.1).
pub(super) fn strip_trailers(trailers: &mut HeaderMap) {
    strip_framing(trailers);
    trailers.remove(TRAILER);
}
