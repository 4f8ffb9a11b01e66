//! YAML through `granit-parser` events, with anchors, aliases and merge keys.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, options};

use super::{DEPTH_MAX, ParseError, Parsed, too_deep};
use crate::diagnostic::Place;
use crate::node::{Key, Node, Scalar, ScalarKind, Value};

/// `first_line` is the number of the text's first line in its file.
pub(super) fn parse(text: &str, file: Arc<str>, first_line: u32) -> Result<Parsed, ParseError> {
    let options = options! {
        emit_comments: false,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
        // JSON and generated files have long keys; YAML's own limit is 1024.
        simple_key_max_lookahead: 64 * 1024,
    };
    let mut builder = Builder {
        file,
        lines_before: first_line.saturating_sub(1),
        open: Vec::new(),
        anchors: HashMap::new(),
        aliased_nodes: 0,
        root: None,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| ParseError {
            place: builder.place(*error.marker()),
            message: error.info(),
        })?;
        if matches!(event, Event::DocumentEnd | Event::StreamEnd) {
            break;
        }
        builder.event(event, span)?;
    }
    let beginning = Place::new(Arc::clone(&builder.file), first_line, 1);
    Ok(Parsed {
        root: builder.root.unwrap_or_else(|| Node::null(beginning)),
        has_anchors: !builder.anchors.is_empty(),
    })
}

/// Builds the tree from a stack of unfinished collections.
struct Builder {
    file: Arc<str>,
    /// Lines of the file that are not in the text.
    lines_before: u32,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    /// Nodes copied for aliases so far.
    aliased_nodes: usize,
    root: Option<Node>,
}

struct Open {
    place: Place,
    anchor: usize,
    collection: Collection,
}

enum Collection {
    Sequence(Vec<Node>),
    Mapping(Mapping),
}

#[derive(Default)]
struct Mapping {
    entries: Vec<(Key, Node)>,
    /// Position of each key, so that duplicates are found in constant time.
    positions: HashMap<String, usize>,
    /// Values of `<<`, in order.
    merged: Vec<Node>,
    pending: Option<PendingKey>,
}

enum PendingKey {
    Plain(Key),
    Merge,
}

struct Anchored {
    node: Node,
    nodes: usize,
    depth: usize,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), ParseError> {
        let place = self.place(span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = tag.as_ref().is_some_and(|tag| tag.core_suffix() == Some("str"));
                let is_plain = style == ScalarStyle::Plain && !is_text;
                let value = if is_plain {
                    resolve_plain(&text)
                } else {
                    Value::Scalar(Scalar { text: text.into_owned(), kind: ScalarKind::Text })
                };
                let is_merge =
                    is_plain && matches!(&value, Value::Scalar(scalar) if scalar.text == MERGE_KEY);
                self.finish(Node { value, place }, anchor, is_merge)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.push(Open { place, anchor, collection: Collection::Sequence(Vec::new()) })
            }
            Event::MappingStart(_, anchor, _) => {
                let collection = Collection::Mapping(Mapping::default());
                self.push(Open { place, anchor, collection })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let value = match open.collection {
                    Collection::Sequence(nodes) => Value::Sequence(nodes),
                    Collection::Mapping(mapping) => Value::Mapping(mapping.into_entries()?),
                };
                self.finish(Node { value, place: open.place }, open.anchor, false)
            }
            Event::Alias(anchor) => {
                let Some(anchored) = self.anchors.get(&anchor) else {
                    return Err(error(place, "an anchor cannot contain an alias to itself"));
                };
                if anchored.depth + self.open.len() > DEPTH_MAX {
                    return Err(too_deep(place));
                }
                self.aliased_nodes += anchored.nodes;
                if self.aliased_nodes > ALIASED_NODES_MAX {
                    return Err(error(place, "aliases expand to too many values"));
                }
                let node = anchored.node.clone();
                self.finish(node, 0, false)
            }
            _ => Ok(()),
        }
    }

    fn push(&mut self, open: Open) -> Result<(), ParseError> {
        if self.open.len() >= DEPTH_MAX {
            return Err(too_deep(open.place));
        }
        self.open.push(open);
        Ok(())
    }

    /// Puts a complete node where it belongs.
    fn finish(&mut self, node: Node, anchor: usize, is_merge_key: bool) -> Result<(), ParseError> {
        if anchor != 0 {
            let (nodes, depth) = measure(&node);
            self.anchors.insert(anchor, Anchored { node: node.clone(), nodes, depth });
        }
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return Ok(());
        };
        let mapping = match &mut open.collection {
            Collection::Sequence(nodes) => {
                nodes.push(node);
                return Ok(());
            }
            Collection::Mapping(mapping) => mapping,
        };
        match mapping.pending.take() {
            None if is_merge_key => mapping.pending = Some(PendingKey::Merge),
            None => {
                let key = key(node)?;
                if let Some(&position) = mapping.positions.get(&key.text) {
                    let line = mapping.entries[position].0.place.line;
                    let message = format!("key {:?} is already defined at line {line}", key.text);
                    return Err(error(key.place, message));
                }
                mapping.pending = Some(PendingKey::Plain(key));
            }
            Some(PendingKey::Merge) => mapping.merged.push(node),
            Some(PendingKey::Plain(key)) => {
                // An absent value has no place of its own.
                let place = match node.value {
                    Value::Null => key.place.clone(),
                    _ => node.place,
                };
                mapping.positions.insert(key.text.clone(), mapping.entries.len());
                mapping.entries.push((key, Node { value: node.value, place }));
            }
        }
        Ok(())
    }

    fn place(&self, marker: Marker) -> Place {
        let saturate = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (line, column) = (saturate(marker.line()).max(1), saturate(marker.col() + 1));
        let line = line.saturating_add(self.lines_before);
        Place::new(Arc::clone(&self.file), line, column)
    }
}

