//! Sticky cookies, in Traefik's names and values.

use std::collections::HashMap;
use std::fmt::Write;

use aws_lc_rs::digest;
use config::dynamic::StickyCookie;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// Knows which cookie names which server.
#[derive(Debug)]
pub struct Sticky {
    name: String,
    cookies: Box<[HeaderValue]>,
    values: HashMap<String, Found>,
}

/// What a client's cookie says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub index: usize,
    /// The value is one that older versions wrote: the client shall get the new one.
    pub is_outdated: bool,
}

impl Sticky {
    /// Prepares the cookies for `names`: server URLs, or service names as written. `service` is
    /// the qualified name of the service; the default cookie name is made from it.
    pub fn new<S: AsRef<str>>(cookie: &StickyCookie, service: &str, names: &[S]) -> Self {
        let name = cookie_name(cookie, service);
        let mut values = HashMap::new();
        for (index, server) in names.iter().enumerate() {
            let server = server.as_ref();
            let fnv = format!("{:x}", fnv64(server));
            for old in [server.to_owned(), format!("{:x}", fnv64(&fnv)), fnv] {
                values.entry(old).or_insert(Found { index, is_outdated: true });
            }
        }
        for (index, server) in names.iter().enumerate() {
            values.insert(cookie_value(server.as_ref()), Found { index, is_outdated: false });
        }
        let cookies = names
            .iter()
            .map(|server| {
                let text = set_cookie(cookie, &name, &cookie_value(server.as_ref()));
                HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
            })
            .collect();
        Self { name, cookies, values }
    }

    /// Leaves cookies out of account that name other indexes than these.
    #[must_use]
    pub fn only(mut self, counts: impl Fn(usize) -> bool) -> Self {
        self.values.retain(|_, found| counts(found.index));
        self
    }

    /// The cookie's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Finds what the client's cookies name.
    pub fn find(&self, headers: &HeaderMap) -> Option<Found> {
        for header in headers.get_all(COOKIE) {
            let Ok(text) = header.to_str() else { continue };
            for pair in text.split(';') {
                let Some((name, value)) = pair.trim().split_once('=') else { continue };
                if name == self.name {
                    let value = value.trim_matches('"');
                    return self.values.get(value).copied();
                }
            }
        }
        None
    }

    /// The `Set-Cookie` value that keeps a client at `index`.
    pub fn cookie(&self, index: usize) -> HeaderValue {
        self.cookies[index].clone()
    }
}

/// The effective name of a sticky cookie: the configured one with what no token may hold replaced by
/// `_`, or the one Traefik makes of the service's qualified name.
pub fn cookie_name(cookie: &StickyCookie, service: &str) -> String {
    if cookie.name.is_empty() {
        let hash = digest::digest(
            &digest::SHA1_FOR_LEGACY_USE_ONLY,
            format!("_TRAEFIK_BACKEND_{service}").as_bytes(),
        );
        return format!("_{}", &hex(hash.as_ref())[..5]);
    }
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    cookie.name.chars().map(|c| if is_token(c) { c } else { '_' }).collect()
}

fn cookie_value(server: &str) -> String {
    hex(digest::digest(&digest::SHA256, server.as_bytes()).as_ref())[..16].to_owned()
}

/// Writes the cookie in the order of attributes Go uses.
fn set_cookie(cookie: &StickyCookie, name: &str, value: &str) -> String {
    let mut text = format!("{name}={value}");
    let path = cookie.path.as_deref().unwrap_or("/");
    if !path.is_empty() {
        let _ = write!(text, "; Path={path}");
    }
    if !cookie.domain.is_empty() {
        let _ = write!(text, "; Domain={}", cookie.domain.trim_start_matches('.'));
    }
    match cookie.max_age {
        0 => {}
        age if age < 0 => text.push_str("; Max-Age=0"),
        age => {
            let _ = write!(text, "; Max-Age={age}");
        }
    }
    if cookie.http_only {
        text.push_str("; HttpOnly");
    }
    if cookie.secure {
        text.push_str("; Secure");
    }
    match cookie.same_site.to_ascii_lowercase().as_str() {
        "none" => text.push_str("; SameSite=None"),
        "lax" => text.push_str("; SameSite=Lax"),
        "strict" => text.push_str("; SameSite=Strict"),
        _ => {}
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// FNV-1, 64 bits; not FNV-1a.
fn fnv64(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(text: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_static(text))])
    }

    #[test]
    fn the_default_name_is_the_one_traefik_makes() {
        let sticky = Sticky::new(&StickyCookie::default(), "stk@file", &["http://a"]);
        assert_eq!(sticky.name(), "_28d6d");
    }

    #[test]
    fn older_values_are_fnv_hashes() {
        assert_eq!(fnv64("a"), 0xaf63_bd4c_8601_b7be);
    }

    #[test]
    fn attributes_stand_in_gos_order() {
        let cookie = StickyCookie {
            name: "se ssion".to_owned(),
            secure: true,
            http_only: true,
            same_site: "Lax".to_owned(),
            max_age: 60,
            path: Some("/app".to_owned()),
            domain: "example.org".to_owned(),
        };
        let sticky = Sticky::new(&cookie, "s@file", &["http://127.0.0.1:8081"]);
        let text = sticky.cookie(0);
        let text = text.to_str().expect("ascii");
        assert!(text.starts_with("se_ssion="), "{text}");
        assert!(
            text.ends_with(
                "; Path=/app; Domain=example.org; Max-Age=60; HttpOnly; Secure; SameSite=Lax"
            ),
            "{text}"
        );
    }

    #[test]
    fn new_old_and_unknown_values_are_told_apart() {
        let cookie = StickyCookie { name: "s".to_owned(), ..StickyCookie::default() };
        let sticky = Sticky::new(&cookie, "s@file", &["one", "two"]);
        let new = sticky.cookie(1);
        let value = new.to_str().expect("ascii").split(';').next().expect("a pair").to_owned();
        let headers =
            HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(&value).expect("ascii"))]);
        assert_eq!(sticky.find(&headers), Some(Found { index: 1, is_outdated: false }));
        let raw = sticky.find(&cookies("x=1; s=two"));
        assert_eq!(raw, Some(Found { index: 1, is_outdated: true }));
        assert_eq!(sticky.find(&cookies("s=three")), None);
        assert_eq!(sticky.find(&cookies("t=two")), None);
    }
}
