//! From a text to objects, with the help of what the text said before.
//!
//! Configurations of many objects mostly change in one of them. In YAML whose objects stand on lines
//! of their own, an object's lines mean the same wherever they stand, as long as nothing in the file
//! has an anchor. So a text that differs from the one before within some objects of one section has
//! only these lines parsed and decoded; of all others the values are taken over, and where they stand
//! is moved by the number of lines that came or went. Whatever is not plainly of this form is read
//! as a whole, and so is every text that has an error in its syntax.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::outline::{Entry, Origin, Outline};
use super::sections::with_named;
use super::{DynamicDecoded, Kind, Rejected};
use crate::diagnostic::Diagnostic;
use crate::dynamic::{Configuration, Named};
use crate::node::{Node, Value};
use crate::parse::{Format, parse_whole, parse_yaml_lines, without_mark};

/// Decodes a whole text; `file` is the name that places carry. Objects that are as they were in
/// `before` are taken over from there. The error says why nothing can be made of the text.
///
/// # Errors
/// When the text is not well-formed, or no mapping.
pub fn decode_text(
    text: Arc<str>,
    file: &str,
    format: Format,
    before: Option<&DynamicDecoded>,
) -> Result<DynamicDecoded, Diagnostic> {
    let text = match without_mark(&text) {
        unmarked if unmarked.len() < text.len() => Arc::from(unmarked),
        _ => text,
    };
    if let Some(before) = before
        && *before.file == *file
        && let Some(decoded) = decode_change(before, &text, format)
    {
        return Ok(decoded);
    }
    let file: Arc<str> = file.into();
    let parsed = parse_whole(&text, Arc::clone(&file), format)?;
    let root = parsed.root;
    if !matches!(root.value, Value::Mapping(_) | Value::Null) {
        let message = format!("expected a mapping, found {}", root.kind_name());
        return Err(Diagnostic::error("syntax", message).at(Some(root.place)));
    }
    let mut decoded = DynamicDecoded { file, ..DynamicDecoded::default() };
    decoded.sections(&root);
    decoded.outline.settle(&text, (1, 0));
    if format != Format::Yaml || parsed.has_anchors {
        decoded.outline.depend();
    }
    decoded.origin = Origin::of_text(text, format);
    if let Some(before) = before {
        share(&mut decoded.configuration, &before.configuration);
    }
    Ok(decoded)
}

/// Decodes the part of a text that is not as it was. `None`: it has to be decoded as a whole.
fn decode_change(
    before: &DynamicDecoded,
    text: &Arc<str>,
    format: Format,
) -> Option<DynamicDecoded> {
    let Origin::Text(old) = &before.origin else { return None };
    if old.format != Format::Yaml || format != Format::Yaml {
        return None;
    }
    let change = Change::between(old.text.as_bytes(), text.as_bytes());
    let entries = &before.outline.entries;
    let touched = touched(entries, &change, text)?;
    let (first, next) = (&entries[touched.start], entries.get(touched.end));
    let (kind, _) = first.object()?;

    let start = first.offset as usize;
    let old_end = next.map_or(old.text.len(), |next| next.offset as usize);
    let (old_lines, lines) = (&old.text[start..old_end], &text[start..change.moved(old_end)]);
    if !is_within(lines, first.column as usize - 1) {
        return None;
    }
    let parsed = parse_yaml_lines(lines, Arc::clone(&before.file), first.line).ok()?;
    if parsed.has_anchors || !begins_like(&parsed.root, first) {
        return None;
    }
    let gone: HashSet<&str> = names(&entries[touched.clone()]).collect();
    let mut part = DynamicDecoded {
        configuration: before.configuration.clone(),
        file: Arc::clone(&before.file),
        origin: Origin::of_text(Arc::clone(text), Format::Yaml),
        ..DynamicDecoded::default()
    };
    let configuration = &mut part.configuration;
    with_named!(kind, configuration, named => gone.iter().for_each(|name| drop(named.remove(*name))));
    part.objects(&parsed.root, kind);
    part.outline.settle(lines, (first.line, first.offset));
    let is_regular = part.outline.entries.iter().all(|entry| entry.stands_alone);
    if !is_regular || has_twins(&part.outline.entries, entries, &touched) {
        return None;
    }
    let shift = Shift {
        lines: newlines(lines) - newlines(old_lines),
        bytes: i64::try_from(lines.len()).ok()? - i64::try_from(old_lines.len()).ok()?,
    };
    part.complete(before, touched, kind, shift)
}

