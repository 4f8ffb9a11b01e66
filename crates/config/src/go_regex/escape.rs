//! What stands behind a backslash in a Go pattern.

/// `\pN`, `\p{Name}`, `\P{Name}` and `\p{^Name}`; gives the length read and the engine's class.
pub(super) fn unicode_class(text: &str) -> Result<(usize, String), String> {
    let mut negated = text.starts_with(r"\P");
    let after = &text[2..];
    let (name, length) = if let Some(braced) = after.strip_prefix('{') {
        let Some((name, _)) = braced.split_once('}') else {
            return Err(error("invalid character class range", text));
        };
        (name, 2 + name.len() + 2)
    } else {
        let Some(character) = after.chars().next() else {
            return Err(error("invalid character class range", text));
        };
        (&after[..character.len_utf8()], 2 + character.len_utf8())
    };
    let plain = match name.strip_prefix('^') {
        Some(plain) => {
            negated = !negated;
            plain
        }
        None => name,
    };
    let letter = if negated { 'P' } else { 'p' };
    let class = format!(r"\{letter}{{{plain}}}");
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let is_known =
        !plain.is_empty() && plain.chars().all(is_name) && regex::Regex::new(&class).is_ok();
    if !is_known {
        return Err(error("invalid character class range", &text[..length]));
    }
    Ok((length, class))
}

pub(super) fn perl_class(text: &str) -> Option<char> {
    let kind = text.strip_prefix('\\')?.chars().next()?;
    matches!(kind, 'd' | 'D' | 's' | 'S' | 'w' | 'W').then_some(kind)
}

/// The members of a Perl class, ASCII only as in Go. Go's `\s` has no vertical tab.
pub(super) fn perl_set(kind: char) -> &'static str {
    match kind {
        'd' => "0-9",
        's' => r"\t\n\x0C\r\x20",
        _ => "0-9A-Za-z_",
    }
}

/// Reads `\n`, `\x41`, `\101`, `\.` and their like; `None` is a surrogate, which never matches.
pub(super) fn escaped_character(text: &str) -> Result<(usize, Option<char>), String> {
    let (length, code) = escaped_code(text)?;
    Ok((length, char::from_u32(code)))
}

pub(super) fn escaped_code(text: &str) -> Result<(usize, u32), String> {
    let mut characters = text[1..].chars();
    let Some(kind) = characters.next() else {
        return Err(error("trailing backslash at end of expression", ""));
    };
    let invalid = |length: usize| {
        let mut end = length.min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        error("invalid escape sequence", &text[..end])
    };
    let octal = |text: &str| text.chars().take_while(|c| matches!(c, '0'..='7')).take(3).count();
    match kind {
        '0' | '1'..='7' => {
            let digits = octal(&text[1..]);
            // A single non-zero digit would be a back-reference.
            if kind != '0' && digits < 2 {
                return Err(invalid(2));
            }
            let code = u32::from_str_radix(&text[1..1 + digits], 8).map_err(|_| invalid(2))?;
            Ok((1 + digits, code))
        }
        'x' => {
            let after = &text[2..];
            if let Some(braced) = after.strip_prefix('{') {
                let digits = braced.split_once('}').map(|(digits, _)| digits).unwrap_or_default();
                let is_hex = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
                let code = u32::from_str_radix(digits, 16).ok().filter(|code| *code <= 0x10_FFFF);
                return match code.filter(|_| is_hex) {
                    Some(code) => Ok((digits.len() + 4, code)),
                    None => Err(invalid(digits.len().max(1) + 3)),
                };
            }
            let digits = after.bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
            match u32::from_str_radix(&after[..digits], 16) {
                Ok(code) if digits == 2 => Ok((4, code)),
                _ => Err(invalid(4)),
            }
        }
        'a' => Ok((2, 7)),
        'f' => Ok((2, 12)),
        'n' => Ok((2, 10)),
        'r' => Ok((2, 13)),
        't' => Ok((2, 9)),
        'v' => Ok((2, 11)),
        other if other.is_ascii() && !other.is_ascii_alphanumeric() => Ok((2, u32::from(other))),
        other => Err(invalid(1 + other.len_utf8())),
    }
}

/// Words an error as Go does.
pub(super) fn error(problem: &str, text: &str) -> String {
    format!("error parsing regexp: {problem}: `{text}`")
}
