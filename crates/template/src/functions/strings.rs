//! Strings. Where sprig counts bytes, so do these; a result that cuts a character is an error.

use gtmpl_ng::{FuncError, Value, funcs};

use crate::functions::{Arguments, MANY, Outcome, table};
use crate::value;

table! { pub(super) TABLE:
    "abbrev", 2..=2 => |arguments| abbreviate(arguments, 0, arguments.integer(0)?, arguments.text(1)?);
    "abbrevboth", 3..=3 => |arguments| {
        let (left, width) = (arguments.integer(0)?, arguments.integer(1)?);
        abbreviate(arguments, left, width, arguments.text(2)?)
    };
    "trunc", 2..=2 => trunc;
    "trim", 1..=1 => |arguments| Ok(arguments.text(0)?.trim().into());
    "upper", 1..=1 => |arguments| Ok(map_runes(arguments.text(0)?, upper_rune).into());
    "lower", 1..=1 => |arguments| Ok(map_runes(arguments.text(0)?, lower_rune).into());
    "title", 1..=1 => |arguments| Ok(title(arguments.text(0)?).into());
    "untitle", 1..=1 => |arguments| Ok(untitle(arguments.text(0)?).into());
    "swapcase", 1..=1 => |arguments| Ok(swap_case(arguments.text(0)?).into());
    "substr", 3..=3 => substr;
    "repeat", 2..=2 => repeat;
    "trimall", 2..=2 => trim_all;
    "trimAll", 2..=2 => trim_all;
    "trimSuffix", 2..=2 => |arguments| {
        let (suffix, text) = (arguments.text(0)?, arguments.text(1)?);
        Ok(text.strip_suffix(suffix).unwrap_or(text).into())
    };
    "trimPrefix", 2..=2 => |arguments| {
        let (prefix, text) = (arguments.text(0)?, arguments.text(1)?);
        Ok(text.strip_prefix(prefix).unwrap_or(text).into())
    };
    "nospace", 1..=1 => |arguments| Ok(nospace(arguments.text(0)?).into());
    "initials", 1..=1 => |arguments| Ok(initials(arguments.text(0)?).into());
    "contains", 2..=2 => |arguments| Ok(arguments.text(1)?.contains(arguments.text(0)?).into());
    "hasPrefix", 2..=2 => |arguments| Ok(arguments.text(1)?.starts_with(arguments.text(0)?).into());
    "hasSuffix", 2..=2 => |arguments| Ok(arguments.text(1)?.ends_with(arguments.text(0)?).into());
    "quote", 0..=MANY => quote;
    "squote", 0..=MANY => |arguments| {
        let quoted: Vec<_> = present(arguments).map(|value| format!("'{}'", value::text(value))).collect();
        Ok(quoted.join(" ").into())
    };
    "cat", 0..=MANY => |arguments| {
        let texts: Vec<_> = present(arguments).map(value::text).collect();
        Ok(texts.join(" ").into())
    };
    "indent", 2..=2 => |arguments| Ok(indent(arguments)?.into());
    "nindent", 2..=2 => |arguments| Ok(format!("\n{}", indent(arguments)?).into());
    "replace", 3..=3 => replace;
    "plural", 3..=3 => |arguments| {
        Ok(arguments.text(if arguments.integer(2)? == 1 { 0 } else { 1 })?.into())
    };
    "toString", 1..=1 => |arguments| Ok(value::text(arguments.any(0)).into());
    "wrap", 2..=2 => |arguments| {
        wrap(arguments, arguments.integer(0)?, "\n", arguments.text(1)?, LongWords::Kept)
    };
    "wrapWith", 3..=3 => |arguments| {
        let separator = Some(arguments.text(1)?).filter(|text| !text.is_empty()).unwrap_or("\n");
        wrap(arguments, arguments.integer(0)?, separator, arguments.text(2)?, LongWords::Cut)
    };
    "normalize", 1..=1 => |arguments| Ok(normalize(arguments.text(0)?).into());
}

/// Go's `unicode.ToUpper`: a character whose upper case is several characters stays itself.
pub(super) fn upper_rune(symbol: char) -> char {
    let mut upper = symbol.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => symbol,
    }
}

