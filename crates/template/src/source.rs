//! Prepares Go template source for an engine whose values and syntax are not quite Go's.
//!
//! Six rewrites, each keeping track of where the text came from so that errors can be located:
//! - `set $d "k" v` changes `$d` in Go, where dictionaries are references. The engine's values are
//!   not shared, so the call becomes the assignment `{{$d = set $d "k" v}}` before its action. Two
//!   variables that hold one dictionary do not see each other's changes; that is the limit of it.
//! - A whole float such as `3.0` becomes `(float64 "3")`; the engine would make it an integer.
//! - A string with backslashes is spelled with the escapes that the engine gets right.
//! - `now.Format "2006"` becomes `_method (now) "Format" "2006"`: fields take no arguments here.
//! - `else with` becomes an `else` around a `with`.
//! - What an action prints goes through `_print`, which knows how Go prints structs.

use std::ops::Range;

use crate::source::tokens::{Action, Kind, Token};

mod tokens;

/// The functions that change the dictionary given first.
const MUTATORS: &[&str] =
    &["set", "unset", "merge", "mustMerge", "mergeOverwrite", "mustMergeOverwrite"];

/// The methods with arguments that values of Go's time type have.
const METHODS: &[&str] = &["Format", "AddDate", "Before", "After", "Equal"];

/// Parentheses within each other that an action may have.
const NESTING_LIMIT: usize = 64;

/// Source that the engine can take, and where it came from.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) text: String,
    /// Where each piece begins in the text and in the source, in order.
    pieces: Vec<(usize, usize, Origin)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Origin {
    Copied,
    Added,
}

impl Prepared {
    /// The offset in the source of what is at `offset` in the prepared text.
    pub(crate) fn source_offset(&self, offset: usize) -> usize {
        let after = self.pieces.partition_point(|(begin, _, _)| *begin <= offset);
        match after.checked_sub(1).map(|index| self.pieces[index]) {
            Some((begin, source, Origin::Copied)) => source + (offset - begin),
            Some((_, source, Origin::Added)) => source,
            None => 0,
        }
    }
}

/// What makes source no template, before the engine sees it.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Where, in bytes of the source.
    pub(crate) offset: usize,
    pub(crate) message: &'static str,
}

/// Prepares a template, refusing actions that have no end or would exhaust the engine's stack.
pub(crate) fn prepare(source: &str) -> Result<Prepared, Fault> {
    let mut writer = Writer {
        source,
        prepared: Prepared { text: String::with_capacity(source.len() + 64), pieces: Vec::new() },
        open_blocks: Vec::new(),
    };
    let mut position = 0;
    while let Some(found) = source[position..].find("{{") {
        let begin = position + found;
        writer.put(&Piece::Source(position..begin));
        let action =
            tokens::action(source, begin).map_err(|message| Fault { offset: begin, message })?;
        if nesting(&action.tokens) > NESTING_LIMIT {
            return Err(Fault { offset: begin, message: "parentheses nested too deep" });
        }
        position = action.end;
        writer.action(&action);
    }
    writer.put(&Piece::Source(position..source.len()));
    Ok(writer.prepared)
}

/// A part of the prepared text.
#[derive(Debug, Clone)]
enum Piece {
    Source(Range<usize>),
    Added { text: String, at: usize },
}

fn added(text: impl Into<String>, at: usize) -> Piece {
    Piece::Added { text: text.into(), at }
}

struct Writer<'a> {
    source: &'a str,
    prepared: Prepared,
    /// For each block that is open, how many more its `end` has to close.
    open_blocks: Vec<usize>,
}

