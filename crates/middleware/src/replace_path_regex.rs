//! `replacePathRegex`: rewrites the path where an expression matches.

use config::go_regex::GoRegex;
use exchange::{Exchange, Flow, Memo, Middleware, Phases, Response};
use http::StatusCode;

use crate::replace_path::send_replaced;
use crate::url_path;

pub(crate) struct ReplacePathRegex {
    regex: GoRegex,
    replacement: String,
}

impl ReplacePathRegex {
    pub(crate) fn new(settings: &config::dynamic::ReplacePathRegex) -> Result<Self, String> {
        let regex = GoRegex::new(settings.regex.trim()).map_err(|error| {
            format!("error compiling regular expression {}: {error}", settings.regex)
        })?;
        Ok(Self { regex, replacement: settings.replacement.trim().to_owned() })
    }
}

impl Middleware for ReplacePathRegex {
    fn on_request(&self, exchange: &mut Exchange, _memo: &mut Memo) -> Flow {
        let path = exchange.request.path();
        if !self.regex.is_match(path) {
            return Flow::Continue;
        }
        let raw = self.regex.replace_all(path, &self.replacement);
        let written = match url_path::decode(&raw) {
            Ok(decoded) => url_path::written(&raw, &decoded),
            Err(error) => return send_replaced(exchange, Err(&error)),
        };
        let slash = if written.starts_with('/') || written.is_empty() { "" } else { "/" };
        let written = format!("{slash}{written}");
        if !written.is_empty() && url_path::clean(&written) != written {
            return Flow::respond(Response::error(StatusCode::BAD_REQUEST, "Bad Request"));
        }
        send_replaced(exchange, Ok(&written))
    }

    fn phases(&self) -> Phases {
        Phases::Request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn check(regex: &str, replacement: &str, target: &str, expected: Result<(&str, &[&str]), u16>) {
        let settings = config::dynamic::ReplacePathRegex {
            regex: regex.to_owned(),
            replacement: replacement.to_owned(),
        };
        let middleware = ReplacePathRegex::new(&settings).expect("a valid expression");
        let mut exchange = fixture::exchange("GET", &format!("http://h{target}"));
        let answer = fixture::request_phase(&middleware, &mut exchange);
        let lines = fixture::lines(&exchange.request.headers);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let sent = match &answer {
            None => Ok((exchange.request.target.as_str(), lines.as_slice())),
            Some(response) => Err(response.status.as_u16()),
        };
        assert_eq!(sent, expected, "replacing {target}");
    }

    #[test]
    fn the_escaped_path_is_rewritten_where_it_matches() {
        let foo = "^/foo/(.*)";
        check(foo, "/bar/$1", "/foo/a?b", Ok(("/bar/a?b", &["x-replaced-path: /foo/a"])));
        check(
            foo,
            "/bar/$1",
            "/foo/..%2Fx",
            Ok(("/bar/..%2Fx", &["x-replaced-path: /foo/..%2Fx"])),
        );
        check(foo, "/bar/$1", "/other", Ok(("/other", &[])));
    }

    #[test]
    fn replacements_that_are_no_clean_path_are_refused() {
        check("^/foo/(.*)", "/bar/../$1", "/foo/a", Err(400));
        check("^/foo/(.*)", "/%zz/$1", "/foo/a", Err(500));
    }

    #[test]
    fn a_broken_expression_is_refused() {
        let settings = config::dynamic::ReplacePathRegex {
            regex: "(a".to_owned(),
            replacement: String::new(),
        };
        let error = ReplacePathRegex::new(&settings).err();
        assert_eq!(
            error.as_deref(),
            Some(
                "error compiling regular expression (a: error parsing regexp: missing closing ): \
                 `(a`"
            )
        );
    }
}
