//! Services that look at the answer of another: failover and mirroring.
//!
//! On the way in they leave a [`Turn`] behind; the exchange comes by it on the way out, when the
//! stages of the service below are done.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::exchange::{Body, Buffered, Exchange, Request, Response, Side, status_text};
use http::{HeaderValue, StatusCode};
use routing::{Failover, Mirroring, Service};

use crate::http::exchange::{Place, Traveller, begin, travel};
use crate::settings::EntryPointSettings;
use crate::worker::Worker;

/// Copies that a worker has under way at most; what comes above is not mirrored.
const MIRRORED_MAX: usize = 1024;
/// Time for a mirror to answer and to send its whole response.
const MIRRORED_TIMEOUT: Duration = Duration::from_secs(60);

/// A place on the way out where a service looks at the answer.
pub(crate) struct Turn<'s> {
    /// How many stages there were up to it.
    pub(crate) depth: usize,
    kind: Kind<'s>,
    /// The request as it came by, with its body if that is in memory.
    request: Request,
}

enum Kind<'s> {
    Failover {
        failover: &'s Failover,
        /// What services above want set.
        cookies: Vec<HeaderValue>,
    },
    Mirrors(Vec<Arc<Service>>),
}

/// Tells which service answers first, and leaves a turn behind if its status matters.
pub(crate) async fn enter_failover<'s>(
    worker: &Worker,
    failover: &'s Failover,
    exchange: &mut Exchange,
    depth: usize,
    cookies: &[HeaderValue],
) -> Result<(&'s Service, Option<Turn<'s>>), Box<Response>> {
    let now = worker.clock.moment();
    if !failover.service.is_up(now) {
        return fallback(worker, failover).map(|service| (service, None)).ok_or_else(both_down);
    }
    if failover.statuses.is_empty() {
        return Ok((&failover.service, None));
    }
    match keep_body(&mut exchange.request, failover.body_bytes_max).await? {
        Some(request) => {
            let kind = Kind::Failover { failover, cookies: cookies.to_vec() };
            Ok((&failover.service, Some(Turn { depth, kind, request })))
        }
        None => {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            Err(Box::new(Response::error(status, "Request body too large")))
        }
    }
}

/// Leaves a turn behind if the request is to be mirrored.
pub(crate) async fn enter_mirroring<'s>(
    mirroring: &'s Mirroring,
    exchange: &mut Exchange,
    depth: usize,
) -> Result<Option<Turn<'s>>, Box<Response>> {
    let mirrors = mirroring.next_mirrors();
    if mirrors.is_empty() {
        return Ok(None);
    }
    let request = if mirroring.mirrors_body {
        keep_body(&mut exchange.request, mirroring.body_bytes_max).await?
    } else {
        // Traefik announces the body all the same, and breaks off.
        let mut copy = exchange.request.clone_head();
        if !matches!(exchange.request.body, Body::Empty) {
            copy.body = Body::Full(bytes::Bytes::new());
        }
        copy.expects_continue = false;
        Some(copy)
    };
    // What is too large to be kept is not mirrored.
    Ok(request.map(|request| Turn { depth, kind: Kind::Mirrors(mirrors), request }))
}

/// Reads the body into memory and copies the request; `None`: the body is too large, and streams.
async fn keep_body(request: &mut Request, limit: u64) -> Result<Option<Request>, Box<Response>> {
    let mut copy;
    match request.body.take() {
        Body::Empty => copy = request.clone_head(),
        body => {
            // Reading the body lets the client send it.
            request.expects_continue = false;
            match body.buffer(limit).await {
                Ok(Buffered::Whole(bytes)) => {
                    copy = request.clone_head();
                    copy.body = Body::Full(bytes.clone());
                    request.body = Body::Full(bytes);
                }
                Ok(Buffered::TooLarge(body)) => {
                    request.body = body;
                    return Ok(None);
                }
                Err(error) => {
                    tracing::debug!(%error, "reading a request's body to send it twice");
                    let status = StatusCode::INTERNAL_SERVER_ERROR;
                    return Err(Box::new(Response::error(status, status_text(status))));
                }
            }
        }
    }
    Ok(Some(copy))
}

fn fallback<'s>(worker: &Worker, failover: &'s Failover) -> Option<&'s Service> {
    failover.is_fallback_up(worker.clock.moment()).then_some(&*failover.fallback)
}

fn both_down() -> Box<Response> {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    Box::new(Response::error(status, status_text(status)))
}

impl<'s> Turn<'s> {
    /// Looks at the answer; gives the service that is to answer instead, if any.
    pub(crate) fn on_answer(
        self,
        worker: &Rc<Worker>,
        traveller: Traveller<'_>,
        exchange: &mut Exchange,
        cookies: &mut Vec<HeaderValue>,
    ) -> Option<&'s Service> {
        let failed_side = exchange.failure.as_ref().map(|failure| failure.side());
        match self.kind {
            Kind::Failover { failover, cookies: above } => {
                let is_over = failed_side == Some(Side::Client)
                    || exchange.response.upgrade.is_some()
                    || !failover.statuses.contains(exchange.response.status);
                if is_over {
                    return None;
                }
                let Some(service) = fallback(worker, failover) else {
                    exchange.response = *both_down();
                    return None;
                };
                exchange.request = self.request;
                exchange.failure = None;
                exchange.response = Response::default();
                *cookies = above;
                Some(service)
            }
            Kind::Mirrors(mirrors) => {
                // Traefik: a client that went away takes its copies along.
                if failed_side != Some(Side::Client) {
                    for service in mirrors {
                        let request = copied(&self.request);
                        mirror(worker, traveller.settings, exchange, service, request);
                    }
                }
                None
            }
        }
    }
}

fn copied(request: &Request) -> Request {
    let mut copy = request.clone_head();
    if let Body::Full(bytes) = &request.body {
        copy.body = Body::Full(bytes.clone());
    }
    copy
}

/// Sends a copy on its way. Nobody waits for it.
fn mirror(
    worker: &Rc<Worker>,
    settings: Option<&Arc<EntryPointSettings>>,
    original: &Exchange,
    service: Arc<Service>,
    request: Request,
) {
    let Some(place) = Slot::take(&worker.mirrored) else {
        tracing::debug!(service = &*service.name, "too many mirrored requests are under way");
        return;
    };
    let mut exchange = begin(worker, &original.connection, request);
    let worker = Rc::clone(worker);
    let settings = settings.cloned();
    let sent = async move {
        let traveller = Traveller { client: None, settings: settings.as_ref() };
        travel(&worker, traveller, &mut exchange, Place::Service(&service)).await;
        if let Some(failure) = &exchange.failure {
            let reason = failure.reason();
            tracing::debug!(service = &*service.name, reason, "a mirrored request failed");
        }
        // Read to its end, so that the connection can be used again.
        let body = &mut exchange.response.body;
        while let Some(Ok(_)) = body.frame().await {}
    };
    tokio::task::spawn_local(async move {
        let _ = tokio::time::timeout(MIRRORED_TIMEOUT, sent).await;
        drop(place);
    });
}

/// One of the copies that may be under way.
struct Slot(Rc<Cell<usize>>);

impl Slot {
    fn take(taken: &Rc<Cell<usize>>) -> Option<Self> {
        if taken.get() >= MIRRORED_MAX {
            return None;
        }
        taken.set(taken.get() + 1);
        Some(Self(Rc::clone(taken)))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
