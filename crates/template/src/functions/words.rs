//! Identifiers in camel, snake and kebab case.

use crate::functions::strings::{lower_rune, upper_rune};
use crate::functions::table;

table! { pub(super) TABLE:
    "camelcase", 1..=1 => |arguments| Ok(camel_case(arguments.text(0)?).into());
    "snakecase", 1..=1 => |arguments| Ok(lower_case(arguments.text(0)?, '_').into());
    "kebabcase", 1..=1 => |arguments| Ok(lower_case(arguments.text(0)?, '-').into());
}

fn is_connector(symbol: char) -> bool {
    symbol == '-' || symbol == '_' || symbol.is_whitespace()
}

/// Joins words, raising the first letter of all but the first and lowering the capitals that
/// follow a capital first letter: `HTTP_server` is `httpServer`.
///
/// Traefik: connectors at both ends stay, of several between words all but one do, a text of
/// nothing else has its last one doubled, and a single capital at the very end is lowered.
fn camel_case(text: &str) -> String {
    let symbols: Vec<char> = text.chars().collect();
    let mut camel = String::with_capacity(text.len() + 1);
    let mut index = 0;
    let mut is_first = true;
    while index < symbols.len() {
        let connectors = count(&symbols[index..], is_connector);
        let start = index + connectors;
        if start == symbols.len() {
            camel.extend(&symbols[index..]);
            camel.extend(symbols.last().filter(|_| is_first));
            break;
        }
        let kept = if is_first { connectors } else { connectors.saturating_sub(1) };
        camel.extend(&symbols[index..index + kept]);
        let end = start + count(&symbols[start..], |symbol| !is_connector(symbol));
        let word = &symbols[start..end];
        let capitals = count(word, char::is_uppercase);
        let is_lowered = is_first || capitals == 1 && end == symbols.len() && word.len() == 1;
        camel.push(if is_lowered { lower_rune(word[0]) } else { upper_rune(word[0]) });
        let followers = capitals.max(1);
        camel.extend(word[1..followers].iter().map(|symbol| lower_rune(*symbol)));
        camel.extend(&word[followers..]);
        is_first = false;
        index = end;
    }
    camel
}

fn count(symbols: &[char], belongs: impl Fn(char) -> bool) -> usize {
    symbols.iter().take_while(|symbol| belongs(**symbol)).count()
}

/// What a run of characters is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Word {
    Number,
    /// Upper case letters, or one of them with the lower case ones after it.
    Capital,
    Letters,
    Connector,
    Punctuation,
    Other,
}

impl Word {
    fn joins_number(self) -> bool {
        matches!(self, Self::Letters | Self::Number)
    }

    fn separates(self) -> bool {
        matches!(self, Self::Connector | Self::Punctuation)
    }
}

fn kind(symbol: char) -> Word {
    if is_connector(symbol) {
        Word::Connector
    } else if is_punctuation(symbol) {
        Word::Punctuation
    } else if symbol.is_uppercase() {
        Word::Capital
    } else if symbol.is_alphabetic() {
        Word::Letters
    } else if symbol.is_numeric() {
        Word::Number
    } else {
        Word::Other
    }
}

/// Go's `unicode.IsPunct` for ASCII and the general punctuation block.
fn is_punctuation(symbol: char) -> bool {
    match symbol {
        '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~' => false,
        symbol if symbol.is_ascii() => symbol.is_ascii_punctuation(),
        '¡' | '§' | '«' | '¶' | '·' | '»' | '¿' => true,
        symbol => {
            ('\u{2010}'..='\u{2027}').contains(&symbol)
                || ('\u{2030}'..='\u{205e}').contains(&symbol) && symbol != '\u{2044}'
                || ('\u{3001}'..='\u{3003}').contains(&symbol)
        }
    }
}

/// Takes the first word of a text.
fn next_word(text: &str) -> Option<(Word, &str, &str)> {
    let first = text.chars().next()?;
    let word = kind(first);
    let length = match word {
        Word::Capital => capital_length(text, first),
        Word::Letters => run(text, |symbol| kind(symbol) == Word::Letters),
        word => run(text, |symbol| kind(symbol) == word),
    };
    Some((word, &text[..length], &text[length..]))
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|symbol| !belongs(symbol)).unwrap_or(text.len())
}

/// `Status` is one word, and so is the `HTTP` of `HTTPStatus`.
fn capital_length(text: &str, first: char) -> usize {
    let capitals = run(text, |symbol| kind(symbol) == Word::Capital);
    let is_followed_by_letter =
        text[capitals..].chars().next().is_some_and(|symbol| kind(symbol) == Word::Letters);
    if !is_followed_by_letter {
        return capitals;
    }
    if capitals == first.len_utf8() {
        return capitals + run(&text[capitals..], |symbol| kind(symbol) == Word::Letters);
    }
    text[..capitals].char_indices().next_back().map_or(capitals, |(index, _)| index)
}

/// Splits a text into words and joins them with `connector`: `FirstName` is `first_name`. Numbers
/// belong to the word before unless letters follow: `Bld4Floor` is `bld4_floor`, `http2xx` is
/// `http_2xx`.
fn lower_case(text: &str, connector: char) -> String {
    let mut out = Lowered { text: String::with_capacity(text.len() + 4), connector };
    let mut rest = text;
    let mut current = take(&mut rest);
    while let Some((previous, word)) = current {
        if rest.is_empty() {
            out.word(previous, word);
            break;
        }
        if previous != Word::Connector {
            out.word(previous, word);
        }
        current = take(&mut rest);
        match previous {
            Word::Connector => out.word(previous, word),
            Word::Punctuation => {}
            Word::Number => current = out.number_tail(current, &mut rest),
            _ => {
                let Some((Word::Number, number)) = current else {
                    out.connect_before(current);
                    continue;
                };
                if rest.is_empty() {
                    continue;
                }
                current = take(&mut rest);
                if current.is_some_and(|(word, _)| word == Word::Letters) {
                    out.text.push(connector);
                    out.word(Word::Number, number);
                    current = out.number_tail(current, &mut rest);
                } else {
                    out.word(Word::Number, number);
                    out.connect_before(current);
                }
            }
        }
    }
    out.text
}

fn take<'a>(rest: &mut &'a str) -> Option<(Word, &'a str)> {
    let (word, text, remaining) = next_word(rest)?;
    *rest = remaining;
    Some((word, text))
}

struct Lowered {
    text: String,
    connector: char,
}

impl Lowered {
    fn word(&mut self, word: Word, text: &str) {
        match word {
            Word::Capital => self.text.extend(text.chars().map(lower_rune)),
            Word::Connector => self.text.extend(text.chars().map(|_| self.connector)),
            _ => self.text.push_str(text),
        }
    }

    fn connect_before(&mut self, next: Option<(Word, &str)>) {
        if next.is_some_and(|(word, _)| !word.separates()) {
            self.text.push(self.connector);
        }
    }

    /// Writes the letters and digits that follow a number, and the connector before what comes.
    fn number_tail<'a>(
        &mut self,
        mut current: Option<(Word, &'a str)>,
        rest: &mut &'a str,
    ) -> Option<(Word, &'a str)> {
        while let Some((word, text)) = current.filter(|(word, _)| word.joins_number()) {
            self.word(word, text);
            current = take(rest);
        }
        self.connect_before(current);
        current
    }
}
