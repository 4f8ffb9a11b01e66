use std::future::poll_fn;
use std::io::Read;
use std::task::Poll;

use exchange::{BodyError, Frame};

use super::*;
use crate::fixture::{self, Script, Step};

const BIG: &str = include_str!("mod.rs");

fn settings() -> Settings {
    Settings::default()
}

/// Lets `response` pass for a client that accepts `accept`.
fn run(
    settings: &Settings,
    method: &str,
    request: &[(&'static str, &str)],
    response: Response,
) -> Response {
    let middleware = Compress::new(settings).expect("valid settings");
    let mut exchange = fixture::exchange(method, "http://h/");
    exchange.request.headers = fixture::headers(request);
    let mut memo = None;
    assert!(matches!(middleware.on_request(&mut exchange, &mut memo), Flow::Continue));
    exchange.response = response;
    assert!(matches!(middleware.on_response(&mut exchange, &mut memo), Flow::Continue));
    exchange.response
}

fn accept(response: Response, accept: &str) -> Response {
    run(&settings(), "GET", &[("Accept-Encoding", accept)], response)
}

fn decode(encoding: &str, bytes: &[u8]) -> String {
    let mut text = String::new();
    match encoding {
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_string(&mut text),
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_string(&mut text),
        "zstd" => {
            zstd::stream::read::Decoder::new(bytes).expect("a decoder").read_to_string(&mut text)
        }
        other => panic!("no encoding {other}"),
    }
    .expect("a whole encoded text");
    text
}

#[track_caller]
fn check_encoded(encoding: &str, response: Response, expected: &str) {
    let sent = accept(response, encoding);
    assert_eq!(sent.headers.get(CONTENT_ENCODING).map(|v| v.as_bytes()), Some(encoding.as_bytes()));
    assert_eq!(sent.headers.get(VARY).map(|v| v.as_bytes()), Some(&b"Accept-Encoding"[..]));
    assert!(!sent.headers.contains_key(CONTENT_LENGTH));
    assert_eq!(decode(encoding, &fixture::read(sent.body)), expected);
}

#[track_caller]
fn check_plain(encoding: &str, response: Response, expected: &[&str]) {
    let sent = accept(response, encoding);
    assert_eq!(fixture::lines(&sent.headers), expected);
}

const VARY_LINE: &str = "vary: Accept-Encoding";

#[test]
fn small_bodies_in_memory_are_encoded_in_one_go() {
    for encoding in ["gzip", "br", "zstd"] {
        let text = &BIG[..2000];
        let response = fixture::response(200, &[("Content-Length", "2000")], text);
        let sent = accept(response, encoding);
        assert!(sent.body.length().is_some_and(|length| length < 1500), "{encoding}");
        assert!(matches!(sent.body, Body::Full(_)));
        check_encoded(encoding, fixture::response(404, &[], text), text);
    }
}

#[test]
fn large_and_streamed_bodies_are_encoded_while_they_pass() {
    let large = BIG.repeat(40);
    for encoding in ["gzip", "br", "zstd"] {
        let response = fixture::response(200, &[], &large);
        assert!(matches!(accept(response, encoding).body, Body::Stream(_)));
        check_encoded(encoding, fixture::response(200, &[], &large), &large);
        let mut response = fixture::response(200, &[], "");
        let steps = vec![Step::Data("a"), Step::Pending, Step::Data(BIG), Step::Pending];
        response.body = Script::body(Some(1 + BIG.len() as u64), steps);
        check_encoded(encoding, response, &format!("a{BIG}"));
    }
}

#[test]
fn events_are_sent_on_when_their_source_pauses() {
    for encoding in ["gzip", "br", "zstd"] {
        let mut response = fixture::response(200, &[("Content-Type", "text/event-stream")], "");
        response.body = Script::body(None, vec![Step::Data("data: 1\n\n"), Step::Pending]);
        let mut body = accept(response, encoding).body;
        let first = fixture::block_on(poll_fn(|context| Poll::Ready(body.poll_frame(context))));
        let Poll::Ready(Some(Ok(Frame::Data(first)))) = first else {
            panic!("the first event is there at once");
        };
        let mut text = [0; 9];
        let read = match encoding {
            "gzip" => flate2::read::GzDecoder::new(&first[..]).read_exact(&mut text),
            "br" => brotli::Decompressor::new(&first[..], 4096).read_exact(&mut text),
            _ => zstd::stream::read::Decoder::new(&first[..])
                .expect("a decoder")
                .read_exact(&mut text),
        };
        read.expect("a whole event");
        assert_eq!(&text, b"data: 1\n\n", "{encoding}");
    }
}

#[test]
fn events_have_no_length_even_when_all_are_there() {
    for encoding in ["gzip", "br", "zstd"] {
        let response = fixture::response(200, &[("Content-Type", "text/event-stream")], BIG);
        assert!(matches!(accept(response, encoding).body, Body::Stream(_)), "{encoding}");
    }
}

#[test]
fn what_has_no_type_is_on_no_list() {
    let included = Settings { included_content_types: vec!["text/html".to_owned()], ..settings() };
    let request = [("Accept-Encoding", "gzip")];
    let sent = run(&included, "GET", &request, fixture::response(200, &[], BIG));
    assert!(!sent.headers.contains_key(CONTENT_ENCODING));
    let excluded = Settings { excluded_content_types: vec!["text/html".to_owned()], ..settings() };
    let sent = run(&excluded, "GET", &request, fixture::response(200, &[], BIG));
    assert!(sent.headers.contains_key(CONTENT_ENCODING));
}

#[test]
fn small_bodies_of_known_length_stay_plain() {
    for encoding in ["gzip", "br", "zstd"] {
        check_plain(encoding, fixture::response(200, &[], &BIG[..1023]), &[VARY_LINE]);
        check_encoded(encoding, fixture::response(200, &[], &BIG[..1024]), &BIG[..1024]);
        let mut response = fixture::response(200, &[], "");
        response.body = Script::body(None, vec![Step::Data("short")]);
        check_encoded(encoding, response, "short");
    }
    let small = Settings { min_response_body_bytes: 3, ..settings() };
    let response = fixture::response(200, &[], "abc");
    let sent = run(&small, "GET", &[("Accept-Encoding", "gzip")], response);
    assert!(sent.headers.contains_key(CONTENT_ENCODING));
}

#[test]
fn encoded_and_partial_responses_stay_as_they_are() {
    for encoding in ["gzip", "br", "zstd"] {
        let encoded = fixture::response(200, &[("Content-Encoding", "identity")], BIG);
        check_plain(encoding, encoded, &["content-encoding: identity", VARY_LINE]);
        let range = "bytes 0-2999/9000";
        let partial = fixture::response(206, &[("Content-Range", range)], BIG);
        check_plain(encoding, partial, &[&format!("content-range: {range}"), VARY_LINE]);
    }
}

#[test]
fn responses_without_body_only_tell_caches() {
    let mut response = fixture::response(304, &[], "");
    response.body = Body::Empty;
    check_plain("gzip", response, &[VARY_LINE]);
    let sent = run(
        &settings(),
        "HEAD",
        &[("Accept-Encoding", "gzip")],
        fixture::response(200, &[("Content-Length", "3000")], ""),
    );
    assert_eq!(fixture::lines(&sent.headers), ["content-length: 3000"]);
}

#[test]
fn what_else_a_response_says_is_kept() {
    let fields = [("Accept-Ranges", "bytes"), ("ETag", "\"abc\""), ("Vary", "X-Foo")];
    let lines = |encoding: &str| {
        let sent = accept(fixture::response(200, &fields, BIG), encoding);
        fixture::lines(&sent.headers).join("\n")
    };
    let kept = "etag: \"abc\"\nvary: Accept-Encoding\nvary: X-Foo";
    assert_eq!(lines("gzip"), format!("content-encoding: gzip\n{kept}"));
    assert_eq!(lines("br"), format!("accept-ranges: bytes\ncontent-encoding: br\n{kept}"));
}

fn check_type(settings: &Settings, encoding: &str, content_type: &str, expected: bool) {
    let response = fixture::response(200, &[("Content-Type", content_type)], BIG);
    let sent = run(settings, "GET", &[("Accept-Encoding", encoding)], response);
    let is_encoded = sent.headers.contains_key(CONTENT_ENCODING);
    assert_eq!(is_encoded, expected, "{content_type:?} with {encoding}");
}

#[test]
fn content_types_can_be_excluded_or_chosen() {
    let types = |types: &[&str]| types.iter().map(|text| (*text).to_owned()).collect();
    let excluding = Settings { excluded_content_types: types(&["Image/PNG; q=1"]), ..settings() };
    let including = Settings { included_content_types: types(&["text/html"]), ..settings() };
    for encoding in ["gzip", "br", "zstd"] {
        check_type(&settings(), encoding, "application/grpc", false);
        check_type(&settings(), encoding, "application/grpc+proto", true);
        check_type(&settings(), encoding, "text/event-stream", true);
        check_type(&excluding, encoding, "image/png", false);
        check_type(&excluding, encoding, "application/grpc", false);
        check_type(&excluding, encoding, "text/html", true);
        check_type(&including, encoding, "TEXT/html; charset=utf-8", true);
        check_type(&including, encoding, "text/plain", false);
        check_type(&settings(), encoding, "", true);
    }
    check_type(&settings(), "gzip", "no type", true);
    check_type(&settings(), "br", "no type", false);
    check_type(&including, "gzip", "no type", false);
}

#[test]
fn requests_of_excluded_types_do_not_take_part() {
    let request = [("Accept-Encoding", "gzip"), ("Content-Type", "application/grpc")];
    let sent = run(&settings(), "POST", &request, fixture::response(200, &[], BIG));
    assert!(sent.headers.is_empty());
}

#[test]
fn services_can_switch_gzip_off() {
    check_plain("gzip", fixture::response(200, &[("No-Gzip-Compression", "1")], BIG), &[VARY_LINE]);
}

#[test]
fn trailers_and_broken_bodies_are_passed_on() {
    let body = |last: Step| {
        let mut response = fixture::response(200, &[], "");
        response.body = Script::body(None, vec![Step::Data("text"), last]);
        let mut body = accept(response, "gzip").body;
        fixture::block_on(async move {
            let mut frames = Vec::new();
            while let Some(frame) = body.frame().await {
                frames.push(match frame {
                    Ok(Frame::Data(_)) => "data".to_owned(),
                    Ok(Frame::Trailers(map)) => fixture::lines(&map).join(","),
                    Err(error) => error.to_string(),
                });
            }
            frames
        })
    };
    let trailers = fixture::headers(&[("X-Sum", "1")]);
    assert_eq!(body(Step::Trailers(trailers)).last().map(String::as_str), Some("x-sum: 1"));
    let broken = body(Step::Broken(BodyError::Cut));
    assert_eq!(broken.last(), Some(&BodyError::Cut.to_string()));
}

#[test]
fn streams_without_a_byte_stay_empty() {
    let mut response = fixture::response(200, &[], "");
    response.body = Script::body(None, vec![Step::Pending]);
    assert_eq!(fixture::read(accept(response, "gzip").body), b"");
}

#[test]
fn broken_settings_are_refused_with_traefiks_words() {
    let error = |excluded: &[&str], included: &[&str]| {
        let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        let settings = Settings {
            excluded_content_types: list(excluded),
            included_content_types: list(included),
            ..settings()
        };
        Compress::new(&settings).err().unwrap_or_default()
    };
    assert_eq!(
        error(&["a/b"], &["c/d"]),
        "excludedContentTypes and includedContentTypes options are mutually exclusive"
    );
    assert_eq!(
        error(&["a b"], &[]),
        "parsing excluded media type: mime: expected slash after first token"
    );
    assert_eq!(error(&[], &[""]), "parsing included media type: mime: no media type");
}
