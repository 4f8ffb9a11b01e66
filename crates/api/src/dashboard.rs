//! `dashboard@internal`: says that there is no dashboard yet, and where the facts are meanwhile.

use exchange::{Exchange, InternalService, LocalFuture, Response, ready};
use http::StatusCode;

/// Answers every request with 501 and a sentence.
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
    fn respond<'a>(&'a self, _: &'a mut Exchange) -> LocalFuture<'a, Response> {
        ready(Response::error(StatusCode::NOT_IMPLEMENTED, &self.text))
    }
}
