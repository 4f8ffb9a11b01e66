//! Go's `regexp/syntax` (Perl flags) read left to right and written for the `regex` crate.

use std::fmt::Write;

use super::escape::{error, escaped_character, escaped_code, perl_class, perl_set, unicode_class};

/// Translates a Go pattern into one of the `regex` crate with the same meaning.
///
/// Groups keep their numbers; their names are dropped because Go allows names that the engine does
/// not. The error is worded as Go words it.
pub fn translate(go_pattern: &str) -> Result<String, String> {
    Translator::run(go_pattern).map(|translation| translation.pattern)
}

/// What a pattern becomes.
pub(super) struct Translation {
    pub(super) pattern: String,
    /// Names by group index; index 0 is the whole match.
    pub(super) names: Vec<Option<String>>,
}

pub(super) struct Translator<'a> {
    pattern: &'a str,
    rest: &'a str,
    output: String,
    names: Vec<Option<String>>,
    open_groups: usize,
    /// Whether something precedes that a repetition can apply to.
    repeatable: bool,
    /// Where the repetition just read starts in the pattern, when nothing has followed it.
    last_repetition: Option<usize>,
}

impl<'a> Translator<'a> {
    pub(super) fn run(pattern: &'a str) -> Result<Translation, String> {
        let mut translator = Self {
            pattern,
            rest: pattern,
            output: String::with_capacity(pattern.len() + 16),
            names: vec![None],
            open_groups: 0,
            repeatable: false,
            last_repetition: None,
        };
        while !translator.rest.is_empty() {
            translator.step()?;
        }
        if translator.open_groups > 0 {
            return Err(error("missing closing )", pattern));
        }
        Ok(Translation { pattern: translator.output, names: translator.names })
    }

    /// Reads one element.
    fn step(&mut self) -> Result<(), String> {
        let previous_repetition = self.last_repetition.take();
        let Some(first) = self.rest.chars().next() else { return Ok(()) };
        match first {
            '(' if self.rest.starts_with("(?") => self.perl_group(),
            '(' => {
                self.skip(1);
                self.open_group(None);
                Ok(())
            }
            ')' => self.close_group(),
            '|' => {
                self.skip(1);
                self.output.push('|');
                self.repeatable = false;
                Ok(())
            }
            '^' | '$' | '.' => {
                self.skip(1);
                self.output.push(first);
                self.repeatable = true;
                Ok(())
            }
            '[' => self.class(),
            '*' | '+' | '?' => {
                let start = self.position();
                self.skip(1);
                self.repetition(start, previous_repetition, &first.to_string())
            }
            '{' => {
                let start = self.position();
                match counted_repetition(self.rest) {
                    Some(count) => {
                        self.skip(count.length);
                        if !count.is_valid() {
                            let text = &self.pattern[start..self.position()];
                            return Err(error("invalid repeat count", text));
                        }
                        self.repetition(start, previous_repetition, &count.text())
                    }
                    // Go reads a brace that is no repetition as itself.
                    None => {
                        self.skip(1);
                        self.literal('{');
                        Ok(())
                    }
                }
            }
            '\\' => self.escape(),
            other => {
                self.skip(other.len_utf8());
                self.literal(other);
                Ok(())
            }
        }
    }

    fn repetition(
        &mut self,
        start: usize,
        previous: Option<usize>,
        operator: &str,
    ) -> Result<(), String> {
        let lazy = self.rest.starts_with('?');
        if lazy {
            self.skip(1);
        }
        if let Some(previous) = previous {
            let text = &self.pattern[previous..self.position()];
            return Err(error("invalid nested repetition operator", text));
        }
        if !self.repeatable {
            let text = &self.pattern[start..self.position()];
            return Err(error("missing argument to repetition operator", text));
        }
        self.output.push_str(operator);
        if lazy {
            self.output.push('?');
        }
        self.last_repetition = Some(start);
        Ok(())
    }

    fn open_group(&mut self, name: Option<String>) {
        self.output.push('(');
        self.names.push(name);
        self.open_groups += 1;
        self.repeatable = false;
    }

    fn close_group(&mut self) -> Result<(), String> {
        if self.open_groups == 0 {
            return Err(error("unexpected )", self.pattern));
        }
        self.skip(1);
        self.open_groups -= 1;
        self.output.push(')');
        self.repeatable = true;
        Ok(())
    }

