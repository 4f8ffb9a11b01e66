//! `stripPrefix`: takes a prefix off the path.

use std::borrow::Cow;
use std::sync::Arc;

use exchange::{Exchange, Flow, Memo, Middleware, Phases, Response};
use http::{HeaderValue, StatusCode};

use crate::header_names::{X_FORWARDED_PREFIX, read_value};
use crate::url_path;

pub(crate) struct StripPrefix {
    prefixes: Vec<(String, HeaderValue)>,
}

impl StripPrefix {
    pub(crate) fn new(
        name: &Arc<str>,
        settings: &config::dynamic::StripPrefix,
    ) -> Result<Self, String> {
        if settings.force_slash.is_some() {
            // A path that was stripped to nothing is sent as `/` either way.
            tracing::warn!(
                middleware = &**name,
                "stripPrefix.forceSlash is deprecated and has no effect, please remove it"
            );
        }
        let prefixes = settings
            .prefixes
            .iter()
            .map(|prefix| {
                let prefix = prefix.trim();
                Ok((prefix.to_owned(), read_value("X-Forwarded-Prefix", prefix)?))
            })
            .collect::<Result<_, String>>()?;
        Ok(Self { prefixes })
    }
}

impl Middleware for StripPrefix {
    fn on_request(&self, exchange: &mut Exchange, _memo: &mut Memo) -> Flow {
        let path = exchange.request.path();
        let found = self.prefixes.iter().find_map(|(prefix, value)| {
            Some((url_path::after_prefix(path, prefix.as_bytes())?, value))
        });
        match found {
            None => Flow::Continue,
            Some((rest, value)) => {
                let stripped = stripped(rest).map(Cow::into_owned);
                send_stripped(exchange, stripped, value.clone())
            }
        }
    }

    fn phases(&self) -> Phases {
        Phases::Request
    }
}

/// Gives the path that is sent for what is left of one, empty for nothing. `None` when cleaning
/// would change it: then the rest could climb out of what a rule matched.
pub(crate) fn stripped(rest: &str) -> Option<Cow<'_, str>> {
    let decoded = || url_path::decode(rest).unwrap_or_else(|_| rest.as_bytes().to_vec());
    let path: Cow<'_, str> = if rest.is_empty() {
        return Some(Cow::Borrowed(rest));
    } else if rest.starts_with("%2F") || rest.starts_with("%2f") {
        // The decoded path has its leading slash already, the written one lacks it: they differ,
        // and Go writes the decoded one anew.
        Cow::Owned(url_path::escape(&decoded()))
    } else {
        let escaped: Cow<'_, str> = if url_path::is_valid(rest) {
            Cow::Borrowed(rest)
        } else {
            Cow::Owned(url_path::escape(&decoded()))
        };
        if rest.starts_with('/') { escaped } else { Cow::Owned(format!("/{escaped}")) }
    };
    let is_clean = url_path::clean(&path) == path;
    is_clean.then_some(path)
}

/// Puts a stripped path into the request, or answers that there is none.
pub(crate) fn send_stripped(
    exchange: &mut Exchange,
    path: Option<String>,
    prefix: HeaderValue,
) -> Flow {
    let replaced = path.is_some_and(|path| exchange.request.replace_path(&path).is_ok());
    if !replaced {
        return Flow::respond(Response::error(StatusCode::BAD_REQUEST, "Bad Request"));
    }
    exchange.request.headers.append(X_FORWARDED_PREFIX, prefix);
    Flow::Continue
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn run(target: &str) -> (Exchange, Option<Response>) {
        let settings = config::dynamic::StripPrefix {
            prefixes: ["/a b", "/x/", " /é", "/s"].map(str::to_owned).to_vec(),
            force_slash: None,
        };
        let middleware = StripPrefix::new(&"m@file".into(), &settings).expect("valid prefixes");
        let mut exchange = fixture::exchange("GET", &format!("http://h{target}"));
        let answer = fixture::request_phase(&middleware, &mut exchange);
        (exchange, answer)
    }

    fn check(target: &str, expected: &str, prefix: &[&str]) {
        let (exchange, answer) = run(target);
        assert!(answer.is_none(), "{target} passes");
        assert_eq!(exchange.request.target.as_str(), expected, "stripping {target}");
        let told: Vec<_> = exchange
            .request
            .headers
            .get_all(X_FORWARDED_PREFIX)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        assert_eq!(told, prefix);
    }

    #[test]
    fn the_first_prefix_of_the_list_is_taken_off_the_decoded_path() {
        check("/a%20b/c%2Fd?q", "/c%2Fd?q", &["/a b"]);
        check("/x/..%2Fq", "/..%2Fq", &["/x/"]);
        check("/sfoo%20bar", "/foo%20bar", &["/s"]);
        check("/s..x", "/..x", &["/s"]);
        check("/%C3%A9/%C3%A9", "/%C3%A9", &["/é"]);
        check("/s/(a)*!'", "/(a)*!'", &["/s"]);
        check("/s/;x", "/;x", &["/s"]);
    }

    #[test]
    fn a_path_that_is_only_the_prefix_becomes_a_slash() {
        check("/a%20b", "/", &["/a b"]);
        check("/s?x", "/?x", &["/s"]);
    }

    #[test]
    fn other_paths_pass_untouched() {
        check("/other?q", "/other?q", &[]);
    }

    #[test]
    fn an_escaped_slash_after_the_prefix_is_written_anew() {
        check("/s%2Fx%2Fy", "/x/y", &["/s"]);
    }

    #[test]
    fn the_prefix_is_added_to_the_ones_before() {
        let settings = config::dynamic::StripPrefix {
            prefixes: vec!["/s".to_owned()],
            force_slash: Some(true),
        };
        let middleware = StripPrefix::new(&"m@file".into(), &settings).expect("valid prefix");
        let mut exchange = fixture::exchange("GET", "http://h/s/x");
        exchange.request.headers = fixture::headers(&[("X-Forwarded-Prefix", "/outer")]);
        assert!(fixture::request_phase(&middleware, &mut exchange).is_none());
        assert_eq!(
            fixture::lines(&exchange.request.headers),
            ["x-forwarded-prefix: /outer", "x-forwarded-prefix: /s"]
        );
    }

    #[test]
    fn a_rest_that_is_not_clean_is_refused() {
        let (_, answer) = run("/s../x");
        assert_eq!(
            answer.map(fixture::told).as_deref(),
            Some(
                "400\ncontent-type: text/plain; charset=utf-8\n\
                 x-content-type-options: nosniff\nBad Request\n"
            )
        );
    }
}
