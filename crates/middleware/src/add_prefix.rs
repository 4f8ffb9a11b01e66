//! `addPrefix`: puts a prefix before the path.

use exchange::{Exchange, Flow, Memo, Middleware, Phases, Response};
use http::StatusCode;

use crate::url_path;

pub(crate) struct AddPrefix {
    /// Goes before paths that are written as Go writes them.
    escaped: String,
    /// Goes before paths written otherwise; `None` when those must be rewritten in Go's way.
    raw: Option<String>,
}

impl AddPrefix {
    pub(crate) fn new(settings: &config::dynamic::AddPrefix) -> Result<Self, String> {
        let prefix = &settings.prefix;
        if prefix.is_empty() {
            return Err("prefix cannot be empty".to_owned());
        }
        let prefix = if prefix.starts_with('/') { prefix.clone() } else { format!("/{prefix}") };
        // The prefix is text, not an escaped path: a percent sign in it means itself.
        let keeps_raw = url_path::is_valid(&prefix) && !prefix.contains('%');
        Ok(Self { escaped: url_path::escape(prefix.as_bytes()), raw: keeps_raw.then_some(prefix) })
    }

    fn prefixed(&self, path: &str) -> String {
        if url_path::is_canonical(path) {
            return format!("{}{path}", self.escaped);
        }
        match &self.raw {
            Some(raw) if url_path::is_valid(path) => format!("{raw}{path}"),
            _ => {
                let decoded = url_path::decode(path).unwrap_or_else(|_| path.as_bytes().to_vec());
                format!("{}{}", self.escaped, url_path::escape(&decoded))
            }
        }
    }
}

impl Middleware for AddPrefix {
    fn on_request(&self, exchange: &mut Exchange, _memo: &mut Memo) -> Flow {
        let request = &exchange.request;
        let path = if request.has_empty_path { "" } else { request.path() };
        let path = self.prefixed(path);
        match exchange.request.replace_path(&path) {
            Ok(()) => Flow::Continue,
            Err(_) => Flow::respond(Response::error(StatusCode::BAD_REQUEST, "Bad Request")),
        }
    }

    fn phases(&self) -> Phases {
        Phases::Request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn check(prefix: &str, target: &str, expected: &str) {
        let settings = config::dynamic::AddPrefix { prefix: prefix.to_owned() };
        let middleware = AddPrefix::new(&settings).expect("a valid prefix");
        let mut exchange = fixture::exchange("GET", &format!("http://h{target}"));
        assert!(fixture::request_phase(&middleware, &mut exchange).is_none());
        assert_eq!(exchange.request.target.as_str(), expected);
    }

    #[test]
    fn the_prefix_goes_before_the_path_and_the_query_stays() {
        check("/v1", "/a?b=c", "/v1/a?b=c");
        check("v1", "/a", "/v1/a");
        check("/v1", "/a%2Fb", "/v1/a%2Fb");
        check("/v1", "/(z)[]", "/v1/(z)[]");
    }

    #[test]
    fn a_prefix_that_must_be_escaped_rewrites_the_whole_path() {
        check("/p q/é%41", "/z", "/p%20q/%C3%A9%2541/z");
        check("/p q/é%41", "/a%2Fb", "/p%20q/%C3%A9%2541/a/b");
        check("/p q/é%41", "/(z)[]", "/p%20q/%C3%A9%2541/%28z%29%5B%5D");
    }

    #[test]
    fn an_empty_prefix_is_refused() {
        let error = AddPrefix::new(&config::dynamic::AddPrefix::default()).err();
        assert_eq!(error.as_deref(), Some("prefix cannot be empty"));
    }
}
