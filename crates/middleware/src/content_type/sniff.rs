//! Content types by the first bytes, as Go's `net/http` guesses them: MIME Sniffing Standard,
//! section 7, without what Go leaves out.

/// How many bytes are looked at.
pub(super) const LOOKED_AT: usize = 512;

/// Guesses a content type; there always is one.
pub(super) fn content_type(data: &[u8]) -> &'static str {
    let data = &data[..data.len().min(LOOKED_AT)];
    let is_space = |byte: &&u8| matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ');
    let text = &data[data.iter().take_while(is_space).count()..];
    if TAGS.iter().any(|tag| begins_with_tag(text, tag)) {
        return "text/html; charset=utf-8";
    }
    if text.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    // Go looks for it before what is after `video/avi` in the list: a file with `LP` at the place of
    // fonts may be one.
    if is_mp4(data) {
        return "video/mp4";
    }
    let signature = SIGNATURES.iter().find(|(pattern, _)| begins_with(data, pattern));
    if let Some((_, content_type)) = signature {
        return content_type;
    }
    if text.iter().any(|byte| is_binary(*byte)) {
        return "application/octet-stream";
    }
    "text/plain; charset=utf-8"
}

const TAGS: [&[u8]; 17] = [
    b"<!DOCTYPE HTML",
    b"<HTML",
    b"<HEAD",
    b"<SCRIPT",
    b"<IFRAME",
    b"<H1",
    b"<DIV",
    b"<FONT",
    b"<TABLE",
    b"<A",
    b"<STYLE",
    b"<TITLE",
    b"<B",
    b"<BODY",
    b"<BR",
    b"<P",
    b"<!--",
];

