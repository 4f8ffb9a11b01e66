//! `circuitBreaker`: answers itself while the servers behind it fail.
//!
//! While all is well a request costs one look at a flag and a few counts. The state is behind a
//! lock, taken once per `checkPeriod` and by requests that come while the circuit is not closed.

mod condition;
mod histogram;
mod metrics;
mod recovery;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use exchange::{Exchange, Flow, Memo, Middleware, Response};
use http::StatusCode;

use self::condition::Measure;
use self::metrics::Metrics;
use self::recovery::Recovery;
use crate::predicate::{Measured, Predicate};

/// The settings, once read; every chain has a circuit of its own.
pub(crate) struct CircuitBreaker {
    condition: Predicate<Measure>,
    check_period: Duration,
    fallback_duration: Duration,
    recovery_duration: Duration,
    response_code: StatusCode,
}

/// The circuit of one chain.
pub(crate) struct Circuit {
    name: Arc<str>,
    settings: Arc<CircuitBreaker>,
    started: Instant,
    metrics: Metrics,
    /// When the condition is looked at next, in nanoseconds since the start.
    next_check: AtomicU64,
    is_standby: AtomicBool,
    state: Mutex<State>,
}

/// Times are since the start.
enum State {
    /// All requests pass.
    Standby,
    /// None does.
    Tripped { until: Duration },
    /// More and more do.
    Recovering { until: Duration, recovery: Recovery },
}

impl CircuitBreaker {
    pub(crate) fn new(settings: &config::dynamic::CircuitBreaker) -> Result<Self, String> {
        let condition = Predicate::parse(&settings.expression)?;
        let or_default = |duration: config::Duration, milliseconds: u64| {
            if duration.is_zero() || duration.is_negative() {
                Duration::from_millis(milliseconds)
            } else {
                duration.as_std()
            }
        };
        // Traefik: lets requests fail that are answered with a code that cannot be.
        let response_code = StatusCode::from_u16(settings.response_code)
            .ok()
            .filter(|code| !code.is_informational())
            .ok_or_else(|| format!("invalid response code {}", settings.response_code))?;
        Ok(Self {
            condition,
            check_period: or_default(settings.check_period, 100),
            fallback_duration: or_default(settings.fallback_duration, 10_000),
            recovery_duration: or_default(settings.recovery_duration, 10_000),
            response_code,
        })
    }
}

impl Circuit {
    pub(crate) fn new(name: &Arc<str>, settings: Arc<CircuitBreaker>) -> Self {
        let with_latencies = settings
            .condition
            .measures(|measure| matches!(measure, Measure::LatencyAtQuantileMs(_)));
        Self {
            name: Arc::clone(name),
            settings,
            started: Instant::now(),
            metrics: Metrics::new(with_latencies),
            next_check: AtomicU64::new(0),
            is_standby: AtomicBool::new(true),
            state: Mutex::new(State::Standby),
        }
    }

    /// Tells whether a request may pass.
    fn lets_pass(&self, now: Duration) -> bool {
        if self.is_standby.load(Ordering::Acquire) {
            return true;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Tripped { until } = *state {
            if now < until {
                return false;
            }
            tracing::info!(middleware = &*self.name, "the circuit is recovering");
            let duration = self.settings.recovery_duration;
            *state = State::Recovering {
                until: now.saturating_add(duration),
                recovery: Recovery::new(now, duration),
            };
        }
        match &mut *state {
            State::Recovering { until, recovery } if now <= *until => recovery.lets_pass(now),
            State::Recovering { .. } => {
                tracing::info!(middleware = &*self.name, "the circuit is closed again");
                *state = State::Standby;
                self.is_standby.store(true, Ordering::Release);
                true
            }
            State::Standby | State::Tripped { .. } => true,
        }
    }

    /// Takes a response into account.
    fn note(&self, status: StatusCode, latency: Option<Duration>, now: Duration) {
        self.metrics.record(status.as_u16(), latency, now);
        let next = self.next_check.load(Ordering::Relaxed);
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        if nanoseconds(now) < next {
            return;
        }
        let later = nanoseconds(now.saturating_add(self.settings.check_period));
        let is_ours =
            self.next_check.compare_exchange(next, later, Ordering::Relaxed, Ordering::Relaxed);
        if is_ours.is_ok() {
            self.check(now);
        }
    }

    fn check(&self, now: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Tripped { .. }) {
            return;
        }
        let holds = self.settings.condition.holds(&|measure| match measure {
            Measure::NetworkErrorRatio => Measured::Float(self.metrics.network_error_ratio(now)),
            Measure::ResponseCodeRatio(ranges) => {
                Measured::Float(self.metrics.response_code_ratio(now, ranges))
            }
            Measure::LatencyAtQuantileMs(quantile) => {
                Measured::Integer(self.metrics.latency_at_quantile_ms(*quantile))
            }
        });
        if !holds {
            return;
        }
        tracing::warn!(middleware = &*self.name, "the circuit is open");
        *state = State::Tripped { until: now.saturating_add(self.settings.fallback_duration) };
        self.is_standby.store(false, Ordering::Release);
        self.metrics.reset();
    }
}

impl Middleware for Circuit {
    fn on_request(&self, _exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        if !self.lets_pass(self.started.elapsed()) {
            return Flow::respond(Response::status_only(self.settings.response_code));
        }
        if self.metrics.wants_latencies() {
            *memo = Some(Box::new(Instant::now()));
        }
        Flow::Continue
    }

    fn on_response(&self, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        let began = memo.as_ref().and_then(|memo| memo.downcast_ref::<Instant>());
        // Traefik: until the client has read the whole response, so that slow clients open the
        // circuit.
        let latency = began.map(Instant::elapsed);
        self.note(exchange.response.status, latency, self.started.elapsed());
        Flow::Continue
    }
}

#[cfg(test)]
mod tests;
