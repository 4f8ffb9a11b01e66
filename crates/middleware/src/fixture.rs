//! What tests of middlewares share: exchanges, scripted upstreams, and driving of futures.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use exchange::{
    AsyncMiddleware, Authority, Body, BodyError, BodyStream, Connection, Exchange, Failure, Flow,
    Frame, LocalFuture, Memo, Middleware, Record, Request, Response, ServiceHandle, TlsInfo,
    Upstreams,
};
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};

use crate::{Endpoint, Surroundings};

/// Makes an exchange for a request from 192.0.2.7 without headers; `https` means TLS.
pub(crate) fn exchange(method: &str, url: &str) -> Exchange {
    let (scheme, rest) = url.split_once("://").expect("a whole URL");
    let slash = rest.find('/').expect("a URL with a path");
    let tls = (scheme == "https").then(|| TlsInfo {
        server_name: None,
        options: "default".into(),
        version: "1.3",
        cipher: "TLS13_AES_128_GCM_SHA256",
        peer_certificates: Vec::new().into(),
    });
    let connection = Connection::new(
        "192.0.2.7:4711".parse().expect("valid address"),
        "192.0.2.1:80".parse().expect("valid address"),
        "web".into(),
        tls,
    );
    let host = HeaderValue::from_str(&rest[..slash]).expect("valid host");
    let request = Request::new(
        Method::from_bytes(method.as_bytes()).expect("valid method"),
        rest[slash..].parse().expect("valid target"),
        Authority::new(host),
    );
    Exchange {
        connection: Rc::new(connection),
        request,
        response: Response::default(),
        failure: None,
        upstreams: Rc::new(FakeUpstreams::default()),
        started: Instant::now(),
        record: Record::default(),
    }
}

/// Makes a header map; names may repeat.
pub(crate) fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("valid value");
        map.append(HeaderName::from_bytes(name.as_bytes()).expect("valid name"), value);
    }
    map
}

/// Writes a header map as sorted `name: value` lines.
pub(crate) fn lines(headers: &HeaderMap) -> Vec<String> {
    let mut lines: Vec<String> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    lines.sort();
    lines
}

