//! hot path
//!
//! Request targets in canonical form: escapes of plain characters undone, the others in upper case,
//! dot segments and double slashes resolved (RFC 3986, 6.2.2), as Traefik 3.7 does it.

use bytes::Bytes;
use http::HeaderValue;
use http::uri::PathAndQuery;

use crate::settings::EntryPointSettings;

/// The path and query of a canonical target, and the authority if it had one.
pub(crate) struct Target {
    pub(crate) path_and_query: PathAndQuery,
    pub(crate) authority: Option<HeaderValue>,
}

/// Brings a target into canonical form. `None`: it is no target that can be served.
pub(crate) fn canonical(raw: &Bytes, settings: &EntryPointSettings) -> Option<Target> {
    let (authority, origin) = split_absolute(raw)?;
    if is_canonical(&origin)
        && let Ok(path_and_query) = PathAndQuery::from_maybe_shared(origin.clone())
    {
        return Some(Target { path_and_query, authority });
    }
    if origin.as_ref() == b"*" {
        return Some(Target { path_and_query: PathAndQuery::from_static("*"), authority });
    }
    let (path, query) = match memchr(b'?', &origin) {
        Some(mark) => (&origin[..mark], Some(&origin[mark + 1..])),
        None => (&origin[..], None),
    };
    let mut text = normalize(path)?;
    if settings.sanitize_path {
        text = clean(&text);
    }
    if let Some(query) = query {
        text.push('?');
        push_query(&mut text, query, settings.encode_query_semicolons);
    }
    let path_and_query = PathAndQuery::try_from(text).ok()?;
    Some(Target { path_and_query, authority })
}

/// Splits `http://host/path?query` into host and the rest; an origin-form target is the rest.
fn split_absolute(raw: &Bytes) -> Option<(Option<HeaderValue>, Bytes)> {
    if raw.first() == Some(&b'/') || raw.as_ref() == b"*" {
        return Some((None, raw.clone()));
    }
    let scheme_end = raw.windows(3).position(|window| window == b"://")?;
    let rest = raw.slice(scheme_end + 3..);
    let authority_end =
        rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    let authority = HeaderValue::from_bytes(&rest[..authority_end]).ok()?;
    let origin = rest.slice(authority_end..);
    let origin = match origin.first() {
        Some(b'/') => origin,
        _ => [b"/".as_slice(), &origin].concat().into(),
    };
    Some((Some(authority), origin))
}

/// Tells whether nothing has to be done: the usual case, decided in one pass.
fn is_canonical(target: &[u8]) -> bool {
    let mut previous = 0;
    for (at, byte) in target.iter().enumerate() {
        match byte {
            b'?' => return !target[at + 1..].iter().any(|b| *b == b';' || !is_query_byte(*b)),
            b'/' | b'.' if previous == b'/' => return false,
            _ if !is_path_byte(*byte) => return false,
            _ => {}
        }
        previous = *byte;
    }
    true
}

/// Undoes escapes of unreserved characters, writes the others in upper case, and escapes what may
/// not stand in a path. `None` for a broken escape or a fragment.
fn normalize(path: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(path.len() + 16);
    let mut rest = path;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match byte {
            b'%' => {
                let [high, low, tail @ ..] = tail else { return None };
                let value = hex(*high)? << 4 | hex(*low)?;
                rest = tail;
                if is_unreserved(value) {
                    text.push(char::from(value));
                } else {
                    push_escaped(&mut text, value);
                }
            }
            b'#' => return None,
            byte if is_path_byte(*byte) => text.push(char::from(*byte)),
            byte => push_escaped(&mut text, *byte),
        }
    }
    Some(text)
}

/// Resolves `.`, `..` and empty segments as Go's `URL.JoinPath` does: a final slash stays.
fn clean(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut text = String::with_capacity(path.len());
    for segment in &segments {
        text.push('/');
        text.push_str(segment);
    }
    if text.is_empty() || path.ends_with('/') {
        text.push('/');
    }
    text
}

fn push_query(text: &mut String, query: &[u8], encode_semicolons: bool) {
    for byte in query {
        match byte {
            b';' if encode_semicolons => text.push_str("%3B"),
            b';' => text.push('&'),
            byte if is_query_byte(*byte) => text.push(char::from(*byte)),
            byte => push_escaped(text, *byte),
        }
    }
}

fn push_escaped(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.push(char::from(DIGITS[usize::from(byte >> 4)]));
    text.push(char::from(DIGITS[usize::from(byte & 15)]));
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// RFC 3986, 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Bytes that stand for themselves in an escaped path, as Go's `validEncoded` has them.
fn is_path_byte(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'/' | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
                | b'['
                | b']'
        )
}

/// Bytes that stand for themselves in a query. Go passes queries on as they are; what no URI may
/// hold is escaped so that nobody reads it otherwise.
fn is_query_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'#' | b'"' | b'<' | b'>')
}

fn memchr(byte: u8, bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|found| *found == byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> EntryPointSettings {
        EntryPointSettings::new("web", ([127, 0, 0, 1], 0).into())
    }

    fn check(raw: &'static str, expected: Option<&str>) {
        let found = canonical(&Bytes::from_static(raw.as_bytes()), &settings());
        let found = found.as_ref().map(|target| target.path_and_query.as_str());
        assert_eq!(found, expected, "target {raw}");
    }

    #[test]
    fn targets_are_brought_into_traefiks_form() {
        check("/", Some("/"));
        check("/a/b?c=d", Some("/a/b?c=d"));
        check("/a%2fb/%41/../c//d?x=1;y=2", Some("/a%2Fb/c/d?x=1&y=2"));
        check("/%7Euser/%2e%2e/x", Some("/x"));
        check("//evil", Some("/evil"));
        check("/a/./b/", Some("/a/b/"));
        check("/../../etc", Some("/etc"));
        check("/a b", Some("/a%20b"));
        check("/\u{e9}", Some("/%C3%A9"));
        check("/a%zz", None);
        check("/a%2", None);
        check("/.well-known/x", Some("/.well-known/x"));
        check("*", Some("*"));
        check("http://example.org", Some("/"));
        check("http://example.org?a=b", Some("/?a=b"));
        check("http://example.org/a//b", Some("/a/b"));
    }

    #[test]
    fn an_absolute_target_brings_its_authority() {
        let raw = Bytes::from_static(b"http://Example.org:81/x");
        let target = canonical(&raw, &settings()).expect("a good target");
        assert_eq!(target.authority.expect("an authority"), "Example.org:81");
    }

    #[test]
    fn semicolons_can_be_escaped_and_paths_left_alone() {
        let settings = EntryPointSettings {
            encode_query_semicolons: true,
            sanitize_path: false,
            ..settings()
        };
        let raw = Bytes::from_static(b"/a//b/../c?x;y");
        let target = canonical(&raw, &settings).expect("a good target");
        assert_eq!(target.path_and_query.as_str(), "/a//b/../c?x%3By");
    }
}
