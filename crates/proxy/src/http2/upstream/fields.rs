//! Header fields that HTTP/2 has no room for.

use codec::is_forbidden_trailer;
use http::HeaderMap;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TE, TRANSFER_ENCODING, UPGRADE};

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

/// Takes off what trailers must not hold (RFC 9110, 6.5.1): what came late would be believed by the
/// next hop only.
pub(super) fn strip_trailers(trailers: &mut HeaderMap) {
    let is_forbidden = |name: &&HeaderName| is_forbidden_trailer(name.as_str().as_bytes());
    let forbidden: Vec<HeaderName> = trailers.keys().filter(is_forbidden).cloned().collect();
    for name in forbidden {
        trailers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn map(names: &[&'static str]) -> HeaderMap {
        let field =
            |name: &&'static str| (HeaderName::from_static(name), HeaderValue::from_static("x"));
        names.iter().map(field).collect()
    }

    fn check(strip: fn(&mut HeaderMap), left: &[&'static str], taken: &[&'static str]) {
        let mut headers = map(&[left, taken].concat());
        strip(&mut headers);
        assert_eq!(headers, map(left));
    }

    #[test]
    fn heads_lose_what_http2_says_otherwise() {
        let taken = [
            "connection",
            "content-length",
            "host",
            "keep-alive",
            "proxy-connection",
            "te",
            "transfer-encoding",
            "upgrade",
        ];
        check(strip_framing, &["accept", "expect", "x-forwarded-for", "cookie"], &taken);
    }

    #[test]
    fn trailers_lose_what_a_server_would_act_on() {
        let taken = ["authorization", "connection", "content-length", "te", "x-forwarded-for"];
        check(strip_trailers, &["grpc-status", "x-sum"], &taken);
    }
}
