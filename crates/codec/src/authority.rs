//! hot path: `host[:port]` as Host, authority-form and absolute-form carry it.

use std::net::Ipv6Addr;

use memchr::memchr;

use crate::token::is_registered_name;

/// Says whether `bytes` is a non-empty host with an optional port (RFC 3986, 3.2.2 and 3.2.3).
///
/// User information, zone identifiers, future IP literals and ports above 65535 are refused: each
/// lets two readers see different hosts. An empty port (`host:`) is part of the grammar.
#[must_use]
pub fn is_valid_authority(bytes: &[u8]) -> bool {
    split_port(bytes).is_some()
}

/// Says the same for authority-form (RFC 9112, 3.2.3), where the port is mandatory.
pub(crate) fn is_valid_with_port(bytes: &[u8]) -> bool {
    matches!(split_port(bytes), Some([_, ..]))
}

/// Returns the digits of the port, empty when there is none, or `None` if anything is invalid.
fn split_port(bytes: &[u8]) -> Option<&[u8]> {
    let after_host = if bytes.first() == Some(&b'[') {
        let close = memchr(b']', bytes)?;
        let address = std::str::from_utf8(&bytes[1..close]).ok()?;
        address.parse::<Ipv6Addr>().ok()?;
        &bytes[close + 1..]
    } else {
        let length =
            bytes.iter().position(|&byte| !is_registered_name(byte)).unwrap_or(bytes.len());
        if length == 0 || !has_whole_escapes(&bytes[..length]) {
            return None;
        }
        &bytes[length..]
    };
    match after_host {
        [] => Some(&[]),
        [b':', port @ ..] if is_valid_port(port) => Some(port),
        _ => None,
    }
}

fn has_whole_escapes(mut bytes: &[u8]) -> bool {
    while let Some(percent) = memchr(b'%', bytes) {
        match bytes[percent + 1..] {
            [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes = &bytes[percent + 3..];
            }
            _ => return false,
        }
    }
    true
}

fn is_valid_port(port: &[u8]) -> bool {
    let mut number = 0_u32;
    for &byte in port {
        if !byte.is_ascii_digit() {
            return false;
        }
        number = number * 10 + u32::from(byte - b'0');
        if number > u32::from(u16::MAX) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(authority: &str, expected: bool) {
        assert_eq!(is_valid_authority(authority.as_bytes()), expected, "{authority}");
    }

    #[test]
    fn names_addresses_and_ports_are_accepted() {
        check("example.com", true);
        check("example.com.", true);
        check("EXAMPLE.com:8080", true);
        check("a_b.example", true);
        check("xn--bcher-kva.example", true);
        check("exa%6dple.com", true);
        check("127.0.0.1:80", true);
        check("[::1]", true);
        check("[2001:db8::1]:443", true);
        check("[::ffff:1.2.3.4]", true);
        check("example.com:", true);
        check("example.com:65535", true);
        check("example.com:00080", true);
    }

    #[test]
    fn everything_else_is_refused() {
        check("", false);
        check(":80", false);
        check("a b", false);
        check("user@example.com", false);
        check("user:password@example.com", false);
        check("example.com:65536", false);
        check("example.com:99999999999999999999", false);
        check("example.com:http", false);
        check("example.com:80:80", false);
        check("example.com:+80", false);
        check("example.com/path", false);
        check("example.com?query", false);
        check("example.com#fragment", false);
        check("exa%6", false);
        check("exa%zz", false);
        check("[::1", false);
        check("[]", false);
        check("[::1]x", false);
        check("[fe80::1%25eth0]", false);
        check("[v1.future]", false);
        check("::1", false);
        check("bücher.example", false);
        check("a\\b", false);
        check("a\0b", false);
    }

    #[test]
    fn authority_form_needs_a_port() {
        assert!(is_valid_with_port(b"example.com:443"));
        assert!(!is_valid_with_port(b"example.com"));
        assert!(!is_valid_with_port(b"example.com:"));
    }
}
