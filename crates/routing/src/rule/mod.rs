//! Traefik's rule language: which requests a router takes.
//!
//! A rule is an expression in Go's notation ([`go_expression`]), evaluated to a tree of known
//! functions ([`tree`]), compiled to matchers ([`node`], [`matchers`]). Errors read like Traefik's,
//! byte for byte, because people search for them. What a rule says of host and path is also given
//! as [`key`]s, so that an index can leave out rules that cannot match. Nothing here knows routers,
//! priorities among them or services.

pub(crate) mod key;
mod matchers;
mod node;
mod tree;
mod view;

pub use self::view::View;

use config::go_expression::{self, text as go_text};

use self::key::Key;
use self::node::Node;

/// The two rule languages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Syntax {
    /// Traefik 2's matchers, kept for migration: several arguments, `{name:pattern}` templates.
    V2,
    #[default]
    V3,
}

impl Syntax {
    /// Reads `ruleSyntax`; as in Traefik, whatever is not `v2` is v3.
    pub fn from_name(name: &str) -> Self {
        if name == "v2" { Self::V2 } else { Self::V3 }
    }
}

/// A rule, parsed and ready to be asked.
pub struct Rule {
    text: Box<str>,
    syntax: Syntax,
    node: Node,
    hosts: Box<[String]>,
    keys: Box<[Key]>,
}

impl Rule {
    /// Parses a rule.
    ///
    /// # Errors
    /// Traefik's whole sentence, such as ``error while parsing rule Foo(`/x`): parsing rule
    /// Foo(`/x`): unsupported function: Foo``.
    pub fn parse(text: &str, syntax: Syntax) -> Result<Self, String> {
        Self::parse_part(text, syntax)
            .map_err(|reason| format!("error while parsing rule {text}: {reason}"))
    }

    fn parse_part(text: &str, syntax: Syntax) -> Result<Self, String> {
        let value = go_expression::parse(text)
            .and_then(|expression| tree::evaluate(&expression, syntax))
            .map_err(|reason| format!("parsing rule {text}: {reason}"))?;
        let tree::Value::Tree(tree) = value else {
            return Err("obtaining build tree".to_owned());
        };
        let node = Node::build(&tree).map_err(|reason| format!("adding rule {text}: {reason}"))?;
        let mut hosts = Vec::new();
        tree.collect_hosts(&mut hosts);
        let keys = node.keys().into();
        Ok(Self { text: text.into(), syntax, node, hosts: hosts.into(), keys })
    }

    /// Tells whether the rule takes a request.
    pub fn matches(&self, view: &View<'_>) -> bool {
        self.node.matches(view)
    }

    /// All arguments of `Host`, in lower case, also under `!` and `||`: the names for which Traefik
    /// chooses TLS options and asks for certificates.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// The rule as the user wrote it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The language that the rule is written in.
    pub fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// What a request must have for this rule to match; see [`Key`].
    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Rule({})", self.text)
    }
}

/// The priority of a router that sets none: the rule's length in bytes, so that
/// ``PathPrefix(`/`)`` (15) goes before ``Path(`/empty`)`` (14).
pub fn default_priority(rule_text: &str) -> i64 {
    i64::try_from(rule_text.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
