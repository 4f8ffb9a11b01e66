//! Go's tokens, as far as an expression can have them.
//!
//! Follows the Go specification, chapter "Lexical elements": a line's end counts as a token after
//! a name, a literal or a closing bracket, comments are skipped. Faults are collected, not
//! returned, because Go goes on after them and says how many there were.

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    EndOfFile,
    /// The semicolon Go inserts at the end of a line.
    Newline,
    Identifier,
    Keyword,
    Integer,
    Float,
    Imaginary,
    Character,
    String,
    Operator,
    Illegal,
}

/// A piece of the source.
#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    pub offset: usize,
}

impl Token<'_> {
    pub fn is(&self, operator: &str) -> bool {
        self.kind == Kind::Operator && self.text == operator
    }
}

/// Something wrong at a place of the source.
#[derive(Debug)]
pub(super) struct Fault {
    pub offset: usize,
    pub message: String,
}

/// Cuts a source into tokens.
pub(super) struct Scanner<'a> {
    source: &'a str,
    offset: usize,
    /// Whether a line's end is a token here.
    ends_line: bool,
    pub faults: Vec<Fault>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        let offset =
            if source.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        Self { source, offset, ends_line: false, faults: Vec::new() }
    }

    /// The next token; at the end [`Kind::EndOfFile`], again and again.
    pub(super) fn next_token(&mut self) -> Token<'a> {
        if let Some(newline) = self.skip_space() {
            return newline;
        }
        let start = self.offset;
        let Some(first) = self.peek() else {
            let kind = if self.ends_line { Kind::Newline } else { Kind::EndOfFile };
            self.ends_line = false;
            return self.token(kind, start);
        };
        let kind = match first {
            '\n' => Kind::Newline,
            '"' => self.scan_string(),
            '`' => self.scan_raw_string(),
            '\'' => self.scan_character(),
            _ if is_letter(first) => self.scan_name(),
            _ if first.is_ascii_digit() => self.scan_number(),
            '.' if self.rest()[1..].starts_with(|next: char| next.is_ascii_digit()) => {
                self.scan_number()
            }
            _ => match OPERATORS.iter().find(|operator| self.rest().starts_with(**operator)) {
                Some(operator) => {
                    self.offset += operator.len();
                    Kind::Operator
                }
                None => self.scan_illegal(first),
            },
        };
        if first == '\n' {
            self.offset += 1;
        }
        let token = self.token(kind, start);
        self.ends_line = match kind {
            Kind::EndOfFile | Kind::Newline => false,
            Kind::Illegal => self.ends_line,
            Kind::Keyword => LINE_ENDING_KEYWORDS.contains(&token.text),
            Kind::Operator => LINE_ENDING_OPERATORS.contains(&token.text),
            _ => true,
        };
        token
    }

    fn token(&self, kind: Kind, start: usize) -> Token<'a> {
        Token { kind, text: &self.source[start..self.offset], offset: start }
    }

    fn rest(&self) -> &'a str {
        &self.source[self.offset..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let taken = self.peek()?;
        self.offset += taken.len_utf8();
        Some(taken)
    }

    fn take_while(&mut self, is_wanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&is_wanted) {
            self.take();
        }
    }

    fn fault(&mut self, offset: usize, message: impl Into<String>) {
        self.faults.push(Fault { offset, message: message.into() });
    }

    /// Skips space and comments. A comment over several lines ends a line as a bare end would.
    fn skip_space(&mut self) -> Option<Token<'a>> {
        loop {
            let ends_line = self.ends_line;
            self.take_while(|c| matches!(c, ' ' | '\t' | '\r') || (c == '\n' && !ends_line));
            let start = self.offset;
            if self.rest().starts_with("//") {
                self.take_while(|c| c != '\n');
            } else if let Some(inside) = self.rest().strip_prefix("/*") {
                let length = inside.find("*/");
                if length.is_none() {
                    self.fault(start, "comment not terminated");
                }
                self.offset = length.map_or(self.source.len(), |length| start + length + 4);
                if self.ends_line && self.source[start..self.offset].contains('\n') {
                    self.ends_line = false;
                    return Some(Token { kind: Kind::Newline, text: "\n", offset: start });
                }
            } else {
                return None;
            }
        }
    }

    fn scan_name(&mut self) -> Kind {
        let start = self.offset;
        self.take_while(|c| is_letter(c) || c.is_numeric());
        if KEYWORDS.contains(&&self.source[start..self.offset]) {
            Kind::Keyword
        } else {
            Kind::Identifier
        }
    }

    /// Numbers mean nothing in rules; malformed ones are taken as they come.
    fn scan_number(&mut self) -> Kind {
        let is_based = self.rest().len() > 1
            && self.rest().starts_with('0')
            && matches!(self.rest().as_bytes()[1], b'x' | b'X' | b'o' | b'O' | b'b' | b'B');
        if is_based {
            self.offset += 2;
            self.take_while(|c| c.is_ascii_hexdigit() || c == '_');
        } else {
            self.take_while(|c| c.is_ascii_digit() || c == '_');
        }
        let mut kind = Kind::Integer;
        if self.peek() == Some('.') {
            kind = Kind::Float;
            self.take();
            self.take_while(|c| c.is_ascii_hexdigit() && (is_based || c.is_ascii_digit()));
        }
        let exponent = if is_based { ['p', 'P'] } else { ['e', 'E'] };
        if self.peek().is_some_and(|c| exponent.contains(&c)) {
            kind = Kind::Float;
            self.take();
            if self.peek().is_some_and(|c| matches!(c, '+' | '-')) {
                self.take();
            }
            let digits = self.offset;
            self.take_while(|c| c.is_ascii_digit() || c == '_');
            if digits == self.offset {
                self.fault(digits, "exponent has no digits");
            }
        }
        if self.peek() == Some('i') {
            self.take();
            return Kind::Imaginary;
        }
        kind
    }

    fn scan_string(&mut self) -> Kind {
        let start = self.offset;
        self.take();
        loop {
            match self.peek() {
                None | Some('\n') => {
                    self.fault(start, "string literal not terminated");
                    return Kind::String;
                }
                Some(c) => {
                    self.take();
                    if c == '"' {
                        return Kind::String;
                    }
                    if c == '\\' {
                        self.scan_escape('"');
                    }
                }
            }
        }
    }

    fn scan_raw_string(&mut self) -> Kind {
        let start = self.offset;
        self.take();
        self.take_while(|c| c != '`');
        if self.take().is_none() {
            self.fault(start, "raw string literal not terminated");
        }
        Kind::String
    }

    fn scan_character(&mut self) -> Kind {
        let start = self.offset;
        self.take();
        let (mut count, mut is_valid) = (0, true);
        loop {
            match self.peek() {
                None | Some('\n') => {
                    if is_valid {
                        self.fault(start, "rune literal not terminated");
                    }
                    return Kind::Character;
                }
                Some(c) => {
                    self.take();
                    if c == '\'' {
                        break;
                    }
                    count += 1;
                    if c == '\\' && !self.scan_escape('\'') {
                        is_valid = false;
                    }
                }
            }
        }
        if is_valid && count != 1 {
            self.fault(start, "illegal rune literal");
        }
        Kind::Character
    }

    /// Reads what follows a backslash. Says whether it was good.
    fn scan_escape(&mut self, quote: char) -> bool {
        let start = self.offset;
        let (digits, base, max) = match self.peek() {
            Some('a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\') => {
                self.take();
                return true;
            }
            Some(c) if c == quote => {
                self.take();
                return true;
            }
            Some('0'..='7') => (3, 8, 255),
            Some('x') => (2, 16, 255),
            Some('u') => (4, 16, char::MAX as u32),
            Some('U') => (8, 16, char::MAX as u32),
            Some(_) => {
                self.fault(start, "unknown escape sequence");
                return false;
            }
            None => {
                self.fault(start, "escape sequence not terminated");
                return false;
            }
        };
        if base == 16 {
            self.take();
        }
        let mut value = 0_u32;
        for _ in 0..digits {
            let found = self.peek();
            let Some(digit) = found.and_then(|c| c.to_digit(base)) else {
                let message = match found {
                    Some(c) => format!("illegal character {} in escape sequence", describe(c)),
                    None => "escape sequence not terminated".to_owned(),
                };
                self.fault(self.offset, message);
                return false;
            };
            value = value.wrapping_mul(base).wrapping_add(digit);
            self.take();
        }
        if value > max || (0xD800..0xE000).contains(&value) {
            self.fault(start, "escape sequence is invalid Unicode code point");
            return false;
        }
        true
    }

    fn scan_illegal(&mut self, found: char) -> Kind {
        let start = self.offset;
        self.take();
        match found {
            '“' | '”' => {
                let message = format!("curly quotation mark '{found}' (use neutral '\"')");
                self.fault(start, message);
            }
            BYTE_ORDER_MARK => self.fault(start, "illegal byte order mark"),
            '\0' => {
                self.fault(start, "illegal character NUL");
                self.fault(start, "illegal character U+0000");
            }
            _ => self.fault(start, format!("illegal character {}", describe(found))),
        }
        Kind::Illegal
    }
}

