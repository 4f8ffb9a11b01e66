//! `ping@internal`: tells load balancers whether this process wants requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use exchange::{Exchange, InternalService, LocalFuture, Response, ready};
use http::StatusCode;

/// Whether the process was told to stop. Clones share the fact.
#[derive(Clone, Debug, Default)]
pub struct Terminating(Arc<AtomicBool>);

impl Terminating {
    /// Says that the process ends; there is no way back.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Tells whether the process ends.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Answers `200 OK`, and the terminating status once the process was told to stop.
#[derive(Clone, Debug)]
pub struct PingService {
    terminating: Terminating,
    terminating_status: StatusCode,
}

impl PingService {
    /// Makes the service. A `terminating_status` that HTTP does not know means 503.
    pub fn new(terminating: Terminating, terminating_status: u16) -> Self {
        let terminating_status = StatusCode::from_u16(terminating_status)
            .ok()
            .filter(|status| !status.is_informational())
            .unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        Self { terminating, terminating_status }
    }

    fn answer(&self) -> Response {
        let is_ending = self.terminating.has_begun();
        Response::status_only(if is_ending { self.terminating_status } else { StatusCode::OK })
    }
}

impl InternalService for PingService {
    fn respond<'a>(&'a self, _: &'a mut Exchange) -> LocalFuture<'a, Response> {
        ready(self.answer())
    }
}

#[cfg(test)]
mod tests {
    use exchange::Body;

    use super::*;

    fn check(terminating_status: u16, expected_at_the_end: (u16, &str)) {
        let terminating = Terminating::default();
        let ping = PingService::new(terminating.clone(), terminating_status);
        assert_eq!(read(&ping), (200, "OK".to_owned()));
        terminating.begin();
        let (status, text) = expected_at_the_end;
        assert_eq!(read(&ping), (status, text.to_owned()));
    }

    fn read(ping: &PingService) -> (u16, String) {
        let response = ping.answer();
        let Body::Full(body) = response.body else { panic!("the answer is in memory") };
        (response.status.as_u16(), String::from_utf8_lossy(&body).into_owned())
    }

    #[test]
    fn the_status_changes_when_the_process_ends() {
        check(503, (503, "Service Unavailable"));
        check(204, (204, "No Content"));
        check(200, (200, "OK"));
    }

    #[test]
    fn impossible_statuses_mean_503() {
        check(0, (503, "Service Unavailable"));
        check(100, (503, "Service Unavailable"));
        check(9999, (503, "Service Unavailable"));
    }
}
