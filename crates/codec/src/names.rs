//! hot path: the names that nearly every message has.
//!
//! `HeaderName::from_bytes` copies a name in lower case and then compares; for the names here one
//! comparison does (a third of the instructions, by `cargo xtask bench instructions`). To be removed
//! when the `http` crate is as fast.

use http::HeaderName;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, ACCEPT_RANGES, AUTHORIZATION, CACHE_CONTROL,
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, DATE, ETAG, EXPIRES, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED, LOCATION, ORIGIN, REFERER, SERVER, SET_COOKIE, USER_AGENT, VARY,
};

/// Gives the name that `name` spells in any case, if it is a frequent one.
#[inline]
pub(crate) fn known(name: &[u8]) -> Option<HeaderName> {
    let first = name.first()?.to_ascii_lowercase();
    let known = match (name.len(), first) {
        (4, b'd') => DATE,
        (4, b'e') => ETAG,
        (4, b'v') => VARY,
        (6, b'a') => ACCEPT,
        (6, b'c') => COOKIE,
        (6, b'o') => ORIGIN,
        (6, b's') => SERVER,
        (7, b'e') => EXPIRES,
        (7, b'r') => REFERER,
        (8, b'l') => LOCATION,
        (10, b's') => SET_COOKIE,
        (10, b'u') => USER_AGENT,
        (12, b'c') => CONTENT_TYPE,
        (13, b'a') => match name.get(7)? {
            b'r' | b'R' => ACCEPT_RANGES,
            _ => AUTHORIZATION,
        },
        (13, b'c') => CACHE_CONTROL,
        (13, b'i') => IF_NONE_MATCH,
        (13, b'l') => LAST_MODIFIED,
        (14, b'c') => CONTENT_LENGTH,
        (15, b'a') => match name.get(7)? {
            b'e' | b'E' => ACCEPT_ENCODING,
            _ => ACCEPT_LANGUAGE,
        },
        (16, b'c') => CONTENT_ENCODING,
        (17, b'i') => IF_MODIFIED_SINCE,
        _ => return None,
    };
    name.eq_ignore_ascii_case(known.as_str().as_bytes()).then_some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, is_known: bool) {
        let expected = HeaderName::from_bytes(name.as_bytes()).expect("a valid name");
        for spelled in [name.to_owned(), name.to_uppercase()] {
            let found = known(spelled.as_bytes());
            assert_eq!(found, is_known.then(|| expected.clone()), "{spelled}");
        }
    }

    #[test]
    fn frequent_names_are_known_in_any_case() {
        for name in [
            "accept",
            "accept-encoding",
            "accept-language",
            "accept-ranges",
            "authorization",
            "cache-control",
            "content-encoding",
            "content-length",
            "content-type",
            "cookie",
            "date",
            "etag",
            "expires",
            "if-modified-since",
            "if-none-match",
            "last-modified",
            "location",
            "origin",
            "referer",
            "server",
            "set-cookie",
            "user-agent",
            "vary",
        ] {
            check(name, true);
        }
    }

    #[test]
    fn others_of_the_same_length_and_letter_are_not() {
        for name in
            ["dare", "x-real-ip", "accept-charsets", "accept-ranger", "a", "content-lengths"]
        {
            check(name, false);
        }
    }
}
