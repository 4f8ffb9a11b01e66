//! Cookies of an authentication server that the client gets.

use http::header::{HeaderMap, HeaderValue, SET_COOKIE};

/// The cookies that one answer had and that are to be passed on.
pub(super) struct AuthCookies(Vec<HeaderValue>);

impl AuthCookies {
    /// Picks the cookies with one of `names`. `None` when nothing is to be done to the response.
    pub(super) fn new(answer: &HeaderMap, names: &[String]) -> Option<Self> {
        if names.is_empty() || !answer.contains_key(SET_COOKIE) {
            return None;
        }
        Some(Self(pick(answer, |name| names.iter().any(|wanted| wanted == name))))
    }

    /// Replaces a response's cookies with one of `names`. The others stay word for word (Traefik:
    /// writes them anew and loses attributes it does not know).
    pub(super) fn replace_in(&self, headers: &mut HeaderMap, names: &[String]) {
        let kept = pick(headers, |name| !names.iter().any(|wanted| wanted == name));
        headers.remove(SET_COOKIE);
        for cookie in kept.iter().chain(&self.0) {
            headers.append(SET_COOKIE, cookie.clone());
        }
    }
}

fn pick(headers: &HeaderMap, is_wanted: impl Fn(&str) -> bool) -> Vec<HeaderValue> {
    let cookies = headers.get_all(SET_COOKIE).iter();
    cookies.filter(|cookie| is_wanted(name_of(cookie))).cloned().collect()
}

/// The cookie's name; empty when there is none.
fn name_of(cookie: &HeaderValue) -> &str {
    let bytes = cookie.as_bytes();
    let equals = bytes.iter().position(|byte| *byte == b'=').unwrap_or(0);
    std::str::from_utf8(&bytes[..equals]).map_or("", str::trim)
}
