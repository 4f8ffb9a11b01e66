//! What a rule demands of host and path, in a form that can be looked up.
//!
//! A rule gives a list of [`Key`]s; a request that has none of them is not matched by the rule.
//! Keys are of the host name without trailing dots and of the routing path.

use std::sync::Arc;

/// A demand on host and path. The default demands nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) host: HostKey,
    pub(crate) path: PathKey,
    /// Whether a request with this key is certainly matched by the rule. Holds for host names
    /// with at most one trailing dot.
    pub(crate) decides: bool,
}

/// A demand on the host name, in lower case and without trailing dots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum HostKey {
    #[default]
    Any,
    /// This name, never empty.
    Exact(Arc<str>),
    /// Any label, a dot, and this, never empty.
    Wildcard(Arc<str>),
}

/// A demand on the routing path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum PathKey {
    #[default]
    Any,
    Exact(Arc<[u8]>),
    Prefix(Arc<[u8]>),
}

impl Key {
    /// The key of every request, for matchers that always match.
    pub(crate) fn always() -> Self {
        Self { decides: true, ..Self::default() }
    }

    /// The key of a host expression: `a.b` or `*.b`, in lower case.
    pub(crate) fn of_host(expression: &str) -> Self {
        let name = expression.trim_end_matches('.');
        let has_dots = expression.len() - name.len() > 1;
        let host = if let Some(parent) = name.strip_prefix("*.") {
            HostKey::Wildcard(parent.into())
        } else if name.is_empty() || name.starts_with('*') {
            return Self::default();
        } else {
            HostKey::Exact(name.into())
        };
        Self { host, path: PathKey::Any, decides: !has_dots }
    }

    pub(crate) fn of_path(path: PathKey) -> Self {
        Self { host: HostKey::Any, path, decides: true }
    }

    /// The same demand, of a rule that may demand more.
    pub(crate) fn undecided(self) -> Self {
        Self { decides: false, ..self }
    }

    fn demands_nothing(&self) -> bool {
        self.host == HostKey::Any && self.path == PathKey::Any
    }

    /// The demand to have both keys; `None` when no request can.
    fn and(&self, other: &Self) -> Option<Self> {
        Some(Self {
            host: self.host.and(&other.host)?,
            path: self.path.and(&other.path)?,
            decides: self.decides && other.decides,
        })
    }
}

impl HostKey {
    fn and(&self, other: &Self) -> Option<Self> {
        let is_under =
            |name: &str, parent: &str| name.split_once('.').is_some_and(|(_, tail)| tail == parent);
        match (self, other) {
            (Self::Any, key) | (key, Self::Any) => Some(key.clone()),
            (Self::Exact(name), Self::Wildcard(parent))
            | (Self::Wildcard(parent), Self::Exact(name)) => {
                is_under(name, parent).then(|| Self::Exact(name.clone()))
            }
            (one, two) => (one == two).then(|| one.clone()),
        }
    }
}

impl PathKey {
    fn and(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Any, key) | (key, Self::Any) => Some(key.clone()),
            (Self::Exact(path), Self::Prefix(prefix))
            | (Self::Prefix(prefix), Self::Exact(path)) => {
                path.starts_with(prefix).then(|| Self::Exact(path.clone()))
            }
            (Self::Exact(one), Self::Exact(two)) => (one == two).then(|| Self::Exact(one.clone())),
            (Self::Prefix(one), Self::Prefix(two)) => {
                let (long, short) = if one.len() > two.len() { (one, two) } else { (two, one) };
                long.starts_with(short).then(|| Self::Prefix(long.clone()))
            }
        }
    }

    /// Tells whether a path meets the demand.
    pub(crate) fn admits(&self, path: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => path == &**exact,
            Self::Prefix(prefix) => path.starts_with(prefix),
        }
    }
}

