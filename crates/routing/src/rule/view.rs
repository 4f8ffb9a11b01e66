//! hot path
//!
//! A request as matchers see it. Views are made for every request and asked by many rules, so what
//! costs something is computed when first asked for, and once.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::IpAddr;

use exchange::{Connection, Request};
use http::HeaderName;
use http::header::{CONNECTION, EXPECT, TE, UPGRADE};

use crate::rule::go_text;

/// The request as matchers see it.
pub struct View<'a> {
    request: &'a Request,
    connection: &'a Connection,
    routing_path: OnceCell<RoutingPath<'a>>,
    query: OnceCell<Vec<Parameter<'a>>>,
}

type Parameter<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

enum RoutingPath<'a> {
    /// The escaped path, which has no escapes.
    Same(&'a str),
    Decoded(String),
    /// Decoded to bytes that are not UTF-8; and to text for regular expressions.
    Bytes(Vec<u8>, String),
}

impl<'a> View<'a> {
    /// Makes the view of a request.
    pub fn new(request: &'a Request, connection: &'a Connection) -> Self {
        Self { request, connection, routing_path: OnceCell::new(), query: OnceCell::new() }
    }

    /// The method.
    pub fn method(&self) -> &'a str {
        self.request.method.as_str()
    }

    /// The host's canonical name: lower case, no port, no brackets, perhaps trailing dots.
    pub fn host(&self) -> &'a str {
        self.request.authority.name()
    }

    /// The host as the client wrote it, without the port. Keeps the brackets of an IPv6 address
    /// that no port follows, as Go's mux package does.
    pub fn raw_host(&self) -> &'a str {
        let text = self.request.authority.text();
        // Bytes that are not ASCII are in no header field that got here; the name covers it.
        let Ok(text) = text.to_str() else { return self.host() };
        let Some((host, _)) = text.rsplit_once(':') else { return text };
        match host.strip_prefix('[').and_then(|inside| inside.strip_suffix(']')) {
            Some(address) => address,
            None if host.contains([':', '[', ']']) => text,
            None => host,
        }
    }

    /// The client's address; IPv4 also when it came mapped to IPv6.
    pub fn client_ip(&self) -> IpAddr {
        self.connection.peer.ip().to_canonical()
    }

    /// The path rules are about: all escapes decoded, but those of characters that mean something
    /// in a URL, which are written `%2F`, in upper case. Not always UTF-8.
    pub fn routing_path(&self) -> &[u8] {
        match self.decoded_path() {
            RoutingPath::Same(path) => path.as_bytes(),
            RoutingPath::Decoded(path) => path.as_bytes(),
            RoutingPath::Bytes(path, _) => path,
        }
    }

    /// The routing path as text; bytes that are not UTF-8 count as one character each.
    pub fn routing_path_text(&self) -> &str {
        match self.decoded_path() {
            RoutingPath::Same(path) => path,
            RoutingPath::Decoded(path) | RoutingPath::Bytes(_, path) => path,
        }
    }

    fn decoded_path(&self) -> &RoutingPath<'a> {
        self.routing_path.get_or_init(|| {
            let escaped = self.request.path();
            if !escaped.contains('%') {
                return RoutingPath::Same(escaped);
            }
            // Allocates: once for a request whose path has escapes.
            match String::from_utf8(decode(escaped.as_bytes(), is_reserved)) {
                Ok(path) => RoutingPath::Decoded(path),
                Err(error) => {
                    let bytes = error.into_bytes();
                    let text = go_text::readable(&bytes).into_owned();
                    RoutingPath::Bytes(bytes, text)
                }
            }
        })
    }

    /// The values of a query parameter, in order.
    pub(crate) fn query_values(&self, name: &[u8]) -> impl Iterator<Item = &[u8]> {
        // Allocates: once for a request that meets a matcher of the query.
        let parameters =
            self.query.get_or_init(|| self.request.query().map(parse_query).unwrap_or_default());
        parameters.iter().filter(move |(key, _)| **key == *name).map(|(_, value)| &**value)
    }

    /// The values of a header field, in order. Facts of the connection that Traefik still has among
    /// the fields when it routes count as fields.
    pub(crate) fn header_values(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        let request = self.request;
        let fact: Option<&[u8]> = if *name == UPGRADE {
            request.upgrade.as_ref().map(http::HeaderValue::as_bytes)
        } else if *name == CONNECTION {
            request.upgrade.as_ref().map(|_| b"Upgrade".as_slice())
        } else if *name == TE {
            request.accepts_trailers.then_some(b"trailers".as_slice())
        } else if *name == EXPECT {
            request.expects_continue.then_some(b"100-continue".as_slice())
        } else {
            None
        };
        let fields = request.headers.get_all(name).iter().map(http::HeaderValue::as_bytes);
        fact.into_iter().chain(fields)
    }
}

/// Parses a query as Go does after Traefik turned `;` into `&`: a parameter with a bad escape is
/// left out, and of too many parameters none is seen.
fn parse_query(query: &str) -> Vec<Parameter<'_>> {
    let is_separator = |byte: &u8| matches!(byte, b'&' | b';');
    let query = query.as_bytes();
    if query.iter().filter(|byte| is_separator(byte)).count() >= PARAMETERS_MAX {
        return Vec::new();
    }
    query
        .split(is_separator)
        .filter(|part| !part.is_empty())
        .filter_map(|part| {
            let (key, value) = match part.iter().position(|byte| *byte == b'=') {
                Some(at) => (&part[..at], &part[at + 1..]),
                None => (part, &b""[..]),
            };
            Some((decode_parameter(key)?, decode_parameter(value)?))
        })
        .collect()
}

fn decode_parameter(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let is_valid =
        text.iter().enumerate().all(|(at, byte)| *byte != b'%' || escape(text, at).is_some());
    let spaced: Vec<u8> =
        text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    is_valid.then(|| Cow::Owned(decode(&spaced, |_| false)))
}

/// Decodes escapes but of the characters to keep. What is no escape stays.
fn decode(text: &[u8], keeps: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match (byte == b'%').then(|| escape(text, at)).flatten() {
            Some(value) if keeps(value) => {
                decoded.extend(text[at..at + 3].iter().map(u8::to_ascii_uppercase));
                at += 3;
            }
            Some(value) => {
                decoded.push(value);
                at += 3;
            }
            None => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

/// The value of the escape that begins at a percent sign.
fn escape(text: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    Some((digit(at + 1)? << 4 | digit(at + 2)?) as u8)
}

/// RFC 3986 section 2.2, and the percent sign itself.
fn is_reserved(byte: u8) -> bool {
    b":/?#[]@!$&'()*+,;=%".contains(&byte)
}

/// Go's `net/url` refuses more.
const PARAMETERS_MAX: usize = 10_000;
