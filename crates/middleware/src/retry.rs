//! `retry`: sends a request again when its server could not be reached or answered with a status
//! that is worth another try.

use std::time::{Duration, Instant};

use bytes::Bytes;
use exchange::{
    AsyncMiddleware, Body, Buffered, Exchange, FailureKind, Flow, LocalFuture, Memo, Request,
    Response, Side, StatusRanges, ready,
};
use http::{Method, StatusCode};

pub(crate) struct Retry {
    /// Tries in all.
    attempts: u32,
    statuses: StatusRanges,
    on_network_error: bool,
    non_idempotent: bool,
    body_bytes_max: u64,
    timeout: Option<Duration>,
    initial_interval: Duration,
}

/// What one exchange needs for another try.
struct Attempts {
    /// The request without its body, as later stages have not seen it yet.
    head: Request,
    body: Kept,
    /// Tries so far.
    made: u32,
    /// When the first began; only with a timeout.
    started: Option<Instant>,
    /// The next wait before it is randomised.
    interval: Duration,
}

enum Kept {
    /// Statuses may be tried again: the body is here, and no longer arriving.
    Whole(Option<Bytes>),
    /// Only tries that sent nothing may be repeated: the body is still in the exchange.
    InExchange,
}

/// Waits grow up to this, as those of Traefik's back-off do.
const INTERVAL_MAX: Duration = Duration::from_secs(60);

impl Retry {
    pub(crate) fn new(settings: &config::dynamic::Retry) -> Result<Self, String> {
        if settings.status.is_empty() && settings.disable_retry_on_network_error {
            return Err(
                "retry middleware requires at least HTTP status codes or retry on TCP".to_owned()
            );
        }
        let attempts = settings.attempts;
        if attempts <= 0 {
            return Err(format!("incorrect (or empty) value for attempt ({attempts})"));
        }
        let statuses = StatusRanges::parse(&settings.status)
            .map_err(|error| format!("creating HTTP code ranges: {error}"))?;
        let is_set = |duration: config::Duration| !duration.is_zero() && !duration.is_negative();
        Ok(Self {
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            statuses,
            on_network_error: !settings.disable_retry_on_network_error,
            non_idempotent: settings.retry_non_idempotent_method,
            // A negative size means no limit.
            body_bytes_max: settings
                .max_request_body_bytes
                .map_or(2_097_152, |bytes| u64::try_from(bytes).unwrap_or(u64::MAX)),
            timeout: is_set(settings.timeout).then(|| settings.timeout.as_std()),
            initial_interval: if is_set(settings.initial_interval) {
                settings.initial_interval.as_std()
            } else {
                Duration::ZERO
            },
        })
    }

    /// Tells whether statuses may be tried again for a method. Traefik's list of what is not
    /// idempotent is shorter than RFC 9110's opposite.
    fn retries_statuses_of(&self, method: &Method) -> bool {
        let is_idempotent =
            *method != Method::POST && *method != Method::PATCH && method.as_str() != "LOCK";
        !self.statuses.is_empty() && (self.non_idempotent || is_idempotent)
    }

    fn begin(&self, exchange: &Exchange, body: Kept) -> Attempts {
        Attempts {
            head: exchange.request.clone_head(),
            body,
            made: 1,
            started: self.timeout.map(|_| Instant::now()),
            interval: self.initial_interval,
        }
    }

    async fn keep_body(&self, exchange: &mut Exchange) -> Result<Kept, Response> {
        let body = match exchange.request.body.take() {
            Body::Empty => return Ok(Kept::Whole(None)),
            body => body,
        };
        // Reading the body lets the client send it.
        exchange.request.expects_continue = false;
        match body.buffer(self.body_bytes_max).await {
            Ok(Buffered::Whole(bytes)) => {
                exchange.request.body = Body::Full(bytes.clone());
                Ok(Kept::Whole(Some(bytes)))
            }
            Ok(Buffered::TooLarge(body)) => {
                exchange.request.body = body;
                Ok(Kept::InExchange)
            }
            Err(error) => {
                tracing::debug!(%error, "reading a request's body for further tries");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Err(Response::error(status, exchange::status_text(status)))
            }
        }
    }

    fn is_worth_another_try(&self, exchange: &Exchange, attempts: &Attempts) -> bool {
        if attempts.made >= self.attempts || exchange.response.upgrade.is_some() {
            return false;
        }
        if let (Some(timeout), Some(started)) = (self.timeout, attempts.started)
            && started.elapsed() >= timeout
        {
            return false;
        }
        let reached_no_server = exchange.failure.as_ref().is_some_and(|failure| {
            // Without a server there is nobody who could be reached by trying again.
            let has_server = !matches!(failure.kind, FailureKind::NoServer | FailureKind::Internal);
            has_server && failure.side() != Side::Client && !failure.request_was_sent
        });
        if self.on_network_error && reached_no_server {
            return true;
        }
        matches!(attempts.body, Kept::Whole(_))
            && self.retries_statuses_of(&attempts.head.method)
            && self.statuses.contains(exchange.response.status)
    }

    /// Gives the next wait: exponential, at most doubling over all attempts, plus or minus half.
    fn next_wait(&self, attempts: &mut Attempts) -> Duration {
        if self.initial_interval.is_zero() {
            return Duration::ZERO;
        }
        let interval = attempts.interval;
        let growth = 2_f64.powf(1.0 / f64::from(self.attempts.saturating_sub(1).max(1)));
        attempts.interval = if interval.as_secs_f64() * growth >= INTERVAL_MAX.as_secs_f64() {
            INTERVAL_MAX
        } else {
            interval.mul_f64(growth)
        };
        interval.mul_f64(0.5 + fastrand::f64())
    }
}

impl AsyncMiddleware for Retry {
    fn on_request<'a>(
        &'a self,
        exchange: &'a mut Exchange,
        memo: &'a mut Memo,
    ) -> LocalFuture<'a, Flow> {
        if self.attempts == 1 {
            return ready(Flow::Continue);
        }
        if !self.retries_statuses_of(&exchange.request.method) {
            *memo = Some(Box::new(self.begin(exchange, Kept::InExchange)));
            return ready(Flow::Continue);
        }
        Box::pin(async move {
            match self.keep_body(exchange).await {
                Ok(body) => {
                    *memo = Some(Box::new(self.begin(exchange, body)));
                    Flow::Continue
                }
                Err(response) => Flow::respond(response),
            }
        })
    }

    fn on_response<'a>(
        &'a self,
        exchange: &'a mut Exchange,
        memo: &'a mut Memo,
    ) -> LocalFuture<'a, Flow> {
        let attempts = memo.as_mut().and_then(|memo| memo.downcast_mut::<Attempts>());
        let Some(attempts) = attempts else { return ready(Flow::Continue) };
        if !self.is_worth_another_try(exchange, attempts) {
            return ready(Flow::Continue);
        }
        let body = match &attempts.body {
            Kept::Whole(None) => Body::Empty,
            Kept::Whole(Some(bytes)) => Body::Full(bytes.clone()),
            Kept::InExchange => exchange.request.body.take(),
        };
        exchange.request = attempts.head.clone_head();
        exchange.request.body = body;
        exchange.failure = None;
        exchange.record.retries += 1;
        attempts.made += 1;
        let after = self.next_wait(attempts);
        tracing::debug!(attempt = attempts.made, ?after, "trying a request again");
        ready(Flow::Retry { after })
    }
}

#[cfg(test)]
mod tests;
