//! Go's notion of text: bytes that are mostly UTF-8, and how they are quoted and read.

use std::borrow::Cow;
use std::fmt::Write;

/// The value of a string literal that the scanner found no fault with.
pub fn unquote(literal: &str) -> Vec<u8> {
    if let Some(raw) = literal.strip_prefix('`') {
        let raw = raw.strip_suffix('`').unwrap_or(raw);
        return raw.bytes().filter(|byte| *byte != b'\r').collect();
    }
    let inside = literal.strip_prefix('"').unwrap_or(literal);
    let inside = inside.strip_suffix('"').unwrap_or(inside);
    let mut value = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some((before, escaped)) = rest.split_once('\\') {
        value.extend_from_slice(before.as_bytes());
        rest = read_escape(escaped, &mut value);
    }
    value.extend_from_slice(rest.as_bytes());
    value
}

/// Reads one escape sequence behind its backslash; gives what follows it.
fn read_escape<'a>(escaped: &'a str, value: &mut Vec<u8>) -> &'a str {
    let mut rest = escaped.chars();
    let Some(kind) = rest.next() else { return "" };
    let (digits, base) = match kind {
        'x' => (2, 16),
        'u' => (4, 16),
        'U' => (8, 16),
        '0'..='7' => (3, 8),
        _ => {
            let plain = match kind {
                'a' => '\x07',
                'b' => '\x08',
                'f' => '\x0c',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\x0b',
                other => other,
            };
            value.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes());
            return rest.as_str();
        }
    };
    let text = if base == 8 { escaped } else { rest.as_str() };
    let (number, after) = text.split_at_checked(digits).unwrap_or((text, ""));
    let number = u32::from_str_radix(number, base).unwrap_or_default();
    if matches!(kind, 'u' | 'U') {
        let decoded = char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER);
        value.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        value.push(number as u8);
    }
    after
}

/// Quotes text as Go's `%q` does.
pub fn quote(text: &[u8]) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            quote_character(c, &mut quoted);
        }
        for byte in chunk.invalid() {
            let _ = write!(quoted, "\\x{byte:02x}");
        }
    }
    quoted.push('"');
    quoted
}

fn quote_character(c: char, quoted: &mut String) {
    let code = u32::from(c);
    let _ = match c {
        '"' | '\\' => write!(quoted, "\\{c}"),
        '\x07' => quoted.write_str("\\a"),
        '\x08' => quoted.write_str("\\b"),
        '\x0c' => quoted.write_str("\\f"),
        '\n' => quoted.write_str("\\n"),
        '\r' => quoted.write_str("\\r"),
        '\t' => quoted.write_str("\\t"),
        '\x0b' => quoted.write_str("\\v"),
        ' ' => quoted.write_char(' '),
        _ if is_printable(c) => quoted.write_char(c),
        _ if code < 0x80 => write!(quoted, "\\x{code:02x}"),
        _ if code < 0x1_0000 => write!(quoted, "\\u{code:04x}"),
        _ => write!(quoted, "\\U{code:08x}"),
    };
}

/// Go's `unicode.IsPrint` without the space.
pub fn is_printable(c: char) -> bool {
    match c {
        '!'..='~' => true,
        _ if c.is_ascii() => false,
        // The debug form escapes what cannot be seen.
        _ => c.escape_debug().len() == 1,
    }
}

/// Text for regular expressions. Like Go, and unlike [`String::from_utf8_lossy`], each byte that is
/// not UTF-8 counts as one character.
pub fn readable(text: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(text) {
        return Cow::Borrowed(text);
    }
    let mut readable = String::with_capacity(text.len() + 8);
    for chunk in text.utf8_chunks() {
        readable.push_str(chunk.valid());
        readable.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(readable)
}

/// Writes a list as Go's `%v` does: `[a b]`.
pub fn list<T: AsRef<[u8]>>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(|item| String::from_utf8_lossy(item.as_ref())).collect();
    format!("[{}]", items.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(literal: &str, value: &[u8], quoted: &str) {
        assert_eq!(unquote(literal), value, "value of {literal}");
        assert_eq!(quote(value), quoted, "quoting {literal}");
    }

    #[test]
    fn literals_are_read_and_written_as_in_go() {
        check("`a\\nb`", b"a\\nb", r#""a\\nb""#);
        check("`a\r\nb`", b"a\nb", r#""a\nb""#);
        check(
            r#""a\n\"\\\x41\101\u00e9\U0001F600""#,
            "a\n\"\\AAé😀".as_bytes(),
            r#""a\n\"\\AAé😀""#,
        );
        check(r#""\xff\000""#, b"\xff\0", r#""\xff\x00""#);
        check(r#""\u200b\u0085\x7f""#, "\u{200b}\u{85}\x7f".as_bytes(), r#""\u200b\u0085\x7f""#);
        check(r#""é\ud7ff""#, "é\u{d7ff}".as_bytes(), "\"é\\ud7ff\"");
    }

    #[test]
    fn each_invalid_byte_is_one_character() {
        assert_eq!(readable(b"/\xe2\x82a"), "/\u{fffd}\u{fffd}a");
        assert_eq!(readable("/é".as_bytes()), "/é");
    }
}
