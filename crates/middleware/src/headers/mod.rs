//! `headers`: custom headers, CORS and security headers.
//!
//! Traefik nests two handlers: CORS and custom headers outside, security inside. So an answer of
//! the security checks still gets the custom response headers, a preflight answer gets none, and
//! a custom header overrules a security header.

mod cors;
mod secure;

use config::dynamic::Headers as Settings;
use exchange::{Exchange, Flow, Memo, Middleware, Phases, Response};
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use self::cors::Cors;
use self::secure::Secure;
use crate::header_names::{X_FORWARDED_FOR, read_name, read_value};

pub(crate) struct Headers {
    cors: Option<Cors>,
    request: Vec<Edit>,
    response: Vec<Edit>,
    secure: Option<Secure>,
}

/// One custom header.
enum Edit {
    Set(HeaderName, HeaderValue),
    Remove(HeaderName),
    /// Host and port the service sees.
    Host(HeaderValue),
}

/// What the response phase must know: the client used TLS, said by a header.
struct SaidTls;

impl Headers {
    pub(crate) fn new(settings: &Settings) -> Result<Self, String> {
        let cors = Cors::new(settings)?;
        let secure = Secure::new(settings)?;
        let has_custom = !settings.custom_request_headers.is_empty()
            || !settings.custom_response_headers.is_empty();
        if cors.is_none() && secure.is_none() && !has_custom {
            return Err("headers configuration not valid".to_owned());
        }
        let mut request = Vec::new();
        for (name, value) in &settings.custom_request_headers {
            request.push(match value.as_str() {
                // The data plane leaves the header out where it stands empty, instead of adding
                // the peer's address.
                "" if name == "X-Forwarded-For" => {
                    Edit::Set(X_FORWARDED_FOR, HeaderValue::from_static(""))
                }
                "" => Edit::Remove(read_name(name)?),
                value if name.eq_ignore_ascii_case("host") => Edit::Host(read_value(name, value)?),
                value => Edit::Set(read_name(name)?, read_value(name, value)?),
            });
        }
        let mut response = Vec::new();
        for (name, value) in &settings.custom_response_headers {
            response.push(match value.as_str() {
                "" => Edit::Remove(read_name(name)?),
                value => Edit::Set(read_name(name)?, read_value(name, value)?),
            });
        }
        Ok(Self { cors, request, response, secure })
    }

    /// What the outer handler does to every response but a preflight's.
    fn finish(&self, headers: &mut HeaderMap, request: &HeaderMap) {
        for edit in &self.response {
            match edit {
                Edit::Set(name, value) => {
                    headers.insert(name.clone(), value.clone());
                }
                Edit::Remove(name) => {
                    headers.remove(name);
                }
                Edit::Host(_) => {}
            }
        }
        if let Some(cors) = &self.cors {
            cors.finish(headers, request);
        }
    }
}

impl Middleware for Headers {
    fn on_request(&self, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        if let Some(cors) = &self.cors
            && let Some(answer) = cors.preflight(&exchange.request)
        {
            return Flow::respond(answer);
        }
        let request = &mut exchange.request;
        for edit in &self.request {
            match edit {
                Edit::Set(name, value) => {
                    request.headers.insert(name.clone(), value.clone());
                }
                Edit::Remove(name) => {
                    request.headers.remove(name);
                }
                Edit::Host(host) => request.authority = exchange::Authority::new(host.clone()),
            }
        }
        let Some(secure) = &self.secure else { return Flow::Continue };
        if !secure.allows_host(request) {
            let mut answer = Response::error(http::StatusCode::INTERNAL_SERVER_ERROR, "Bad Host");
            self.finish(&mut answer.headers, &request.headers);
            return Flow::respond(answer);
        }
        if !exchange.connection.is_tls() && secure.is_told_tls(&request.headers) {
            // A box of nothing: no allocation.
            *memo = Some(Box::new(SaidTls));
        }
        Flow::Continue
    }

    fn on_response(&self, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        let headers = &mut exchange.response.headers;
        if let Some(secure) = &self.secure {
            let is_tls = exchange.connection.is_tls() || memo.is_some();
            secure.finish(headers, is_tls);
        }
        self.finish(headers, &exchange.request.headers);
        Flow::Continue
    }

    fn phases(&self) -> Phases {
        let on_request = self.cors.is_some() || !self.request.is_empty() || self.secure.is_some();
        let on_response = self.cors.is_some() || !self.response.is_empty() || self.secure.is_some();
        match (on_request, on_response) {
            (true, false) => Phases::Request,
            (false, true) => Phases::Response,
            _ => Phases::Both,
        }
    }
}

#[cfg(test)]
mod tests;
