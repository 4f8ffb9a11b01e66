//! `grpcWeb`: translates gRPC-Web, which browsers speak, to gRPC and back.
//!
//! The body stays as it is, or is in base64 for `application/grpc-web-text`; what gRPC says in
//! trailers comes as a last frame of the body (PROTOCOL-WEB.md of gRPC).

mod bodies;

use exchange::{Body, Exchange, Flow, Memo, Middleware, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, CONTENT_TYPE,
    HeaderMap, HeaderName, HeaderValue, ORIGIN, TRAILER, VARY,
};
use http::{Method, StatusCode};

use self::bodies::{Decoded, Framed};
use crate::header_names::canonical;

pub(crate) struct GrpcWeb {
    allow_origins: Vec<String>,
}

/// What the response phase must know of a request that was translated.
struct Translated {
    is_text: bool,
    /// The origin, if it is allowed.
    origin: Option<HeaderValue>,
}

const GRPC: &str = "application/grpc";
const GRPC_WEB: &str = "application/grpc-web";
const GRPC_WEB_TEXT: &str = "application/grpc-web-text";
/// How long browsers may remember a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const TRUE: HeaderValue = HeaderValue::from_static("true");

impl GrpcWeb {
    pub(crate) fn new(settings: &config::dynamic::GrpcWeb) -> Self {
        Self { allow_origins: settings.allow_origins.clone() }
    }

    /// Gives the request's origin if it is allowed.
    fn allowed_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN).filter(|origin| !origin.is_empty())?;
        let is_allowed = self
            .allow_origins
            .iter()
            .any(|allowed| allowed == "*" || allowed.as_bytes() == origin.as_bytes());
        is_allowed.then(|| origin.clone())
    }

    /// Answers a preflight; what is not allowed is not mentioned.
    fn preflight(&self, headers: &HeaderMap, method: &HeaderValue) -> Response {
        let mut response = Response::new(StatusCode::OK);
        for name in ["Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"] {
            response.headers.append(VARY, HeaderValue::from_static(name));
        }
        let method = method.as_bytes().to_ascii_uppercase();
        let is_allowed = matches!(method.as_slice(), b"GET" | b"POST" | b"HEAD" | b"OPTIONS");
        let (Some(origin), true) = (self.allowed_origin(headers), is_allowed) else {
            return response;
        };
        response.headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let requested =
            headers.get(ACCESS_CONTROL_REQUEST_HEADERS).map_or(&b""[..], |value| value.as_bytes());
        let names: Vec<String> = requested
            .split(|byte| matches!(byte, b',' | b' '))
            .filter_map(|name| HeaderName::from_bytes(name).ok())
            .map(|name| canonical(&name))
            .collect();
        let lists = [
            (ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_bytes(&method)),
            (ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_bytes(names.join(", ").as_bytes())),
        ];
        for (name, value) in lists {
            if let Ok(value) = value {
                response.headers.insert(name, value);
            }
        }
        response.headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        response.headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        response
    }
}

impl Middleware for GrpcWeb {
    fn on_request(&self, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        let request = &mut exchange.request;
        let content_type = request.headers.get(CONTENT_TYPE).map_or(&b""[..], |v| v.as_bytes());
        let is_web =
            request.method == Method::POST && content_type.starts_with(GRPC_WEB.as_bytes());
        let is_cors = request.method == Method::OPTIONS && names_grpc_web(&request.headers);
        if !is_web && !is_cors {
            return Flow::Continue;
        }
        if is_cors
            && let Some(method) = request.headers.get(ACCESS_CONTROL_REQUEST_METHOD)
            && !method.is_empty()
        {
            return Flow::respond(self.preflight(&request.headers, method));
        }
        let is_text = content_type.starts_with(GRPC_WEB_TEXT.as_bytes());
        let incoming = if is_text { GRPC_WEB_TEXT } else { GRPC_WEB };
        let translated = replaced(content_type, incoming, GRPC);
        let origin = self.allowed_origin(&request.headers);
        request.headers.insert(CONTENT_TYPE, translated);
        // Its length is that of HTTP/1.1 and may be that of base64.
        request.headers.remove(CONTENT_LENGTH);
        if is_web {
            request.body = Decoded::wrap(request.body.take(), is_text);
        }
        *memo = Some(Box::new(Translated { is_text, origin }));
        Flow::Continue
    }

    fn on_response(&self, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        let translated = memo.as_ref().and_then(|memo| memo.downcast_ref::<Translated>());
        let response = &mut exchange.response;
        let Some(translated) = translated.filter(|_| response.upgrade.is_none()) else {
            return Flow::Continue;
        };
        let headers = &mut response.headers;
        headers.remove(TRAILER);
        // What the server says of origins counts more.
        let says = |headers: &mut HeaderMap, name: HeaderName, value: HeaderValue| {
            if !headers.contains_key(&name) {
                headers.insert(name, value);
            }
        };
        says(headers, VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = &translated.origin {
            says(headers, ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            says(headers, ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        }
        let outgoing = if translated.is_text { GRPC_WEB_TEXT } else { GRPC_WEB };
        if let Some(content_type) = headers.get(CONTENT_TYPE) {
            let content_type = replaced(content_type.as_bytes(), GRPC, outgoing);
            headers.insert(CONTENT_TYPE, content_type);
        }
        let mut exposed: Vec<String> = headers.keys().map(canonical).collect();
        exposed.extend(["grpc-status", "grpc-message"].map(str::to_owned));
        if let Ok(exposed) = HeaderValue::try_from(exposed.join(", ")) {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
        // A body of known length has no trailers, and its status stands in the header.
        if response.body.is_empty() || (response.body.length().is_some() && !translated.is_text) {
            return Flow::Continue;
        }
        headers.remove(CONTENT_LENGTH);
        let known: Vec<HeaderName> = headers.keys().cloned().collect();
        let body = response.body.take();
        response.body = Body::Stream(Box::new(Framed::new(body, translated.is_text, known)));
        Flow::Continue
    }
}

/// Tells whether a browser asks for leave to send what gRPC-Web sends.
fn names_grpc_web(headers: &HeaderMap) -> bool {
    let requested = headers.get(ACCESS_CONTROL_REQUEST_HEADERS);
    requested.is_some_and(|value| {
        let value = value.as_bytes().to_ascii_lowercase();
        value.windows(b"x-grpc-web".len()).any(|part| part == b"x-grpc-web")
    })
}

/// Replaces the first occurrence of a part of a content type.
fn replaced(content_type: &[u8], from: &str, to: &str) -> HeaderValue {
    let at = content_type.windows(from.len()).position(|part| part == from.as_bytes());
    let value = match at {
        None => content_type.to_vec(),
        Some(at) => {
            let (before, after) = (&content_type[..at], &content_type[at + from.len()..]);
            [before, to.as_bytes(), after].concat()
        }
    };
    HeaderValue::from_bytes(&value).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests;
