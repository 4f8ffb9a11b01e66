//! hot path
//!
//! Finds the router for a request among any number of routers.
//!
//! Traefik holds a request against one rule after the other, in the order of their priorities. The
//! index gives the same answer without asking most of them: rules say what they demand of host and
//! path, and are looked up by that. A request's host is looked up as it is and by its parent
//! (`*.parent`), its path in a tree of prefixes; rules that demand neither are on a list of their
//! own. What is found are a few lists, each in the order of priority, which are walked side by side
//! until a rule matches. A request costs what the rules cost that its host and path speak for, and
//! allocates nothing here.

mod paths;

use std::collections::hash_map;
use std::sync::Arc;

use exchange::{Connection, Request};
use foldhash::{HashMap, HashMapExt};

use self::paths::PathTree;
use crate::Route;
use crate::rule::key::{HostKey, PathKey};
use crate::rule::{Rule, View};

/// A router to be found.
pub struct Entry {
    pub rule: Arc<Rule>,
    /// Higher goes first.
    pub priority: i64,
    /// Decides between equal priorities; lower goes first. The place of the router's provider in
    /// `providers.precedence` (last for providers that are not in it), then the router's name.
    // Traefik: the order of names, and with it which router wins, changes from start to start.
    pub tie: (i64, Arc<str>),
    pub route: Arc<Route>,
}

/// Routers, found by request. Built once, never changed.
pub struct RouterIndex {
    /// In the order of priority; an entry's place here is its rank.
    entries: Box<[Entry]>,
    hosts: HashMap<Arc<str>, Bucket>,
    /// By what follows the asterisk and its dot.
    wildcards: HashMap<Arc<str>, Bucket>,
    any_host: Bucket,
}

/// A rule that is worth a look, in a place where the request's host leads.
struct Candidate {
    rank: u32,
    /// Whether the rule certainly matches a request that got here.
    decides: bool,
    /// What is still demanded of the path.
    path: PathKey,
}

/// The candidates for one host.
enum Bucket {
    /// Most hosts have one router: their candidates need no memory of their own.
    One(Candidate),
    /// In the order of rank.
    Few(Vec<Candidate>),
    Many(Box<PathTree>),
}

impl RouterIndex {
    /// Builds the index.
    pub fn build(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|one, two| {
            two.priority.cmp(&one.priority).then_with(|| one.tie.cmp(&two.tie))
        });
        let mut hosts = HashMap::with_capacity(entries.len());
        let mut wildcards = HashMap::new();
        let mut any_host = Bucket::Few(Vec::new());
        for (rank, entry) in (0..u32::MAX).zip(&entries) {
            for key in entry.rule.keys() {
                let path = key.path.clone();
                let candidate = Candidate { rank, decides: key.decides, path };
                match &key.host {
                    HostKey::Exact(name) => add(&mut hosts, name, candidate),
                    HostKey::Wildcard(parent) => add(&mut wildcards, parent, candidate),
                    HostKey::Any => any_host.push(candidate),
                }
            }
        }
        hosts.shrink_to_fit();
        hosts.values_mut().chain(wildcards.values_mut()).for_each(Bucket::settle);
        any_host.settle();
        Self { entries: entries.into(), hosts, wildcards, any_host }
    }

    /// The route of the first router, by priority, whose rule matches.
    pub fn find(&self, request: &Request, connection: &Connection) -> Option<&Arc<Route>> {
        let view = View::new(request, connection);
        let rank = self.search(&view).best?;
        Some(&self.entries[rank as usize].route)
    }

    /// Tells whether there are no routers at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many routers there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// All routers, in the order in which they are asked.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    fn search<'a>(&'a self, view: &'a View<'a>) -> Search<'a> {
        let host = view.host();
        let name = host.trim_end_matches('.');
        let mut search = Search {
            entries: &self.entries,
            view,
            // Rules take one trailing dot for none; with more, let each decide.
            has_plain_host: host.len() - name.len() <= 1,
            best: None,
            evaluations: 0,
            lists: [&[]; LISTS_MAX],
            list_count: 0,
        };
        if !name.is_empty() {
            if let Some(bucket) = self.hosts.get(name) {
                bucket.collect(&mut search);
            }
            if !self.wildcards.is_empty()
                && let Some((_, parent)) = name.split_once('.')
                && let Some(bucket) = self.wildcards.get(parent)
            {
                bucket.collect(&mut search);
            }
        }
        self.any_host.collect(&mut search);
        search.resolve();
        search
    }
}

