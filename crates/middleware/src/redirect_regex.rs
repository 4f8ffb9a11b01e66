//! `redirectRegex`: redirects where an expression matches the whole URL.

use config::go_regex::GoRegex;
use exchange::{Exchange, Flow, Memo, Middleware, Phases};

use crate::redirect;

pub(crate) struct RedirectRegex {
    regex: GoRegex,
    replacement: String,
    is_permanent: bool,
}

impl RedirectRegex {
    pub(crate) fn new(settings: &config::dynamic::RedirectRegex) -> Result<Self, String> {
        Ok(Self {
            regex: GoRegex::new(&settings.regex)?,
            replacement: settings.replacement.clone(),
            is_permanent: settings.permanent,
        })
    }
}

impl Middleware for RedirectRegex {
    fn on_request(&self, exchange: &mut Exchange, _memo: &mut Memo) -> Flow {
        let request = &exchange.request;
        let scheme = if exchange.connection.is_tls() { "https" } else { "http" };
        let host = String::from_utf8_lossy(request.authority.text().as_bytes());
        // Allocates: the expression needs the URL in one piece.
        let url = format!("{scheme}://{host}{}", request.target.as_str());
        if !self.regex.is_match(&url) {
            return Flow::Continue;
        }
        let location = self.regex.replace_all(&url, &self.replacement);
        if location == url {
            return Flow::Continue;
        }
        redirect::answer(&request.method, &location, self.is_permanent)
    }

    fn phases(&self) -> Phases {
        Phases::Request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn check(method: &str, url: &str, is_permanent: bool, expected: Option<&str>) {
        let settings = config::dynamic::RedirectRegex {
            regex: "^http://([^/]+)/old(.*)".to_owned(),
            replacement: "https://${1}/new é$2".to_owned(),
            permanent: is_permanent,
        };
        let middleware = RedirectRegex::new(&settings).expect("a valid expression");
        let mut exchange = fixture::exchange(method, url);
        let answer = fixture::request_phase(&middleware, &mut exchange);
        assert_eq!(answer.map(fixture::told).as_deref(), expected, "{method} {url}");
    }

    #[test]
    fn matching_urls_are_redirected() {
        let location = "location: https://rx:81/new%20%C3%A9/%C3%A9?q=1";
        let url = "http://rx:81/old/%C3%A9?q=1";
        check("GET", url, false, Some(&format!("302\n{location}\nFound")));
        check("HEAD", url, false, Some(&format!("307\n{location}\nTemporary Redirect")));
        check("GET", url, true, Some(&format!("301\n{location}\nMoved Permanently")));
        check("POST", url, true, Some(&format!("308\n{location}\nPermanent Redirect")));
    }

    #[test]
    fn other_urls_pass() {
        check("GET", "http://rx/other", false, None);
        check("GET", "https://rx/old", false, None);
    }

    #[test]
    fn unchanged_urls_pass_and_broken_ones_answer_502() {
        let run = |replacement: &str| {
            let settings = config::dynamic::RedirectRegex {
                regex: "(.*)".to_owned(),
                replacement: replacement.to_owned(),
                permanent: false,
            };
            let middleware = RedirectRegex::new(&settings).expect("a valid expression");
            let mut exchange = fixture::exchange("GET", "http://h/a");
            fixture::request_phase(&middleware, &mut exchange).map(fixture::told)
        };
        assert_eq!(run("$1"), None);
        assert_eq!(run("http://a b/").as_deref(), Some("502\nBad Gateway"));
    }
}
