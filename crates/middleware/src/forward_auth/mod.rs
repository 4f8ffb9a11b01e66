//! `forwardAuth`: asks another server whether a request may pass.

mod auth_cookies;
mod auth_request;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use config::go_regex::GoRegex;
use exchange::{
    AsyncMiddleware, Authority, Body, BodyError, Buffered, Exchange, FailureKind, Flow,
    LocalFuture, Memo, Phases, Request, Response, ServiceHandle, ready,
};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, LOCATION};
use http::uri::PathAndQuery;
use http::{Method, StatusCode};

use self::auth_cookies::AuthCookies;
use self::auth_request::RequestHeaders;
use crate::header_names::{canonical, read_list};
use crate::url::Url;
use crate::{Endpoint, Surroundings, url_path};

pub(crate) struct ForwardAuth {
    address: Url,
    target: PathAndQuery,
    authority: Authority,
    /// From user and password in the address.
    authorization: Option<HeaderValue>,
    service: ServiceHandle,
    request_headers: RequestHeaders,
    response_headers: Vec<HeaderName>,
    response_headers_regex: Option<GoRegex>,
    /// `None`: no limit.
    response_body_bytes_max: Option<u64>,
    cookies: Vec<String>,
    header_field: Option<HeaderName>,
    forwards_body: bool,
    /// `None`: no limit.
    body_bytes_max: Option<u64>,
    preserves_location: bool,
    preserves_method: bool,
    signin_url: Option<String>,
}

/// As Traefik's client has it.
const TIMEOUT: Duration = Duration::from_secs(30);

impl ForwardAuth {
    pub(crate) fn new(
        name: &Arc<str>,
        settings: &config::dynamic::ForwardAuth,
        surroundings: &mut dyn Surroundings,
    ) -> Result<Self, String> {
        warn_of_risks(name, settings);
        let tls = settings.tls.clone();
        if tls.as_ref().is_some_and(|tls| tls.cert.is_empty() != tls.key.is_empty()) {
            return Err(
                "unable to create client TLS configuration: both TLS cert and key must be \
                        defined"
                    .to_owned(),
            );
        }
        let response_headers_regex =
            match settings.auth_response_headers_regex.as_str() {
                "" => None,
                text => Some(GoRegex::new(text).map_err(|error| {
                    format!("error compiling regular expression {text}: {error}")
                })?),
            };
        // Traefik: a broken address is not found before the first request, which is answered 500.
        let wrong = |reason: &str| format!("forwardAuth address {:?}: {reason}", settings.address);
        let mut address = Url::parse(&settings.address).map_err(|error| wrong(&error))?;
        if !matches!(address.scheme.as_str(), "http" | "https") || address.host.is_empty() {
            return Err(wrong("it must begin with http:// or https:// and name a host"));
        }
        let target = address.request_target().parse().map_err(|_| wrong("invalid path"))?;
        let authority = HeaderValue::from_str(&address.host).map_err(|_| wrong("invalid host"))?;
        let authorization = match address.user.take() {
            None => None,
            Some(user) => Some(basic_authorization(&user).ok_or_else(|| wrong("invalid user"))?),
        };
        let has_tls = tls.is_some();
        let endpoint = Endpoint { url: address.to_string(), tls, timeout: TIMEOUT };
        let service = surroundings.endpoint(&endpoint).map_err(|error| match has_tls {
            true => format!("unable to create client TLS configuration: {error}"),
            false => wrong(&error),
        })?;
        let limit = |bytes: Option<i64>| bytes.and_then(|bytes| u64::try_from(bytes).ok());
        Ok(Self {
            address,
            target,
            authority: Authority::new(authority),
            authorization,
            service,
            request_headers: RequestHeaders::new(settings),
            response_headers: read_list(&settings.auth_response_headers),
            response_headers_regex,
            response_body_bytes_max: limit(settings.max_response_body_size),
            cookies: settings.add_auth_cookies_to_response.clone(),
            header_field: HeaderName::from_bytes(settings.header_field.as_bytes()).ok(),
            forwards_body: settings.forward_body,
            body_bytes_max: limit(settings.max_body_size),
            preserves_location: settings.preserve_location_header,
            preserves_method: settings.preserve_request_method,
            signin_url: (!settings.auth_signin_url.is_empty())
                .then(|| settings.auth_signin_url.clone()),
        })
    }