impl Writer<'_> {
    fn put(&mut self, piece: &Piece) {
        let begin = self.prepared.text.len();
        match piece {
            Piece::Source(range) if range.is_empty() => {}
            Piece::Source(range) => {
                self.prepared.pieces.push((begin, range.start, Origin::Copied));
                self.prepared.text.push_str(&self.source[range.clone()]);
            }
            Piece::Added { text, at } => {
                self.prepared.pieces.push((begin, *at, Origin::Added));
                self.prepared.text.push_str(text);
            }
        }
    }

    fn put_all(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            self.put(piece);
        }
    }

    fn action(&mut self, action: &Action) {
        let words: Vec<&Token> =
            action.tokens.iter().filter(|token| token.kind != Kind::Space).collect();
        let word = |index: usize| match words.get(index) {
            Some(token) if token.kind == Kind::Word => &self.source[token.range.clone()],
            _ => "",
        };
        match (word(0), word(1)) {
            ("end", _) => self.end(action),
            ("else", "with") => self.else_with(action, words[0].range.end),
            ("else" | "define" | "break" | "continue", _) => {
                if word(0) == "define" {
                    self.open_blocks.push(0);
                }
                let body = self.pipeline(&action.tokens, &mut None);
                self.enclosed(action, &body);
            }
            (keyword @ ("if" | "with" | "range" | "block" | "template"), _) => {
                if keyword != "template" {
                    self.open_blocks.push(0);
                }
                self.keyword(action, words[0].range.end);
            }
            _ => self.plain(action),
        }
    }

    fn end(&mut self, action: &Action) {
        let more = self.open_blocks.pop().unwrap_or(0);
        let mut body: Vec<Piece> =
            action.tokens.iter().map(|token| Piece::Source(token.range.clone())).collect();
        body.push(added("}}{{end".repeat(more), action.right.start));
        self.enclosed(action, &body);
    }

    /// `{{else with x}}` is `{{else}}{{with x}}` with one more `{{end}}`.
    fn else_with(&mut self, action: &Action, else_end: usize) {
        if let Some(more) = self.open_blocks.last_mut() {
            *more += 1;
        }
        let split = action.tokens.partition_point(|token| token.range.end <= else_end);
        let (before, after) = action.tokens.split_at(split);
        let mut body: Vec<Piece> =
            before.iter().map(|token| Piece::Source(token.range.clone())).collect();
        body.push(added("}}{{", else_end));
        body.extend(self.pipeline(after, &mut None));
        self.enclosed(action, &body);
    }

    fn keyword(&mut self, action: &Action, keyword_end: usize) {
        let split = action.tokens.partition_point(|token| token.range.end <= keyword_end);
        let (before, after) = action.tokens.split_at(split);
        let mut body: Vec<Piece> =
            before.iter().map(|token| Piece::Source(token.range.clone())).collect();
        let mut hoisted = Some(Vec::new());
        body.extend(self.declared(after, &mut hoisted).0);
        self.with_hoisted(action, &body, hoisted.unwrap_or_default());
    }

    /// An action that prints, declares or assigns.
    fn plain(&mut self, action: &Action) {
        let mut hoisted = Some(Vec::new());
        let (mut body, is_declaration) = self.declared(&action.tokens, &mut hoisted);
        let is_empty = action.tokens.iter().all(|token| token.kind == Kind::Space);
        if !is_declaration && !is_empty {
            body.push(added(" | _print", action.right.start));
        }
        self.with_hoisted(action, &body, hoisted.unwrap_or_default());
    }

    fn enclosed(&mut self, action: &Action, body: &[Piece]) {
        self.put(&Piece::Source(action.left.clone()));
        self.put_all(body);
        self.put(&Piece::Source(action.right.clone()));
    }

    /// Writes the assignments and then the action; the first to come has the left trim marker.
    fn with_hoisted(&mut self, action: &Action, body: &[Piece], hoisted: Vec<Vec<Piece>>) {
        let mut left = Piece::Source(action.left.clone());
        for assignment in hoisted {
            self.put(&left);
            self.put_all(&assignment);
            self.put(&added("}}", action.left.end));
            left = added("{{", action.left.end);
        }
        self.put(&left);
        self.put_all(body);
        self.put(&Piece::Source(action.right.clone()));
    }

    /// A pipeline that may begin with `$x :=`, `$x =` or `$i, $x :=`.
    fn declared(
        &self,
        tokens: &[Token],
        hoisted: &mut Option<Vec<Vec<Piece>>>,
    ) -> (Vec<Piece>, bool) {
        let operator = tokens
            .iter()
            .position(|token| !matches!(token.kind, Kind::Space | Kind::Variable | Kind::Comma))
            .filter(|index| matches!(tokens[*index].kind, Kind::Declare | Kind::Assign));
        let Some(operator) = operator else { return (self.pipeline(tokens, hoisted), false) };
        let (before, after) = tokens.split_at(operator + 1);
        let mut body: Vec<Piece> =
            before.iter().map(|token| Piece::Source(token.range.clone())).collect();
        body.extend(self.pipeline(after, hoisted));
        (body, true)
    }

    fn pipeline(&self, tokens: &[Token], hoisted: &mut Option<Vec<Vec<Piece>>>) -> Vec<Piece> {
        let mut body: Vec<Piece> = Vec::new();
        let mut begin = 0;
        let mut depth = 0usize;
        for (index, token) in tokens.iter().enumerate() {
            match token.kind {
                Kind::Open => depth += 1,
                Kind::Close => depth = depth.saturating_sub(1),
                Kind::Pipe if depth == 0 => {
                    self.command(&tokens[begin..index], hoisted, &mut body);
                    body.push(Piece::Source(token.range.clone()));
                    begin = index + 1;
                }
                _ => {}
            }
        }
        self.command(&tokens[begin..], hoisted, &mut body);
        body
    }

    /// Adds a command to the body of its pipeline. If the command changes a variable, all of the
    /// pipeline so far is hoisted and the variable takes its place.
    fn command(
        &self,
        tokens: &[Token],
        hoisted: &mut Option<Vec<Vec<Piece>>>,
        body: &mut Vec<Piece>,
    ) {
        let method = self.method(tokens);
        let mut index = 0;
        while let Some(token) = tokens.get(index) {
            if let Some((receiver, name)) = &method {
                if index == receiver.start {
                    body.push(added("_method (", token.range.start));
                } else if index == receiver.end {
                    body.push(added(format!(") {name:?}"), token.range.start));
                    index += 1;
                    continue;
                }
            }
            index += 1;
            match token.kind {
                Kind::Open => {
                    let close = closing(tokens, index);
                    body.push(Piece::Source(token.range.clone()));
                    body.extend(self.pipeline(&tokens[index..close], hoisted));
                    index = close;
                }
                Kind::Number => body.push(self.number(token)),
                Kind::Text | Kind::Raw => body.push(self.text(token)),
                _ => body.push(Piece::Source(token.range.clone())),
            }
        }
        let Some(hoisted) = hoisted else { return };
        let Some((variable, fields)) = self.mutated(tokens) else { return };
        let at = variable.start;
        let name = &self.source[variable];
        let mut assignment = vec![added(format!("{name} = "), at)];
        if fields.is_empty() {
            assignment.append(body);
        } else {
            assignment.push(added(format!("_assign {name} ("), at));
            assignment.append(body);
            let keys: String = fields.iter().map(|field| format!(" {field:?}")).collect();
            assignment.push(added(format!("){keys}"), at));
        }
        hoisted.push(assignment);
        let path: String = fields.iter().map(|field| format!(".{field}")).collect();
        body.push(added(format!(" {name}{path} "), at));
    }

    /// A method with arguments at the beginning of a command, which the engine cannot call: the
    /// tokens of its receiver, just before those of its name, and the name.
    fn method(&self, tokens: &[Token]) -> Option<(Range<usize>, &str)> {
        let first = tokens.iter().position(|token| token.kind != Kind::Space)?;
        let begin = match tokens[first].kind {
            Kind::Open => closing(tokens, first + 1) + 1,
            Kind::Word | Kind::Variable => first + 1,
            _ => return None,
        };
        let fields =
            tokens.get(begin..)?.iter().take_while(|token| token.kind == Kind::Field).count();
        let last = (begin + fields).checked_sub(1).filter(|_| fields > 0)?;
        let name = &self.source[tokens[last].range.start + 1..tokens[last].range.end];
        let has_arguments = tokens[last + 1..].iter().any(|token| token.kind != Kind::Space);
        (has_arguments && METHODS.contains(&name)).then_some((first..last, name))
    }

    /// The variable that a command changes, and the fields of it on the way to the dictionary.
    fn mutated(&self, tokens: &[Token]) -> Option<(Range<usize>, Vec<String>)> {
        let mut words = tokens.iter().enumerate().filter(|(_, token)| token.kind != Kind::Space);
        let (_, function) = words.next()?;
        let is_mutator =
            function.kind == Kind::Word && MUTATORS.contains(&&self.source[function.range.clone()]);
        let (index, variable) = words.next()?;
        if !is_mutator || variable.kind != Kind::Variable || variable.range.len() == 1 {
            return None;
        }
        let fields = tokens[index + 1..].iter().take_while(|token| token.kind == Kind::Field);
        let fields =
            fields.map(|token| self.source[token.range.start + 1..token.range.end].to_owned());
        Some((variable.range.clone(), fields.collect()))
    }

    fn number(&self, token: &Token) -> Piece {
        let text = self.source[token.range.clone()].replace('_', "");
        let is_float = text.contains(['.', 'e', 'E']) && !text.contains(['x', 'X']);
        match text.parse::<f64>() {
            Ok(number) if is_float && number.is_finite() && number.fract() == 0.0 => {
                added(format!("(float64 \"{number}\")"), token.range.start)
            }
            _ => Piece::Source(token.range.clone()),
        }
    }

    /// A string with backslashes becomes one in backquotes with escapes that the engine knows.
    ///
    /// The engine takes `\\` before a quote for an escaped quote, knows fewer escapes than Go, and
    /// looks for them in backquotes too. A backquote in the text has to stand by itself.
    fn text(&self, token: &Token) -> Piece {
        let original = &self.source[token.range.clone()];
        let copied = Piece::Source(token.range.clone());
        if !original.contains('\\') {
            return copied;
        }
        let unquoted = match original.strip_prefix('`').and_then(|text| text.strip_suffix('`')) {
            Some(raw) => Some(raw.replace('\r', "")),
            None => tokens::unquote(original),
        };
        let Some(unquoted) = unquoted else { return copied };
        let parts: Vec<String> = unquoted.split('`').map(backquoted).collect();
        let text = match parts.len() {
            1 => parts.concat(),
            _ => format!("(print {})", parts.join(" \"`\" ")),
        };
        added(text, token.range.start)
    }
}

