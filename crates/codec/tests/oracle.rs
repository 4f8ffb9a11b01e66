//! hyper's server as an oracle: what both accept is read alike, and what only hyper accepts is
//! refused for a reason that stands in a list.

mod near_valid;

use std::cell::RefCell;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use codec::{BodyError, BodyLength, ChunkedDecoder, Decoded, HeadError, HeadReader, Limits};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[derive(Clone, Debug, PartialEq)]
struct Seen {
    method: String,
    target: String,
    host: Option<Vec<u8>>,
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// The fields but for those whose meaning our heads tell otherwise.
fn field_list(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let is_told =
        |name: &str| matches!(name, "host" | "content-length" | "transfer-encoding" | "connection");
    headers
        .iter()
        .filter(|(name, _)| !is_told(name.as_str()))
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect()
}

/// The requests that hyper reads, up to the first that it refuses or whose body it refuses.
fn read_by_hyper(input: &[u8]) -> Vec<Seen> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let seen = Rc::new(RefCell::new(Vec::new()));
    let service = {
        let seen = Rc::clone(&seen);
        service_fn(move |request: Request<Incoming>| {
            let seen = Rc::clone(&seen);
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await?;
                seen.borrow_mut().push(Seen {
                    method: parts.method.to_string(),
                    target: parts.uri.to_string(),
                    host: parts.headers.get("host").map(|host| host.as_bytes().to_vec()),
                    fields: field_list(&parts.headers),
                    body: body.to_bytes().to_vec(),
                });
                Ok::<_, hyper::Error>(Response::new(Empty::<Bytes>::new()))
            }
        })
    };
    runtime.block_on(async {
        let (mut client, server) = tokio::io::duplex(64 << 10);
        let connection = hyper::server::conn::http1::Builder::new()
            .half_close(true)
            .serve_connection(TokioIo::new(server), service);
        let exchange = async {
            client.write_all(input).await.ok();
            client.shutdown().await.ok();
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.ok();
        };
        let (_, ()) = tokio::join!(connection, exchange);
    });
    seen.take()
}

/// Why we read no further request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stop {
    Head(HeadError),
    Body(BodyError),
    /// The input ended, between requests or in one.
    InputEnded,
    /// The client asked for it.
    Close,
}

fn read_by_us(input: &[u8]) -> (Vec<Seen>, Stop) {
    let limits = Limits::default();
    let mut reader = HeadReader::new(limits);
    let mut buffer = BytesMut::from(input);
    let mut seen = Vec::new();
    loop {
        let head = match reader.read_request(&mut buffer, HeaderMap::new()) {
            Ok(Some(head)) => head,
            Ok(None) => return (seen, Stop::InputEnded),
            Err(error) => return (seen, Stop::Head(error)),
        };
        let body = match read_body(&limits, head.body, &mut buffer) {
            Ok(body) => body,
            Err(stop) => return (seen, stop),
        };
        seen.push(Seen {
            method: head.method.to_string(),
            target: String::from_utf8_lossy(&head.target).into_owned(),
            host: head.host.map(|host| host.as_bytes().to_vec()),
            fields: field_list(&head.headers),
            body,
        });
        if !head.keep_alive {
            return (seen, Stop::Close);
        }
    }
}

fn read_body(limits: &Limits, body: BodyLength, buffer: &mut BytesMut) -> Result<Vec<u8>, Stop> {
    match body {
        BodyLength::Fixed(length) if length <= buffer.len() as u64 => {
            Ok(buffer.split_to(length as usize).to_vec())
        }
        BodyLength::Fixed(_) => Err(Stop::InputEnded),
        BodyLength::Chunked => read_chunks(limits, buffer),
        BodyLength::None | BodyLength::UntilClose => Ok(Vec::new()),
    }
}

fn read_chunks(limits: &Limits, buffer: &mut BytesMut) -> Result<Vec<u8>, Stop> {
    let mut decoder = ChunkedDecoder::new(limits);
    let mut body = Vec::new();
    loop {
        match decoder.decode(buffer).map_err(Stop::Body)? {
            Decoded::Data(data) => body.extend_from_slice(&data),
            Decoded::NeedMore => return Err(Stop::InputEnded),
            Decoded::End(_) => return Ok(body),
        }
    }
}

/// Why we are stricter than hyper, on purpose.
fn is_stricter_on_purpose(stop: Stop) -> bool {
    use HeadError::*;
    match stop {
        Stop::Head(error) => matches!(
            error,
            // RFC 9112, 2.2 allows, and attacks use, lines that end in LF.
            BareLineFeed
                // hyper leaves Host to the service.
                | MissingHost
                | RepeatedHost
                | InvalidHost
                // hyper takes equal lengths, and lets Transfer-Encoding win over any
                // Content-Length.
                | RepeatedContentLength
                | InvalidContentLength
                | ContentLengthWithTransferEncoding
                // hyper looks at the last coding only.
                | InvalidTransferEncoding
                // hyper drops fragments and leaves the forms of the target to the service.
                | InvalidTarget
                | UnsupportedExpectation
                // hyper takes any number.
                | TooManyEmptyLines
        ),
        // hyper takes white space after a size, bare LF in some places and anything in extensions.
        Stop::Body(error) => matches!(
            error,
            BodyError::InvalidChunkSize
                | BodyError::InvalidChunkExtension
                | BodyError::MissingChunkEnd
                | BodyError::InvalidTrailer(_)
        ),
        Stop::InputEnded | Stop::Close => false,
    }
}

/// hyper shows absolute-form with a path even if it has none.
fn normalised(mut seen: Seen) -> Seen {
    if !seen.target.starts_with('/')
        && let Ok(uri) = seen.target.parse::<http::Uri>()
    {
        seen.target = uri.to_string();
    }
    seen
}

fn check(input: &[u8]) -> Result<(), TestCaseError> {
    let theirs = read_by_hyper(input);
    let (ours, stop) = read_by_us(input);
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let (ours, theirs) = (normalised(ours.clone()), normalised(theirs.clone()));
        prop_assert_eq!(ours, theirs, "{}", input.escape_ascii());
    }
    prop_assert!(
        theirs.len() <= ours.len() || is_stricter_on_purpose(stop),
        "only hyper serves it, we say {:?}: {}",
        stop,
        input.escape_ascii()
    );
    Ok(())
}

#[test]
fn the_oracle_sees_what_is_sent() {
    let input =
        b"POST /a?b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let two = [&input[..], b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
    let seen = read_by_hyper(&two);
    let lines: Vec<_> = seen
        .iter()
        .map(|seen| (seen.method.as_str(), seen.target.as_str(), &seen.body[..]))
        .collect();
    assert_eq!(lines, [("POST", "/a?b", &b"abc"[..]), ("GET", "/", &b""[..])]);
    assert_eq!(read_by_us(&two), (seen, Stop::InputEnded));
}

proptest! {
    // The seed is fixed, because what others think of a request is not ours to promise.
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(9112),
        ..ProptestConfig::with_cases(10_000)
    })]

    #[test]
    fn what_both_accept_is_read_alike(input in near_valid::requests()) {
        check(&input)?;
    }
}