    async fn ask(&self, exchange: &mut Exchange, memo: &mut Memo) -> Result<(), Response> {
        let request = self.auth_request(exchange).await?;
        let call = exchange.upstreams.call(&self.service, &exchange.connection, request).await;
        let mut answer = call.map_err(|failure| {
            tracing::error!(reason = failure.reason(), "calling the authentication server");
            Response::new(match failure.kind {
                FailureKind::ClientGone => failure.status(),
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            })
        })?;
        let body = read_whole(answer.body.take(), self.response_body_bytes_max).await?;
        if let Some(name) = &self.header_field
            && let Some(value) = answer.headers.get(name)
        {
            exchange.record.user = Some(String::from_utf8_lossy(value.as_bytes()).into_owned());
        }
        if answer.status == StatusCode::UNAUTHORIZED
            && let Some(url) = &self.signin_url
        {
            return Err(signin(url, exchange.request.path()));
        }
        if !answer.status.is_success() {
            let length = answer.headers.get(CONTENT_LENGTH).cloned();
            let mut refusal = self.refusal(answer, body);
            if exchange.request.method == Method::HEAD
                && let Some(length) = length
            {
                refusal.headers.insert(CONTENT_LENGTH, length);
                refusal.body = Body::Empty;
            }
            return Err(refusal);
        }
        self.copy_headers(&mut exchange.request.headers, &answer.headers);
        if let Some(cookies) = AuthCookies::new(&answer.headers, &self.cookies) {
            *memo = Some(Box::new(cookies));
        }
        Ok(())
    }

    async fn auth_request(&self, exchange: &mut Exchange) -> Result<Request, Response> {
        let request = &mut exchange.request;
        let method = if self.preserves_method { request.method.clone() } else { Method::GET };
        let mut asking = Request::new(method, self.target.clone(), self.authority.clone());
        // A CONNECT of unknown length carries a tunnel, not a body.
        let is_tunnel = request.method == Method::CONNECT && request.body.length().is_none();
        if self.forwards_body && !is_tunnel && !matches!(request.body, Body::Empty) {
            let bytes = read_whole(request.body.take(), self.body_bytes_max).await?;
            request.body = Body::Full(bytes.clone());
            // The client has sent it by now.
            request.expects_continue = false;
            asking.body = Body::Full(bytes);
        }
        asking.headers = self.request_headers.of(exchange);
        if let Some(authorization) = &self.authorization
            && !asking.headers.contains_key(AUTHORIZATION)
        {
            asking.headers.insert(AUTHORIZATION, authorization.clone());
        }
        Ok(asking)
    }

