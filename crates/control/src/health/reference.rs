//! Relative references (RFC 3986, section 5), as far as health checks and redirects need them.

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// `http`, `https` or `h2c`.
    pub(super) scheme: String,
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// Path and query as sent.
    pub(super) path_and_query: String,
}

impl Url {
    /// Reads an absolute URL.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let uri: http::Uri = text.parse().map_err(|error| format!("parse {text:?}: {error}"))?;
        let scheme = uri.scheme_str().ok_or_else(|| format!("parse {text:?}: no scheme"))?;
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(format!("parse {text:?}: no host"));
        }
        let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            scheme: scheme.to_ascii_lowercase(),
            host: host.to_owned(),
            port: uri.port_u16(),
            path_and_query: rooted(path_and_query),
        })
    }

    /// Follows a reference that may be absolute.
    pub(super) fn join(&self, reference: &str) -> Result<Self, String> {
        let reference = reference.split('#').next().unwrap_or_default();
        if has_scheme(reference) {
            return Self::parse(reference);
        }
        if reference.starts_with("//") {
            return Self::parse(&format!("{}:{reference}", self.scheme));
        }
        let (path, query) = split_query(reference);
        let (own_path, own_query) = split_query(&self.path_and_query);
        let (path, query) = match path {
            "" => (own_path.to_owned(), query.or(own_query)),
            _ if path.starts_with('/') => (without_dots(path), query),
            _ => {
                let folder = own_path.rsplit_once('/').map_or("", |(folder, _)| folder);
                (without_dots(&format!("{folder}/{path}")), query)
            }
        };
        let path_and_query = match query {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        Ok(Self { path_and_query, ..self.clone() })
    }

    /// The port to connect to.
    pub(super) fn effective_port(&self) -> u16 {
        self.port.unwrap_or(if self.scheme == "https" { 443 } else { 80 })
    }

    /// Host and port as a Host header has them.
    pub(super) fn authority(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }
}

/// Tells whether a reference names a scheme or a host.
pub(super) fn is_relative(reference: &str) -> bool {
    !has_scheme(reference) && !reference.starts_with("//")
}

fn has_scheme(reference: &str) -> bool {
    let Some((scheme, _)) = reference.split_once(':') else { return false };
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_allowed)
}

fn split_query(text: &str) -> (&str, Option<&str>) {
    match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    }
}

fn rooted(path_and_query: &str) -> String {
    if path_and_query.starts_with('/') {
        return path_and_query.to_owned();
    }
    format!("/{path_and_query}")
}

/// RFC 3986, section 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." if is_last => kept.push(""),
            "." => {}
            ".." => {
                kept.pop();
                if is_last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base: &str, reference: &str, expected: &str) {
        let joined = Url::parse(base)
            .and_then(|base| base.join(reference))
            .map(|url| format!("{}://{}{}", url.scheme, url.authority(), url.path_and_query));
        assert_eq!(joined.as_deref(), Ok(expected), "{base} + {reference}");
    }

    #[test]
    fn references_are_followed() {
        check("http://a:81", "/health", "http://a:81/health");
        check("http://a/base/x?q=1", "/h?y", "http://a/h?y");
        check("http://a/base/x", "h", "http://a/base/h");
        check("http://a/base/x", "?q", "http://a/base/x?q");
        check("http://a/base/x?q=1", "", "http://a/base/x?q=1");
        check("http://a/b/c/d", "../e/./f/..", "http://a/b/e/");
        check("http://a/b", "https://[::1]:8443/c#d", "https://[::1]:8443/c");
        check("https://a/b", "//c/d", "https://c/d");
    }

    #[test]
    fn absolute_references_are_recognised() {
        assert!(is_relative("/a:b"));
        assert!(is_relative("?u=http://x"));
        assert!(!is_relative("http://x/y"));
        assert!(!is_relative("//x/y"));
    }
}
