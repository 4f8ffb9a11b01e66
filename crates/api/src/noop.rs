//! `noop@internal`: the service of routers whose middlewares always answer first.

use exchange::{Exchange, InternalService, LocalFuture, Response, ready};
use http::StatusCode;

/// Answers 418, as Traefik's does when a request gets this far.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoopService;

impl InternalService for NoopService {
    fn respond<'a>(&'a self, _: &'a mut Exchange) -> LocalFuture<'a, Response> {
        ready(Response::new(StatusCode::IM_A_TEAPOT))
    }
}
