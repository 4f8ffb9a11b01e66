//! `inFlightReq`: limits the requests that a source has under way.

use std::sync::Arc;

use exchange::{Body, Exchange, Flow, Memo, Middleware, Response};
use http::StatusCode;

use crate::report::Report;
use crate::source::{Shards, Source, SourceKey};

/// The settings, once read; every chain counts for itself.
pub(crate) struct InFlightReq {
    source: Source,
    /// Nothing passes zero, which is also the default, and what is below.
    amount: i64,
    /// The middleware's name, if it only reports.
    reports_as: Option<Arc<str>>,
}

/// The limit of one chain.
pub(crate) struct Places {
    limit: Arc<InFlightReq>,
    /// Requests under way by source. As large as there are requests, and no larger.
    taken: Arc<Shards<i64>>,
    report: Option<Report>,
}

/// A request's place. Dropping it gives it back.
struct Place {
    taken: Arc<Shards<i64>>,
    source: SourceKey,
}

impl InFlightReq {
    pub(crate) fn new(
        name: &Arc<str>,
        settings: &config::dynamic::InFlightReq,
    ) -> Result<Self, String> {
        let source = Source::new(settings.source_criterion.as_ref(), Source::Host)
            .map_err(|error| format!("error creating requests limiter: {error}"))?;
        Ok(Self {
            source,
            amount: settings.amount,
            reports_as: settings.report_only.then(|| Arc::clone(name)),
        })
    }
}

impl Places {
    pub(crate) fn new(limit: Arc<InFlightReq>) -> Self {
        let report = limit.reports_as.as_ref().map(Report::new);
        Self { limit, taken: Arc::new(Shards::new()), report }
    }

    fn take(&self, source: SourceKey) -> Option<Place> {
        let amount = self.limit.amount;
        let is_free = self.taken.with(source, |mut shard| match shard.value() {
            Some(taken) if *taken >= amount => false,
            Some(taken) => {
                *taken += 1;
                true
            }
            None if amount <= 0 => false,
            None => {
                shard.insert(1);
                true
            }
        });
        is_free.then(|| Place { taken: Arc::clone(&self.taken), source })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.taken.with(self.source, |mut shard| match shard.value() {
            Some(taken) if *taken > 1 => *taken -= 1,
            _ => shard.remove(),
        });
    }
}

impl Middleware for Places {
    fn on_request(&self, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        let place = self.take(self.limit.source.of(exchange));
        match (place, &self.report) {
            (Some(place), _) => *memo = Some(Box::new(place)),
            (None, Some(report)) => report.note(),
            (None, None) => {
                let text = format!("max connections reached: {}", self.limit.amount);
                return Flow::respond(Response::bare(StatusCode::TOO_MANY_REQUESTS, text));
            }
        }
        Flow::Continue
    }

    fn on_response(&self, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        // Under way while there is something to come from the server. What is in memory could be
        // with the client before its place is free again, and the client's next request refused.
        let place = memo.take();
        let response = &mut exchange.response;
        if matches!(response.body, Body::Stream(_)) || response.upgrade.is_some() {
            response.held.extend(place);
        }
        Flow::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn places(amount: i64, report_only: bool) -> Places {
        let settings = config::dynamic::InFlightReq { amount, source_criterion: None, report_only };
        let limit = InFlightReq::new(&"m@file".into(), &settings).expect("valid settings");
        Places::new(Arc::new(limit))
    }

    /// Begins a request; gives its exchange and memo if it passes, or else the answer.
    fn begin(places: &Places, url: &str) -> Result<(Exchange, Memo), String> {
        let (mut exchange, mut memo) = (fixture::exchange("GET", url), None);
        match places.on_request(&mut exchange, &mut memo) {
            Flow::Respond(response) => Err(fixture::told(*response)),
            _ => Ok((exchange, memo)),
        }
    }

    /// Begins requests and keeps them under way; tells how many pass.
    fn check(amount: i64, report_only: bool, urls: &[&str], expected: usize) {
        let places = places(amount, report_only);
        let under_way: Vec<_> = urls.iter().filter_map(|url| begin(&places, url).ok()).collect();
        assert_eq!(under_way.len(), expected);
        drop(under_way);
        assert_eq!(places.taken.length(), 0, "all places are given back");
    }

    #[test]
    fn hosts_have_places_of_their_own() {
        check(2, false, &["http://a/", "http://a/", "http://A:81/", "http://b/"], 3);
        check(0, false, &["http://a/"], 0);
        check(-1, false, &["http://a/"], 0);
        check(1, true, &["http://a/", "http://a/"], 2);
    }

    #[test]
    fn the_refusal_is_traefiks() {
        let places = places(1, false);
        let under_way = begin(&places, "http://a/").ok();
        let refused = begin(&places, "http://a/").err();
        assert_eq!(refused.as_deref(), Some("429\nmax connections reached: 1"));
        drop(under_way);
        assert!(begin(&places, "http://a/").is_ok());
    }

    #[test]
    fn a_place_is_taken_until_the_response_has_come() {
        let places = places(1, false);
        let (mut exchange, mut memo) = begin(&places, "http://a/").expect("a free place");
        exchange.response.body = fixture::Script::body(None, Vec::new());
        places.on_response(&mut exchange, &mut memo);
        assert!(memo.is_none());
        assert!(begin(&places, "http://a/").is_err());
        exchange.response = Response::default();
        let (mut exchange, mut memo) = begin(&places, "http://a/").expect("a free place");
        places.on_response(&mut exchange, &mut memo);
        assert!(begin(&places, "http://a/").is_ok());
    }

    #[test]
    fn criteria_that_exclude_each_other_are_refused() {
        let settings = config::dynamic::InFlightReq {
            source_criterion: Some(config::dynamic::SourceCriterion {
                request_header_name: "X-Who".to_owned(),
                request_host: true,
                ip_strategy: None,
            }),
            ..config::dynamic::InFlightReq::default()
        };
        assert_eq!(
            InFlightReq::new(&"m@file".into(), &settings).err().as_deref(),
            Some(
                "error creating requests limiter: requestHost and RequestHeaderName are mutually \
                 exclusive"
            )
        );
    }
}