/// A pattern of bytes: literal ones, and how many of any kind stand in between.
enum Part {
    Bytes(&'static [u8]),
    Any(usize),
}

use Part::{Any, Bytes};

/// What files begin with; the first that fits counts.
const SIGNATURES: [(&[Part], &str); 31] = [
    (&[Bytes(b"%PDF-")], "application/pdf"),
    (&[Bytes(b"%!PS-Adobe-")], "application/postscript"),
    (&[Bytes(b"\xFE\xFF"), Any(2)], "text/plain; charset=utf-16be"),
    (&[Bytes(b"\xFF\xFE"), Any(2)], "text/plain; charset=utf-16le"),
    (&[Bytes(b"\xEF\xBB\xBF"), Any(1)], "text/plain; charset=utf-8"),
    (&[Bytes(b"\x00\x00\x01\x00")], "image/x-icon"),
    (&[Bytes(b"\x00\x00\x02\x00")], "image/x-icon"),
    (&[Bytes(b"BM")], "image/bmp"),
    (&[Bytes(b"GIF87a")], "image/gif"),
    (&[Bytes(b"GIF89a")], "image/gif"),
    (&[Bytes(b"RIFF"), Any(4), Bytes(b"WEBPVP")], "image/webp"),
    (&[Bytes(b"\x89PNG\r\n\x1A\n")], "image/png"),
    (&[Bytes(b"\xFF\xD8\xFF")], "image/jpeg"),
    (&[Bytes(b"FORM"), Any(4), Bytes(b"AIFF")], "audio/aiff"),
    (&[Bytes(b"ID3")], "audio/mpeg"),
    (&[Bytes(b"OggS\x00")], "application/ogg"),
    (&[Bytes(b"MThd\x00\x00\x00\x06")], "audio/midi"),
    (&[Bytes(b"RIFF"), Any(4), Bytes(b"AVI ")], "video/avi"),
    (&[Bytes(b"RIFF"), Any(4), Bytes(b"WAVE")], "audio/wave"),
    (&[Bytes(b"\x1A\x45\xDF\xA3")], "video/webm"),
    (&[Any(34), Bytes(b"LP")], "application/vnd.ms-fontobject"),
    (&[Bytes(b"\x00\x01\x00\x00")], "font/ttf"),
    (&[Bytes(b"OTTO")], "font/otf"),
    (&[Bytes(b"ttcf")], "font/collection"),
    (&[Bytes(b"wOFF")], "font/woff"),
    (&[Bytes(b"wOF2")], "font/woff2"),
    (&[Bytes(b"\x1F\x8B\x08")], "application/x-gzip"),
    (&[Bytes(b"PK\x03\x04")], "application/zip"),
    (&[Bytes(b"Rar!\x1A\x07\x00")], "application/x-rar-compressed"),
    (&[Bytes(b"Rar!\x1A\x07\x01\x00")], "application/x-rar-compressed"),
    (&[Bytes(b"\x00asm")], "application/wasm"),
];

fn begins_with(data: &[u8], pattern: &[Part]) -> bool {
    let mut rest = data;
    pattern.iter().all(|part| {
        let after = match part {
            Bytes(bytes) => rest.strip_prefix(*bytes),
            Any(count) => rest.get(*count..),
        };
        rest = after.unwrap_or_default();
        after.is_some()
    })
}

/// A tag is in any case and ends with a space or `>`.
fn begins_with_tag(text: &[u8], tag: &[u8]) -> bool {
    let Some((start, end)) = text.split_at_checked(tag.len()) else { return false };
    start.eq_ignore_ascii_case(tag) && matches!(end.first(), Some(b' ' | b'>'))
}

/// MIME Sniffing Standard, section 6.2.1, with Go's narrower idea of brands.
fn is_mp4(data: &[u8]) -> bool {
    let Some((size, rest)) = data.split_first_chunk::<4>() else { return false };
    let size = u32::from_be_bytes(*size) as usize;
    if data.len() < 12 || data.len() < size || !size.is_multiple_of(4) || !rest.starts_with(b"ftyp")
    {
        return false;
    }
    // The brand's version lies at 12.
    (8..size).step_by(4).filter(|at| *at != 12).any(|at| data[at..].starts_with(b"mp4"))
}

fn is_binary(byte: u8) -> bool {
    matches!(byte, 0x00..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(data: &[u8], expected: &str) {
        assert_eq!(content_type(data), expected, "{}", data.escape_ascii());
    }

    #[test]
    fn markup_is_known_behind_white_space_and_in_any_case() {
        check(b" \r\n\t<!doctype html>", "text/html; charset=utf-8");
        check(b"<Br >", "text/html; charset=utf-8");
        check(b"<!-->", "text/html; charset=utf-8");
        check(b"<!--x", "text/plain; charset=utf-8");
        check(b"<html", "text/plain; charset=utf-8");
        check(b"  <?xml version", "text/xml; charset=utf-8");
        check(b"<?XML", "text/plain; charset=utf-8");
    }

    #[test]
    fn files_are_known_by_how_they_begin() {
        check(b"%PDF-1.7", "application/pdf");
        check(b" %PDF-1.7", "text/plain; charset=utf-8");
        check(b"\x89PNG\r\n\x1a\n", "image/png");
        check(b"RIFF1234WEBPVP8 ", "image/webp");
        check(b"RIFF1234WAVE", "audio/wave");
        check(b"RIFF1234junk", "text/plain; charset=utf-8");
        check(b"\x1f\x8b\x08", "application/x-gzip");
        check(b"\xef\xbb\xbfx", "text/plain; charset=utf-8");
        check(b"\xfe\xff\x00\x01", "text/plain; charset=utf-16be");
        check(&[&[0; 34][..], b"LP"].concat(), "application/vnd.ms-fontobject");
    }

    #[test]
    fn videos_are_known_by_their_brands() {
        check(b"\0\0\0\x10ftypmp42\0\0\0\0", "video/mp4");
        check(b"\0\0\0\x14ftypisom\0\0\0\0mp41", "video/mp4");
        check(b"\0\0\0\x10ftypisommp41", "application/octet-stream");
        check(b"\0\0\0\x18ftypisom\0\0\0\0mp41", "application/octet-stream");
        check(b"\0\0\0\x10", "application/octet-stream");
    }

    #[test]
    fn what_is_left_is_text_or_bytes() {
        check(b"", "text/plain; charset=utf-8");
        check("h\u{e4}llo\x1b".as_bytes(), "text/plain; charset=utf-8");
        check(b"hello\x01", "application/octet-stream");
        check(&[&[b'x'; LOOKED_AT][..], b"\x01"].concat(), "text/plain; charset=utf-8");
    }
}
