//! The tokens of a template action, as Go's template lexer cuts them.

use std::ops::Range;

/// One `{{ … }}`: its delimiters with their trim markers, and what is between them.
#[derive(Debug)]
pub(super) struct Action {
    pub(super) left: Range<usize>,
    pub(super) tokens: Vec<Token>,
    pub(super) right: Range<usize>,
    pub(super) end: usize,
}

#[derive(Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Space,
    /// A keyword, a function or a constant.
    Word,
    Variable,
    Field,
    Number,
    /// A string with escapes.
    Text,
    /// A string in backquotes.
    Raw,
    Open,
    Close,
    Pipe,
    Comma,
    Assign,
    Declare,
    /// What the preparation does not look at: characters, the dot.
    Other,
}

/// Reads the action that begins at `begin`, or says what is wrong with it.
///
/// A comment belongs to its left delimiter and has no tokens.
pub(super) fn action(source: &str, begin: usize) -> Result<Action, &'static str> {
    let mut position = begin + 2;
    let mut after = source[position..].chars();
    if after.next() == Some('-') && after.next().is_some_and(is_space) {
        position += 2;
    }
    let left = begin..position;
    let mut tokens = Vec::new();
    if source[position..].starts_with("/*") {
        position += source[position..].find("*/").ok_or("unclosed comment")? + 2;
        let right =
            right_delimiter(source, position).ok_or("comment ends before closing delimiter")?;
        let end = right.end;
        return Ok(Action { left: begin..position, tokens: Vec::new(), right, end });
    }
    loop {
        if let Some(right) = right_delimiter(source, position) {
            let end = right.end;
            return Ok(Action { left, tokens, right, end });
        }
        let (kind, length) = token(&source[position..])?.ok_or("unclosed action")?;
        tokens.push(Token { kind, range: position..position + length });
        position += length;
    }
}

fn is_space(symbol: char) -> bool {
    matches!(symbol, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(symbol: char) -> bool {
    symbol == '_' || symbol.is_alphanumeric()
}

/// `}}`, or white space, `-` and `}}`.
fn right_delimiter(source: &str, position: usize) -> Option<Range<usize>> {
    let rest = &source[position..];
    if rest.starts_with("}}") {
        return Some(position..position + 2);
    }
    let trimmed = rest.strip_prefix(is_space)?;
    trimmed.starts_with("-}}").then_some(position..position + 4)
}

/// Reads one token; there is none at the end of the text.
fn token(text: &str) -> Result<Option<(Kind, usize)>, &'static str> {
    let Some(first) = text.chars().next() else { return Ok(None) };
    let run = |from: usize, belongs: fn(char) -> bool| {
        from + text[from..].find(|symbol| !belongs(symbol)).unwrap_or(text.len() - from)
    };
    let second = text[first.len_utf8()..].chars().next();
    let token = match first {
        // One at a time: the last may belong to the right delimiter.
        first if is_space(first) => (Kind::Space, 1),
        '$' => (Kind::Variable, run(1, is_alphanumeric)),
        '"' => (Kind::Text, quoted(text, '"').ok_or("unterminated quoted string")?),
        '`' => (Kind::Raw, text[1..].find('`').ok_or("unterminated raw quoted string")? + 2),
        '\'' => (Kind::Other, quoted(text, '\'').ok_or("unterminated character constant")?),
        '(' => (Kind::Open, 1),
        ')' => (Kind::Close, 1),
        '|' => (Kind::Pipe, 1),
        ',' => (Kind::Comma, 1),
        '=' => (Kind::Assign, 1),
        ':' if second == Some('=') => (Kind::Declare, 2),
        '.' if second.is_some_and(|next| next.is_ascii_digit()) => (Kind::Number, number(text)),
        '.' if second.is_some_and(is_alphanumeric) => (Kind::Field, run(1, is_alphanumeric)),
        '0'..='9' => (Kind::Number, number(text)),
        '+' | '-' if second.is_some_and(|next| next.is_ascii_digit() || next == '.') => {
            (Kind::Number, number(text))
        }
        first if is_alphanumeric(first) => (Kind::Word, run(0, is_alphanumeric)),
        first => (Kind::Other, first.len_utf8()),
    };
    Ok(Some(token))
}

fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    for (index, symbol) in text.char_indices().skip(1) {
        match symbol {
            '\n' => return None,
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            symbol if symbol == quote => return Some(index + 1),
            _ => {}
        }
    }
    None
}

fn number(text: &str) -> usize {
    let mut previous = ' ';
    for (index, symbol) in text.char_indices() {
        let is_sign = matches!(symbol, '+' | '-')
            && (index == 0 || matches!(previous, 'e' | 'E' | 'p' | 'P'));
        if !is_sign && symbol != '.' && !is_alphanumeric(symbol) {
            return index;
        }
        previous = symbol;
    }
    text.len()
}

/// Go's `strconv.Unquote` of a string in double quotes; `None` if malformed or not UTF-8.
pub(super) fn unquote(quoted: &str) -> Option<String> {
    let mut rest = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some(symbol) = rest.chars().next() {
        rest = &rest[symbol.len_utf8()..];
        if symbol != '\\' {
            bytes.extend_from_slice(symbol.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let escape = rest.chars().next()?;
        let simple = match escape {
            'a' => Some(7),
            'b' => Some(8),
            'f' => Some(12),
            'n' => Some(b'\n'),
            'r' => Some(b'\r'),
            't' => Some(b'\t'),
            'v' => Some(11),
            '\\' | '"' => u8::try_from(escape).ok(),
            _ => None,
        };
        if let Some(byte) = simple {
            bytes.push(byte);
            rest = &rest[1..];
            continue;
        }
        let (digits, base, after) = match escape {
            'x' => (rest.get(1..3)?, 16, &rest[3..]),
            'u' => (rest.get(1..5)?, 16, &rest[5..]),
            'U' => (rest.get(1..9)?, 16, &rest[9..]),
            '0'..='7' => (rest.get(..3)?, 8, &rest[3..]),
            _ => return None,
        };
        if !digits.chars().all(|digit| digit.is_digit(base)) {
            return None;
        }
        let code = u32::from_str_radix(digits, base).ok()?;
        match escape {
            'u' | 'U' => {
                let symbol = char::from_u32(code)?;
                bytes.extend_from_slice(symbol.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => bytes.push(u8::try_from(code).ok()?),
        }
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
