//! hot path
//!
//! Certificates by name, without scanning them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::Certificate;
use crate::hosts::{parent, wildcard};

/// Finds the certificate Traefik's scan would find: the first in reverse order of their keys (the
/// sorted, comma-joined names) that has the name or the name's wildcard.
#[derive(Debug, Default)]
pub(super) struct Index {
    exact: HashMap<Box<str>, Ranked>,
    /// By what follows `*.`; the certificate name `*` stands under the empty name.
    wildcards: HashMap<Box<str>, Ranked>,
    addresses: HashMap<IpAddr, Ranked>,
}

/// The lowest rank is the certificate that Traefik would meet first.
#[derive(Clone, Debug)]
struct Ranked {
    rank: usize,
    certificate: Arc<Certificate>,
}

impl Index {
    /// Of several certificates with the same names the first stays; the positions of the others
    /// are returned.
    pub(super) fn new(certificates: &[&Arc<Certificate>]) -> (Self, Vec<usize>) {
        let mut keyed: Vec<(String, usize)> = certificates
            .iter()
            .enumerate()
            .map(|(position, certificate)| (certificate.info().names.join(","), position))
            .collect();
        keyed.sort_unstable_by(|(a, first), (b, second)| b.cmp(a).then(first.cmp(second)));

        let mut index = Self::default();
        let mut duplicates = Vec::new();
        let mut last_key = None;
        for (rank, (key, position)) in keyed.iter().enumerate() {
            if last_key == Some(key) {
                duplicates.push(*position);
                continue;
            }
            last_key = Some(key);
            index.add(&Ranked { rank, certificate: Arc::clone(certificates[*position]) });
        }
        duplicates.sort_unstable();
        (index, duplicates)
    }

    /// Takes a canonical name.
    pub(super) fn find(&self, name: &str) -> Option<&Arc<Certificate>> {
        if name.is_empty() {
            return None;
        }
        best(self.exact.get(name), self.wildcards.get(parent(name)))
    }

    pub(super) fn find_address(&self, address: IpAddr) -> Option<&Arc<Certificate>> {
        self.addresses.get(&address.to_canonical()).map(|found| &found.certificate)
    }

    fn add(&mut self, ranked: &Ranked) {
        for name in &ranked.certificate.info().names {
            if let Some(parent) = wildcard(name) {
                self.wildcards.entry(parent.into()).or_insert_with(|| ranked.clone());
                continue;
            }
            if let Ok(address) = name.parse::<IpAddr>() {
                self.addresses.entry(address.to_canonical()).or_insert_with(|| ranked.clone());
            }
            self.exact.entry(name.as_str().into()).or_insert_with(|| ranked.clone());
        }
    }
}

fn best<'a>(a: Option<&'a Ranked>, b: Option<&'a Ranked>) -> Option<&'a Arc<Certificate>> {
    let found = match (a, b) {
        (Some(a), Some(b)) if b.rank < a.rank => b,
        (Some(a), _) => a,
        (None, b) => b?,
    };
    Some(&found.certificate)
}