    /// `(?P<name>…)`, `(?<name>…)`, `(?flags)` and `(?flags:…)`.
    fn perl_group(&mut self) -> Result<(), String> {
        let start = self.rest;
        let named = start.strip_prefix("(?P<").or_else(|| start.strip_prefix("(?<"));
        if let Some(after) = named {
            let Some((name, _)) = after.split_once('>') else {
                return Err(error("invalid named capture", start));
            };
            let length = start.len() - after.len() + name.len() + 1;
            let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
            if name.is_empty() || !name.chars().all(is_name) {
                return Err(error("invalid named capture", &start[..length]));
            }
            self.skip(length);
            self.open_group(Some(name.to_owned()));
            return Ok(());
        }

        self.skip(2);
        let (mut switched_on, mut switched_off) = (String::new(), String::new());
        let mut negative = false;
        while let Some(flag) = self.rest.chars().next() {
            self.skip(flag.len_utf8());
            match flag {
                'i' | 'm' | 's' | 'U' => {
                    let flags = if negative { &mut switched_off } else { &mut switched_on };
                    if !flags.contains(flag) {
                        flags.push(flag);
                    }
                }
                '-' if !negative => negative = true,
                ':' | ')' if !negative || !switched_off.is_empty() => {
                    // A flag switched on and then off is off; the engine refuses to hear it twice.
                    switched_on.retain(|flag| !switched_off.contains(flag));
                    self.flag_group(&switched_on, &switched_off, flag);
                    return Ok(());
                }
                _ => break,
            }
        }
        let read = start.len() - self.rest.len();
        Err(error("invalid or unsupported Perl syntax", &start[..read]))
    }

    fn flag_group(&mut self, on: &str, off: &str, end: char) {
        let has_flags = !on.is_empty() || !off.is_empty();
        if end == ')' && !has_flags {
            // `(?)` changes nothing in Go and is an error in the engine.
            return;
        }
        self.output.push_str("(?");
        self.output.push_str(on);
        if !off.is_empty() {
            self.output.push('-');
            self.output.push_str(off);
        }
        self.output.push(end);
        if end == ':' {
            self.open_groups += 1;
            self.repeatable = false;
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        let start = self.rest;
        let mut characters = start[1..].chars();
        let Some(kind) = characters.next() else {
            return Err(error("trailing backslash at end of expression", ""));
        };
        match kind {
            'A' | 'z' => self.emit(2, if kind == 'A' { r"\A" } else { r"\z" }),
            'b' => self.emit(2, r"(?-u:\b)"),
            'B' => self.emit(2, r"(?-u:\B)"),
            'Q' => {
                let body = &start[2..];
                let (quoted, length) = match body.split_once(r"\E") {
                    Some((quoted, _)) => (quoted, quoted.len() + 4),
                    None => (body, start.len()),
                };
                self.skip(length);
                for character in quoted.chars() {
                    self.literal(character);
                }
            }
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
                self.output.push('[');
                let negation = if kind.is_ascii_uppercase() { "^" } else { "" };
                let set = perl_set(kind.to_ascii_lowercase());
                let _ = write!(self.output, "{negation}{set}");
                self.emit(2, "]");
            }
            'p' | 'P' => {
                let (length, class) = unicode_class(start)?;
                self.emit(length, &class);
            }
            _ => {
                let (length, character) = escaped_character(start)?;
                self.skip(length);
                match character {
                    Some(character) => self.literal(character),
                    None => self.emit(0, NEVER),
                }
            }
        }
        Ok(())
    }

    /// `[…]`, in which Go knows no set operators.
    fn class(&mut self) -> Result<(), String> {
        let start = self.rest;
        let mut rest = &start[1..];
        let mut output = String::from("[");
        if let Some(after) = rest.strip_prefix('^') {
            output.push('^');
            rest = after;
        }
        let mut first = true;
        let mut members = 0;
        while first || !rest.starts_with(']') {
            first = false;
            if let Some(after) = rest.strip_prefix("[:")
                && let Some((name, _)) = after.split_once(":]")
            {
                let text = &rest[..name.len() + 4];
                if !POSIX_CLASSES.contains(&name.strip_prefix('^').unwrap_or(name)) {
                    return Err(error("invalid character class range", text));
                }
                output.push_str(text);
                members += 1;
                rest = &rest[text.len()..];
                continue;
            }
            if rest.starts_with(r"\p") || rest.starts_with(r"\P") {
                let (length, class) = unicode_class(rest)?;
                output.push_str(&class);
                members += 1;
                rest = &rest[length..];
                continue;
            }
            if let Some(kind) = perl_class(rest) {
                let set = perl_set(kind.to_ascii_lowercase());
                match kind.is_ascii_uppercase() {
                    true => _ = write!(output, "[^{set}]"),
                    false => output.push_str(set),
                }
                members += 1;
                rest = &rest[2..];
                continue;
            }
            let range = rest;
            let low = class_character(&mut rest, start)?;
            let mut high = low;
            if rest.len() >= 2 && rest.starts_with('-') && !rest.starts_with("-]") {
                rest = &rest[1..];
                high = class_character(&mut rest, start)?;
                if high < low {
                    let text = &range[..range.len() - rest.len()];
                    return Err(error("invalid character class range", text));
                }
            }
            members += write_range(&mut output, low, high);
        }
        output.push(']');
        let length = start.len() - rest.len() + 1;
        // Only surrogates were listed, which no text holds.
        if members == 0 {
            output = String::from(if output.starts_with("[^") { ALWAYS } else { NEVER });
        }
        self.emit(length, &output);
        Ok(())
    }

