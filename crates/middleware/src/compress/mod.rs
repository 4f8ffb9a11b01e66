//! `compress`: compresses responses.
//!
//! Small bodies in memory are compressed in one go and keep a `Content-Length`; all others are
//! compressed while they pass, with bounded memory, and flushed so that events do not stall.

mod accept_encoding;
mod encoded_body;
mod encoder;
mod media_type;

use config::dynamic::Compress as Settings;
use exchange::{Body, Exchange, Flow, Memo, Middleware, Response};
use http::Method;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    HeaderMap, HeaderName, HeaderValue, VARY,
};

use self::accept_encoding::Negotiation;
use self::encoded_body::EncodedBody;
use self::encoder::{Encoder, Encoding};

pub(crate) struct Compress {
    negotiation: Negotiation,
    body_bytes_min: u64,
    types: Types,
}

/// Which content types are compressed.
enum Types {
    AllBut(Vec<String>),
    Only(Vec<String>),
}

/// What the response phase must know: the client takes part in the negotiation.
struct Chosen {
    /// `None` when caches must be told of the negotiation, but nothing is compressed.
    encoding: Option<Encoding>,
}

/// Bodies up to this are compressed in one go: about a millisecond of a worker's time.
const ONE_GO_BYTES_MAX: usize = 64 << 10;
const NO_GZIP: HeaderName = HeaderName::from_static("no-gzip-compression");

impl Compress {
    pub(crate) fn new(settings: &Settings) -> Result<Self, String> {
        let (excluded, included) =
            (&settings.excluded_content_types, &settings.included_content_types);
        if !excluded.is_empty() && !included.is_empty() {
            return Err(
                "excludedContentTypes and includedContentTypes options are mutually exclusive"
                    .to_owned(),
            );
        }
        let types = if included.is_empty() {
            let mut types = vec!["application/grpc".to_owned()];
            types.extend(media_type::read_list(excluded, "excluded")?);
            Types::AllBut(types)
        } else {
            Types::Only(media_type::read_list(included, "included")?)
        };
        Ok(Self {
            negotiation: Negotiation::new(&settings.encodings, &settings.default_encoding)?,
            body_bytes_min: match u64::try_from(settings.min_response_body_bytes) {
                Ok(0) | Err(_) => 1024,
                Ok(bytes) => bytes,
            },
            types,
        })
    }

    /// Tells whether a response may be compressed, whatever its size.
    fn accepts(&self, headers: &HeaderMap, encoding: Encoding) -> bool {
        let is_present = |name| headers.get(name).is_some_and(|value| !value.is_empty());
        // Traefik: brotli and zstd compress parts of a representation, which no client can put
        // together again.
        if is_present(CONTENT_ENCODING) || is_present(CONTENT_RANGE) {
            return false;
        }
        if encoding == Encoding::Gzip && headers.contains_key(NO_GZIP) {
            return false;
        }
        let content_type = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        if content_type.is_empty() {
            // Traefik: guesses from the body for gzip, and only then. Here nothing is guessed: what
            // has no type is on no list.
            return encoding != Encoding::Gzip || matches!(self.types, Types::AllBut(_));
        }
        let essence = std::str::from_utf8(content_type).ok().and_then(media_type::essence);
        let is_in = |list: &[String]| {
            essence.is_some_and(|essence| list.iter().any(|t| t.eq_ignore_ascii_case(essence)))
        };
        match &self.types {
            // A type that cannot be read is compressed by gzip only.
            Types::AllBut(types) => {
                !is_in(types) && (essence.is_some() || encoding == Encoding::Gzip)
            }
            Types::Only(types) => is_in(types),
        }
    }

    /// Tells whether a response is worth compressing. One of unknown length always is: it is sent
    /// on at once, piece by piece.
    fn is_large_enough(&self, response: &Response, encoding: Encoding) -> bool {
        match response.body.length() {
            None => true,
            Some(0) => false,
            Some(_) if encoding != Encoding::Gzip && is_event_stream(&response.headers) => true,
            Some(length) => length >= self.body_bytes_min,
        }
    }

    fn encode(&self, response: &mut Response, encoding: Encoding) {
        let body = match response.body.take() {
            // The length of an event stream is a guess about its future, even where it ended.
            Body::Full(bytes)
                if bytes.len() <= ONE_GO_BYTES_MAX && !is_event_stream(&response.headers) =>
            {
                match Encoder::encode(encoding, &bytes) {
                    Some(encoded) => Body::Full(encoded),
                    None => {
                        response.body = Body::Full(bytes);
                        return;
                    }
                }
            }
            body => {
                let is_eager = body.length().is_none() || is_event_stream(&response.headers);
                match Encoder::new(encoding, None) {
                    Ok(encoder) => EncodedBody::wrap(body, encoder, is_eager),
                    Err(error) => {
                        tracing::error!(%error, "starting to compress a response");
                        response.body = body;
                        return;
                    }
                }
            }
        };
        response.body = body;
        response.headers.remove(CONTENT_LENGTH);
        if encoding == Encoding::Gzip {
            response.headers.remove(ACCEPT_RANGES);
        }
        response.headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
}

impl Middleware for Compress {
    fn on_request(&self, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        let request = &exchange.request;
        if request.method == Method::HEAD {
            return Flow::Continue;
        }
        if let Types::AllBut(types) = &self.types
            && let Some(value) = request.headers.get(CONTENT_TYPE)
            && let Some(essence) = value.to_str().ok().and_then(media_type::essence)
            && types.iter().any(|excluded| excluded.eq_ignore_ascii_case(essence))
        {
            return Flow::Continue;
        }
        let choice = self.negotiation.choose(request.headers.get_all(ACCEPT_ENCODING));
        if let Some(chosen) = choice {
            // Allocates one byte, for exchanges whose response may change only.
            *memo = Some(Box::new(chosen));
        }
        Flow::Continue
    }

    fn on_response(&self, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        let chosen = memo.as_ref().and_then(|memo| memo.downcast_ref::<Chosen>());
        let response = &mut exchange.response;
        let Some(chosen) = chosen.filter(|_| response.upgrade.is_none()) else {
            return Flow::Continue;
        };
        tell_caches(&mut response.headers);
        if let Some(encoding) = chosen.encoding
            && self.accepts(&response.headers, encoding)
            && self.is_large_enough(response, encoding)
        {
            self.encode(response, encoding);
        }
        response.headers.remove(NO_GZIP);
        Flow::Continue
    }
}

/// Adds `Vary: Accept-Encoding`, in front of what the upstream varies by.
fn tell_caches(headers: &mut HeaderMap) {
    let others: Vec<_> = headers.get_all(VARY).iter().cloned().collect();
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    for other in others {
        headers.append(VARY, other);
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(media_type::essence)
        .is_some_and(|essence| essence.eq_ignore_ascii_case("text/event-stream"))
}

#[cfg(test)]
mod tests;
