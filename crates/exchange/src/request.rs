//! A request in its one canonical form.

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Version};

use crate::Body;

/// A request as router, middlewares, log and upstream all see it.
///
/// `headers` holds no `Host`, no framing and no hop-by-hop fields: those are facts of a
/// connection, not of the request.
pub struct Request {
    pub method: Method,
    /// Path and query, escaped, after normalisation. Changed by path middlewares.
    pub target: PathAndQuery,
    /// Host and port as the client wrote them, and the host's canonical name.
    pub authority: Authority,
    pub version: Version,
    pub headers: HeaderMap,
    pub body: Body,
    /// The protocol of an `Upgrade` request, such as `websocket`, as the client wrote it.
    pub upgrade: Option<HeaderValue>,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// Whether the client said `TE: trailers`.
    pub accepts_trailers: bool,
    /// A path middleware left nothing of the path. It is sent as `/`, but a prefix put before it
    /// stands alone: `/v1`, not `/v1/`.
    pub has_empty_path: bool,
}

impl Request {
    /// Makes a request without body or headers.
    pub fn new(method: Method, target: PathAndQuery, authority: Authority) -> Self {
        Self {
            method,
            target,
            authority,
            version: Version::HTTP_11,
            headers: HeaderMap::new(),
            body: Body::Empty,
            upgrade: None,
            expects_continue: false,
            accepts_trailers: false,
            has_empty_path: false,
        }
    }

    /// The escaped path.
    pub fn path(&self) -> &str {
        self.target.path()
    }

    /// The query without its question mark.
    pub fn query(&self) -> Option<&str> {
        self.target.query()
    }

    /// Replaces the escaped path and keeps the query.
    ///
    /// # Errors
    /// When `path` has bytes that no request target may have.
    pub fn replace_path(&mut self, path: &str) -> Result<(), http::uri::InvalidUri> {
        let is_empty = path.is_empty();
        let path = if is_empty { "/" } else { path };
        self.target = match self.target.query() {
            None => PathAndQuery::try_from(path)?,
            Some(query) => PathAndQuery::try_from(format!("{path}?{query}"))?,
        };
        self.has_empty_path = is_empty;
        Ok(())
    }

    /// Copies everything but the body.
    #[must_use]
    pub fn clone_head(&self) -> Self {
        Self {
            method: self.method.clone(),
            target: self.target.clone(),
            authority: self.authority.clone(),
            version: self.version,
            headers: self.headers.clone(),
            body: Body::Empty,
            upgrade: self.upgrade.clone(),
            expects_continue: self.expects_continue,
            accepts_trailers: self.accepts_trailers,
            has_empty_path: self.has_empty_path,
        }
    }
}

/// The host a request is for.
#[derive(Clone, Debug)]
pub struct Authority {
    text: HeaderValue,
    /// Where the canonical name stands in `text`, unless `lowered` holds it.
    name: (u16, u16),
    lowered: Option<Box<str>>,
    /// Where the port stands in `text`; empty: there is none.
    port: (u16, u16),
}

