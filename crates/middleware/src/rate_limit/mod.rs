//! `rateLimit`: a token bucket for every source.
//!
//! A bucket that is full again is as good as none, so what is kept is sources that have lately
//! been asking, and of those a bounded number.

mod pace;

use std::sync::Arc;
use std::time::Instant;

use exchange::{AsyncMiddleware, Exchange, Flow, LocalFuture, Memo, Phases, Response, ready};
use http::StatusCode;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};

use self::pace::{Pace, Taken};
use crate::client_address::IpStrategy;
use crate::report::Report;
use crate::source::{Shards, Source, SourceKey};

/// The settings, once read; every chain has buckets of its own.
pub(crate) struct RateLimit {
    source: Source,
    /// `None`: no limit.
    pace: Option<Pace>,
    /// The middleware's name, if it only reports.
    reports_as: Option<Arc<str>>,
}

/// The limit of one chain.
pub(crate) struct Buckets {
    limit: Arc<RateLimit>,
    started: Instant,
    /// When each source's bucket is full again.
    full_at: Shards<u64>,
    report: Option<Report>,
}

/// Sources that are remembered at most, about 10 MiB: as many as Traefik remembers, and room for
/// 10,000 new ones a second for six seconds.
const SOURCES_MAX: usize = 65_536;
const X_RETRY_IN: HeaderName = HeaderName::from_static("x-retry-in");

impl RateLimit {
    pub(crate) fn new(
        name: &Arc<str>,
        settings: &config::dynamic::RateLimit,
    ) -> Result<Self, String> {
        let peer = Source::Ip(IpStrategy::new(None)?);
        let source = Source::new(settings.source_criterion.as_ref(), peer)
            .map_err(|error| format!("getting source extractor: {error}"))?;
        let period = settings.period;
        if period.is_negative() {
            return Err(format!("negative value not valid for period: {period}"));
        }
        if settings.redis.is_some() {
            return Err("rateLimit with redis is not supported yet: without it, every instance \
                        counts for itself"
                .to_owned());
        }
        let period = if period.is_zero() { config::Duration::from_secs(1) } else { period };
        let pace = match u64::try_from(settings.average) {
            Ok(0) | Err(_) => None,
            Ok(average) => {
                let burst = u64::try_from(settings.burst).unwrap_or(1).max(1);
                Some(Pace::new(average, period.as_std(), burst))
            }
        };
        Ok(Self { source, pace, reports_as: settings.report_only.then(|| Arc::clone(name)) })
    }
}

impl Buckets {
    pub(crate) fn new(limit: Arc<RateLimit>) -> Self {
        let report = limit.reports_as.as_ref().map(Report::new);
        Self { limit, started: Instant::now(), full_at: Shards::new(), report }
    }

    fn take(&self, pace: &Pace, source: SourceKey, now: u64) -> Taken {
        self.full_at.with(source, |mut shard| {
            if let Some(full_at) = shard.value() {
                let taken = pace.take(*full_at, now);
                if let Taken::Token { full_at: later, .. } = taken {
                    *full_at = later;
                }
                return taken;
            }
            let taken = pace.take(now, now);
            if let Taken::Token { full_at, .. } = taken {
                shard.make_room(SOURCES_MAX, |full_at| *full_at <= now);
                shard.insert(full_at);
            }
            taken
        })
    }
}

impl AsyncMiddleware for Buckets {
    fn on_request<'a>(
        &'a self,
        exchange: &'a mut Exchange,
        _memo: &'a mut Memo,
    ) -> LocalFuture<'a, Flow> {
        let Some(pace) = &self.limit.pace else { return ready(Flow::Continue) };
        let source = self.limit.source.of(exchange);
        let taken = self.take(pace, source, pace.ticks(self.started.elapsed()));
        match (taken, &self.report) {
            (Taken::Token { wait, .. }, _) if wait.is_zero() => ready(Flow::Continue),
            (_, Some(report)) => {
                report.note();
                ready(Flow::Continue)
            }
            (Taken::Token { wait, .. }, None) => Box::pin(async move {
                tokio::time::sleep(wait).await;
                Flow::Continue
            }),
            (Taken::Refused { wait }, None) => ready(Flow::respond(refusal(wait))),
        }
    }

    fn phases(&self) -> Phases {
        Phases::Request
    }
}

fn refusal(wait: std::time::Duration) -> Response {
    let mut response = Response::status_only(StatusCode::TOO_MANY_REQUESTS);
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    response.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    if let Ok(value) = HeaderValue::try_from(pace::in_gos_words(wait)) {
        response.headers.insert(X_RETRY_IN, value);
    }
    response
}

#[cfg(test)]
mod tests;
