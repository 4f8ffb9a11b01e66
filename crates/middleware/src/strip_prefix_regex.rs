//! `stripPrefixRegex`: takes what an expression matches off the beginning of the path.

use config::go_regex::GoRegex;
use exchange::{Exchange, Flow, Memo, Middleware, Phases};
use http::HeaderValue;

use crate::strip_prefix::{send_stripped, stripped};
use crate::url_path;

pub(crate) struct StripPrefixRegex {
    expressions: Vec<GoRegex>,
}

impl StripPrefixRegex {
    pub(crate) fn new(settings: &config::dynamic::StripPrefixRegex) -> Result<Self, String> {
        let expressions = settings.regex.iter().map(|regex| GoRegex::new(regex.trim()));
        Ok(Self { expressions: expressions.collect::<Result<_, _>>()? })
    }
}

impl Middleware for StripPrefixRegex {
    fn on_request(&self, exchange: &mut Exchange, _memo: &mut Memo) -> Flow {
        let path = exchange.request.path();
        // Paths that are no text match nothing.
        let Some(decoded) = url_path::decode(path).ok().and_then(|d| String::from_utf8(d).ok())
        else {
            return Flow::Continue;
        };
        let found = self.expressions.iter().find_map(|expression| {
            let matched = expression.engine().find(&decoded)?.as_str();
            // The match may stand anywhere; what counts is that the path begins with its text.
            (!matched.is_empty() && decoded.starts_with(matched)).then_some(matched)
        });
        let Some(prefix) = found else { return Flow::Continue };
        let rest = url_path::after_prefix(path, prefix.as_bytes());
        let path = rest.and_then(stripped).map(|path| path.into_owned());
        match HeaderValue::from_bytes(prefix.as_bytes()) {
            Ok(prefix) => send_stripped(exchange, path, prefix),
            // A prefix with control characters cannot be told to the service.
            Err(_) => send_stripped(exchange, None, HeaderValue::from_static("")),
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

    fn check(regex: &[&str], target: &str, expected: Result<&str, u16>) {
        let settings = config::dynamic::StripPrefixRegex {
            regex: regex.iter().map(|regex| (*regex).to_owned()).collect(),
        };
        let middleware = StripPrefixRegex::new(&settings).expect("valid expressions");
        let mut exchange = fixture::exchange("GET", &format!("http://h{target}"));
        let answer = fixture::request_phase(&middleware, &mut exchange);
        let sent = match &answer {
            None => Ok(exchange.request.target.as_str()),
            Some(response) => Err(response.status.as_u16()),
        };
        assert_eq!(sent, expected, "stripping {target}");
    }

    #[test]
    fn what_matches_at_the_beginning_is_taken_off() {
        check(&["/a[^/]*"], "/ab/c?q", Ok("/c?q"));
        check(&["/a[^/]*"], "/b/ab/c", Ok("/b/ab/c"));
        check(&["/none", " /api/v[0-9]+ "], "/api/v22/x%2Fy", Ok("/x%2Fy"));
        check(&["/a/?"], "/a", Ok("/"));
    }

    #[test]
    fn a_rest_that_is_not_clean_is_refused() {
        check(&["/a"], "/a../x", Err(400));
    }

    #[test]
    fn a_broken_expression_is_refused() {
        let settings = config::dynamic::StripPrefixRegex { regex: vec!["(a".to_owned()] };
        let error = StripPrefixRegex::new(&settings).err();
        assert_eq!(error.as_deref(), Some("error parsing regexp: missing closing ): `(a`"));
    }
}
