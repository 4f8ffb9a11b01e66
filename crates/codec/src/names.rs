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

/// Gives the name that `name`, a token, spells in any case, if it is a frequent one.
#[inline]
pub(crate) fn known(name: &[u8]) -> Option<HeaderName> {
    let first = name.first()? | 0x20;
    Some(match (name.len(), first) {
        (4, b'd') if spells(name, b"date") => DATE,
        (4, b'e') if spells(name, b"etag") => ETAG,
        (4, b'v') if spells(name, b"vary") => VARY,
        (6, b'a') if spells(name, b"accept") => ACCEPT,
        (6, b'c') if spells(name, b"cookie") => COOKIE,
        (6, b'o') if spells(name, b"origin") => ORIGIN,
        (6, b's') if spells(name, b"server") => SERVER,
        (7, b'e') if spells(name, b"expires") => EXPIRES,
        (7, b'r') if spells(name, b"referer") => REFERER,
        (8, b'l') if spells(name, b"location") => LOCATION,
        (10, b's') if spells(name, b"set-cookie") => SET_COOKIE,
        (10, b'u') if spells(name, b"user-agent") => USER_AGENT,
        (12, b'c') if spells(name, b"content-type") => CONTENT_TYPE,
        (13, b'a') if spells(name, b"accept-ranges") => ACCEPT_RANGES,
        (13, b'a') if spells(name, b"authorization") => AUTHORIZATION,
        (13, b'c') if spells(name, b"cache-control") => CACHE_CONTROL,
        (13, b'i') if spells(name, b"if-none-match") => IF_NONE_MATCH,
        (13, b'l') if spells(name, b"last-modified") => LAST_MODIFIED,
        (14, b'c') if spells(name, b"content-length") => CONTENT_LENGTH,
        (15, b'a') if spells(name, b"accept-encoding") => ACCEPT_ENCODING,
        (15, b'a') if spells(name, b"accept-language") => ACCEPT_LANGUAGE,
        (16, b'c') if spells(name, b"content-encoding") => CONTENT_ENCODING,
        (17, b'i') if spells(name, b"if-modified-since") => IF_MODIFIED_SINCE,
        _ => return None,
    })
}

/// Tells whether the token `name` is `lower`, a name in lower case, in any case.
///
/// The bit that tells the cases apart tells a hyphen from a carriage return too, which no token
/// has. The length is a constant, so this compiles to a few vector instructions.
#[inline]
pub(crate) fn spells<const LENGTH: usize>(name: &[u8], lower: &[u8; LENGTH]) -> bool {
    let Ok(name) = <&[u8; LENGTH]>::try_from(name) else { return false };
    let mut difference = 0;
    for index in 0..LENGTH {
        difference |= (name[index] | 0x20) ^ lower[index];
    }
    difference == 0
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