    /// Passes the server's refusal on, with a location that the client can follow.
    fn refusal(&self, answer: Response, body: bytes::Bytes) -> Response {
        let mut refusal = Response::bare(answer.status, body);
        refusal.headers = answer.headers;
        auth_request::remove_hop_headers(&mut refusal.headers);
        let Some(location) = refusal.headers.get(LOCATION).filter(|value| !value.is_empty()) else {
            return refusal;
        };
        let resolved = std::str::from_utf8(location.as_bytes())
            .ok()
            .and_then(|location| Url::parse(location).ok())
            .map(|location| match self.preserves_location {
                true => location,
                false => self.address.resolve(&location),
            })
            .and_then(|location| HeaderValue::from_bytes(location.to_string().as_bytes()).ok());
        match resolved {
            Some(location) => {
                refusal.headers.insert(LOCATION, location);
                refusal
            }
            None => Response::new(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// Replaces the chosen headers of the request by those of the server's answer.
    fn copy_headers(&self, request: &mut HeaderMap, answer: &HeaderMap) {
        for name in &self.response_headers {
            request.remove(name);
            for value in answer.get_all(name) {
                request.append(name.clone(), value.clone());
            }
        }
        let Some(regex) = &self.response_headers_regex else { return };
        let chosen = |headers: &HeaderMap| -> Vec<HeaderName> {
            headers.keys().filter(|name| regex.is_match(&canonical(name))).cloned().collect()
        };
        for name in chosen(request) {
            request.remove(name);
        }
        for name in chosen(answer) {
            for value in answer.get_all(&name) {
                request.append(name.clone(), value.clone());
            }
        }
    }
}

impl AsyncMiddleware for ForwardAuth {
    fn on_request<'a>(
        &'a self,
        exchange: &'a mut Exchange,
        memo: &'a mut Memo,
    ) -> LocalFuture<'a, Flow> {
        Box::pin(async move {
            match self.ask(exchange, memo).await {
                Ok(()) => Flow::Continue,
                Err(response) => Flow::respond(response),
            }
        })
    }

    fn on_response<'a>(
        &'a self,
        exchange: &'a mut Exchange,
        memo: &'a mut Memo,
    ) -> LocalFuture<'a, Flow> {
        if let Some(cookies) = memo.as_ref().and_then(|memo| memo.downcast_ref::<AuthCookies>()) {
            cookies.replace_in(&mut exchange.response.headers, &self.cookies);
        }
        ready(Flow::Continue)
    }

    fn phases(&self) -> Phases {
        if self.cookies.is_empty() { Phases::Request } else { Phases::Both }
    }
}

/// Reads a body to its end; a longer one is a refusal.
async fn read_whole(body: Body, limit: Option<u64>) -> Result<bytes::Bytes, Response> {
    match body.buffer(limit.unwrap_or(u64::MAX)).await {
        Ok(Buffered::Whole(bytes)) => Ok(bytes),
        Ok(Buffered::TooLarge(_)) | Err(BodyError::TooLarge) => {
            Err(Response::new(StatusCode::UNAUTHORIZED))
        }
        Err(error) => {
            tracing::debug!(%error, "reading a body for forwardAuth");
            Err(Response::new(StatusCode::INTERNAL_SERVER_ERROR))
        }
    }
}

/// Sends the client to sign in. A URL without scheme and host counts from the request's path.
fn signin(url: &str, path: &str) -> Response {
    let is_relative = Url::parse(url).is_ok_and(|url| url.scheme.is_empty() && url.host.is_empty());
    let location = if is_relative {
        let folder = path.rfind('/').map_or("", |slash| &path[..=slash]);
        let (relative, query) = url.split_at(url.find('?').unwrap_or(url.len()));
        let whole = if relative.starts_with('/') {
            relative.to_owned()
        } else {
            format!("{folder}{relative}")
        };
        format!("{}{query}", url_path::clean(&whole))
    } else {
        url.to_owned()
    };
    let mut response = Response::new(StatusCode::FOUND);
    if let Ok(location) = HeaderValue::from_str(&url_path::escape_non_ascii(&location)) {
        response.headers.insert(LOCATION, location);
    }
    response
}

/// RFC 7617, from the user part of a URL.
fn basic_authorization(user: &str) -> Option<HeaderValue> {
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let mut credentials = url_path::decode(user).ok()?;
    credentials.push(b':');
    credentials.extend(url_path::decode(password).ok()?);
    let mut value =
        HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(credentials))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn warn_of_risks(name: &Arc<str>, settings: &config::dynamic::ForwardAuth) {
    let middleware = &**name;
    if settings.trust_forward_header.is_none() {
        tracing::warn!(
            middleware,
            "forwardAuth.trustForwardHeader is not set: some X-Forwarded headers are replaced, \
             others passed untouched; set it to false to remove all, or to true to trust all"
        );
    }
    if settings.max_response_body_size.is_none() {
        tracing::warn!(
            middleware,
            "forwardAuth.maxResponseBodySize is not set: answers of any size are read into memory"
        );
    }
    if settings.forward_body && settings.max_body_size.is_none() {
        tracing::warn!(
            middleware,
            "forwardAuth.maxBodySize is not set: requests of any size are read into memory"
        );
    }
}

#[cfg(test)]
mod tests;
