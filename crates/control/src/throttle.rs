//! Not more than one configuration of a provider per interval.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Update;

/// Lets the first update of a provider pass at once, and then at most one per interval, the
/// latest (`providers.providersThrottleDuration`).
pub(crate) struct Throttle {
    interval: Duration,
    providers: BTreeMap<Arc<str>, Gate>,
}

#[derive(Default)]
struct Gate {
    passed: Option<Instant>,
    waiting: Option<Update>,
}

impl Throttle {
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, providers: BTreeMap::new() }
    }

    /// Changes the interval.
    pub(crate) fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
    }

    /// Takes an update in; it takes the place of one that still waits.
    pub(crate) fn offer(&mut self, update: Update) {
        let gate = self.providers.entry(Arc::clone(&update.provider)).or_default();
        gate.waiting = Some(update);
    }

    /// Gives the update of a provider that still waits.
    pub(crate) fn waiting(&self, provider: &str) -> Option<&Update> {
        self.providers.get(provider)?.waiting.as_ref()
    }

    /// Forgets the update of a provider that still waits.
    pub(crate) fn withdraw(&mut self, provider: &str) {
        if let Some(gate) = self.providers.get_mut(provider) {
            gate.waiting = None;
        }
    }

    /// Takes out all updates that may pass.
    pub(crate) fn pass(&mut self, now: Instant) -> Vec<Update> {
        let mut passing = Vec::new();
        for gate in self.providers.values_mut() {
            let is_open = |passed| now.saturating_duration_since(passed) >= self.interval;
            if gate.passed.is_none_or(is_open)
                && let Some(update) = gate.waiting.take()
            {
                gate.passed = Some(now);
                passing.push(update);
            }
        }
        passing
    }

    /// When the next update that waits may pass.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let waiting = self.providers.values().filter(|gate| gate.waiting.is_some());
        waiting.filter_map(|gate| gate.passed?.checked_add(self.interval)).min()
    }
}

#[cfg(test)]
mod tests {
    use config::dynamic::Router;

    use super::*;

    fn update(provider: &str, router: &str) -> Update {
        let mut update = Update::new(provider.into());
        update.configuration.http.routers.insert(router.to_owned(), Router::default().into());
        update
    }

    /// Expects these routers to pass.
    fn check(passing: &[Update], expected: &[&str]) {
        let names: Vec<_> =
            passing.iter().flat_map(|update| update.configuration.http.routers.keys()).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn the_first_passes_at_once_and_then_the_latest_per_interval() {
        let interval = Duration::from_secs(2);
        let start = Instant::now();
        let mut throttle = Throttle::new(interval);
        throttle.offer(update("file", "a"));
        check(&throttle.pass(start), &["a"]);
        throttle.offer(update("file", "b"));
        throttle.offer(update("file", "c"));
        check(&throttle.pass(start + interval / 2), &[]);
        assert_eq!(throttle.deadline(), Some(start + interval));
        check(&throttle.pass(start + interval), &["c"]);
        assert_eq!(throttle.deadline(), None);
    }

    #[test]
    fn providers_do_not_wait_for_each_other() {
        let start = Instant::now();
        let mut throttle = Throttle::new(Duration::from_secs(2));
        throttle.offer(update("file", "a"));
        check(&throttle.pass(start), &["a"]);
        throttle.offer(update("docker", "d"));
        check(&throttle.pass(start), &["d"]);
    }

    #[test]
    fn an_update_that_was_withdrawn_does_not_pass() {
        let start = Instant::now();
        let mut throttle = Throttle::new(Duration::ZERO);
        throttle.offer(update("file", "a"));
        throttle.withdraw("file");
        assert!(throttle.waiting("file").is_none());
        check(&throttle.pass(start), &[]);
    }
}