    /// Skips `length` bytes of input and writes something a repetition can apply to.
    fn emit(&mut self, length: usize, text: &str) {
        self.skip(length);
        self.output.push_str(text);
        self.repeatable = true;
    }

    fn literal(&mut self, character: char) {
        write_literal(&mut self.output, character);
        self.repeatable = true;
    }

    fn skip(&mut self, length: usize) {
        self.rest = &self.rest[length..];
    }

    fn position(&self) -> usize {
        self.pattern.len() - self.rest.len()
    }
}

struct Count {
    minimum: Option<u32>,
    maximum: Maximum,
    /// Bytes read, braces included.
    length: usize,
}

enum Maximum {
    Same,
    Unlimited,
    Exactly(Option<u32>),
}

impl Count {
    fn is_valid(&self) -> bool {
        let Some(minimum) = self.minimum.filter(|count| *count <= REPEAT_LIMIT) else {
            return false;
        };
        match self.maximum {
            Maximum::Same | Maximum::Unlimited => true,
            Maximum::Exactly(maximum) => {
                maximum.is_some_and(|maximum| maximum <= REPEAT_LIMIT && minimum <= maximum)
            }
        }
    }

    fn text(&self) -> String {
        let minimum = self.minimum.unwrap_or_default();
        match self.maximum {
            Maximum::Same => format!("{{{minimum}}}"),
            Maximum::Unlimited => format!("{{{minimum},}}"),
            Maximum::Exactly(maximum) => format!("{{{minimum},{}}}", maximum.unwrap_or_default()),
        }
    }
}

/// `{n}`, `{n,}` and `{n,m}`; anything else is no repetition.
fn counted_repetition(text: &str) -> Option<Count> {
    let mut rest = text.strip_prefix('{')?;
    let minimum = repeat_number(&mut rest)?;
    let mut maximum = Maximum::Same;
    if let Some(after) = rest.strip_prefix(',') {
        rest = after;
        maximum = if rest.starts_with('}') {
            Maximum::Unlimited
        } else {
            Maximum::Exactly(repeat_number(&mut rest)?)
        };
    }
    rest = rest.strip_prefix('}')?;
    Some(Count { minimum, maximum, length: text.len() - rest.len() })
}

/// The outer `None`: no number (or one with a leading zero). The inner: too large to count.
fn repeat_number(rest: &mut &str) -> Option<Option<u32>> {
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    *rest = after;
    Some(digits.parse().ok())
}

/// One member of a class as a code point, which may be a surrogate.
fn class_character(rest: &mut &str, class: &str) -> Result<u32, String> {
    let Some(first) = rest.chars().next() else {
        return Err(error("missing closing ]", class));
    };
    if first != '\\' {
        *rest = &rest[first.len_utf8()..];
        return Ok(u32::from(first));
    }
    let (length, code) = escaped_code(rest)?;
    *rest = &rest[length..];
    Ok(code)
}

/// Writes a range, leaving out surrogates, which no text holds; gives the number of ranges written.
fn write_range(output: &mut String, low: u32, high: u32) -> usize {
    let mut written = 0;
    for (low, high) in [(low, high.min(0xD7FF)), (low.max(0xE000), high)] {
        if low > high {
            continue;
        }
        let (Some(low), Some(high)) = (char::from_u32(low), char::from_u32(high)) else { continue };
        write_class_literal(output, low);
        if high != low {
            output.push('-');
            write_class_literal(output, high);
        }
        written += 1;
    }
    written
}

fn write_literal(output: &mut String, character: char) {
    match character {
        // The engine gives `\<` and `\>` a meaning and the characters themselves none.
        '<' | '>' | '_' | ' ' => output.push(character),
        c if c.is_ascii_punctuation() => {
            output.push('\\');
            output.push(c);
        }
        c => output.push(c),
    }
}

fn write_class_literal(output: &mut String, character: char) {
    if character.is_alphanumeric() {
        output.push(character);
    } else {
        let _ = write!(output, r"\x{{{:X}}}", u32::from(character));
    }
}

/// Go's limit on `{n}`.
const REPEAT_LIMIT: u32 = 1000;
const NEVER: &str = "[a&&b]";
const ALWAYS: &str = r"[\s\S]";
const POSIX_CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];
