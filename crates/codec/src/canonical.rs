//! hot path: field names as Go writes them, because that is what servers behind Traefik see.

use bytes::BytesMut;
use http::HeaderName;

/// Appends `name` in the canonical case of Go's `net/textproto`.
///
/// The first letter and each letter after a hyphen are upper case, all else is lower case: `Etag`,
/// `Te`, `Www-Authenticate`, `X-Xss-Protection`. Like Traefik it writes the five WebSocket fields
/// of RFC 6455 with a capital S, since some servers compare them byte by byte.
#[inline]
pub fn put_canonical_name(out: &mut BytesMut, name: &HeaderName) {
    let name = name.as_str().as_bytes();
    let start = out.len();
    out.extend_from_slice(name);
    let written = &mut out[start..];
    let mut upper = true;
    for byte in written.iter_mut() {
        if upper {
            byte.make_ascii_uppercase();
        }
        upper = *byte == b'-';
    }
    if let Some(field) = name.strip_prefix(b"sec-websocket-")
        && matches!(field, b"key" | b"version" | b"protocol" | b"extensions" | b"accept")
    {
        written[7] = b'S';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: &str) {
        let mut out = BytesMut::new();
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a valid name");
        put_canonical_name(&mut out, &name);
        assert_eq!(out, expected.as_bytes());
    }

    #[test]
    fn first_letters_are_capitals() {
        check("host", "Host");
        check("CONTENT-LENGTH", "Content-Length");
        check("etag", "Etag");
        check("te", "Te");
        check("www-authenticate", "Www-Authenticate");
        check("x-xss-protection", "X-Xss-Protection");
        check("x-real-ip", "X-Real-Ip");
        check("dnt", "Dnt");
        check("x_under_score", "X_under_score");
        check("a--b", "A--B");
        check("-a-", "-A-");
        check("1a-2b", "1a-2b");
    }

    #[test]
    fn websocket_fields_have_a_capital_s() {
        check("sec-websocket-key", "Sec-WebSocket-Key");
        check("sec-websocket-version", "Sec-WebSocket-Version");
        check("sec-websocket-protocol", "Sec-WebSocket-Protocol");
        check("sec-websocket-extensions", "Sec-WebSocket-Extensions");
        check("sec-websocket-accept", "Sec-WebSocket-Accept");
        check("sec-websocket-other", "Sec-Websocket-Other");
    }
}
