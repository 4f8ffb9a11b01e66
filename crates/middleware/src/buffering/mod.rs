//! `buffering`: reads requests and responses whole before it passes them on, and tries again where
//! an expression says so.

mod condition;
mod spool;

use bytes::Bytes;
use exchange::{
    AsyncMiddleware, Body, BodyError, Exchange, Flow, LocalFuture, Memo, Request, Response,
};
use http::header::{CONTENT_LENGTH, HeaderName};
use http::{Method, StatusCode};

use self::condition::{Measure, measure};
use self::spool::{Fault, Limits, Spooled, spool};
use crate::predicate::Predicate;

pub(crate) struct Buffering {
    request: Limits,
    response: Limits,
    retry: Option<Predicate<Measure>>,
}

/// What one exchange needs for another try.
struct Tries {
    /// The request without its body, as later stages have not seen it yet.
    head: Request,
    body: Option<Spooled>,
    made: i64,
}

/// Tries beyond the first, whatever the expression says.
const RETRIES_MAX: i64 = 10;
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

impl Buffering {
    pub(crate) fn new(settings: &config::dynamic::Buffering) -> Result<Self, String> {
        let config::dynamic::Buffering {
            max_request_body_bytes,
            mem_request_body_bytes,
            max_response_body_bytes,
            mem_response_body_bytes,
            retry_expression,
        } = settings;
        let retry = match retry_expression.as_str() {
            "" => None,
            expression => Some(expression),
        };
        Ok(Self {
            request: Limits::new(*mem_request_body_bytes, *max_request_body_bytes)?,
            response: Limits::new(*mem_response_body_bytes, *max_response_body_bytes)?,
            retry: retry.map(Predicate::parse).transpose()?,
        })
    }

    async fn keep_request(&self, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        let request = &mut exchange.request;
        let body = match request.body.take() {
            Body::Empty => None,
            body => {
                // Reading the body lets the client send it.
                request.expects_continue = false;
                match spool(body, self.request).await {
                    Ok(spooled) => Some(spooled),
                    Err(fault) => return Flow::respond(refusal(&fault)),
                }
            }
        };
        request.body = body_of(body.as_ref(), &request.method);
        // Traefik: what has no body is not tried again.
        if self.retry.is_some() && body.as_ref().is_some_and(|body| body.length() > 0) {
            let head = request.clone_head();
            *memo = Some(Box::new(Tries { head, body, made: 1 }));
        }
        Flow::Continue
    }

    async fn keep_response(&self, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        let response = &mut exchange.response;
        let spooled = match spool(response.body.take(), self.response).await {
            Ok(spooled) => spooled,
            Err(fault) => {
                tracing::debug!(%fault, "keeping a response");
                let status = match fault {
                    Fault::Body(_) => StatusCode::BAD_GATEWAY,
                    Fault::TooLarge | Fault::NoRoom | Fault::Disk(_) => {
                        StatusCode::INTERNAL_SERVER_ERROR
                    }
                };
                return Flow::respond(Response::status_only(status));
            }
        };
        let tries = memo.as_mut().and_then(|memo| memo.downcast_mut::<Tries>());
        if let (Some(retry), Some(tries)) = (&self.retry, tries)
            && tries.made <= RETRIES_MAX
            && retry.holds(&|what| measure(what, tries.made, response.status, &tries.head.method))
        {
            tries.made += 1;
            exchange.request = tries.head.clone_head();
            exchange.request.body = body_of(tries.body.as_ref(), &tries.head.method);
            exchange.failure = None;
            exchange.record.retries += 1;
            tracing::debug!(attempt = tries.made, "trying a request again");
            return Flow::Retry { after: std::time::Duration::ZERO };
        }
        response.body = spooled.body();
        Flow::Continue
    }
}

impl AsyncMiddleware for Buffering {
    fn on_request<'a>(
        &'a self,
        exchange: &'a mut Exchange,
        memo: &'a mut Memo,
    ) -> LocalFuture<'a, Flow> {
        Box::pin(self.keep_request(exchange, memo))
    }

    fn on_response<'a>(
        &'a self,
        exchange: &'a mut Exchange,
        memo: &'a mut Memo,
    ) -> LocalFuture<'a, Flow> {
        let response = &mut exchange.response;
        if response.upgrade.is_some() {
            return exchange::ready(Flow::Continue);
        }
        if !has_body(&exchange.request.method, response) {
            response.body = Body::Empty;
            if response.status == StatusCode::NOT_MODIFIED {
                response.headers.remove(CONTENT_LENGTH);
            }
        }
        Box::pin(self.keep_response(exchange, memo))
    }
}

/// Gives a body to send; methods that seldom have one do not announce one of no bytes.
fn body_of(spooled: Option<&Spooled>, method: &Method) -> Body {
    match spooled {
        Some(spooled) if spooled.length() > 0 => spooled.body(),
        Some(_) if [Method::POST, Method::PUT, Method::PATCH].contains(method) => {
            Body::Full(Bytes::new())
        }
        _ => Body::Empty,
    }
}

/// Tells whether a response's body is passed on. What gRPC says in its status has none.
fn has_body(method: &Method, response: &Response) -> bool {
    let is_set = |name: &HeaderName, to: &[u8]| {
        response.headers.get(name).is_some_and(|value| value.as_bytes() == to)
    };
    let grpc_failed = response
        .headers
        .get(GRPC_STATUS)
        .is_some_and(|value| !value.is_empty() && value.as_bytes() != b"0");
    *method != Method::HEAD
        && !matches!(response.status.as_u16(), 100..=199 | 204 | 304)
        && !is_set(&CONTENT_LENGTH, b"0")
        && !grpc_failed
}

fn refusal(fault: &Fault) -> Response {
    tracing::debug!(%fault, "keeping a request's body");
    Response::status_only(match fault {
        Fault::TooLarge | Fault::NoRoom => StatusCode::PAYLOAD_TOO_LARGE,
        Fault::Body(BodyError::TimedOut) => StatusCode::REQUEST_TIMEOUT,
        Fault::Body(BodyError::Malformed) => StatusCode::BAD_REQUEST,
        Fault::Body(_) | Fault::Disk(_) => StatusCode::INTERNAL_SERVER_ERROR,
    })
}

#[cfg(test)]
mod tests;
