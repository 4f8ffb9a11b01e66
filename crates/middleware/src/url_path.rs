//! Escaped paths as Go's `net/url` treats them.
//!
//! Go keeps a path twice: decoded, and as it was written when that differs from what Go itself
//! would write (`RawPath`). Path middlewares change both, and what is sent is the written form if
//! it is still a valid escaping of the decoded one, else Go's own. The functions here give the
//! same results from the written form alone.

use std::borrow::Cow;

/// Decodes percent escapes.
///
/// # Errors
/// With Go's words when an escape is broken: `invalid URL escape "%zz"`.
pub(crate) fn decode(escaped: &str) -> Result<Vec<u8>, String> {
    let bytes = escaped.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            decoded.push(bytes[at]);
            at += 1;
            continue;
        }
        let Some(byte) = escape_at(bytes, at) else {
            let rest = &bytes[at..bytes.len().min(at + 3)];
            return Err(format!("invalid URL escape {:?}", String::from_utf8_lossy(rest)));
        };
        decoded.push(byte);
        at += 3;
    }
    Ok(decoded)
}

/// Writes a decoded path as Go does by itself.
pub(crate) fn escape(decoded: &[u8]) -> String {
    let mut escaped = String::with_capacity(decoded.len() + 8);
    for &byte in decoded {
        push_byte(&mut escaped, byte, needs_escape(byte), b"0123456789ABCDEF");
    }
    escaped
}

/// Writes a text as one query value, as Go's `url.QueryEscape` does.
pub(crate) fn query_escape(text: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len() * 3 / 2);
    for &byte in text {
        match byte {
            b' ' => escaped.push('+'),
            _ => {
                let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
                push_byte(&mut escaped, byte, !plain, b"0123456789ABCDEF");
            }
        }
    }
    escaped
}

/// Escapes only what is not ASCII, in lower case, as Go does for `Location` headers.
pub(crate) fn escape_non_ascii(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for &byte in text.as_bytes() {
        push_byte(&mut escaped, byte, !byte.is_ascii(), b"0123456789abcdef");
    }
    escaped
}

/// Tells whether Go would keep a path as written: it has no byte that must be escaped.
pub(crate) fn is_valid(escaped: &str) -> bool {
    let kept = |byte: u8| byte == b'%' || b"!'()*[]".contains(&byte) || !needs_escape(byte);
    escaped.bytes().all(kept)
}

/// Tells whether a path is written as Go would write it by itself.
pub(crate) fn is_canonical(escaped: &str) -> bool {
    let bytes = escaped.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            if needs_escape(bytes[at]) {
                return false;
            }
            at += 1;
            continue;
        }
        let upper = |byte: Option<&u8>| byte.is_some_and(|byte| !byte.is_ascii_lowercase());
        let escaped_byte = escape_at(bytes, at);
        if !escaped_byte.is_some_and(needs_escape)
            || !upper(bytes.get(at + 1))
            || !upper(bytes.get(at + 2))
        {
            return false;
        }
        at += 3;
    }
    true
}

/// Gives what is sent for a path written as `raw` whose decoded form is `decoded`.
pub(crate) fn written(raw: &str, decoded: &[u8]) -> String {
    if is_valid(raw) && decode(raw).is_ok_and(|from_raw| from_raw == decoded) {
        return raw.to_owned();
    }
    escape(decoded)
}

/// Gives what of an escaped path follows `prefix`, compared in decoded form.
pub(crate) fn after_prefix<'a>(escaped: &'a str, prefix: &[u8]) -> Option<&'a str> {
    let bytes = escaped.as_bytes();
    let mut at = 0;
    for &expected in prefix {
        let byte = *bytes.get(at)?;
        let (byte, width) = match escape_at(bytes, at) {
            Some(decoded) => (decoded, 3),
            None => (byte, 1),
        };
        if byte != expected {
            return None;
        }
        at += width;
    }
    // A prefix that ends inside a character of several raw bytes leaves no text.
    escaped.get(at..)
}

