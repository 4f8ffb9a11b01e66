//! What reached the upstream servers, in the order it came.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Something that reached a server.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) server: &'static str,
    pub(super) at: Instant,
    pub(super) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Connection,
    /// A whole request: its method and path.
    Request(String, String),
}

/// All events so far, shared.
#[derive(Clone, Default)]
pub(super) struct Events(Arc<Mutex<Vec<Event>>>);

impl Event {
    /// Reads what a server wrote down.
    pub(super) fn parse(server: &'static str, line: &str) -> Option<Self> {
        let what = match line.split_once(' ') {
            None if line == "connection" => What::Connection,
            Some((method, path)) if path.starts_with('/') => {
                What::Request(method.to_owned(), path.to_owned())
            }
            _ => return None,
        };
        Some(Self { server, at: Instant::now(), what })
    }
}

impl Events {
    pub(super) fn add(&self, event: Event) {
        self.lock().push(event);
    }

    /// Requests of a path prefix that came between two moments: to one server, and to all.
    pub(super) fn share(
        &self,
        server: &str,
        prefix: &str,
        from: Instant,
        until: Instant,
    ) -> (usize, usize) {
        let events = self.lock();
        let is_meant = |event: &&Event| {
            let What::Request(_, path) = &event.what else { return false };
            path.starts_with(prefix) && (from..until).contains(&event.at)
        };
        let meant: Vec<_> = events.iter().filter(is_meant).collect();
        (meant.iter().filter(|event| event.server == server).count(), meant.len())
    }

    /// When a server got the first request that was sent after so many others.
    pub(super) fn first_after(&self, server: &str, number: u64) -> Option<Instant> {
        let events = self.lock();
        let is_later = |event: &&Event| {
            let What::Request(_, path) = &event.what else { return false };
            let of_request = path.rsplit('/').next().and_then(|number| number.parse::<u64>().ok());
            event.server == server && of_request.is_some_and(|of_request| of_request >= number)
        };
        events.iter().find(is_later).map(|event| event.at)
    }

    /// Connections that a server got between two moments.
    pub(super) fn connections(&self, server: &str, from: Instant, until: Instant) -> usize {
        let events = self.lock();
        let is_meant = |event: &&Event| {
            event.server == server
                && event.what == What::Connection
                && (from..until).contains(&event.at)
        };
        events.iter().filter(is_meant).count()
    }

    /// The paths of all requests of a method, sorted.
    pub(super) fn paths(&self, method: &str) -> Vec<String> {
        let events = self.lock();
        let path = |event: &Event| match &event.what {
            What::Request(of, path) if of == method => Some(path.clone()),
            _ => None,
        };
        let mut paths: Vec<_> = events.iter().filter_map(path).collect();
        paths.sort();
        paths
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<What>) {
        assert_eq!(Event::parse("one", line).map(|event| event.what), expected, "{line}");
    }

    #[test]
    fn servers_write_down_connections_and_requests() {
        check("connection", Some(What::Connection));
        check("POST /wrr/7", Some(What::Request("POST".to_owned(), "/wrr/7".to_owned())));
        check("cannot listen again", None);
    }

    #[test]
    fn shares_are_those_of_a_time_and_a_prefix() {
        let events = Events::default();
        let before = Instant::now();
        for (server, path) in [("one", "/a/1"), ("two", "/a/2"), ("one", "/b/3"), ("one", "/a/4")] {
            events.add(Event::parse(server, &format!("GET {path}")).expect("an event"));
        }
        let after = Instant::now() + std::time::Duration::from_secs(1);
        assert_eq!(events.share("one", "/a", before, after), (2, 3));
        assert_eq!(events.share("one", "/a", after, after), (0, 0));
        assert!(events.first_after("one", 4).is_some());
        assert!(events.first_after("two", 3).is_none());
    }
}
