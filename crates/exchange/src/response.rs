//! A response on its way back.

use std::any::Any;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS};

use crate::{Body, status_text};

/// A response as middlewares see it. Like requests, `headers` holds no hop-by-hop fields.
/// `Content-Length` is written from the body, except for responses without one (HEAD, 304), whose
/// header is sent as it stands.
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Body,
    /// The server's connection after `101 Switching Protocols`.
    pub upgrade: Option<Upgrade>,
    /// What is given up once the response was sent, its tunnel has ended, or it was dropped: places
    /// of a limit, say.
    pub held: Vec<Box<dyn Any>>,
}

/// A connection that stopped speaking HTTP. Only the data plane can open it.
pub struct Upgrade(pub Box<dyn Any>);

impl Default for Response {
    fn default() -> Self {
        Self::new(StatusCode::OK)
    }
}

impl Response {
    /// Makes a response without headers or body.
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Body::Full(Bytes::new()),
            upgrade: None,
            held: Vec::new(),
        }
    }

    /// Makes a response whose body is `text`, without a content type: so Traefik's own answers
    /// look when they do not come from Go's `http.Error`.
    pub fn bare(status: StatusCode, text: impl Into<Bytes>) -> Self {
        Self { body: Body::Full(text.into()), ..Self::new(status) }
    }

    /// Makes a response whose body is the status's text, without a content type.
    pub fn status_only(status: StatusCode) -> Self {
        Self::bare(status, Bytes::from_static(status_text(status).as_bytes()))
    }

    /// Makes a response as Go's `http.Error` does: plain text, a newline, `nosniff`.
    pub fn error(status: StatusCode, text: &str) -> Self {
        let mut response = Self::bare(status, format!("{text}\n"));
        response
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response.headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }
}
