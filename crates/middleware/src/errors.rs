//! `errors`: answers errors with pages of another service.

use exchange::{
    AsyncMiddleware, Body, Exchange, Flow, LocalFuture, Memo, Phases, Request, Response,
    ServiceHandle, StatusRanges, ready, status_text,
};
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, StatusCode};

use crate::header_names::read_list;
use crate::{Surroundings, url_path};

pub(crate) struct Errors {
    statuses: StatusRanges,
    rewrites: Vec<(StatusRanges, StatusCode)>,
    service: ServiceHandle,
    /// Path and query of the page with its placeholders; empty for the service's root.
    query: String,
    /// Headers the page request carries; `None`: all.
    request_headers: Option<Vec<HeaderName>>,
}

impl Errors {
    pub(crate) fn new(
        settings: &config::dynamic::ErrorPage,
        surroundings: &mut dyn Surroundings,
    ) -> Result<Self, String> {
        let statuses = StatusRanges::parse(&settings.status)?;
        let service = surroundings.service(&settings.service)?;
        let mut rewrites = Vec::new();
        for (from, to) in &settings.status_rewrites {
            let to = StatusCode::from_u16(*to)
                .ok()
                .filter(|status| !status.is_informational())
                .ok_or_else(|| format!("invalid HTTP status code {to}"))?;
            rewrites.push((StatusRanges::parse(&[from])?, to));
        }
        let query = match settings.query.as_str() {
            "" => String::new(),
            query => format!("/{}", query.strip_prefix('/').unwrap_or(query)),
        };
        let request_headers = (!settings.error_request_headers.is_empty())
            .then(|| read_list(&settings.error_request_headers));
        Ok(Self { statuses, rewrites, service, query, request_headers })
    }

    /// Makes the request for the page; `None` when the placeholders come to no request target.
    fn page_request(
        &self,
        exchange: &Exchange,
        original: StatusCode,
        status: StatusCode,
    ) -> Option<Request> {
        let failed = &exchange.request;
        let mut query = self
            .query
            .replace("{status}", status.as_str())
            .replace("{originalStatus}", original.as_str());
        if query.contains("{url}") {
            let url = requested_url(failed, exchange.connection.is_tls());
            query = query.replace("{url}", &url_path::query_escape(&url));
        }
        let target = request_target(&query)?;
        let mut page = Request::new(Method::GET, target, failed.authority.clone());
        page.headers = match &self.request_headers {
            None => failed.headers.clone(),
            Some(names) => chosen(&failed.headers, names),
        };
        Some(page)
    }

    async fn page(&self, exchange: &mut Exchange) -> Flow {
        let original = exchange.response.status;
        let rewrite = self.rewrites.iter().find(|(from, _)| from.contains(original));
        let status = rewrite.map_or(original, |(_, to)| *to);
        let Some(request) = self.page_request(exchange, original, status) else {
            return Flow::respond(Response::error(status, status_text(status)));
        };
        // The failed response's body is not needed; its connection becomes free before the page
        // is asked for.
        exchange.response = Response::new(original);
        let page = exchange.upstreams.call(&self.service, &exchange.connection, request).await;
        if let Some(failure) = &mut exchange.failure {
            // Why the service failed stays known, but the answer is a server's now: no further
            // try may drop it.
            failure.request_was_sent = true;
        }
        let mut response = match page {
            Ok(page) => page,
            // What the page's service failed with shows in the body only.
            Err(failure) => Response::status_only(failure.status()),
        };
        response.status = status;
        response.upgrade = None;
        if exchange.request.method == Method::HEAD {
            if let Some(length) = response.body.length() {
                response.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
            }
            response.body = Body::Empty;
        } else if matches!(response.body, Body::Empty) {
            response.body = Body::Full(bytes::Bytes::new());
        }
        Flow::respond(response)
    }
}

impl AsyncMiddleware for Errors {
    fn on_response<'a>(
        &'a self,
        exchange: &'a mut Exchange,
        _memo: &'a mut Memo,
    ) -> LocalFuture<'a, Flow> {
        if !self.statuses.contains(exchange.response.status) || exchange.response.upgrade.is_some()
        {
            return ready(Flow::Continue);
        }
        Box::pin(self.page(exchange))
    }

    fn phases(&self) -> Phases {
        Phases::Response
    }
}

/// The URL that failed, as later stages left it.
fn requested_url(request: &Request, is_tls: bool) -> Vec<u8> {
    let scheme: &[u8] = if is_tls { b"https://" } else { b"http://" };
    let target = request.target.as_str().as_bytes();
    [scheme, request.authority.text().as_bytes(), target].concat()
}

/// Reads path and query as a client would send them: without fragment, the path escaped.
fn request_target(query: &str) -> Option<PathAndQuery> {
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let (path, query) = match query.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (query, None),
    };
    let decoded = url_path::decode(path).ok()?;
    let mut target = url_path::written(path, &decoded);
    if target.is_empty() {
        target.push('/');
    }
    if let Some(query) = query {
        target.push('?');
        target.push_str(query);
    }
    PathAndQuery::try_from(target).ok()
}