impl Authority {
    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port` as Traefik does: surrounding space, port
    /// and brackets do not belong to the name, letters count as lower case. Never fails; what
    /// cannot be read is its own name.
    pub fn new(text: HeaderValue) -> Self {
        let bytes = text.as_bytes();
        // Nearly all are a plain name, or one with a port: read in one pass.
        let plain = bytes.iter().position(|byte| !is_plain(*byte)).unwrap_or(bytes.len());
        if let (Ok(plain), Ok(length)) = (u16::try_from(plain), u16::try_from(bytes.len())) {
            let is_port = |port: &[u8]| port.iter().all(u8::is_ascii_digit);
            match &bytes[usize::from(plain)..] {
                [] => {
                    return Self { text, name: (0, plain), lowered: None, port: (0, 0) };
                }
                [b':', port @ ..] if is_port(port) => {
                    let port = (plain + 1, length);
                    return Self { text, name: (0, plain), lowered: None, port };
                }
                _ => {}
            }
        }
        Self::read(text)
    }

    /// Reads what is not plain.
    fn read(text: HeaderValue) -> Self {
        let bytes = text.as_bytes();
        let trimmed = bytes.trim_ascii();
        let lead = bytes.len() - bytes.trim_ascii_start().len();
        let (start, end) = name_range(trimmed);
        let (start, end) = (start + lead, end + lead);
        let name = &bytes[start..end];
        let plain = name.iter().all(|b| b.is_ascii() && !b.is_ascii_uppercase());
        let lowered = if plain && end <= usize::from(u16::MAX) {
            None
        } else {
            Some(String::from_utf8_lossy(name).to_ascii_lowercase().into_boxed_str())
        };
        let name = if lowered.is_some() { (0, 0) } else { (start as u16, end as u16) };
        let port = find_port(&text).unwrap_or_default();
        Self { text, name, lowered, port }
    }

    /// What the client wrote.
    pub fn text(&self) -> &HeaderValue {
        &self.text
    }

    /// The canonical name: lower case, no port, no brackets.
    pub fn name(&self) -> &str {
        if let Some(lowered) = &self.lowered {
            return lowered;
        }
        let (start, end) = self.name;
        let bytes: &[u8] = self.text.as_ref();
        let name = bytes.get(usize::from(start)..usize::from(end)).unwrap_or_default();
        std::str::from_utf8(name).unwrap_or_default()
    }

    /// The port the client wrote, if any.
    pub fn port(&self) -> Option<&str> {
        let (start, end) = self.port;
        if start == end {
            return None;
        }
        let bytes: &[u8] = self.text.as_ref();
        std::str::from_utf8(bytes.get(usize::from(start)..usize::from(end))?).ok()
    }
}

/// What a name in canonical form is made of, nearly always.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
}

/// Where the port stands in `text`.
fn find_port(text: &HeaderValue) -> Option<(u16, u16)> {
    let text = text.to_str().ok()?;
    let trimmed = text.trim();
    let after = match trimmed.rfind(']') {
        Some(bracket) => trimmed[bracket + 1..].strip_prefix(':')?,
        None => trimmed.split_once(':')?.1,
    };
    if after.is_empty() || !after.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let end = text.trim_end().len();
    Some((u16::try_from(end - after.len()).ok()?, u16::try_from(end).ok()?))
}

fn name_range(bytes: &[u8]) -> (usize, usize) {
    if bytes.first() == Some(&b'[') {
        if let Some(close) = bytes.iter().position(|b| *b == b']') {
            return (1, close);
        }
        return (0, bytes.len());
    }
    let mut colons = bytes.iter().enumerate().filter(|(_, b)| **b == b':').map(|(at, _)| at);
    match (colons.next(), colons.next()) {
        (Some(colon), None) => (0, colon),
        // None: no port. Two or more: an IPv6 address without brackets.
        _ => (0, bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &'static str, name: &str, port: Option<&str>) {
        let authority = Authority::new(HeaderValue::from_static(text));
        assert_eq!(authority.name(), name, "name of {text}");
        assert_eq!(authority.port(), port, "port of {text}");
        assert_eq!(authority.text(), text);
    }

    #[test]
    fn names_are_lower_case_without_port_and_brackets() {
        check("example.org", "example.org", None);
        check("Example.ORG:8080", "example.org", Some("8080"));
        check("[::1]:80", "::1", Some("80"));
        check("[FE80::1]", "fe80::1", None);
        check("::1", "::1", None);
        check("", "", None);
        check("example.org.", "example.org.", None);
        check("example.org:", "example.org", None);
        check("example.org:80:90", "example.org:80:90", None);
        check("example.org:8x", "example.org", None);
        check(" Example.org:81 ", "example.org", Some("81"));
        check("a_b:80", "a_b", Some("80"));
        check("[::1]:81", "::1", Some("81"));
        check("[::1", "[::1", None);
    }
}
