//! `redirectScheme`: redirects to another scheme.

use exchange::{Exchange, Flow, Memo, Middleware, Phases, Request};

use crate::header_names::X_FORWARDED_PROTO;
use crate::redirect;

pub(crate) struct RedirectScheme {
    scheme: String,
    /// With its colon; empty for the scheme's own port.
    port: String,
    is_permanent: bool,
}

impl RedirectScheme {
    pub(crate) fn new(settings: &config::dynamic::RedirectScheme) -> Result<Self, String> {
        let (scheme, port) = (settings.scheme.as_str(), settings.port.as_str());
        if scheme.is_empty() {
            return Err("you must provide a target scheme".to_owned());
        }
        let is_default = matches!((scheme, port), (_, "") | ("http", "80") | ("https", "443"));
        Ok(Self {
            scheme: scheme.to_owned(),
            port: if is_default { String::new() } else { format!(":{port}") },
            is_permanent: settings.permanent,
        })
    }
}

impl Middleware for RedirectScheme {
    fn on_request(&self, exchange: &mut Exchange, _memo: &mut Memo) -> Flow {
        let request = &exchange.request;
        let scheme = client_scheme(request, exchange.connection.is_tls());
        let host = String::from_utf8_lossy(request.authority.text().as_bytes());
        let (name, port) = split_port(&host);
        let port = match (scheme, port) {
            ("http", ":80") | ("https", ":443") => "",
            (_, port) => port,
        };
        if scheme == self.scheme && port == self.port {
            return Flow::Continue;
        }
        let rest = format!("{name}{port}{}", request.target.as_str());
        let (host, rest) = rest.split_at(host_length(&rest));
        let rest = &rest[port_length(rest)..];
        let location = format!("{}://{host}{}{rest}", self.scheme, self.port);
        redirect::answer(&request.method, &location, self.is_permanent)
    }

    fn phases(&self) -> Phases {
        Phases::Request
    }
}

/// Gives the scheme the client used. A trusted `X-Forwarded-Proto` overrules the connection; that
/// of an upgrade may be `ws` or `wss`.
fn client_scheme(request: &Request, is_tls: bool) -> &'static str {
    let told = request.headers.get(X_FORWARDED_PROTO).map_or(&b""[..], |value| value.as_bytes());
    if told.eq_ignore_ascii_case(b"http") || told.eq_ignore_ascii_case(b"ws") {
        "http"
    } else if told.eq_ignore_ascii_case(b"https") || told.eq_ignore_ascii_case(b"wss") || is_tls {
        "https"
    } else {
        "http"
    }
}

/// Splits `host:port` as Go's `net.SplitHostPort` does, keeping colon and brackets where they
/// belong; what it cannot split is all host.
fn split_port(host: &str) -> (&str, &str) {
    match host.rfind(':') {
        // Traefik: brackets get lost when an IPv6 address has a port, which makes a broken
        // `Location`. They stay here.
        Some(colon) if host.starts_with('[') && host[..colon].ends_with(']') => {
            host.split_at(colon)
        }
        Some(colon) if !host[..colon].contains([':', '[']) => host.split_at(colon),
        _ => (host, ""),
    }
}

/// Length of the host at the beginning: `[…]` or letters, digits, `.`, `_`, `-`.
fn host_length(text: &str) -> usize {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    if let Some(inside) = text.strip_prefix('[') {
        let length = inside.bytes().take_while(|byte| is_word(*byte) || *byte == b':').count();
        let is_closed = length > 0 && inside.as_bytes().get(length) == Some(&b']');
        return if is_closed { length + 2 } else { 0 };
    }
    text.bytes().take_while(|byte| is_word(*byte) || *byte == b'-').count()
}

fn port_length(text: &str) -> usize {
    let Some(digits) = text.strip_prefix(':') else { return 0 };
    match digits.bytes().take_while(u8::is_ascii_digit).count() {
        0 => 0,
        count => count + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn run(settings: (&str, &str, bool), method: &str, url: &str, proto: &str) -> Option<String> {
        let (scheme, port, permanent) = settings;
        let settings = config::dynamic::RedirectScheme {
            scheme: scheme.to_owned(),
            port: port.to_owned(),
            permanent,
        };
        let middleware = RedirectScheme::new(&settings).expect("valid settings");
        let mut exchange = fixture::exchange(method, url);
        exchange.request.headers = fixture::headers(&[("X-Forwarded-Proto", proto)]);
        fixture::request_phase(&middleware, &mut exchange).map(fixture::told)
    }

    fn check(settings: (&str, &str), url: &str, proto: &str, location: Option<&str>) {
        let expected = location.map(|location| format!("302\nlocation: {location}\nFound"));
        assert_eq!(run((settings.0, settings.1, false), "GET", url, proto), expected, "{url}");
    }

    #[test]
    fn other_schemes_are_redirected_with_the_chosen_port() {
        check(("https", ""), "http://h/a%20b?x", "http", Some("https://h/a%20b?x"));
        check(("https", "8443"), "http://h:80/a", "http", Some("https://h:8443/a"));
        check(("https", "443"), "http://h:8080/a", "http", Some("https://h/a"));
        check(("http", "80"), "https://h/a", "https", Some("http://h/a"));
        check(("https", ""), "http://h$x:8080/a", "http", Some("https://h$x:8080/a"));
        check(("https", ""), "http://[::1]:8080/a", "http", Some("https://[::1]/a"));
    }

    #[test]
    fn the_chosen_scheme_and_port_pass() {
        check(("https", ""), "https://h/a", "https", None);
        check(("https", ""), "https://h:443/a", "wss", None);
        check(("https", "8443"), "https://h:8443/a", "https", None);
    }

    #[test]
    fn what_the_forwarding_header_says_overrules_the_connection() {
        check(("https", ""), "http://h/a", "https", None);
        check(("https", ""), "https://h/a", "http", Some("https://h/a"));
        check(("https", ""), "http://h/a", "WSS", None);
        check(("https", ""), "https://h/a", "gopher", None);
    }

    #[test]
    fn statuses_follow_permanence_and_method() {
        let status = |method, permanent| {
            let told = run(("https", "", permanent), method, "http://h/", "http");
            told.map(|told| told[..3].to_owned())
        };
        assert_eq!(status("GET", true).as_deref(), Some("301"));
        assert_eq!(status("HEAD", true).as_deref(), Some("308"));
        assert_eq!(status("POST", false).as_deref(), Some("307"));
    }

    #[test]
    fn a_missing_scheme_is_refused() {
        let error = RedirectScheme::new(&config::dynamic::RedirectScheme::default()).err();
        assert_eq!(error.as_deref(), Some("you must provide a target scheme"));
    }
}