fn chosen(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let mut chosen = HeaderMap::new();
    for name in names {
        // A name that stands twice in the list is copied once.
        if chosen.contains_key(name) {
            continue;
        }
        for value in headers.get_all(name) {
            chosen.append(name.clone(), value.clone());
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use exchange::{Failure, FailureKind};

    use super::*;
    use crate::fixture::{self, FakeSurroundings, FakeUpstreams};

    fn settings(query: &str) -> config::dynamic::ErrorPage {
        config::dynamic::ErrorPage {
            status: vec!["500-599".to_owned(), "404".to_owned()],
            status_rewrites: [("503".to_owned(), 418)].into(),
            service: "pages".to_owned(),
            query: query.to_owned(),
            error_request_headers: Vec::new(),
        }
    }

    /// Lets a response with `status` pass; gives the page request and what the client gets.
    fn run(
        settings: &config::dynamic::ErrorPage,
        method: &str,
        status: u16,
        page: Result<Response, Failure>,
    ) -> Option<(String, String)> {
        let middleware =
            Errors::new(settings, &mut FakeSurroundings::default()).expect("valid settings");
        let mut exchange = fixture::exchange(method, "http://err:81/st/a%2Fb?x=1&y=é");
        exchange.request.headers = fixture::headers(&[("X-Z", "1"), ("Accept", "*/*")]);
        exchange.response = fixture::response(status, &[("X-Failed", "1")], "failed");
        exchange.failure = Some(Failure::before_sending(FailureKind::ConnectRefused));
        let upstreams = FakeUpstreams::install(&mut exchange, [page]);
        match fixture::block_on(middleware.on_response(&mut exchange, &mut None)) {
            Flow::Continue => {
                assert_eq!(exchange.response.status.as_u16(), status);
                None
            }
            Flow::Respond(response) => {
                assert!(exchange.failure.is_some_and(|failure| failure.request_was_sent));
                Some((upstreams.only_request(), fixture::told(*response)))
            }
            Flow::Retry { .. } => panic!("errors never retries"),
        }
    }

    fn page() -> Result<Response, Failure> {
        Ok(fixture::response(200, &[("Content-Type", "text/html")], "page"))
    }

    #[test]
    fn the_page_comes_with_the_original_status_and_its_own_headers() {
        let (asked, told) =
            run(&settings("page/{status}?o={originalStatus}&u={url}"), "POST", 404, page())
                .expect("a page");
        assert_eq!(
            asked,
            "GET err:81/page/404?o=404&u=http%3A%2F%2Ferr%3A81%2Fst%2Fa%252Fb%3Fx%3D1%26y%3D%C3%A9\n\
             accept: */*\nx-z: 1\n"
        );
        assert_eq!(told, "404\ncontent-type: text/html\npage");
    }

    #[test]
    fn statuses_are_rewritten() {
        let (asked, told) =
            run(&settings("/{status}/{originalStatus}"), "GET", 503, page()).expect("a page");
        assert!(asked.starts_with("GET err:81/418/503\n"), "{asked}");
        assert!(told.starts_with("418\n"), "{told}");
    }

    #[test]
    fn other_statuses_pass() {
        assert_eq!(run(&settings("/x"), "GET", 200, page()), None);
        assert_eq!(run(&settings("/x"), "GET", 403, page()), None);
    }

    #[test]
    fn without_a_query_the_root_is_asked_for() {
        let (asked, _) = run(&settings(""), "GET", 404, page()).expect("a page");
        assert!(asked.starts_with("GET err:81/\n"), "{asked}");
        let (asked, _) = run(&settings("/a b?c#d"), "GET", 404, page()).expect("a page");
        assert!(asked.starts_with("GET err:81/a%20b?c\n"), "{asked}");
    }

    #[test]
    fn only_chosen_headers_are_sent() {
        let settings = config::dynamic::ErrorPage {
            error_request_headers: vec!["x-z".to_owned(), "X-Z".to_owned(), "X-None".to_owned()],
            ..settings("/x")
        };
        let (asked, _) = run(&settings, "GET", 404, page()).expect("a page");
        assert_eq!(asked, "GET err:81/x\nx-z: 1\n");
    }

    #[test]
    fn a_page_service_that_fails_shows_in_the_body_only() {
        let failure = Failure::before_sending(FailureKind::ConnectRefused);
        let (_, told) = run(&settings("/x"), "GET", 404, Err(failure)).expect("an answer");
        assert_eq!(told, "404\nBad Gateway");
    }

    #[test]
    fn head_requests_get_the_pages_length_without_its_body() {
        let (asked, told) = run(&settings("/x"), "HEAD", 404, page()).expect("a page");
        assert!(asked.starts_with("GET "), "{asked}");
        assert_eq!(told, "404\ncontent-length: 4\ncontent-type: text/html\n");
    }

    #[test]
    fn broken_settings_are_refused() {
        let error = |settings: &config::dynamic::ErrorPage| {
            Errors::new(settings, &mut FakeSurroundings::default()).err()
        };
        let mut broken = settings("/x");
        broken.status = vec!["5xx".to_owned()];
        assert_eq!(
            error(&broken).as_deref(),
            Some("strconv.Atoi: parsing \"5xx\": invalid syntax")
        );
        let missing =
            config::dynamic::ErrorPage { service: "missing".to_owned(), ..settings("/x") };
        assert_eq!(error(&missing).as_deref(), Some("the service \"missing@file\" does not exist"));
        let mut rewrite = settings("/x");
        rewrite.status_rewrites = [("404".to_owned(), 0)].into();
        assert_eq!(error(&rewrite).as_deref(), Some("invalid HTTP status code 0"));
    }
}
