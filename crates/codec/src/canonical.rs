//! hot path: field names as Go writes them, because that is what servers behind Traefik see.

use bytes::BytesMut;
use http::HeaderName;

/// Appends `name` in the canonical case of Go's `net/textproto`.
///
/// The first letter and each letter after a hyphen are upper case, all else is lower case: `Etag`,
/// `Te`, `Www-Authenticate`, `X-Xss-Protection`, `Sec-Websocket-Accept`.
#[inline]
pub fn put_canonical_name(out: &mut BytesMut, name: &HeaderName) {
    let start = out.len();
    out.extend_from_slice(name.as_str().as_bytes());
    let written = &mut out[start..];
    let mut upper = true;
    for byte in written.iter_mut() {
        if upper {
            byte.make_ascii_uppercase();
        }
        upper = *byte == b'-';
    }
}

/// Appends `name` as [`put_canonical_name`] does, but for the five WebSocket fields of RFC 6455:
/// like Traefik towards servers they get a capital S, since some servers compare them byte by byte.
#[inline]
pub(crate) fn put_request_name(out: &mut BytesMut, name: &HeaderName) {
    let start = out.len();
    put_canonical_name(out, name);
    let name = name.as_str().as_bytes();
    if let Some(field) = name.strip_prefix(b"sec-websocket-")
        && matches!(field, b"key" | b"version" | b"protocol" | b"extensions" | b"accept")
    {
        out[start + 7] = b'S';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_as(put: fn(&mut BytesMut, &HeaderName), name: &str, expected: &str) {
        let mut out = BytesMut::from("before ");
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a valid name");
        put(&mut out, &name);
        assert_eq!(out, format!("before {expected}").as_bytes());
    }

    #[track_caller]
    fn check(name: &str, expected: &str) {
        check_as(put_canonical_name, name, expected);
        check_as(put_request_name, name, expected);
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
    fn websocket_fields_have_a_capital_s_towards_servers_only() {
        for field in ["Key", "Version", "Protocol", "Extensions", "Accept"] {
            let (here, there) =
                (format!("Sec-Websocket-{field}"), format!("Sec-WebSocket-{field}"));
            check_as(put_canonical_name, &here, &here);
            check_as(put_request_name, &here, &there);
        }
        check("sec-websocket-other", "Sec-Websocket-Other");
    }
}
