//! TOML through the `toml` crate's span-keeping table.

use std::ops::Range;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::{DEPTH_MAX, ParseError, too_deep};
use crate::diagnostic::Place;
use crate::node::{Key, Node, Scalar, ScalarKind, Value};

pub(super) fn parse(text: &str, file: Arc<str>) -> Result<Node, ParseError> {
    let lines = Lines::new(text, file);
    let table = DeTable::parse(text).map_err(|error| ParseError {
        place: lines.place(error.span().unwrap_or(0..0)),
        message: error.message().to_owned(),
    })?;
    if table.get_ref().is_empty() {
        return Ok(Node::null(lines.place(0..0)));
    }
    let value = mapping(table.get_ref(), &lines, 0)?;
    Ok(Node { value, place: lines.place(0..0) })
}

fn mapping(table: &DeTable<'_>, lines: &Lines<'_>, depth: usize) -> Result<Value, ParseError> {
    let mut entries = Vec::with_capacity(table.len());
    for (key, value) in table.iter() {
        let key_place = lines.place(key.span());
        let place = lines.place(value.span());
        let value = convert(value.get_ref(), lines, depth + 1, &place)?;
        let key = Key { text: key.get_ref().to_string(), place: key_place };
        entries.push((key, Node { value, place }));
    }
    Ok(Value::Mapping(entries))
}

fn convert(
    value: &DeValue<'_>,
    lines: &Lines<'_>,
    depth: usize,
    place: &Place,
) -> Result<Value, ParseError> {
    if depth > DEPTH_MAX {
        return Err(too_deep(place.clone()));
    }
    let (text, kind) = match value {
        DeValue::Table(table) => return mapping(table, lines, depth),
        DeValue::Array(array) => {
            let mut nodes = Vec::with_capacity(array.len());
            for item in array.iter() {
                let place = lines.place(item.span());
                nodes.push(Node {
                    value: convert(item.get_ref(), lines, depth + 1, &place)?,
                    place,
                });
            }
            return Ok(Value::Sequence(nodes));
        }
        DeValue::String(text) => (text.to_string(), ScalarKind::Text),
        DeValue::Integer(integer) => (integer.to_string(), ScalarKind::Integer),
        DeValue::Float(float) => (float.as_str().to_owned(), ScalarKind::Float),
        DeValue::Boolean(boolean) => (boolean.to_string(), ScalarKind::Boolean),
        DeValue::Datetime(datetime) => (datetime.to_string(), ScalarKind::Text),
    };
    Ok(Value::Scalar(Scalar { text, kind }))
}

/// Byte offsets to lines and columns.
struct Lines<'a> {
    text: &'a str,
    file: Arc<str>,
    /// Byte offset of each line's start.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str, file: Arc<str>) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(offset, _)| offset + 1)).collect();
        Self { text, file, starts }
    }

    fn place(&self, span: Range<usize>) -> Place {
        let offset = span.start.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts[line - 1];
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Place::new(Arc::clone(&self.file), saturate(line), saturate(column))
    }
}

fn saturate(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
