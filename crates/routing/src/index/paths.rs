//! hot path
//!
//! The candidates for one host, by path: a radix tree over bytes.
//!
//! `PathPrefix` is a prefix of bytes, not of segments, so walking down a path passes every prefix
//! that has candidates, and ends at the exact path if that has some. The walk is as long as the
//! path at most, whatever paths clients or other routers think of.
//!
//! A look-up in a large table waits for memory more than it computes, so the finished tree lies in
//! four arrays, the children of a node side by side: a level costs two or three cache lines.

use super::Candidate;
use crate::rule::key::PathKey;

/// Candidates by path. Built once, never changed.
pub(super) struct PathTree {
    /// The root is the first; the children of a node follow each other, by their first bytes.
    nodes: Box<[Node]>,
    /// The first byte of each node's label; the root's does not count.
    firsts: Box<[u8]>,
    /// The bytes between parents and nodes, one node after the other.
    labels: Box<[u8]>,
    /// For each node those for all paths that pass there, then those for the path that ends there.
    candidates: Box<[Candidate]>,
}

struct Node {
    label: u32,
    label_length: u32,
    children: u32,
    child_count: u32,
    candidates: u32,
    prefix_count: u32,
    exact_count: u32,
}

impl PathTree {
    /// Builds the tree; `candidates` are in the order of rank, and stay so.
    pub(super) fn new(candidates: Vec<Candidate>) -> Self {
        let mut growing = Growing { nodes: vec![Branch::default()] };
        for mut candidate in candidates {
            match std::mem::take(&mut candidate.path) {
                PathKey::Any => growing.nodes[0].prefix.push(candidate),
                PathKey::Prefix(path) => {
                    let node = growing.insert(&path);
                    growing.nodes[node].prefix.push(candidate);
                }
                PathKey::Exact(path) => {
                    let node = growing.insert(&path);
                    growing.nodes[node].exact.push(candidate);
                }
            }
        }
        growing.finish()
    }

    /// Calls `found` with every list of candidates for a path.
    pub(super) fn walk<'a>(&'a self, path: &[u8], mut found: impl FnMut(&'a [Candidate])) {
        let mut node = &self.nodes[0];
        let mut rest = path;
        loop {
            let start = node.candidates as usize;
            let exact = start + node.prefix_count as usize;
            found(&self.candidates[start..exact]);
            let Some(first) = rest.first() else {
                found(&self.candidates[exact..exact + node.exact_count as usize]);
                return;
            };
            let children = node.children as usize;
            let firsts = &self.firsts[children..children + node.child_count as usize];
            let Ok(at) = firsts.binary_search(first) else { return };
            node = &self.nodes[children + at];
            let label = node.label as usize;
            let label = &self.labels[label..label + node.label_length as usize];
            let Some(after) = rest.strip_prefix(label) else { return };
            rest = after;
        }
    }
}

/// The tree while paths come in.
struct Growing {
    /// The root is the first.
    nodes: Vec<Branch>,
}

#[derive(Default)]
struct Branch {
    label: Box<[u8]>,
    /// By the first byte of their labels, sorted.
    children: Vec<(u8, usize)>,
    exact: Vec<Candidate>,
    prefix: Vec<Candidate>,
}

impl Growing {
    /// The node of a path, made if there was none.
    fn insert(&mut self, path: &[u8]) -> usize {
        let mut node = 0;
        let mut rest = path;
        while let Some(&first) = rest.first() {
            let children = &self.nodes[node].children;
            node = match children.binary_search_by_key(&first, |(byte, _)| *byte) {
                Err(at) => {
                    let leaf = self.push(Branch { label: rest.into(), ..Branch::default() });
                    self.nodes[node].children.insert(at, (first, leaf));
                    return leaf;
                }
                Ok(at) => children[at].1,
            };
            let label = &self.nodes[node].label;
            let shared = label.iter().zip(rest).take_while(|(one, two)| one == two).count();
            if shared < label.len() {
                self.split(node, shared);
            }
            rest = &rest[shared..];
        }
        node
    }

    /// Cuts a node's label: the node keeps the beginning, and a new child all that was below.
    fn split(&mut self, node: usize, at: usize) {
        let upper = Branch { label: self.nodes[node].label[..at].into(), ..Branch::default() };
        let mut lower = std::mem::replace(&mut self.nodes[node], upper);
        lower.label = lower.label[at..].into();
        let first = lower.label[0];
        let lower = self.push(lower);
        self.nodes[node].children.push((first, lower));
    }

    fn push(&mut self, branch: Branch) -> usize {
        self.nodes.push(branch);
        self.nodes.len() - 1
    }

    /// Lays the nodes down, level by level.
    fn finish(mut self) -> PathTree {
        let mut order = Vec::with_capacity(self.nodes.len());
        order.push(0);
        let mut nodes = Vec::with_capacity(self.nodes.len());
        let mut firsts = Vec::with_capacity(self.nodes.len());
        let mut labels = Vec::new();
        let mut candidates = Vec::new();
        let mut next = 0;
        while let Some(&branch) = order.get(next) {
            next += 1;
            let Branch { label, children, exact, prefix } = std::mem::take(&mut self.nodes[branch]);
            nodes.push(Node {
                label: index(labels.len()),
                label_length: index(label.len()),
                children: index(order.len()),
                child_count: index(children.len()),
                candidates: index(candidates.len()),
                prefix_count: index(prefix.len()),
                exact_count: index(exact.len()),
            });
            firsts.push(label.first().copied().unwrap_or_default());
            labels.extend_from_slice(&label);
            candidates.extend(prefix);
            candidates.extend(exact);
            order.extend(children.into_iter().map(|(_, child)| child));
        }
        PathTree {
            nodes: nodes.into(),
            firsts: firsts.into(),
            labels: labels.into(),
            candidates: candidates.into(),
        }
    }
}

fn index(place: usize) -> u32 {
    u32::try_from(place).expect("the rules of one host are shorter than 4 GiB together")
}