/// How far the rest of a text moved.
#[derive(Clone, Copy)]
struct Shift {
    lines: i64,
    bytes: i64,
}

impl DynamicDecoded {
    /// Adds what was said before to what the entries `touched`, of one section, say now.
    fn complete(
        mut self,
        before: &Self,
        touched: Range<usize>,
        kind: Kind,
        shift: Shift,
    ) -> Option<Self> {
        let old = &before.outline.entries;
        let old_lines =
            old[touched.start].line..old.get(touched.end).map_or(u32::MAX, |next| next.line);
        let gone: HashSet<&str> = names(&old[touched.clone()]).collect();
        for name in names(&self.outline.entries) {
            share_one(kind, name, &mut self.configuration, &before.configuration);
        }

        let mut entries = Vec::with_capacity(old.len() + self.outline.entries.len());
        entries.extend_from_slice(&old[..touched.start]);
        entries.append(&mut self.outline.entries);
        for entry in &old[touched.end..] {
            entries.push(Entry {
                line: moved(entry.line, shift.lines)?,
                offset: moved(entry.offset, shift.bytes)?,
                ..entry.clone()
            });
        }
        self.outline = Outline::new(entries);

        let line = |found: &Diagnostic| found.place.as_ref().map_or(0, |place| place.line);
        let above = before.diagnostics.iter().filter(|found| line(found) < old_lines.start);
        let mut diagnostics: Vec<_> = above.cloned().collect();
        self.diagnostics.sort_by(|one, two| one.place.cmp(&two.place));
        diagnostics.append(&mut self.diagnostics);
        for found in before.diagnostics.iter().filter(|found| line(found) >= old_lines.end) {
            let mut found = found.clone();
            if let Some(place) = &mut found.place {
                place.line = moved(place.line, shift.lines)?;
            }
            diagnostics.push(found);
        }
        self.diagnostics = diagnostics;

        let stays = |found: &&Rejected| found.kind != kind || !gone.contains(&*found.name);
        self.rejected.extend(before.rejected.iter().filter(stays).cloned());
        let outline = &self.outline;
        self.rejected.sort_by_cached_key(|found| outline.find(found.kind, &found.name));
        Some(self)
    }
}

fn names(entries: &[Entry]) -> impl Iterator<Item = &str> {
    entries.iter().filter_map(Entry::object).map(|(_, name)| &**name)
}

/// The bytes that two texts do not begin or end with in common, from the beginning of a line.
struct Change {
    start: usize,
    old_end: usize,
    new_end: usize,
}

impl Change {
    fn between(old: &[u8], new: &[u8]) -> Self {
        let prefix = common(old.chunks(BLOCK), new.chunks(BLOCK), old.iter(), new.iter());
        let start = memchr::memrchr(b'\n', &old[..prefix]).map_or(0, |newline| newline + 1);
        let (old_rest, new_rest) = (&old[start..], &new[start..]);
        let suffix = common(
            old_rest.rchunks(BLOCK),
            new_rest.rchunks(BLOCK),
            old_rest.iter().rev(),
            new_rest.iter().rev(),
        );
        Self { start, old_end: old.len() - suffix, new_end: new.len() - suffix }
    }

    /// Where a position behind the change is now.
    fn moved(&self, old: usize) -> usize {
        old - self.old_end + self.new_end
    }
}

/// How many bytes are the same: whole blocks first, which is many times faster.
fn common<'a>(
    old_blocks: impl Iterator<Item = &'a [u8]>,
    new_blocks: impl Iterator<Item = &'a [u8]>,
    old: impl Iterator<Item = &'a u8>,
    new: impl Iterator<Item = &'a u8>,
) -> usize {
    let same = |(old, new): &(&[u8], &[u8])| old == new && old.len() == BLOCK;
    let skipped = old_blocks.zip(new_blocks).take_while(same).count() * BLOCK;
    let rest = old.skip(skipped).zip(new.skip(skipped));
    skipped + rest.take_while(|(old, new)| old == new).count()
}