impl Mapping {
    /// Adds merged entries behind the mapping's own, which win; of several merged mappings the
    /// first that has a key wins, as in go-yaml.
    fn into_entries(mut self) -> Result<Vec<(Key, Node)>, ParseError> {
        for merged in std::mem::take(&mut self.merged) {
            match merged.value {
                Value::Mapping(entries) => self.merge(entries),
                Value::Sequence(nodes) => {
                    for node in nodes {
                        let Value::Mapping(entries) = node.value else {
                            return Err(error(node.place, MERGE_PROBLEM));
                        };
                        self.merge(entries);
                    }
                }
                _ => return Err(error(merged.place, MERGE_PROBLEM)),
            }
        }
        Ok(self.entries)
    }

    fn merge(&mut self, entries: Vec<(Key, Node)>) {
        for (key, node) in entries {
            if !self.positions.contains_key(&key.text) {
                self.positions.insert(key.text.clone(), self.entries.len());
                self.entries.push((key, node));
            }
        }
    }
}

fn key(node: Node) -> Result<Key, ParseError> {
    match node.value {
        Value::Scalar(scalar) => Ok(Key { text: scalar.text, place: node.place }),
        Value::Null => Err(error(node.place, "a key cannot be empty")),
        _ => Err(error(node.place, "a key must be a single value")),
    }
}

/// Counts a tree's nodes and levels.
fn measure(node: &Node) -> (usize, usize) {
    let add = |(nodes, depth): (usize, usize), child: &Node| {
        let (child_nodes, child_depth) = measure(child);
        (nodes + child_nodes, depth.max(child_depth + 1))
    };
    match &node.value {
        Value::Null | Value::Scalar(_) => (1, 1),
        Value::Sequence(nodes) => nodes.iter().fold((1, 1), add),
        Value::Mapping(entries) => entries.iter().map(|(_, node)| node).fold((1, 1), add),
    }
}

/// What go-yaml v3 makes of an unquoted scalar, except that dates stay text: `yes` and `on` are
/// text, `017` and `0x1F` are numbers, and so is `1_000`.
fn resolve_plain(text: &str) -> Value {
    let kind = match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => ScalarKind::Boolean,
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF"
        | ".nan" | ".NaN" | ".NAN" => ScalarKind::Float,
        _ if is_integer(text) => ScalarKind::Integer,
        _ if is_float(text) => ScalarKind::Float,
        _ => ScalarKind::Text,
    };
    let text = match kind {
        ScalarKind::Boolean => text.to_ascii_lowercase(),
        _ => text.to_owned(),
    };
    Value::Scalar(Scalar { text, kind })
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let (digits, radix) = match digits.get(..2) {
        Some("0x" | "0X") => (&digits[2..], 16),
        Some("0o" | "0O") => (&digits[2..], 8),
        Some("0b" | "0B") => (&digits[2..], 2),
        _ if digits.len() > 1 && digits.starts_with('0') => (&digits[1..], 8),
        _ => (digits, 10),
    };
    !digits.is_empty() && digits.chars().all(|c| c == '_' || c.is_digit(radix))
}

fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digit = |part: &str| part.bytes().any(|byte| byte.is_ascii_digit());
    let exponent_is_valid = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        has_digit(digits) && is_digits(digits)
    });
    is_digits(whole)
        && is_digits(fraction)
        && (has_digit(whole) || has_digit(fraction))
        && exponent_is_valid
}

fn error(place: Place, message: impl Into<String>) -> ParseError {
    ParseError { place, message: message.into() }
}

const MERGE_KEY: &str = "<<";
const MERGE_PROBLEM: &str = "<< takes a mapping or a list of mappings";
/// Bounds what "billion laughs" files can ask for; a configuration of this size is real, but is
/// not written with aliases.
const ALIASED_NODES_MAX: usize = 500_000;
