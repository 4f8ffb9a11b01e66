//! hot path
//!
//! Names of hosts: their canonical form, and values found by exact name or one-label wildcard.

use std::borrow::Cow;
use std::collections::HashMap;

/// Brings a name into the form that is compared: lower case, no trailing dot.
/// Allocates only for names with capital letters, which browsers do not send.
pub(crate) fn canonical(name: &str) -> Cow<'_, str> {
    let name = name.trim_end_matches('.');
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// The part of a canonical name that `*.` stands before. `*` itself stands for names of one label.
pub(crate) fn parent(name: &str) -> &str {
    name.split_once('.').map_or("", |(_, parent)| parent)
}

/// The parent of a wildcard.
pub(crate) fn wildcard(name: &str) -> Option<&str> {
    if name == "*" { Some("") } else { name.strip_prefix("*.") }
}

/// Values for `host`, `*.host` and `*`, the more specific first.
pub(crate) struct Hosts<T> {
    exact: HashMap<Box<str>, T>,
    wildcards: HashMap<Box<str>, T>,
    any: Option<T>,
}

impl<T> Hosts<T> {
    /// Of several values for one host the first stays.
    pub(crate) fn new<H: AsRef<str>>(hosts: impl IntoIterator<Item = (H, T)>) -> Self {
        let mut all = Self { exact: HashMap::new(), wildcards: HashMap::new(), any: None };
        for (host, value) in hosts {
            let host = canonical(host.as_ref());
            match wildcard(&host) {
                // Unlike in certificates, `*` in a rule means every name and no name.
                Some("") => {
                    all.any.get_or_insert(value);
                }
                Some(parent) => {
                    all.wildcards.entry(parent.into()).or_insert(value);
                }
                None => {
                    all.exact.entry(host.into()).or_insert(value);
                }
            }
        }
        all
    }

    /// Finds the value for a canonical name, or for connections that name no host.
    pub(crate) fn find(&self, name: Option<&str>) -> Option<&T> {
        name.and_then(|name| {
            self.exact.get(name).or_else(|| {
                let parent = parent(name);
                if parent.is_empty() { None } else { self.wildcards.get(parent) }
            })
        })
        .or(self.any.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: Option<&str>, expected: Option<&str>) {
        let hosts = Hosts::new([
            ("a.example.org", "exact"),
            ("a.example.org", "second"),
            ("*.Example.org.", "wildcard"),
        ]);
        let name = name.map(canonical);
        assert_eq!(hosts.find(name.as_deref()).copied(), expected);
    }

    #[test]
    fn exact_name_wins_over_wildcard_and_first_over_second() {
        check(Some("A.example.org."), Some("exact"));
    }

    #[test]
    fn wildcard_stands_for_one_label() {
        check(Some("b.example.org"), Some("wildcard"));
        check(Some("b.b.example.org"), None);
        check(Some("example.org"), None);
        check(Some("org"), None);
    }

    #[test]
    fn star_means_every_name_and_none() {
        let hosts = Hosts::new([("*", 1), ("a.b", 2)]);
        assert_eq!(hosts.find(None), Some(&1));
        assert_eq!(hosts.find(Some("x.y.z")), Some(&1));
        assert_eq!(hosts.find(Some("a.b")), Some(&2));
    }
}