fn backquoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 8);
    quoted.push('`');
    for symbol in text.chars() {
        match symbol {
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            symbol => quoted.push(symbol),
        }
    }
    quoted.push('`');
    quoted
}

/// How deep the parentheses go.
fn nesting(tokens: &[Token]) -> usize {
    let mut depth = 0usize;
    let mut deepest = 0;
    for token in tokens {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The index of the parenthesis that closes the one before `begin`, or the end.
fn closing(tokens: &[Token], begin: usize) -> usize {
    let mut depth = 1;
    for (index, token) in tokens.iter().enumerate().skip(begin) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &str) {
        assert_eq!(prepare(source).expect(source).text, expected, "{source}");
    }

    #[test]
    fn a_changed_dictionary_is_assigned_back() {
        check(r#"{{ $_ := set $d "a" 1 }}"#, r#"{{$d =  set $d "a" 1 }}{{ $_ := $d }}"#);
        check(
            r#"{{- set $d.x "a" 1 -}}"#,
            r#"{{- $d = _assign $d (set $d.x "a" 1) "x"}}{{ $d.x  | _print -}}"#,
        );
    }

    #[test]
    fn else_with_is_a_with_inside_of_an_else() {
        check(
            "{{with 0}}{{- else with 1 -}}b{{end -}}",
            "{{with 0}}{{- else}}{{ with 1 -}}b{{end}}{{end -}}",
        );
    }

    #[test]
    fn what_is_not_to_be_changed_is_copied() {
        let text =
            "a: {{/* set $d 1 */}}{{ if eq 1 2 }}{{ else if .x }}{{ $a := \"}}\" }}{{ end }}";
        check(text, text);
    }

    #[test]
    fn offsets_lead_back_to_the_source() {
        let source = "x{{ 3.0 }}y{{ fail }}";
        let prepared = prepare(source).expect("a whole template");
        let offset = prepared.text.find("fail").expect("the text has the call");
        assert_eq!(prepared.source_offset(offset), source.find("fail").expect("as has the source"));
    }
}
