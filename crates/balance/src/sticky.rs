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
            for pair in header.as_bytes().split(|byte| *byte == b';') {
                if let Some(value) = value_of(&self.name, pair) {
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

/// Reads the value of one cookie as Go does, if it is the one of that name and valid.
fn value_of<'a>(name: &str, pair: &'a [u8]) -> Option<&'a str> {
    let pair = pair.trim_ascii();
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    if pair[..equals].trim_ascii() != name.as_bytes() {
        return None;
    }
    let value = &pair[equals + 1..];
    let value = value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value);
    let is_valid = |byte: &u8| matches!(byte, 0x20..=0x7e) && !b"\";\\".contains(byte);
    std::str::from_utf8(value).ok().filter(|value| value.as_bytes().iter().all(is_valid))
}

fn cookie_value(server: &str) -> String {
    hex(digest::digest(&digest::SHA256, server.as_bytes()).as_ref())[..16].to_owned()
}

/// Writes the cookie in the order of attributes Go uses.
fn set_cookie(cookie: &StickyCookie, name: &str, value: &str) -> String {
    let mut text = format!("{name}={value}");
    let path = cookie.path.as_deref().unwrap_or("/");
    if !path.is_empty() {
        text.push_str("; Path=");
        text.extend(path.chars().filter(|c| matches!(c, ' '..='~') && *c != ';'));
    }
    if is_domain(&cookie.domain) {
        let domain = cookie.domain.strip_prefix('.').unwrap_or(&cookie.domain);
        let _ = write!(text, "; Domain={domain}");
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

/// Tells whether Go writes that domain: a name with at least one letter, or an IPv4 address.
fn is_domain(text: &str) -> bool {
    if text.parse::<std::net::Ipv4Addr>().is_ok() {
        return true;
    }
    let name = text.strip_prefix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    // One dot may stand at the end.
    let labels = name.strip_suffix('.').unwrap_or(name);
    text.len() <= 255
        && labels.split('.').all(is_label)
        && name.bytes().any(|byte| byte.is_ascii_alphabetic())
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

    fn check_attributes(path: Option<&str>, domain: &str, expected: &str) {
        let cookie = StickyCookie {
            name: "s".to_owned(),
            path: path.map(str::to_owned),
            domain: domain.to_owned(),
            ..StickyCookie::default()
        };
        let text = Sticky::new(&cookie, "s@file", &["a"]).cookie(0);
        let text = text.to_str().expect("ascii").to_owned();
        assert_eq!(text.split_once("; ").map_or("", |(_, attributes)| attributes), expected);
    }

    #[test]
    fn paths_and_domains_are_written_as_far_as_cookies_may_have_them() {
        check_attributes(None, "", "Path=/");
        check_attributes(Some(""), "", "");
        check_attributes(Some("/a b;c\u{e9}\n"), "", "Path=/a bc");
        check_attributes(Some(""), ".example.org", "Domain=example.org");
        check_attributes(Some(""), "127.0.0.1", "Domain=127.0.0.1");
        check_attributes(Some(""), "exa_mple.org", "");
        check_attributes(Some(""), "-a.org", "");
        check_attributes(Some(""), "1.2", "");
        check_attributes(Some(""), "a..b", "");
    }

    fn check_value(cookie: &'static str, expected: Option<&str>) {
        assert_eq!(value_of("s", cookie.as_bytes()), expected, "{cookie}");
    }

    #[test]
    fn cookies_are_read_as_go_reads_them() {
        check_value(" s=a ", Some("a"));
        check_value("s =a=b", Some("a=b"));
        check_value("s= a", Some(" a"));
        check_value("s=\"a\"", Some("a"));
        check_value("s=\"\"a\"\"", None);
        check_value("s=a\"b", None);
        check_value("s=\u{e9}", None);
        check_value("s", None);
        check_value("S=a", None);
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
