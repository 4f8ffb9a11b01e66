//! URLs as Go's `net/url` reads, resolves and writes them: what `Location` headers need.

use crate::url_path;

/// A URL or a relative reference, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    /// In lower case; empty for relative references.
    pub(crate) scheme: String,
    /// User and password as written, without the `@`.
    pub(crate) user: Option<String>,
    /// Host and port, escaped.
    pub(crate) host: String,
    /// What follows a scheme without a slash, as in `mailto:a@b`.
    opaque: Option<String>,
    /// Escaped.
    pub(crate) path: String,
    /// As written, without the question mark.
    pub(crate) query: Option<String>,
    fragment: Option<String>,
}

impl Url {
    /// Reads a URL or a relative reference.
    ///
    /// # Errors
    /// When Go's `url.Parse` would refuse it; the text says why.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |reason: &str| format!("parse {text:?}: {reason}");
        let (rest, fragment) = match text.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (text, None),
        };
        if rest.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(wrong("net/url: invalid control character in URL"));
        }
        if let Some(fragment) = fragment {
            url_path::decode(fragment).map_err(|error| wrong(&error))?;
        }
        let (scheme, rest) = split_scheme(rest).ok_or_else(|| wrong("missing protocol scheme"))?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        let mut url = Self {
            scheme: scheme.to_ascii_lowercase(),
            user: None,
            host: String::new(),
            opaque: None,
            path: String::new(),
            query,
            fragment: fragment.filter(|fragment| !fragment.is_empty()).map(escape_fragment),
        };
        let mut path = rest;
        if !rest.starts_with('/') {
            if !scheme.is_empty() {
                url.opaque = Some(rest.to_owned());
                return Ok(url);
            }
            if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
                return Err(wrong("first path segment in URL cannot contain colon"));
            }
        }
        if let Some(after) = rest.strip_prefix("//")
            && (!scheme.is_empty() || !rest.starts_with("///"))
        {
            let slash = after.find('/').unwrap_or(after.len());
            let (authority, after) = after.split_at(slash);
            path = after;
            let host = match authority.rsplit_once('@') {
                Some((user, host)) => {
                    url.user = Some(user.to_owned());
                    host
                }
                None => authority,
            };
            url.host = read_host(host).map_err(|error| wrong(&error))?;
        }
        let decoded = url_path::decode(path).map_err(|error| wrong(&error))?;
        url.path = url_path::written(path, &decoded);
        Ok(url)
    }

    /// Resolves a reference against this URL as RFC 3986, section 5.2, says. User and password of
    /// this URL are left out (Traefik: tells them).
    pub(crate) fn resolve(&self, reference: &Self) -> Self {
        let mut url = reference.clone();
        if reference.scheme.is_empty() {
            url.scheme.clone_from(&self.scheme);
        }
        let is_absolute =
            !reference.scheme.is_empty() || !reference.host.is_empty() || reference.user.is_some();
        if is_absolute || reference.opaque.is_some() {
            url.path = without_dot_segments(&reference.path);
            return url;
        }
        if reference.path.is_empty() && reference.query.as_ref().is_none_or(String::is_empty) {
            url.query.clone_from(&self.query);
        }
        url.host.clone_from(&self.host);
        let full = if reference.path.is_empty() {
            self.path.clone()
        } else if reference.path.starts_with('/') {
            reference.path.clone()
        } else {
            let folder = self.path.rfind('/').map_or("", |slash| &self.path[..=slash]);
            format!("{folder}{}", reference.path)
        };
        url.path = without_dot_segments(&full);
        url
    }

    /// Path and query as a request line carries them.
    pub(crate) fn request_target(&self) -> String {
        let slash = if self.path.starts_with('/') { "" } else { "/" };
        match &self.query {
            None => format!("{slash}{}", self.path),
            Some(query) => format!("{slash}{}?{query}", self.path),
        }
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.scheme.is_empty() {
            write!(formatter, "{}:", self.scheme)?;
        }
        if let Some(opaque) = &self.opaque {
            formatter.write_str(opaque)?;
        } else {
            if !self.scheme.is_empty() || !self.host.is_empty() || self.user.is_some() {
                if !self.host.is_empty() || !self.path.is_empty() || self.user.is_some() {
                    formatter.write_str("//")?;
                }
                if let Some(user) = &self.user {
                    write!(formatter, "{user}@")?;
                }
                formatter.write_str(&self.host)?;
            }
            if !self.path.is_empty() && !self.path.starts_with('/') && !self.host.is_empty() {
                formatter.write_str("/")?;
            }
            formatter.write_str(&self.path)?;
        }
        if let Some(query) = &self.query {
            write!(formatter, "?{query}")?;
        }
        if let Some(fragment) = &self.fragment {
            write!(formatter, "#{fragment}")?;
        }
        Ok(())
    }
}

