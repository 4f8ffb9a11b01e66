//! Requests of middlewares' own making: error pages, authentication servers.

use std::rc::{Rc, Weak};
use std::sync::Arc;

use ::exchange::{
    Connection, Exchange, Failure, FailureKind, LocalFuture, Record, Request, Response,
    ServiceHandle, Upstreams,
};
use routing::{Service, ServiceKind};

use crate::http::forward::{Origin, forward};
use crate::worker::Worker;

/// Weighted services inside each other, at most.
const DEPTH_MAX: usize = 16;

/// Lets middlewares reach services through a worker's connections.
pub(crate) struct Subrequests(pub(crate) Weak<Worker>);

impl Upstreams for Subrequests {
    fn call<'a>(
        &'a self,
        service: &'a ServiceHandle,
        connection: &'a Rc<Connection>,
        request: Request,
    ) -> LocalFuture<'a, Result<Response, Failure>> {
        Box::pin(async move {
            let Ok(service) = Arc::clone(&service.0).downcast::<Service>() else {
                return Err(Failure::before_sending(FailureKind::Internal)
                    .detail("the service handle holds no service"));
            };
            let Some(worker) = self.0.upgrade() else {
                return Err(Failure::before_sending(FailureKind::Internal));
            };
            send(&worker, &service, connection, request).await
        })
    }
}

async fn send(
    worker: &Worker,
    service: &Service,
    connection: &Rc<Connection>,
    mut request: Request,
) -> Result<Response, Failure> {
    let mut service = service;
    for _ in 0..DEPTH_MAX {
        match &service.kind {
            ServiceKind::Weighted(weighted) => match weighted.pick(&request.headers) {
                Some(pick) => service = pick.picked,
                None => return Err(Failure::before_sending(FailureKind::NoServer)),
            },
            ServiceKind::LoadBalancer(balancer) => {
                let pick = balancer
                    .pick(&request.headers, None)
                    .ok_or_else(|| Failure::before_sending(FailureKind::NoServer))?;
                let origin = Origin { connection, client: None, forwarded: None };
                return forward(worker, &origin, balancer, pick.picked, &mut request).await;
            }
            ServiceKind::Internal(internal) => {
                let mut exchange = Exchange {
                    connection: Rc::clone(connection),
                    request,
                    response: Response::default(),
                    failure: None,
                    upstreams: worker.upstreams(),
                    started: worker.clock.now(),
                    record: Record::default(),
                };
                return Ok(internal.respond(&mut exchange).await);
            }
        }
    }
    Err(Failure::before_sending(FailureKind::Internal).detail("services nest too deep"))
}
