//! JSON as Go's encoder writes it, which is what clients of Traefik's API compare with.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

/// Writes `value` as Go's `json.Marshal` does: compact, with `<`, `>`, `&` and the two Unicode
/// line separators escaped.
pub(crate) fn encode(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = Vec::with_capacity(1024);
    value.serialize(&mut Serializer::with_formatter(&mut bytes, GoFormatter))?;
    Ok(bytes)
}

struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (before, after) = rest.split_at(at);
            CompactFormatter.write_string_fragment(writer, before)?;
            let mut after = after.chars();
            if let Some(character) = after.next() {
                write!(writer, "\\u{:04x}", u32::from(character))?;
            }
            rest = after.as_str();
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let bytes = encode(&text).expect("text is valid JSON");
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
    }

    #[test]
    fn characters_that_matter_in_html_are_escaped() {
        check("a&b", "\"a\\u0026b\"");
        check("<>", "\"\\u003c\\u003e\"");
        check("x\u{2028}\u{2029}", "\"x\\u2028\\u2029\"");
        check("é`", "\"é`\"");
        check("\"\\\n\u{1}", "\"\\\"\\\\\\n\\u0001\"");
        check("", "\"\"");
    }
}