fn is_letter(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

/// Writes a character as Go's `%#U` does.
fn describe(c: char) -> String {
    let code = u32::from(c);
    if c == ' ' || super::text::is_printable(c) {
        format!("U+{code:04X} '{c}'")
    } else {
        format!("U+{code:04X}")
    }
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Longer ones first.
const OPERATORS: &[&str] = &[
    "<<=", ">>=", "&^=", "...", "&&", "||", "<-", "++", "--", "==", "!=", "<=", ">=", ":=", "+=",
    "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<", ">>", "&^", "+", "-", "*", "/", "%", "&", "|",
    "^", "<", ">", "=", "!", "(", ")", "[", "]", "{", "}", ",", ";", ".", ":", "~",
];

const LINE_ENDING_OPERATORS: &[&str] = &[")", "]", "}", "++", "--"];

const KEYWORDS: &[&str] = &[
    "break",
    "case",
    "chan",
    "const",
    "continue",
    "default",
    "defer",
    "else",
    "fallthrough",
    "for",
    "func",
    "go",
    "goto",
    "if",
    "import",
    "interface",
    "map",
    "package",
    "range",
    "return",
    "select",
    "struct",
    "switch",
    "type",
    "var",
];

const LINE_ENDING_KEYWORDS: &[&str] = &["break", "continue", "fallthrough", "return"];
