//! `dashboard@internal`: says that there is no dashboard yet, and where the facts are meanwhile.

use exchange::{Exchange, InternalService, LocalFuture, Response, ready};
use http::StatusCode;

use crate::answer;

/// Answers 501 and a sentence where the dashboard will be.
#[derive(Clone, Debug)]
pub struct DashboardService {
    text: String,
}

impl DashboardService {
    /// Makes the service for an API under `base_path`.
    pub fn new(base_path: &str) -> Self {
        let base_path = base_path.trim_end_matches('/');
        let text = format!(
            "The dashboard is not built yet. The facts it will show are at {base_path}/api/rawdata \
             and {base_path}/api/overview."
        );
        Self { text }
    }
}

impl InternalService for DashboardService {
    /// The router's middlewares have taken `/dashboard/` off the path; on the entry point of the
    /// API every other path comes here too.
    fn respond<'a>(&'a self, exchange: &'a mut Exchange) -> LocalFuture<'a, Response> {
        ready(match exchange.request.path() {
            "/" => Response::error(StatusCode::NOT_IMPLEMENTED, &self.text),
            _ => answer::not_found(),
        })
    }
}