/// Splits `scheme:` off; an empty scheme when there is none. `None` for a leading colon.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at > 0 => return Some((&text[..at], &text[at + 1..])),
            b':' => return None,
            _ => break,
        }
    }
    Some(("", text))
}

/// Checks a host with its port and escapes what is not ASCII.
fn read_host(host: &str) -> Result<String, String> {
    let port = match host.rfind(']') {
        Some(bracket) if host.starts_with('[') => &host[bracket + 1..],
        _ if host.starts_with('[') => return Err("missing ']' in host".to_owned()),
        _ => host.rfind(':').map_or("", |colon| &host[colon..]),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    if (port.len() == digits.len() && !port.is_empty())
        || !digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Err(format!("invalid port {port:?} after host"));
    }
    if let Some(bad) = host.chars().find(|c| {
        c.is_ascii() && !c.is_ascii_alphanumeric() && !"-_.~!$&'()*+,;=:[]<>\"%".contains(*c)
    }) {
        return Err(format!("invalid character {:?} in host name", bad.to_string()));
    }
    url_path::decode(host)?;
    let mut escaped = String::with_capacity(host.len());
    for character in host.chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            escaped.push_str(&url_path::escape(character.encode_utf8(&mut [0; 4]).as_bytes()));
        }
    }
    Ok(escaped)
}

fn escape_fragment(fragment: &str) -> String {
    let mut escaped = String::with_capacity(fragment.len());
    for character in fragment.chars() {
        if character.is_ascii_graphic() && !"\"<>\\^`{|}".contains(character) {
            escaped.push(character);
        } else {
            let mut buffer = [0; 4];
            escaped.push_str(&url_path::escape(character.encode_utf8(&mut buffer).as_bytes()));
        }
    }
    escaped
}

/// RFC 3986, section 5.2.4, with one leading slash. Empty segments stay.
fn without_dot_segments(path: &str) -> String {
    if path.is_empty() {
        return String::new();
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_in_dots = false;
    for (index, segment) in path.split('/').enumerate() {
        ends_in_dots = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            "" if index == 0 => {}
            _ => kept.push(segment),
        }
    }
    let mut result = String::with_capacity(path.len() + 1);
    result.push('/');
    result.push_str(kept.join("/").trim_start_matches('/'));
    if ends_in_dots && !result.ends_with('/') {
        result.push('/');
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let written = Url::parse(text).ok().map(|url| url.to_string());
        assert_eq!(written.as_deref(), expected, "writing {text}");
    }

    #[test]
    fn urls_are_written_with_their_paths_escaped() {
        check("https://rs:8443/a'b\"c<", Some("https://rs:8443/a%27b%22c%3C"));
        check("https://rx/new é/%C3%A9?q=1", Some("https://rx/new%20%C3%A9/%C3%A9?q=1"));
        check("HTTP://h?a=b c", Some("http://h?a=b c"));
        check("https://h$x:8080/a#f g", Some("https://h$x:8080/a#f%20g"));
        check("rel/x?y", Some("rel/x?y"));
        check("//host/x", Some("//host/x"));
        check("mailto:a@b", Some("mailto:a@b"));
        check("http://us:pw@[::1]:80/", Some("http://us:pw@[::1]:80/"));
        check("", Some(""));
    }

    #[test]
    fn what_go_refuses_is_refused() {
        check("http://h/%zz", None);
        check("http://a b/", None);
        check("http://h:port/", None);
        check("http://[::1/", None);
        check(":x", None);
        check("a:b/\n", None);
        check("1a:b", None);
    }

    fn check_resolved(base: &str, reference: &str, expected: &str) {
        let base = Url::parse(base).expect("valid base");
        let reference = Url::parse(reference).expect("valid reference");
        assert_eq!(base.resolve(&reference).to_string(), expected);
    }

    #[test]
    fn references_resolve_against_the_base() {
        check_resolved("http://h/d/st/302", "rel/x?y", "http://h/d/st/rel/x?y");
        check_resolved("http://h/d/e?q", "/x", "http://h/x");
        check_resolved("http://h/d/e", "../y/./z/..", "http://h/y/");
        check_resolved("http://h/d?q", "", "http://h/d?q");
        check_resolved("http://h/d", "https://other/a/../b", "https://other/b");
        check_resolved("http://h", "x", "http://h/x");
        check_resolved("https://h/a", "//other/x", "https://other/x");
        check_resolved("http://us:pw@h/d", "x", "http://h/x");
    }
}
