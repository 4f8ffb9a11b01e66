//! hot path: byte classes of RFC 9110, 5.6.2.

/// Says which bytes are `tchar` (RFC 9110, 5.6.2).
static TOKEN: [bool; 256] = table(b"!#$%&'*+-.^_`|~");

/// Says which bytes may stand in a `reg-name` (RFC 3986, 3.2.2), `%` included.
static REGISTERED_NAME: [bool; 256] = table(b"-._~!$&'()*+,;=%");

#[inline]
pub(crate) fn is_token(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

#[inline]
pub(crate) fn is_registered_name(byte: u8) -> bool {
    REGISTERED_NAME[usize::from(byte)]
}

/// Length of the token at the start of `bytes`.
#[inline]
pub(crate) fn token_length(bytes: &[u8]) -> usize {
    bytes.iter().position(|&byte| !is_token(byte)).unwrap_or(bytes.len())
}

/// Strips optional white space (RFC 9110, 5.6.3) on both sides.
#[inline]
pub(crate) fn trim_whitespace(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

const fn table(punctuation: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut index = 0;
    while index < punctuation.len() {
        table[punctuation[index] as usize] = true;
        index += 1;
    }
    table
}