/// Makes a response with a body in memory.
pub(crate) fn response(status: u16, fields: &[(&'static str, &str)], body: &str) -> Response {
    let status = StatusCode::from_u16(status).expect("valid status");
    let mut response = Response::bare(status, body.to_owned());
    response.headers = headers(fields);
    response
}

/// Writes a response as status, sorted header lines and body, one a line.
pub(crate) fn told(response: Response) -> String {
    let mut lines = lines(&response.headers);
    lines.insert(0, response.status.as_u16().to_string());
    lines.push(String::from_utf8_lossy(&read(response.body)).into_owned());
    lines.join("\n")
}

/// Runs the request phase of a middleware that never waits; gives its answer.
pub(crate) fn request_phase(
    middleware: &dyn Middleware,
    exchange: &mut Exchange,
) -> Option<Response> {
    answer(middleware.on_request(exchange, &mut None))
}

/// Runs a request phase that waits; gives its answer.
pub(crate) fn async_request_phase(
    middleware: &dyn AsyncMiddleware,
    exchange: &mut Exchange,
    memo: &mut Memo,
) -> Option<Response> {
    answer(block_on(middleware.on_request(exchange, memo)))
}

fn answer(flow: Flow) -> Option<Response> {
    match flow {
        Flow::Continue => None,
        Flow::Respond(response) => Some(*response),
        Flow::Retry { .. } => panic!("a request phase cannot retry"),
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// Reads a body to its end.
pub(crate) fn read(mut body: Body) -> Vec<u8> {
    block_on(async {
        let mut read = Vec::new();
        while let Some(frame) = body.frame().await {
            if let Frame::Data(data) = frame.expect("a whole body") {
                read.extend_from_slice(&data);
            }
        }
        read
    })
}

/// A body that arrives in scripted steps.
pub(crate) struct Script {
    steps: VecDeque<Step>,
    length: Option<u64>,
}

pub(crate) enum Step {
    Data(&'static str),
    Trailers(HeaderMap),
    Pending,
    Broken(BodyError),
}

impl Script {
    pub(crate) fn body(length: Option<u64>, steps: Vec<Step>) -> Body {
        Body::Stream(Box::new(Self { steps: steps.into(), length }))
    }
}

impl BodyStream for Script {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        match self.steps.pop_front() {
            None => Poll::Ready(None),
            Some(Step::Data(data)) => {
                Poll::Ready(Some(Ok(Frame::Data(Bytes::from_static(data.as_bytes())))))
            }
            Some(Step::Trailers(trailers)) => Poll::Ready(Some(Ok(Frame::Trailers(trailers)))),
            Some(Step::Broken(error)) => Poll::Ready(Some(Err(error))),
            Some(Step::Pending) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn remaining(&self) -> Option<u64> {
        self.length
    }
}

/// Answers calls in order and remembers what was asked.
#[derive(Default)]
pub(crate) struct FakeUpstreams {
    answers: RefCell<VecDeque<Result<Response, Failure>>>,
    asked: RefCell<Vec<String>>,
}

impl FakeUpstreams {
    /// Gives `exchange` upstreams that answer `answers` in order.
    pub(crate) fn install(
        exchange: &mut Exchange,
        answers: impl IntoIterator<Item = Result<Response, Failure>>,
    ) -> Rc<Self> {
        let upstreams = Rc::new(Self {
            answers: RefCell::new(answers.into_iter().collect()),
            asked: RefCell::default(),
        });
        exchange.upstreams = Rc::clone(&upstreams) as Rc<dyn Upstreams>;
        upstreams
    }

    /// The only request that was sent: request line with authority, sorted headers, body.
    pub(crate) fn only_request(&self) -> String {
        let asked = self.asked.borrow();
        assert_eq!(asked.len(), 1, "one request is sent: {asked:?}");
        asked[0].clone()
    }
}

impl Upstreams for FakeUpstreams {
    fn call<'a>(
        &'a self,
        _service: &'a ServiceHandle,
        _connection: &'a Rc<Connection>,
        mut request: Request,
    ) -> LocalFuture<'a, Result<Response, Failure>> {
        Box::pin(async move {
            let mut told = lines(&request.headers);
            let authority = String::from_utf8_lossy(request.authority.text().as_bytes());
            told.insert(0, format!("{} {authority}{}", request.method, request.target));
            let mut body = Vec::new();
            while let Some(Ok(frame)) = request.body.frame().await {
                if let Frame::Data(data) = frame {
                    body.extend_from_slice(&data);
                }
            }
            told.push(String::from_utf8_lossy(&body).into_owned());
            self.asked.borrow_mut().push(told.join("\n"));
            self.answers.borrow_mut().pop_front().expect("an answer for every call")
        })
    }
}

/// Knows every service but `missing`.
#[derive(Default)]
pub(crate) struct FakeSurroundings {
    pub(crate) endpoints: Vec<(String, Duration)>,
}

impl Surroundings for FakeSurroundings {
    fn service(&mut self, name: &str) -> Result<ServiceHandle, String> {
        if name == "missing" {
            return Err("the service \"missing@file\" does not exist".to_owned());
        }
        Ok(ServiceHandle(Arc::new(())))
    }

    fn endpoint(&mut self, endpoint: &Endpoint) -> Result<ServiceHandle, String> {
        self.endpoints.push((endpoint.url.clone(), endpoint.timeout));
        if endpoint.tls.as_ref().is_some_and(|tls| !tls.ca.is_empty()) {
            return Err("failed to parse CA".to_owned());
        }
        Ok(ServiceHandle(Arc::new(())))
    }
}
