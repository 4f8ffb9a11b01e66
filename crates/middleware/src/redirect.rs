//! What both redirecting middlewares share: the answer.

use exchange::{Flow, Response};
use http::header::{HeaderValue, LOCATION};
use http::{Method, StatusCode};

use crate::url::Url;

/// Sends the client to `location`, or answers 502 when that is no URL, as Traefik does.
pub(crate) fn answer(method: &Method, location: &str, is_permanent: bool) -> Flow {
    let location = Url::parse(location)
        .ok()
        .and_then(|url| HeaderValue::from_bytes(url.to_string().as_bytes()).ok());
    let Some(location) = location else {
        return Flow::respond(Response::status_only(StatusCode::BAD_GATEWAY));
    };
    // Traefik: HEAD counts as a method that must not change.
    let status = match (is_permanent, *method == Method::GET) {
        (true, true) => StatusCode::MOVED_PERMANENTLY,
        (true, false) => StatusCode::PERMANENT_REDIRECT,
        (false, true) => StatusCode::FOUND,
        (false, false) => StatusCode::TEMPORARY_REDIRECT,
    };
    let mut response = Response::status_only(status);
    response.headers.insert(LOCATION, location);
    Flow::respond(response)
}