/// The keys of two rules joined by `&&`.
pub(crate) fn both(left: Vec<Key>, right: Vec<Key>) -> Vec<Key> {
    if left.len().saturating_mul(right.len()) > PRODUCT_MAX {
        // Either side alone is a demand of the whole; take the one that narrows the host.
        let narrows = |keys: &[Key]| {
            let hosts = keys.iter().filter(|key| key.host != HostKey::Any).count();
            let paths = keys.iter().filter(|key| key.path != PathKey::Any).count();
            (hosts == keys.len(), paths == keys.len())
        };
        let chosen = if narrows(&right) > narrows(&left) { right } else { left };
        return chosen.into_iter().map(Key::undecided).collect();
    }
    left.iter().flat_map(|left| right.iter().filter_map(|right| left.and(right))).collect()
}

/// The keys of rules joined by `||`.
pub(crate) fn either(keys: impl Iterator<Item = Key>) -> Vec<Key> {
    let keys: Vec<Key> = keys.collect();
    let open = keys.iter().filter(|key| key.demands_nothing()).max_by_key(|key| key.decides);
    match open {
        Some(open) => vec![open.clone()],
        None => keys,
    }
}

/// How many keys `&&` may multiply to. ``(Host(`a`) || Host(`b`)) && (Path(`/c`) || Path(`/d`))``
/// has four.
const PRODUCT_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use crate::rule::{Rule, Syntax};

    /// Checks the keys as `host path decides`.
    fn check(rule: &str, expected: &[&str]) {
        let keys: Vec<_> = Rule::parse(rule, Syntax::V3)
            .expect("a good rule")
            .keys()
            .iter()
            .map(|key| {
                let host = match &key.host {
                    super::HostKey::Any => "-".to_owned(),
                    super::HostKey::Exact(name) => name.to_string(),
                    super::HostKey::Wildcard(parent) => format!("*.{parent}"),
                };
                let path = match &key.path {
                    super::PathKey::Any => "-".to_owned(),
                    super::PathKey::Exact(path) => String::from_utf8_lossy(path).into_owned(),
                    super::PathKey::Prefix(path) => {
                        format!("{}…", String::from_utf8_lossy(path))
                    }
                };
                format!("{host} {path} {}", if key.decides { "decides" } else { "evaluate" })
            })
            .collect();
        assert_eq!(keys, expected, "keys of {rule}");
    }

    #[test]
    fn hosts_and_paths_that_decide() {
        check("Host(`A.b`)", &["a.b - decides"]);
        check("Host(`a.b.`)", &["a.b - decides"]);
        check("Host(`*.b`)", &["*.b - decides"]);
        check("Host(`*`)", &["- - decides"]);
        check("Host(`a`) && PathPrefix(`/x`)", &["a /x… decides"]);
        check("Host(`a`) && Path(`/x`)", &["a /x decides"]);
        check("Host(`a`) || Host(`b`)", &["a - decides", "b - decides"]);
        check("(Host(`a`) || Host(`b`)) && PathPrefix(`/x`)", &["a /x… decides", "b /x… decides"]);
        check("!(!Host(`a`) || !PathPrefix(`/x`))", &["a /x… decides"]);
    }

    #[test]
    fn rules_that_demand_more_are_evaluated() {
        check("Host(`a`) && Method(`GET`)", &["a - evaluate"]);
        check("Host(`a`) && !Path(`/x`)", &["a - evaluate"]);
        check("Host(`a`) || Method(`GET`)", &["- - evaluate"]);
        check("!Host(`a`)", &["- - evaluate"]);
        check("Host(`a..`)", &["a - evaluate"]);
        check("Host(`.`)", &["- - evaluate"]);
        check("PathRegexp(`^/api/v[0-9]`)", &["- /api/v… evaluate"]);
    }

    #[test]
    fn demands_that_contradict_leave_nothing() {
        check("Host(`a`) && Host(`b`)", &[]);
        check("Host(`a.b`) && Host(`*.b`)", &["a.b - decides"]);
        check("Host(`a.c`) && Host(`*.b`)", &[]);
        check("Path(`/a`) && PathPrefix(`/b`)", &[]);
        check("PathPrefix(`/a`) && PathPrefix(`/ab`)", &["- /ab… decides"]);
        check("Path(`/ab`) && PathPrefix(`/a`)", &["- /ab decides"]);
    }
}
