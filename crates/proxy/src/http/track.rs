//! hot path
//!
//! What load balancers want to know of a request once its server is picked: how many a server has
//! under way, how fast it answers, and whether it is well.

use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use exchange::{Body, BodyError, BodyStream, Failure, Frame, Response, Side};
use routing::{InFlight, LoadBalancer, PassiveCheck, Server, StickyPick};

use crate::clock::Clock;
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
    /// request under way, and is well once it is whole.
    pub(crate) fn end(
        self,
        result: Result<Response, Failure>,
        clock: &Rc<Clock>,
    ) -> Result<Response, Failure> {
        let mut watch = self.balancer.passive_check.as_ref().map(|check| Watch {
            check: Arc::clone(check),
            index: self.index,
            server: Arc::clone(self.server),
            clock: Rc::clone(clock),
        });
        let is_well = is_well(&result);
        if !is_arriving(&result)
            && let (Some(watch), Some(is_well)) = (watch.take(), is_well)
        {
            watch.note(is_well);
        }
        if let (Some(began), Some(_)) = (self.began, is_well) {
            let took = began.elapsed();
            // Traefik takes no note of failures, and so a server that refuses at once is the fastest.
            let took = if result.is_ok() { took } else { took.max(FAILED_TIME) };
            self.server.load.answered(took);
        }
        let mut response = result?;
        if self.in_flight.is_some() || watch.is_some() {
            keep(&mut response, self.in_flight, watch);
        }
        Ok(response)
    }
}

/// Takes note of how a server did.
struct Watch {
    check: Arc<PassiveCheck>,
    index: usize,
    server: Arc<Server>,
    clock: Rc<Clock>,
}

impl Watch {
    fn note(&self, is_well: bool) {
        if self.check.note(self.index, &self.server, is_well, self.clock.moment()) {
            tracing::warn!(server = &*self.server.url, "server is down: its requests failed");
        }
    }
}

/// Tells whether a response began well and may still break off.
fn is_arriving(result: &Result<Response, Failure>) -> bool {
    let Ok(response) = result else { return false };
    is_well(result) == Some(true) && matches!(response.body, Body::Stream(_))
}

/// Tells whether the server did well, if it had its chance. A client that goes away says nothing of
/// the server; Traefik holds it against a server that was not asked yet.
fn is_well(result: &Result<Response, Failure>) -> Option<bool> {
    match result {
        Ok(response) => Some(!response.status.is_server_error()),
        Err(failure) => (failure.side() == Side::Upstream).then_some(false),
    }
}

/// Lets the request count as under way until the server has nothing more to do for it, and watches
/// the rest of the response.
fn keep(response: &mut Response, in_flight: Option<InFlight>, watch: Option<Watch>) {
    let lease = response.upgrade.as_ref().and_then(|upgrade| upgrade.0.downcast_ref::<Lease>());
    if let Some(lease) = lease {
        lease.in_flight.set(in_flight);
        return;
    }
    response.body = match response.body.take() {
        Body::Stream(body) => Body::Stream(Box::new(Tail { body, in_flight, watch })),
        body => body,
    };
}

/// A response's body that is still arriving.
struct Tail {
    body: Box<dyn BodyStream>,
    in_flight: Option<InFlight>,
    /// Dropped without a word when the client leaves: that says nothing of the server.
    watch: Option<Watch>,
}

impl BodyStream for Tail {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let frame = ready!(self.body.poll_frame(context));
        let is_over = match &frame {
            // Whoever knows the length does not ask again behind the last byte.
            Some(Ok(_)) => self.body.remaining() == Some(0),
            None | Some(Err(_)) => true,
        };
        if is_over {
            self.in_flight = None;
            if let Some(watch) = self.watch.take() {
                watch.note(!matches!(frame, Some(Err(_))));
            }
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
