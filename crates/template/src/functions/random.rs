//! Randomness. What may become a secret comes from the cryptographic generator.

use aws_lc_rs::rand;
use gtmpl_ng::FuncError;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::functions::{Arguments, Outcome, table};
use crate::value::int;

const DIGITS: &str = "0123456789";
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

table! { pub(super) TABLE:
    "randAlphaNum", 1..=1 => |arguments| symbols(arguments, &format!("{LETTERS}{DIGITS}"));
    "randAlpha", 1..=1 => |arguments| symbols(arguments, LETTERS);
    "randNumeric", 1..=1 => |arguments| symbols(arguments, DIGITS);
    "randAscii", 1..=1 => |arguments| {
        symbols(arguments, &(' '..='~').collect::<String>())
    };
    "randBytes", 1..=1 => |arguments| {
        let count = arguments.count(0)?;
        arguments.check_size(count.saturating_mul(2))?;
        Ok(STANDARD.encode(bytes(arguments, count)?).into())
    };
    "randInt", 2..=2 => |arguments| {
        let (least, end) = (arguments.integer(0)?, arguments.integer(1)?);
        if least >= end {
            return Err(arguments.error("invalid argument: the maximum must be above the minimum"));
        }
        Ok(int(fastrand::i64(least..end)))
    };
    "shuffle", 1..=1 => |arguments| {
        let mut letters: Vec<char> = arguments.text(0)?.chars().collect();
        fastrand::shuffle(&mut letters);
        Ok(letters.into_iter().collect::<String>().into())
    };
    "uuidv4", 0..=0 => uuid;
}

pub(super) fn bytes(arguments: &Arguments, count: usize) -> Result<Vec<u8>, FuncError> {
    let mut bytes = vec![0; count];
    rand::fill(&mut bytes).map_err(|_| arguments.error("no randomness available"))?;
    Ok(bytes)
}

/// Draws from the alphabet, refusing the bytes that would make its first symbols more likely.
fn symbols(arguments: &Arguments, alphabet: &str) -> Outcome {
    let count = arguments.count(0)?;
    arguments.check_size(count)?;
    let alphabet = alphabet.as_bytes();
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let drawn = bytes(arguments, (count - text.len()) * 2)?;
        let fair_draws = drawn.into_iter().map(usize::from).filter(|byte| *byte < fair);
        let missing = count - text.len();
        text.extend(
            fair_draws.take(missing).map(|byte| char::from(alphabet[byte % alphabet.len()])),
        );
    }
    Ok(text.into())
}

/// RFC 9562 section 5.4.
fn uuid(arguments: &Arguments) -> Outcome {
    let mut bytes = bytes(arguments, 16)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = |part: &[u8]| part.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let groups = [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]];
    Ok(groups.map(hex).join("-").into())
}
