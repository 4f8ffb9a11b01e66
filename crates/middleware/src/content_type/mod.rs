//! `contentType`: guesses the content type of responses that have none.

mod sniff;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::Bytes;
use exchange::{
    AsyncMiddleware, Body, BodyError, BodyStream, Exchange, Flow, Frame, LocalFuture, Memo, Phases,
    Response, ready,
};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};

use self::sniff::{LOOKED_AT, content_type};

pub(crate) struct ContentType {
    is_on: bool,
}

impl ContentType {
    pub(crate) fn new(name: &str, settings: &config::dynamic::ContentType) -> Self {
        if settings.auto_detect.is_some() {
            tracing::warn!(
                middleware = name,
                "contentType.autoDetect is deprecated: the middleware is there to turn the \
                 detection on, please remove the option"
            );
        }
        Self { is_on: settings.auto_detect != Some(false) }
    }
}

impl AsyncMiddleware for ContentType {
    fn on_response<'a>(
        &'a self,
        exchange: &'a mut Exchange,
        _memo: &'a mut Memo,
    ) -> LocalFuture<'a, Flow> {
        let response = &mut exchange.response;
        let is_encoded =
            response.headers.get(CONTENT_ENCODING).is_some_and(|value| !value.is_empty());
        let is_typed = response.headers.contains_key(CONTENT_TYPE);
        if !self.is_on || is_typed || is_encoded || response.upgrade.is_some() {
            return ready(Flow::Continue);
        }
        match &response.body {
            Body::Empty => ready(Flow::Continue),
            Body::Full(bytes) => {
                let guess = guess(bytes);
                set(response, guess);
                ready(Flow::Continue)
            }
            Body::Stream(_) => Box::pin(async move {
                let peeked = Peeked::new(response.body.take()).await;
                let guess = guess(&peeked.start());
                response.body = Body::Stream(Box::new(peeked));
                set(response, guess);
                Flow::Continue
            }),
        }
    }

    fn phases(&self) -> Phases {
        Phases::Response
    }
}

/// Guesses from the first bytes; `None` where there are none.
fn guess(start: &[u8]) -> Option<&'static str> {
    (!start.is_empty()).then(|| content_type(start))
}

fn set(response: &mut Response, content_type: Option<&'static str>) {
    if let Some(content_type) = content_type {
        response.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
}

/// A body whose first bytes were looked at.
struct Peeked {
    frames: VecDeque<Result<Frame, BodyError>>,
    rest: Body,
    remaining: Option<u64>,
    is_live: bool,
}

impl Peeked {
    /// Waits for the first bytes of a body, and takes along what has come with them.
    async fn new(body: Body) -> Self {
        let is_live = matches!(&body, Body::Stream(stream) if stream.is_live());
        let remaining = body.length();
        let mut peeked = Self { frames: VecDeque::new(), rest: body, remaining, is_live };
        poll_fn(|context| peeked.poll_start(context)).await;
        peeked
    }

    fn poll_start(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut seen = 0;
        while seen < LOOKED_AT && self.frames.len() < LOOKED_AT {
            match self.rest.poll_frame(context) {
                Poll::Pending if self.frames.is_empty() => return Poll::Pending,
                Poll::Pending | Poll::Ready(None) => break,
                Poll::Ready(Some(frame)) => {
                    let is_more = matches!(frame, Ok(Frame::Data(_)));
                    seen += frame.as_ref().map_or(0, |frame| data_of(frame).len());
                    self.frames.push_back(frame);
                    if !is_more {
                        break;
                    }
                }
            }
        }
        Poll::Ready(())
    }

    fn start(&self) -> Bytes {
        let mut parts = self.frames.iter().flatten().map(data_of);
        match (parts.next(), self.frames.len()) {
            (Some(first), 1) => first.clone(),
            (Some(first), _) => {
                let mut start = first.to_vec();
                parts.for_each(|part| start.extend_from_slice(part));
                start.into()
            }
            (None, _) => Bytes::new(),
        }
    }
}

fn data_of(frame: &Frame) -> &Bytes {
    static NONE: Bytes = Bytes::new();
    match frame {
        Frame::Data(data) => data,
        Frame::Trailers(_) => &NONE,
    }
}

impl BodyStream for Peeked {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let polled = match self.frames.pop_front() {
            Some(frame) => Poll::Ready(Some(frame)),
            None => self.rest.poll_frame(context),
        };
        if let (Poll::Ready(Some(Ok(frame))), Some(remaining)) = (&polled, &mut self.remaining) {
            *remaining = remaining.saturating_sub(data_of(frame).len() as u64);
        }
        polled
    }

    fn remaining(&self) -> Option<u64> {
        self.remaining
    }

    fn is_live(&self) -> bool {
        self.is_live
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, Script, Step};

    fn respond(auto_detect: Option<bool>, response: Response) -> Response {
        let middleware = ContentType::new("m", &config::dynamic::ContentType { auto_detect });
        let mut exchange = fixture::exchange("GET", "http://h/");
        exchange.response = response;
        fixture::block_on(middleware.on_response(&mut exchange, &mut None));
        exchange.response
    }

    fn check(auto_detect: Option<bool>, response: Response, expected: Option<&str>) {
        let response = respond(auto_detect, response);
        let value = response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        assert_eq!(value, expected);
    }

    #[test]
    fn responses_without_a_type_get_one() {
        let html = Some("text/html; charset=utf-8");
        check(None, fixture::response(200, &[], "<html>"), html);
        check(Some(true), fixture::response(404, &[], "<html>"), html);
        check(Some(false), fixture::response(200, &[], "<html>"), None);
        check(None, fixture::response(200, &[], ""), None);
        check(None, fixture::response(200, &[("Content-Type", "a/b")], "<html>"), Some("a/b"));
        check(None, fixture::response(200, &[("Content-Type", "")], "<html>"), Some(""));
        check(None, fixture::response(200, &[("Content-Encoding", "br")], "<html>"), None);
        check(None, fixture::response(200, &[("Content-Encoding", "")], "<html>"), html);
    }

    /// Types a body that arrives in steps; checks that nothing of it is lost.
    fn check_stream(
        length: Option<u64>,
        steps: Vec<Step>,
        expected: Option<&str>,
        expected_body: &str,
    ) {
        let body = Script::body(length, steps);
        let response = respond(None, Response { body, ..Response::default() });
        let value = response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        assert_eq!(value, expected);
        assert_eq!(response.body.length(), length);
        assert_eq!(fixture::read(response.body), expected_body.as_bytes());
    }

    #[test]
    fn streams_are_typed_by_what_comes_first_and_lose_nothing() {
        use Step::{Data, Pending, Trailers};
        let html = Some("text/html; charset=utf-8");
        check_stream(None, vec![Pending, Data("<ht"), Data("ml>"), Data("!")], html, "<html>!");
        check_stream(Some(6), vec![Data("<ht"), Data("ml>")], html, "<html>");
        let plain = Some("text/plain; charset=utf-8");
        check_stream(None, vec![Data("<ht"), Pending, Data("ml>")], plain, "<html>");
        check_stream(None, vec![], None, "");
        check_stream(None, vec![Trailers(fixture::headers(&[("A", "b")]))], None, "");
    }

    #[test]
    fn a_stream_that_breaks_stays_broken() {
        let body = Script::body(None, vec![Step::Broken(BodyError::Cut)]);
        let mut body = respond(None, Response { body, ..Response::default() }).body;
        let frame = fixture::block_on(body.frame());
        assert!(matches!(frame, Some(Err(BodyError::Cut))));
    }
}