/// Removes `.`, `..` and empty segments from a path with a leading slash, keeping a trailing one.
pub(crate) fn clean(path: &str) -> Cow<'_, str> {
    let is_clean = path.starts_with('/')
        && path[1..].split_terminator('/').all(|segment| !matches!(segment, "" | "." | ".."));
    if is_clean {
        return Cow::Borrowed(path);
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    let mut cleaned = String::with_capacity(path.len());
    for segment in segments {
        cleaned.push('/');
        cleaned.push_str(segment);
    }
    if cleaned.is_empty() || path.ends_with('/') {
        cleaned.push('/');
    }
    Cow::Owned(cleaned)
}

/// Decodes the escape that starts at `at`, if there is a whole one.
fn escape_at(bytes: &[u8], at: usize) -> Option<u8> {
    if bytes[at] != b'%' {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let high = digit(*bytes.get(at + 1)?)?;
    let low = digit(*bytes.get(at + 2)?)?;
    u8::try_from(high * 16 + low).ok()
}

/// Tells whether Go escapes a byte of a decoded path.
fn needs_escape(byte: u8) -> bool {
    !(byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte))
}

fn push_byte(text: &mut String, byte: u8, escaped: bool, digits: &[u8; 16]) {
    if !escaped {
        text.push(char::from(byte));
        return;
    }
    text.push('%');
    text.push(char::from(digits[usize::from(byte >> 4)]));
    text.push(char::from(digits[usize::from(byte & 15)]));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_clean(path: &str, expected: &str) {
        assert_eq!(clean(path), expected, "cleaning {path}");
    }

    #[test]
    fn cleaning_removes_dots_and_keeps_the_trailing_slash() {
        check_clean("/a/b", "/a/b");
        check_clean("/a/b/", "/a/b/");
        check_clean("/", "/");
        check_clean("/a//b", "/a/b");
        check_clean("/a/./b/../c", "/a/c");
        check_clean("/../a", "/a");
        check_clean("/..", "/");
        check_clean("//", "/");
    }

    fn check_written(raw: &str, expected: &str) {
        let decoded = decode(raw).expect("valid escapes");
        assert_eq!(written(raw, &decoded), expected);
        assert_eq!(is_canonical(raw), escape(&decoded) == raw, "canonical {raw}");
    }

    #[test]
    fn paths_stay_as_written_unless_a_byte_must_be_escaped() {
        check_written("/a%2Fb", "/a%2Fb");
        check_written("/(a)*!'[]", "/(a)*!'[]");
        check_written("/a b", "/a%20b");
        check_written("/n%2Fx é", "/n/x%20%C3%A9");
        check_written("/a%20b;x=1", "/a%20b;x=1");
        check_written("/%c3", "/%c3");
    }

    #[test]
    fn broken_escapes_are_reported_with_gos_words() {
        assert_eq!(decode("/n%zz"), Err("invalid URL escape \"%zz\"".to_owned()));
        assert_eq!(decode("/n%2"), Err("invalid URL escape \"%2\"".to_owned()));
    }

    #[test]
    fn prefixes_are_compared_decoded() {
        assert_eq!(after_prefix("/a%20b/c%2Fd", b"/a b"), Some("/c%2Fd"));
        assert_eq!(after_prefix("/a%2Fb", b"/a/"), Some("b"));
        assert_eq!(after_prefix("/%C3%A9/x", "/é".as_bytes()), Some("/x"));
        assert_eq!(after_prefix("/ab", b"/abc"), None);
        assert_eq!(after_prefix("/é", &[b'/', 0xC3]), None);
    }

    #[test]
    fn query_values_escape_all_but_the_unreserved() {
        assert_eq!(
            query_escape("http://h/a%2Fb?x=é y~".as_bytes()),
            "http%3A%2F%2Fh%2Fa%252Fb%3Fx%3D%C3%A9+y~"
        );
        assert_eq!(escape_non_ascii("/é?a b"), "/%c3%a9?a b");
    }
}
