//! Where sections and objects stand in a text, and how the places of their values are found.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use super::Kind;
use crate::diagnostic::Place;
use crate::node::{Node, Value};
use crate::parse::{Format, parse_whole, parse_yaml_lines};

/// The keys of sections and objects, in the order of the text.
#[derive(Clone, Debug, Default)]
pub(super) struct Outline {
    pub(super) entries: Vec<Entry>,
    /// Made when the first object is looked for.
    index: OnceLock<BTreeMap<Kind, HashMap<Arc<str>, usize>>>,
}

/// A key, or an item of the list of certificates.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) what: What,
    pub(super) line: u32,
    pub(super) column: u32,
    /// Where its line begins in the text, in bytes.
    pub(super) offset: u32,
    /// The lines from this key up to the next entry mean the same without what is around them.
    pub(super) stands_alone: bool,
}

/// What a key is for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    Section,
    Object { kind: Kind, name: Arc<str>, is_empty: bool },
}

impl Entry {
    pub(super) fn new(what: What, place: &Place) -> Self {
        let Place { line, column, .. } = *place;
        Self { what, line, column, offset: 0, stands_alone: false }
    }

    /// The kind and name of the object, empty ones included.
    pub(super) fn object(&self) -> Option<(Kind, &Arc<str>)> {
        match &self.what {
            What::Object { kind, name, .. } => Some((*kind, name)),
            What::Section => None,
        }
    }
}

impl Outline {
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        Self { entries, index: OnceLock::new() }
    }

    /// Puts the entries into the order of the text.
    pub(super) fn sort(&mut self) {
        self.entries.sort_by_key(|entry| (entry.line, entry.column));
    }

    /// Finds the entry of an object.
    pub(super) fn find(&self, kind: Kind, name: &str) -> Option<usize> {
        let index = self.index.get_or_init(|| {
            let mut index = BTreeMap::<_, HashMap<_, _>>::new();
            for (position, entry) in self.entries.iter().enumerate() {
                if let What::Object { kind, name, is_empty: false } = &entry.what {
                    index.entry(*kind).or_default().insert(Arc::clone(name), position);
                }
            }
            index
        });
        index.get(&kind)?.get(name).copied()
    }

    /// Notes where lines begin, and which objects stand alone in a YAML text without anchors:
    /// those whose keys begin lines of a mapping without braces. `start` is where the text begins in
    /// the file, in lines and bytes.
    pub(super) fn settle(&mut self, text: &str, start: (u32, u32)) {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes());
        let starts: Vec<usize> = std::iter::once(0).chain(ends.map(|end| end + 1)).collect();
        for entry in &mut self.entries {
            let line = entry.line.saturating_sub(start.0) as usize;
            let offset = starts.get(line).copied().unwrap_or(text.len());
            let margin = entry.column.saturating_sub(1) as usize;
            let is_first = text.as_bytes().get(offset..offset + margin).is_some_and(is_blank);
            let key = text.get(offset + margin..).unwrap_or_default();
            let is_key = match &entry.what {
                What::Section => true,
                What::Object { name, .. } => {
                    key.starts_with(&**name) || key.starts_with(['"', '\''])
                }
            };
            entry.stands_alone =
                (entry.stands_alone || entry.what == What::Section) && is_first && is_key;
            match u32::try_from(offset).ok().and_then(|offset| offset.checked_add(start.1)) {
                Some(offset) => entry.offset = offset,
                None => entry.stands_alone = false,
            }
        }
        if self.has_split_kinds() {
            self.depend();
        }
    }

    /// Notes that no object can be read alone.
    pub(super) fn depend(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.stands_alone = false);
    }

    /// Tells whether objects of one kind stand in several sections: `routers` and `Routers`.
    fn has_split_kinds(&self) -> bool {
        let mut last = None;
        let mut known = Vec::new();
        for kind in self.entries.iter().map(|entry| entry.object().map(|(kind, _)| kind)) {
            if let Some(kind) = kind
                && last != Some(kind)
            {
                if known.contains(&kind) {
                    return true;
                }
                known.push(kind);
            }
            last = kind;
        }
        false
    }
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == b' ')
}

/// What the places of values are found in.
#[derive(Clone, Debug, Default)]
pub(super) enum Origin {
    #[default]
    Nothing,
    Tree(Node),
    Text(Text),
}

/// A text without byte order mark.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) text: Arc<str>,
    pub(super) format: Format,
    /// Made when a value is looked for in an object that does not stand alone.
    tree: OnceLock<Node>,
}

impl Origin {
    pub(super) fn of_text(text: Arc<str>, format: Format) -> Self {
        Self::Text(Text { text, format, tree: OnceLock::new() })
    }

    /// Finds where a value of an object stands, if it is written.
    pub(super) fn value_place(
        &self,
        outline: &Outline,
        position: usize,
        path: &str,
        file: &Arc<str>,
    ) -> Option<Place> {
        let entry = &outline.entries[position];
        let root = match self {
            Self::Nothing => return None,
            Self::Tree(root) => root,
            Self::Text(text) if entry.stands_alone => {
                let end = outline.entries.get(position + 1).map(|next| next.offset as usize);
                let end = end.unwrap_or(text.text.len());
                let lines = text.text.get(entry.offset as usize..end)?;
                let parsed = parse_yaml_lines(lines, Arc::clone(file), entry.line).ok()?;
                let (_, object) = parsed.root.entries().first()?;
                return descend(object, path).map(|node| node.place.clone());
            }
            Self::Text(text) => text.tree.get_or_init(|| {
                let parsed = parse_whole(&text.text, Arc::clone(file), text.format);
                // It was read before.
                parsed.map_or_else(|error| Node::null(error.place), |parsed| parsed.root)
            }),
        };
        let object = object_in_tree(root, outline, position)?;
        descend(object, path).map(|node| node.place.clone())
    }
}

fn object_in_tree<'a>(root: &'a Node, outline: &Outline, position: usize) -> Option<&'a Node> {
    let (kind, name) = outline.entries[position].object()?;
    let objects = kind.section().iter().try_fold(root, |node, key| node.child(key))?;
    if let Value::Sequence(nodes) = &objects.value {
        return nodes.get(name.parse::<usize>().ok()?);
    }
    // Mostly the tree is in the order of the text.
    let mut before = outline.entries[..position].iter().rev();
    let rank = before.position(|entry| entry.what == What::Section).unwrap_or_default();
    let entries = objects.entries();
    let is_wanted = |(key, _): &&(crate::node::Key, Node)| *key.text == **name;
    let found = entries.get(rank).filter(is_wanted).or_else(|| entries.iter().find(is_wanted));
    found.map(|(_, node)| node)
}

/// Follows `a.b[1].c` down from a node.
fn descend<'a>(node: &'a Node, path: &str) -> Option<&'a Node> {
    path.split('.').try_fold(node, |node, step| {
        let (key, indexes) = step.split_once('[').map_or((step, ""), |(key, rest)| (key, rest));
        let node = if key.is_empty() { node } else { node.child(key)? };
        indexes.split('[').filter(|index| !index.is_empty()).try_fold(node, |node, index| {
            let Value::Sequence(nodes) = &node.value else { return None };
            nodes.get(index.trim_end_matches(']').parse::<usize>().ok()?)
        })
    })
}
