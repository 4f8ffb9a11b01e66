//! Requests of middlewares' own making: error pages, authentication servers.

use std::rc::{Rc, Weak};
use std::sync::Arc;

use ::exchange::{
    Connection, Failure, FailureKind, LocalFuture, Request, Response, ServiceHandle, Upstreams,
};
use routing::Service;

use crate::http::exchange::{Place, Traveller, begin, travel};
use crate::worker::Worker;

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
            let mut exchange = begin(&worker, connection, request);
            let traveller = Traveller { client: None, settings: None };
            travel(&worker, traveller, &mut exchange, Place::Service(&service)).await;
            match exchange.failure {
                Some(failure) => Err(failure),
                None => Ok(exchange.response),
            }
        })
    }
}
