//! hot path: field names as Go writes them, because that is what servers behind Traefik see.

use bytes::BytesMut;
use http::HeaderName;

/// Appends `name` in the canonical case of Go's `net/textproto`.
///
/// The first letter and each letter after a hyphen are upper case, all else is lower case: `Etag`,
/// `Te`, `Www-Authenticate`, `X-Xss-Protection`, `Sec-Websocket-Accept`.
#[inline]
pub fn put_canonical_name(out: &mut BytesMut, name: &HeaderName) {
    let start = out.len();
    out.extend_from_slice(name.as_str().as_bytes());
    let written = &mut out[start..];
    // Whether the byte before is a hyphen, as its sign bit; the start counts as one.
    let mut carry = 0x80;
    let mut words = written.chunks_exact_mut(8);
    for word in &mut words {
        if let Ok(bytes) = <[u8; 8]>::try_from(&*word) {
            let bits = u64::from_le_bytes(bytes);
            let hyphens = equals(bits, b'-');
            // A letter is upper case if the byte before it, one lower in the word, is a hyphen.
            let starts = (hyphens << 8) | carry;
            carry = hyphens >> 56;
            word.copy_from_slice(&(bits ^ ((starts & lower_case(bits)) >> 2)).to_le_bytes());
        }
    }
    let mut upper = carry != 0;
    for byte in words.into_remainder() {
        if upper {
            byte.make_ascii_uppercase();
        }
        upper = *byte == b'-';
    }
}

// Eight bytes at a time: half of the instructions of one after the other, by `cargo xtask bench
// instructions`. Names are ASCII, so the sign bit of each byte is free to hold the answer, and no
// sum carries into the next byte.

/// Sets the sign bit of each byte that equals `byte`.
#[inline]
fn equals(bits: u64, byte: u8) -> u64 {
    let difference = bits ^ (ONES * u64::from(byte));
    (SIGNS - difference) & SIGNS
}

/// Sets the sign bit of each byte from `a` to `z`.
#[inline]
fn lower_case(bits: u64) -> u64 {
    let from_a = bits + ONES * u64::from(0x80 - b'a');
    let past_z = bits + ONES * u64::from(0x7f - b'z');
    from_a & !past_z & SIGNS
}

const ONES: u64 = 0x0101_0101_0101_0101;
const SIGNS: u64 = 0x8080_8080_8080_8080;

/// Appends `name` as [`put_canonical_name`] does, but for the five WebSocket fields of RFC 6455:
/// like Traefik towards servers they get a capital S, since some servers compare them byte by byte.
#[inline]
pub(crate) fn put_request_name(out: &mut BytesMut, name: &HeaderName) {
    let start = out.len();
    put_canonical_name(out, name);
    let name = name.as_str().as_bytes();
    if let Some(field) = name.strip_prefix(b"sec-websocket-")
        && matches!(field, b"key" | b"version" | b"protocol" | b"extensions" | b"accept")
    {
        out[start + 7] = b'S';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_as(put: fn(&mut BytesMut, &HeaderName), name: &str, expected: &str) {
        let mut out = BytesMut::from("before ");
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a valid name");
        put(&mut out, &name);
        assert_eq!(out, format!("before {expected}").as_bytes());
    }

    #[track_caller]
    fn check(name: &str, expected: &str) {
        check_as(put_canonical_name, name, expected);
        check_as(put_request_name, name, expected);
    }

    #[test]
    fn first_letters_are_capitals() {
        check("host", "Host");
        check("CONTENT-LENGTH", "Content-Length");
        check("etag", "Etag");
        check("te", "Te");
        check("www-authenticate", "Www-Authenticate");
        check("x-xss-protection", "X-Xss-Protection");
        check("x-real-ip", "X-Real-Ip");
        check("dnt", "Dnt");
        check("x_under_score", "X_under_score");
        check("a--b", "A--B");
        check("-a-", "-A-");
        check("1a-2b", "1a-2b");
        check("abcdefg-hijklmno-pqr", "Abcdefg-Hijklmno-Pqr");
        check("abcdefgh-ijklmno-", "Abcdefgh-Ijklmno-");
        check("~|^_`!#$-zz-aa--", "~|^_`!#$-Zz-Aa--");
    }

    #[test]
    fn websocket_fields_have_a_capital_s_towards_servers_only() {
        for field in ["Key", "Version", "Protocol", "Extensions", "Accept"] {
            let (here, there) =
                (format!("Sec-Websocket-{field}"), format!("Sec-WebSocket-{field}"));
            check_as(put_canonical_name, &here, &here);
            check_as(put_request_name, &here, &there);
        }
        check("sec-websocket-other", "Sec-Websocket-Other");
    }
}
