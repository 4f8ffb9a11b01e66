//! Base64 and base32. A text that cannot be decoded gives Go's error as its result, as in sprig.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::functions::{Outcome, table};

table! { pub(super) TABLE:
    "b64enc", 1..=1 => |arguments| Ok(STANDARD.encode(arguments.text(0)?).into());
    "b64dec", 1..=1 => |arguments| match BASE64.decode(arguments.text(0)?) {
        Ok(bytes) => arguments.utf8(bytes),
        Err(corrupt) => corrupt.outcome("base64"),
    };
    "b32enc", 1..=1 => |arguments| Ok(base32_encode(arguments.text(0)?.as_bytes()).into());
    "b32dec", 1..=1 => |arguments| match BASE32.decode(arguments.text(0)?) {
        Ok(bytes) => arguments.utf8(bytes),
        Err(corrupt) => corrupt.outcome("base32"),
    };
}

const BASE32_ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

const BASE64: Decoder = Decoder {
    alphabet: b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    symbols: 4,
    bits: 6,
    checks_end: true,
};

const BASE32: Decoder =
    Decoder { alphabet: BASE32_ALPHABET, symbols: 8, bits: 5, checks_end: false };

/// Where an encoded text goes wrong, as a byte offset.
struct Corrupt(usize);

impl Corrupt {
    fn outcome(self, encoding: &str) -> Outcome {
        Ok(format!("illegal {encoding} data at input byte {}", self.0).into())
    }
}

/// Decodes standard encodings with padding; line breaks are skipped and spare bits ignored.
struct Decoder {
    alphabet: &'static [u8],
    /// Symbols of one quantum.
    symbols: usize,
    /// Bits of one symbol.
    bits: usize,
    /// Whether anything after the padding is an error; Go's base32 does not look.
    checks_end: bool,
}

impl Decoder {
    fn decode(&self, text: &str) -> Result<Vec<u8>, Corrupt> {
        let mut symbols =
            text.bytes().enumerate().filter(|(_, symbol)| !matches!(symbol, b'\r' | b'\n'));
        let mut bytes = Vec::with_capacity(text.len() * self.bits / 8);
        let (mut bits, mut held, mut filled) = (0u64, 0usize, 0usize);
        loop {
            let Some((at, symbol)) = symbols.next() else {
                return if filled == 0 { Ok(bytes) } else { Err(Corrupt(text.len() - filled)) };
            };
            if symbol == b'=' {
                self.check_padding(at, filled, text.len(), &mut symbols)?;
                return Ok(bytes);
            }
            let digit =
                self.alphabet.iter().position(|letter| *letter == symbol).ok_or(Corrupt(at))?;
            bits = bits << self.bits | digit as u64;
            held += self.bits;
            filled = (filled + 1) % self.symbols;
            if held >= 8 {
                held -= 8;
                bytes.push((bits >> held) as u8);
            }
        }
    }

    fn check_padding(
        &self,
        at: usize,
        filled: usize,
        end: usize,
        rest: &mut impl Iterator<Item = (usize, u8)>,
    ) -> Result<(), Corrupt> {
        // The symbols of a quantum that end on a whole number of bytes: 2 and 3 of base64's four,
        // 2, 4, 5 and 7 of base32's eight.
        let is_whole = filled >= 2 && (filled * self.bits) % 8 < self.bits;
        if !is_whole {
            return Err(Corrupt(at));
        }
        for _ in filled + 1..self.symbols {
            match rest.next() {
                Some((_, b'=')) => {}
                // Go points before the symbol that should be padding.
                Some((at, _)) => return Err(Corrupt(at - 1)),
                None => return Err(Corrupt(end)),
            }
        }
        match rest.next().filter(|_| self.checks_end) {
            Some((at, _)) => Err(Corrupt(at)),
            None => Ok(()),
        }
    }
}

fn base32_encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for quantum in bytes.chunks(5) {
        let mut padded = [0u8; 8];
        padded[3..3 + quantum.len()].copy_from_slice(quantum);
        let bits = u64::from_be_bytes(padded);
        let used = (quantum.len() * 8).div_ceil(5);
        for index in 0..8 {
            let digit = (bits >> (35 - 5 * index)) as usize & 31;
            text.push(if index < used { char::from(BASE32_ALPHABET[digit]) } else { '=' });
        }
    }
    text
}
