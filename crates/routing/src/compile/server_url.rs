//! Server URLs.

use std::net::{IpAddr, SocketAddr};

use http::Uri;

use crate::Scheme;

/// A server's URL, taken apart.
pub(crate) struct ServerUrl {
    pub(crate) scheme: Scheme,
    /// Without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Host and port as a Host header has them.
    pub(crate) authority: String,
    /// The escaped path.
    pub(crate) path: String,
}

impl ServerUrl {
    /// Takes a URL apart.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let failed = |why: &str| format!("error parsing server URL {url}: {why}");
        let uri: Uri = url.parse().map_err(|error| failed(&format!("parse {url:?}: {error}")))?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            Some("h2c") => Scheme::H2c,
            Some(other) => return Err(failed(&format!("unsupported protocol scheme {other:?}"))),
            None => return Err(failed("missing protocol scheme")),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| failed("no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let default_port = if scheme == Scheme::Https { 443 } else { 80 };
        let port = match uri.port() {
            None => default_port,
            Some(port) => {
                port.as_str().parse().map_err(|_| failed(&format!("invalid port {port:?}")))?
            }
        };
        let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_owned();
        Ok(Self { scheme, host, port, authority, path: uri.path().to_owned() })
    }

    /// The address, when the host is one already.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.host.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, self.port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: Option<(Scheme, &str, u16, &str)>) {
        let parsed = ServerUrl::parse(url).ok();
        let parsed = parsed.as_ref().map(|u| (u.scheme, u.host.as_str(), u.port, u.path.as_str()));
        assert_eq!(parsed, expected, "{url}");
    }

    #[test]
    fn urls_are_taken_apart() {
        check("http://a:81/x", Some((Scheme::Http, "a", 81, "/x")));
        check("https://a", Some((Scheme::Https, "a", 443, "/")));
        check("http://[::1]:8080", Some((Scheme::Http, "::1", 8080, "/")));
        check("h2c://a", Some((Scheme::H2c, "a", 80, "/")));
        check("ftp://a", None);
        check("a:80", None);
        check("", None);
    }
}