/// The entries that a change may mean something to: from the one before it to the one behind it.
fn touched(entries: &[Entry], change: &Change, text: &str) -> Option<Range<usize>> {
    let is_object = |entry: &Entry| entry.object().is_some() && entry.stands_alone;
    // A key that changes, moves or goes belongs to what is before it.
    let mut first = entries.partition_point(|entry| entry.offset as usize <= change.start);
    first = first.checked_sub(1)?;
    if first > 0 && is_object(&entries[first - 1]) {
        first -= 1;
    }
    let begins_line = |offset: usize| text.as_bytes()[..offset].ends_with(b"\n");
    let is_behind = |entry: &Entry| {
        let offset = entry.offset as usize;
        offset >= change.old_end && begins_line(change.moved(offset)) && entry.stands_alone
    };
    let next = (first + 1..entries.len()).find(|position| is_behind(&entries[*position]));
    let touched = first..next.unwrap_or(entries.len());
    entries[touched.clone()].iter().all(is_object).then_some(touched)
}

/// Tells whether all lines belong to a mapping that is indented by `margin`: none of them ends it.
fn is_within(lines: &str, margin: usize) -> bool {
    lines.split('\n').all(|line| {
        let text = line.trim_start_matches(' ');
        let is_empty = text.is_empty() || text.starts_with(['#', '\r']);
        is_empty || line.len() - text.len() >= margin
    })
}

/// Tells whether a tree of lines begins with a key in the place of another, in a mapping without
/// braces: then its other keys are indented alike.
fn begins_like(root: &Node, entry: &Entry) -> bool {
    let Some((key, _)) = root.entries().first() else { return false };
    root.place == key.place && (key.place.line, key.place.column) == (entry.line, entry.column)
}

/// Tells whether a key of the new entries is given twice in their section.
fn has_twins(new: &[Entry], old: &[Entry], touched: &Range<usize>) -> bool {
    let names: HashSet<&str> = names(new).collect();
    let is_twin = |entry: &Entry| entry.object().map(|(_, name)| names.contains(&**name));
    let above = old[..touched.start].iter().rev().map_while(is_twin);
    let below = old[touched.end..].iter().map_while(is_twin);
    above.chain(below).any(|is_twin| is_twin)
}

/// Makes objects that are as they were the same values in memory.
fn share(now: &mut Configuration, before: &Configuration) {
    share_all(&mut now.http.routers, &before.http.routers);
    share_all(&mut now.http.services, &before.http.services);
    share_all(&mut now.http.middlewares, &before.http.middlewares);
}

fn share_all<T: PartialEq>(now: &mut Named<Arc<T>>, before: &Named<Arc<T>>) {
    for (name, object) in now {
        share_named(name, object, before);
    }
}

fn share_one(kind: Kind, name: &str, now: &mut Configuration, before: &Configuration) {
    fn one<T: PartialEq>(name: &str, now: &mut Named<Arc<T>>, before: &Named<Arc<T>>) {
        if let Some(object) = now.get_mut(name) {
            share_named(name, object, before);
        }
    }
    match kind {
        Kind::Router => one(name, &mut now.http.routers, &before.http.routers),
        Kind::Service => one(name, &mut now.http.services, &before.http.services),
        Kind::Middleware => one(name, &mut now.http.middlewares, &before.http.middlewares),
        _ => {}
    }
}

fn share_named<T: PartialEq>(name: &str, object: &mut Arc<T>, before: &Named<Arc<T>>) {
    if let Some(before) = before.get(name)
        && before == object
    {
        *object = Arc::clone(before);
    }
}

fn newlines(text: &str) -> i64 {
    memchr::memchr_iter(b'\n', text.as_bytes()).count() as i64
}

fn moved(number: u32, by: i64) -> Option<u32> {
    u32::try_from(i64::from(number) + by).ok()
}

/// Compared at once.
const BLOCK: usize = 4096;

#[cfg(test)]
mod tests;