/// Go's `unicode.ToLower`.
pub(super) fn lower_rune(symbol: char) -> char {
    symbol.to_lowercase().next().unwrap_or(symbol)
}

fn map_runes(text: &str, map: fn(char) -> char) -> String {
    text.chars().map(map).collect()
}

/// Shortens to `width` bytes with an ellipsis; from an `offset` above 4 on there are two.
fn abbreviate(arguments: &Arguments, offset: i64, width: i64, text: &str) -> Outcome {
    if width < 4 || offset > 0 && width < 7 {
        return Ok(text.into());
    }
    let length = text.len() as i64;
    if length <= width {
        return Ok(text.into());
    }
    let offset = offset.min(length);
    let offset = if length - offset < width - 3 { length - (width - 3) } else { offset };
    let bytes = text.as_bytes();
    if offset <= 4 {
        return arguments.utf8([&bytes[..(width - 3) as usize], b"..."].concat());
    }
    if offset + width - 3 < length {
        // Both ellipses count, so little is left of a narrow width: below 4 nothing is.
        let inner_width = width - 3;
        let inner = &bytes[offset as usize..];
        let kept = match usize::try_from(inner_width - 3) {
            Ok(kept) if inner_width >= 4 && inner.len() as i64 > inner_width => {
                [&inner[..kept], b"..."].concat()
            }
            _ if inner_width < 4 => Vec::new(),
            _ => inner.to_vec(),
        };
        return arguments.utf8([b"...".as_slice(), &kept].concat());
    }
    let start = (length - (width - 3)) as usize;
    arguments.utf8([b"...", &bytes[start..]].concat())
}

fn trunc(arguments: &Arguments) -> Outcome {
    let (count, text) = (arguments.integer(0)?, arguments.text(1)?);
    let bytes = text.as_bytes();
    let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    if count < 0 && length.saturating_add(count) > 0 {
        return arguments.utf8(&bytes[(length + count) as usize..]);
    }
    if (0..length).contains(&count) {
        return arguments.utf8(&bytes[..count as usize]);
    }
    Ok(text.into())
}

fn substr(arguments: &Arguments) -> Outcome {
    let (start, end, text) = (arguments.integer(0)?, arguments.integer(1)?, arguments.text(2)?);
    let length = text.len() as i64;
    let (start, end) = if start < 0 {
        (0, end)
    } else if end < 0 || end > length {
        (start, length)
    } else {
        (start, end)
    };
    usize::try_from(start)
        .ok()
        .zip(usize::try_from(end).ok())
        .and_then(|(start, end)| text.as_bytes().get(start..end))
        .ok_or_else(|| arguments.error(format!("slice bounds out of range [{start}:{end}]")))
        .and_then(|bytes| arguments.utf8(bytes))
}

fn repeat(arguments: &Arguments) -> Outcome {
    let (count, text) = (arguments.count(0)?, arguments.text(1)?);
    arguments.check_size(count.saturating_mul(text.len()))?;
    Ok(text.repeat(count).into())
}

fn trim_all(arguments: &Arguments) -> Outcome {
    let symbols = arguments.text(0)?;
    Ok(arguments.text(1)?.trim_matches(|symbol| symbols.contains(symbol)).into())
}

fn indent(arguments: &Arguments) -> Result<String, FuncError> {
    let (spaces, text) = (arguments.count(0)?, arguments.text(1)?);
    let lines = text.matches('\n').count() + 1;
    arguments.check_size(text.len().saturating_add(lines.saturating_mul(spaces)))?;
    let pad = " ".repeat(spaces);
    Ok(format!("{pad}{}", text.replace('\n', &format!("\n{pad}"))))
}

fn replace(arguments: &Arguments) -> Outcome {
    let (old, new, text) = (arguments.text(0)?, arguments.text(1)?, arguments.text(2)?);
    let growth = text.matches(old).count().saturating_mul(new.len());
    arguments.check_size(text.len().saturating_add(growth))?;
    Ok(text.replace(old, new).into())
}

fn present<'a>(arguments: &Arguments<'a>) -> impl Iterator<Item = &'a Value> {
    arguments.values.iter().filter(|value| !matches!(value, Value::Nil | Value::NoValue))
}

