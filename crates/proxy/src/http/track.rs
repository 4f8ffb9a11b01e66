//! hot path
//!
//! What load balancers want to know of a request once its server is picked: how many a server has
//! under way, how fast it answers, and whether it is well.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use balance::Moment;
use exchange::{Body, BodyError, BodyStream, Failure, Frame, Response, Side};
use routing::{InFlight, LoadBalancer, Server, StickyPick};

use crate::http::pool::Lease;

/// What a request that failed counts as, at least, among response times.
const FAILED_TIME: Duration = Duration::from_secs(1);

/// Tells whether a load balancer wants to know anything.
pub(crate) fn is_needed(balancer: &LoadBalancer) -> bool {
    balancer.strategy.needs_load() || balancer.passive_check.is_some()
}

/// A request whose server is picked.
pub(crate) struct Tracked<'a> {
    balancer: &'a LoadBalancer,
    server: &'a Arc<Server>,
    /// Where the server stands in the load balancer.
    index: usize,
    in_flight: Option<InFlight>,
    /// Of load balancers that go by response times.
    began: Option<Instant>,
}

impl<'a> Tracked<'a> {
    pub(crate) fn begin(balancer: &'a LoadBalancer, pick: &StickyPick<'a, Arc<Server>>) -> Self {
        let strategy = &balancer.strategy;
        let server = pick.picked;
        Self {
            balancer,
            server,
            index: pick.index,
            in_flight: strategy.needs_load().then(|| InFlight::new(server)),
            // The worker's clock is too coarse for this.
            began: strategy.needs_response_times().then(Instant::now),
        }
    }

    /// Takes what came of it into account. A response whose body is still arriving keeps the
    /// request under way.
    pub(crate) fn end(
        self,
        result: Result<Response, Failure>,
        now: Moment,
    ) -> Result<Response, Failure> {
        if let (Some(check), Some(is_well)) = (&self.balancer.passive_check, is_well(&result))
            && check.note(self.index, self.server, is_well, now)
        {
            tracing::warn!(server = &*self.server.url, "server is down: its requests failed");
        }
        if let (Some(began), Some(_)) = (self.began, is_well(&result)) {
            let took = began.elapsed();
            // Traefik takes no note of failures, and so a server that refuses at once is the fastest.
            let took = if result.is_ok() { took } else { took.max(FAILED_TIME) };
            self.server.load.answered(took);
        }
        let mut response = result?;
        if let Some(in_flight) = self.in_flight {
            keep(&mut response, in_flight);
        }
        Ok(response)
    }
}

/// Tells whether the server did well, if it had its chance. A client that goes away says nothing of
/// the server; Traefik holds it against a server that was not asked yet.
fn is_well(result: &Result<Response, Failure>) -> Option<bool> {
    match result {
        Ok(response) => Some(!response.status.is_server_error()),
        Err(failure) => (failure.side() == Side::Upstream).then_some(false),
    }
}

/// Lets the request count as under way until the server has nothing more to do for it.
fn keep(response: &mut Response, in_flight: InFlight) {
    let lease = response.upgrade.as_ref().and_then(|upgrade| upgrade.0.downcast_ref::<Lease>());
    if let Some(lease) = lease {
        lease.in_flight.set(Some(in_flight));
        return;
    }
    response.body = match response.body.take() {
        Body::Stream(body) => Body::Stream(Box::new(Counted { body, in_flight: Some(in_flight) })),
        body => body,
    };
}

/// A response's body that is still arriving.
struct Counted {
    body: Box<dyn BodyStream>,
    in_flight: Option<InFlight>,
}

impl BodyStream for Counted {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let frame = ready!(self.body.poll_frame(context));
        if matches!(frame, None | Some(Err(_))) {
            self.in_flight = None;
        }
        Poll::Ready(frame)
    }

    fn remaining(&self) -> Option<u64> {
        self.body.remaining()
    }

    fn is_live(&self) -> bool {
        self.body.is_live()
    }
}
