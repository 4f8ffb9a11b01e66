//! hot path
//!
//! What load balancers want to know of a request once its server is picked: how many a server has
//! under way, and how fast it answers.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use exchange::{Body, BodyError, BodyStream, Failure, Frame, Response};
use routing::{InFlight, LoadBalancer, Server};

use crate::http::pool::Lease;

/// Tells whether a load balancer wants to know anything.
pub(crate) fn is_needed(balancer: &LoadBalancer) -> bool {
    balancer.strategy.needs_load()
}

/// A request whose server is picked.
pub(crate) struct Tracked<'a> {
    server: &'a Arc<Server>,
    in_flight: Option<InFlight>,
    /// Of load balancers that go by response times.
    began: Option<Instant>,
}

impl<'a> Tracked<'a> {
    pub(crate) fn begin(balancer: &LoadBalancer, server: &'a Arc<Server>) -> Self {
        let strategy = &balancer.strategy;
        Self {
            server,
            in_flight: strategy.needs_load().then(|| InFlight::new(server)),
            // The worker's clock is too coarse for this.
            began: strategy.needs_response_times().then(Instant::now),
        }
    }

    /// Takes what came of it into account. A response whose body is still arriving keeps the
    /// request under way.
    pub(crate) fn end(self, result: Result<Response, Failure>) -> Result<Response, Failure> {
        let mut response = result?;
        if let Some(began) = self.began {
            self.server.load.answered(began.elapsed());
        }
        if let Some(in_flight) = self.in_flight {
            keep(&mut response, in_flight);
        }
        Ok(response)
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
