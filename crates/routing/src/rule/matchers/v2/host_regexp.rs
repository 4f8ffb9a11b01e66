//! hot path
//!
//! `HostRegexp` of v2: whole hosts, as templates, in any case.

use config::go_regex::GoRegex;

use crate::rule::View;
use crate::rule::key::{self, Key};
use crate::rule::matchers::v2::template::{Subject, Template};
use crate::rule::matchers::{Definition, Match, require_ascii};

pub(super) const DEFINITION: Definition =
    Definition { name: "HostRegexp", argument_counts: &[], build };

fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    let hosts = arguments
        .iter()
        .map(|host| {
            let template = Template::parse(require_ascii(host, "HostRegexp")?.as_bytes())?;
            let regex = template.compile(Subject::Host)?;
            // What stands without brackets and ports is looked up by name.
            let name = template.as_literal().filter(|name| !name.contains(['[', ':', '*']));
            let key = name.map(|name| Key::of_host(&name.to_ascii_lowercase()).undecided());
            Ok(Host { regex, key: key.unwrap_or_default() })
        })
        .collect::<Result<_, String>>()?;
    Ok(Box::new(HostRegexp { hosts }))
}

struct HostRegexp {
    hosts: Box<[Host]>,
}

struct Host {
    regex: GoRegex,
    key: Key,
}

impl Match for HostRegexp {
    fn matches(&self, view: &View<'_>) -> bool {
        let host = view.raw_host();
        self.hosts.iter().any(|expected| expected.regex.is_match(host))
    }

    fn keys(&self) -> Vec<Key> {
        key::either(self.hosts.iter().map(|host| host.key.clone()))
    }
}