impl Bucket {
    /// Adds the candidate of the next rank.
    fn push(&mut self, candidate: Candidate) {
        match std::mem::replace(self, Self::Few(Vec::new())) {
            Self::One(first) => *self = Self::Few(vec![first, candidate]),
            Self::Few(mut candidates) => {
                candidates.push(candidate);
                *self = Self::Few(candidates);
            }
            Self::Many(tree) => {
                debug_assert!(false, "a bucket is settled when it has all candidates");
                *self = Self::Many(tree);
            }
        }
    }

    /// Takes the form that is walked fastest, when all candidates are there.
    fn settle(&mut self) {
        let Self::Few(candidates) = self else { return };
        candidates.shrink_to_fit();
        let has_paths = candidates.iter().any(|candidate| candidate.path != PathKey::Any);
        if candidates.len() > FEW_MAX && has_paths {
            *self = Self::Many(Box::new(PathTree::new(std::mem::take(candidates))));
        }
    }

    fn collect<'a>(&'a self, search: &mut Search<'a>) {
        match self {
            Self::One(candidate) => search.add(std::slice::from_ref(candidate)),
            Self::Few(candidates) => search.add(candidates),
            Self::Many(tree) => {
                tree.walk(search.view.routing_path(), |candidates| search.add(candidates));
            }
        }
    }
}

fn add(buckets: &mut HashMap<Arc<str>, Bucket>, name: &Arc<str>, candidate: Candidate) {
    match buckets.entry(Arc::clone(name)) {
        hash_map::Entry::Vacant(free) => drop(free.insert(Bucket::One(candidate))),
        hash_map::Entry::Occupied(mut bucket) => bucket.get_mut().push(candidate),
    }
}

/// One look-up under way.
struct Search<'a> {
    entries: &'a [Entry],
    view: &'a View<'a>,
    has_plain_host: bool,
    /// The rank of the best match so far.
    best: Option<u32>,
    /// How many rules were asked.
    evaluations: u32,
    lists: [&'a [Candidate]; LISTS_MAX],
    list_count: usize,
}

impl<'a> Search<'a> {
    fn add(&mut self, candidates: &'a [Candidate]) {
        if candidates.first().is_none_or(|first| !self.is_better(first.rank)) {
            return;
        }
        if self.list_count == LISTS_MAX {
            self.resolve();
        }
        self.lists[self.list_count] = candidates;
        self.list_count += 1;
    }

    fn is_better(&self, rank: u32) -> bool {
        self.best.is_none_or(|best| rank < best)
    }

    /// Walks the lists at hand side by side, best rank first, up to the first match. Lists that
    /// come later are held against it.
    fn resolve(&mut self) {
        while let Some(candidate) = self.take_first() {
            if !self.is_better(candidate.rank) {
                break;
            }
            if self.is_match(candidate) {
                self.best = Some(candidate.rank);
                break;
            }
        }
        self.list_count = 0;
    }

    fn take_first(&mut self) -> Option<&'a Candidate> {
        let list = self.lists[..self.list_count]
            .iter_mut()
            .filter(|list| !list.is_empty())
            .min_by_key(|list| list[0].rank)?;
        let (first, rest) = list.split_first()?;
        *list = rest;
        Some(first)
    }

    fn is_match(&mut self, candidate: &Candidate) -> bool {
        if candidate.path != PathKey::Any && !candidate.path.admits(self.view.routing_path()) {
            return false;
        }
        if candidate.decides && self.has_plain_host {
            return true;
        }
        self.evaluations += 1;
        self.entries[candidate.rank as usize].rule.matches(self.view)
    }
}

/// Up to here comparing one after the other is as fast as walking a tree, and smaller.
const FEW_MAX: usize = 8;
/// How many lists are walked at once: host, wildcard and no host, times the prefixes of one path
/// that have routers. More are walked in turn.
const LISTS_MAX: usize = 16;

#[cfg(test)]
mod tests;
