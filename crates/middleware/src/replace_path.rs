//! `replacePath`: replaces the path, whatever it was.

use exchange::{Exchange, Flow, Memo, Middleware, Phases, Response};
use http::{HeaderValue, StatusCode};

use crate::header_names::X_REPLACED_PATH;
use crate::url_path;

pub(crate) struct ReplacePath {
    /// The path that is sent, or why there is none: every request is told then.
    path: Result<String, String>,
}

impl ReplacePath {
    pub(crate) fn new(settings: &config::dynamic::ReplacePath) -> Self {
        let path = url_path::decode(&settings.path)
            .map(|decoded| url_path::written(&settings.path, &decoded));
        Self { path }
    }
}

impl Middleware for ReplacePath {
    fn on_request(&self, exchange: &mut Exchange, _memo: &mut Memo) -> Flow {
        send_replaced(exchange, self.path.as_deref().map_err(String::as_str))
    }

    fn phases(&self) -> Phases {
        Phases::Request
    }
}

/// Puts a new path into the request and tells the old one in a header.
pub(crate) fn send_replaced(exchange: &mut Exchange, path: Result<&str, &str>) -> Flow {
    let path = match path {
        Ok(path) => path,
        Err(error) => {
            return Flow::respond(Response::error(StatusCode::INTERNAL_SERVER_ERROR, error));
        }
    };
    let old = HeaderValue::from_bytes(exchange.request.path().as_bytes());
    let replaced = if path.is_empty() || path.starts_with('/') {
        exchange.request.replace_path(path)
    } else {
        exchange.request.replace_path(&format!("/{path}"))
    };
    let (Ok(old), Ok(())) = (old, replaced) else {
        return Flow::respond(Response::error(StatusCode::BAD_REQUEST, "Bad Request"));
    };
    exchange.request.headers.append(X_REPLACED_PATH, old);
    Flow::Continue
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn run(path: &str) -> (Exchange, Option<Response>) {
        let settings = config::dynamic::ReplacePath { path: path.to_owned() };
        let mut exchange = fixture::exchange("GET", "http://h/o%2Fx?q=1");
        let answer = fixture::request_phase(&ReplacePath::new(&settings), &mut exchange);
        (exchange, answer)
    }

    fn check(path: &str, expected: &str) {
        let (exchange, answer) = run(path);
        assert!(answer.is_none());
        assert_eq!(exchange.request.target.as_str(), expected);
        assert_eq!(fixture::lines(&exchange.request.headers), ["x-replaced-path: /o%2Fx"]);
    }

    #[test]
    fn the_path_is_replaced_and_the_old_one_told() {
        check("/n%2Fx", "/n%2Fx?q=1");
        check("/n%2Fx é", "/n/x%20%C3%A9?q=1");
        check("", "/?q=1");
        check("n", "/n?q=1");
    }

    #[test]
    fn a_path_with_a_broken_escape_answers_500() {
        let (_, answer) = run("/n%zz");
        assert_eq!(
            answer.map(fixture::told).as_deref(),
            Some(
                "500\ncontent-type: text/plain; charset=utf-8\n\
                 x-content-type-options: nosniff\ninvalid URL escape \"%zz\"\n"
            )
        );
    }
}
