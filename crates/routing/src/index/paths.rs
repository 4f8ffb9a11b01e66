//! hot path
//!
//! The candidates for one host, by path: a radix tree over bytes.
//!
//! `PathPrefix` is a prefix of bytes, not of segments, so walking down a path passes every prefix
//! that has candidates, and ends at the exact path if that has some. The walk is as long as the
//! path at most, whatever paths clients or other routers think of.

use super::Candidate;
use crate::rule::key::PathKey;

/// Candidates by path.
pub(super) struct PathTree {
    /// The root is the first.
    nodes: Vec<Node>,
}

#[derive(Default)]
struct Node {
    /// The bytes between the parent and this node.
    label: Box<[u8]>,
    /// By the first byte of their labels, sorted.
    children: Vec<(u8, u32)>,
    /// For the path that ends here.
    exact: Vec<Candidate>,
    /// For all paths that pass here.
    prefix: Vec<Candidate>,
}

impl PathTree {
    /// Builds the tree; `candidates` are in the order of rank, and stay so.
    pub(super) fn new(candidates: Vec<Candidate>) -> Self {
        let mut tree = Self { nodes: vec![Node::default()] };
        for mut candidate in candidates {
            match std::mem::take(&mut candidate.path) {
                PathKey::Any => tree.nodes[0].prefix.push(candidate),
                PathKey::Prefix(path) => {
                    let node = tree.insert(&path);
                    tree.nodes[node].prefix.push(candidate);
                }
                PathKey::Exact(path) => {
                    let node = tree.insert(&path);
                    tree.nodes[node].exact.push(candidate);
                }
            }
        }
        tree
    }

    /// Calls `found` with every list of candidates for a path.
    pub(super) fn walk<'a>(&'a self, path: &[u8], mut found: impl FnMut(&'a [Candidate])) {
        let mut node = &self.nodes[0];
        let mut rest = path;
        loop {
            found(&node.prefix);
            let Some(first) = rest.first() else {
                found(&node.exact);
                return;
            };
            let Ok(at) = node.children.binary_search_by_key(first, |(byte, _)| *byte) else {
                return;
            };
            node = &self.nodes[node.children[at].1 as usize];
            let Some(after) = rest.strip_prefix(&*node.label) else { return };
            rest = after;
        }
    }

    /// The node of a path, made if there was none.
    fn insert(&mut self, path: &[u8]) -> usize {
        let mut node = 0;
        let mut rest = path;
        while let Some(&first) = rest.first() {
            let children = &self.nodes[node].children;
            node = match children.binary_search_by_key(&first, |(byte, _)| *byte) {
                Err(at) => {
                    let leaf = self.push(Node { label: rest.into(), ..Node::default() });
                    self.nodes[node].children.insert(at, (first, leaf));
                    return leaf as usize;
                }
                Ok(at) => children[at].1 as usize,
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
        let upper = Node { label: self.nodes[node].label[..at].into(), ..Node::default() };
        let mut lower = std::mem::replace(&mut self.nodes[node], upper);
        lower.label = lower.label[at..].into();
        let first = lower.label[0];
        let lower = self.push(lower);
        self.nodes[node].children.push((first, lower));
    }

    fn push(&mut self, node: Node) -> u32 {
        let index = u32::try_from(self.nodes.len()).expect("fewer nodes than ranks, which are u32");
        self.nodes.push(node);
        index
    }
}