fn quote(arguments: &Arguments) -> Outcome {
    let quoted = present(arguments).map(|value| go_quoted(&value::text(value)));
    Ok(quoted.collect::<Result<Vec<_>, _>>()?.join(" ").into())
}

/// Go's `%q`.
pub(super) fn go_quoted(text: &str) -> Result<String, FuncError> {
    funcs::printf(&["%q".into(), text.into()]).map(|quoted| quoted.to_string())
}

/// Go's `strings.Title`: letters after anything that cannot be part of a word.
fn title(text: &str) -> String {
    let mut previous = ' ';
    text.chars()
        .map(|symbol| {
            let starts_word = match previous {
                previous if previous.is_ascii() => {
                    !previous.is_ascii_alphanumeric() && previous != '_'
                }
                previous => !previous.is_alphanumeric() && previous.is_whitespace(),
            };
            previous = symbol;
            if starts_word { upper_rune(symbol) } else { symbol }
        })
        .collect()
}

fn untitle(text: &str) -> String {
    let mut starts_word = true;
    text.chars()
        .map(|symbol| {
            if symbol.is_whitespace() {
                starts_word = true;
                symbol
            } else if std::mem::take(&mut starts_word) {
                lower_rune(symbol)
            } else {
                symbol
            }
        })
        .collect()
}

/// Swaps cases; only lower case letters that begin a word keep the flag for the next one.
fn swap_case(text: &str) -> String {
    let mut after_space = true;
    text.chars()
        .map(|symbol| {
            if symbol.is_uppercase() {
                after_space = false;
                lower_rune(symbol)
            } else if symbol.is_lowercase() {
                after_space = false;
                upper_rune(symbol)
            } else {
                after_space = symbol.is_whitespace();
                symbol
            }
        })
        .collect()
}

/// Sprig takes each byte for a character here, so text beyond ASCII comes out as Latin-1 —
/// unless there is no white space at all.
fn nospace(text: &str) -> String {
    let symbols = || text.bytes().map(char::from);
    if !symbols().any(char::is_whitespace) {
        return text.to_owned();
    }
    symbols().filter(|symbol| !symbol.is_whitespace()).collect()
}

/// The first byte of each word, taken for a character as in [`nospace`].
fn initials(text: &str) -> String {
    let mut after_space = true;
    let mut letters = String::new();
    for symbol in text.bytes().map(char::from) {
        if symbol.is_whitespace() {
            after_space = true;
        } else if std::mem::take(&mut after_space) {
            letters.push(symbol);
        }
    }
    letters
}

/// What becomes of words longer than a line.
#[derive(PartialEq)]
enum LongWords {
    Kept,
    Cut,
}

fn wrap(
    arguments: &Arguments,
    width: i64,
    separator: &str,
    text: &str,
    long_words: LongWords,
) -> Outcome {
    let width = usize::try_from(width).unwrap_or(0).max(1);
    let lines = text.len() / width + text.matches(' ').count();
    arguments.check_size(text.len().saturating_add(lines.saturating_mul(separator.len())))?;
    let mut rest = text.as_bytes();
    let mut wrapped = Vec::with_capacity(text.len());
    while rest.len() > width {
        if rest[0] == b' ' {
            rest = &rest[1..];
            continue;
        }
        let last_space = rest[..=width].iter().rposition(|byte| *byte == b' ');
        let (line_end, next) = match last_space {
            Some(space) => (space, space + 1),
            None if long_words == LongWords::Cut => (width, width),
            None => match rest[width..].iter().position(|byte| *byte == b' ') {
                Some(space) => (width + space, width + space + 1),
                None => break,
            },
        };
        wrapped.extend_from_slice(&rest[..line_end]);
        wrapped.extend_from_slice(separator.as_bytes());
        rest = &rest[next..];
    }
    wrapped.extend_from_slice(rest);
    arguments.utf8(wrapped)
}

/// Traefik's name for a thing whose own name may have other symbols than letters and digits.
fn normalize(text: &str) -> String {
    let words = text.split(|symbol: char| !symbol.is_alphanumeric());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}
