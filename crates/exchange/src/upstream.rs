//! How middlewares and internal services reach beyond their exchange.

use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;

use crate::{Connection, Exchange, Failure, LocalFuture, Request, Response};

/// Names a compiled service. Opaque here: only the data plane knows what it holds.
#[derive(Clone)]
pub struct ServiceHandle(pub Arc<dyn Any + Send + Sync>);

/// Sends requests of middlewares' own making. The data plane implements it.
pub trait Upstreams {
    /// Sends `request` to a service on behalf of the client behind `connection`.
    fn call<'a>(
        &'a self,
        service: &'a ServiceHandle,
        connection: &'a Rc<Connection>,
        request: Request,
    ) -> LocalFuture<'a, Result<Response, Failure>>;
}

/// A service that answers from inside the process: `api@internal`, `ping@internal`.
pub trait InternalService: Send + Sync {
    /// Answers the exchange's request.
    fn respond<'a>(&'a self, exchange: &'a mut Exchange) -> LocalFuture<'a, Response>;
}
