//! hot path
//!
//! A rule with its matchers built: what a request is held against.

use crate::rule::go_text;
use crate::rule::key::{self, Key};
use crate::rule::matchers::{Definition, Match};
use crate::rule::tree::{Operator, Tree};
use crate::rule::view::View;

/// A tree of matchers. Negation stands at the leaves only.
pub(super) enum Node {
    Leaf { matcher: Box<dyn Match>, is_negated: bool },
    All(Box<[Node]>),
    Any(Box<[Node]>),
}

impl Node {
    /// Builds the matchers of a tree.
    ///
    /// # Errors
    /// What is wrong with an argument, in Traefik's words: it wraps the reason once for every
    /// operator whose left side the matcher is on.
    pub(super) fn build(tree: &Tree) -> Result<Self, String> {
        Self::build_under(tree, false)
    }

    fn build_under(tree: &Tree, is_negated: bool) -> Result<Self, String> {
        match tree {
            Tree::Not(inside) => Self::build_under(inside, !is_negated),
            Tree::Leaf { definition, arguments } => {
                let matcher = build_matcher(definition, arguments)?;
                Ok(Self::Leaf { matcher, is_negated })
            }
            Tree::Join { operator, operands } => {
                let operator = if is_negated { operator.inverted() } else { *operator };
                let mut nodes = Vec::with_capacity(operands.len());
                for (index, operand) in operands.iter().enumerate() {
                    let left_of = operands.len() - 1 - index;
                    nodes.push(Self::build_under(operand, is_negated).map_err(|reason| {
                        let wrap = format!("error while adding rule {}: ", operator.name());
                        wrap.repeat(left_of) + &reason
                    })?);
                }
                let nodes = nodes.into_boxed_slice();
                Ok(match operator {
                    Operator::And => Self::All(nodes),
                    Operator::Or => Self::Any(nodes),
                })
            }
        }
    }

    pub(super) fn matches(&self, view: &View<'_>) -> bool {
        match self {
            Self::Leaf { matcher, is_negated } => matcher.matches(view) != *is_negated,
            Self::All(nodes) => nodes.iter().all(|node| node.matches(view)),
            Self::Any(nodes) => nodes.iter().any(|node| node.matches(view)),
        }
    }

    /// What a request must have for this node to match: one of the keys.
    pub(super) fn keys(&self) -> Vec<Key> {
        match self {
            Self::Leaf { is_negated: true, .. } => vec![Key::default()],
            Self::Leaf { matcher, .. } => matcher.keys(),
            Self::All(nodes) => nodes.iter().map(Self::keys).reduce(key::both).unwrap_or_default(),
            Self::Any(nodes) => key::either(nodes.iter().flat_map(Self::keys)),
        }
    }
}

fn build_matcher(definition: &Definition, arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    let name = definition.name;
    if arguments.is_empty() {
        return Err(format!("error while checking rule {name}: no args for matcher {name}"));
    }
    if arguments.iter().any(Vec::is_empty) {
        let list = go_text::list(arguments);
        return Err(format!(
            "error while checking rule {name}: empty args for matcher {name}, {list}"
        ));
    }
    let counts = definition.argument_counts;
    if !counts.is_empty() && !counts.contains(&arguments.len()) {
        let expected: Vec<_> = counts.iter().map(usize::to_string).collect();
        return Err(format!(
            "error while adding rule {name}: unexpected number of parameters; got {}, expected one of {}",
            arguments.len(),
            go_text::list(&expected),
        ));
    }
    (definition.build)(arguments)
        .map_err(|reason| format!("error while adding rule {name}: {reason}"))
}
