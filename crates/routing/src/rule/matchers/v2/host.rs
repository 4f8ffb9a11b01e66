//! hot path
//!
//! `Host` of v2: several names; asterisks mean nothing.

use crate::rule::View;
use crate::rule::key::{self, Key};
use crate::rule::matchers::host::matches_up_to_dot;
use crate::rule::matchers::{Definition, Match, require_ascii};

pub(super) const DEFINITION: Definition = Definition { name: "Host", argument_counts: &[], build };

pub(super) fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    let names = arguments
        .iter()
        .map(|name| Ok(require_ascii(name, "\"Host\"")?.to_ascii_lowercase()))
        .collect::<Result<_, String>>()?;
    Ok(Box::new(Hosts { names }))
}

struct Hosts {
    names: Box<[String]>,
}

impl Match for Hosts {
    fn matches(&self, view: &View<'_>) -> bool {
        let host = view.host();
        self.names.iter().any(|name| matches_up_to_dot(host, name, |host, name| host == name))
    }

    fn keys(&self) -> Vec<Key> {
        // A name with an asterisk matches no host that is sent; it is left to be evaluated.
        let key = |name: &String| {
            if name.contains('*') { Key::default() } else { Key::of_host(name) }
        };
        key::either(self.names.iter().map(key))
    }
}
