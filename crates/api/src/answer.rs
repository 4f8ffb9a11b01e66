//! The shapes of the API's answers.

use exchange::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;

use crate::json;

/// Answers with a JSON document and a newline, as Go's `json.Encoder` does.
pub(crate) fn json(value: &impl Serialize) -> Response {
    match json::encode(value) {
        Ok(mut body) => {
            body.push(b'\n');
            typed(body, "application/json")
        }
        Err(error) => self::error(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// Answers with a JSON document without a newline, which `/api/version` alone does.
pub(crate) fn bare_json(value: &impl Serialize) -> Response {
    match json::encode(value) {
        Ok(body) => typed(body, "application/json; charset=UTF-8"),
        Err(error) => self::error(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// Answers with one page of a list. `next_page` is 1 on the last.
pub(crate) fn page(value: &impl Serialize, next_page: usize) -> Response {
    let mut response = json(value);
    response.headers.insert(X_NEXT_PAGE, HeaderValue::from(next_page));
    response
}

/// Answers with `{"message": …}`, which Traefik sends as plain text.
pub(crate) fn error(status: StatusCode, message: &str) -> Response {
    #[derive(Serialize)]
    struct Message<'a> {
        message: &'a str,
    }
    let body = json::encode(&Message { message }).unwrap_or_default();
    Response::error(status, &String::from_utf8_lossy(&body))
}

/// Answers a path that is not the API's.
pub(crate) fn not_found() -> Response {
    Response::error(StatusCode::NOT_FOUND, "404 page not found")
}

fn typed(body: Vec<u8>, content_type: &'static str) -> Response {
    let mut response = Response::bare(StatusCode::OK, body);
    response.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

const X_NEXT_PAGE: HeaderName = HeaderName::from_static("x-next-page");
