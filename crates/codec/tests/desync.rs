//! The labelled requests of http_desync_guardian, and its opinion on requests of our own.

mod near_valid;

use bytes::BytesMut;
use codec::{BodyLength, HeadError, Limits, parse_request};
use http::HeaderMap;
use http_desync_guardian::RequestSafetyTier;
use http_desync_guardian::request_analyzer::HttpRequestData;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

struct Labelled {
    tier: String,
    name: String,
    /// Ends after the last field line.
    head: Vec<u8>,
}

fn labelled() -> Vec<Labelled> {
    include_str!("data/http_desync_guardian.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let columns: Vec<_> = line.split('\t').collect();
            Labelled {
                tier: columns[0].to_owned(),
                name: format!("{}: {}", columns[2], columns[3]),
                head: unescape(columns[4]),
            }
        })
        .collect()
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let (&escape, after) = rest.split_first().expect("an escape");
        rest = after;
        bytes.push(match escape {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'x' => {
                let digits = std::str::from_utf8(&rest[..2]).expect("two digits");
                rest = &rest[2..];
                u8::from_str_radix(digits, 16).expect("two digits")
            }
            other => other,
        });
    }
    bytes
}

/// Serves the request with a Host, which most labelled requests leave out.
fn serve(head: &[u8]) -> Result<BodyLength, HeadError> {
    let has_host = head
        .split(|&byte| byte == b'\n')
        .any(|line| line.to_ascii_lowercase().starts_with(b"host:"));
    let host: &[u8] = if has_host { b"" } else { b"Host: example.com\r\n" };
    let mut buffer = BytesMut::from(&[head, host, b"\r\n"].concat()[..]);
    parse_request(&mut buffer, &Limits::default(), HeaderMap::new())
        .map(|head| head.expect("a whole head").body)
}

fn of_tier(tier: &str) -> Vec<(String, Result<BodyLength, HeadError>)> {
    let cases: Vec<_> = labelled()
        .into_iter()
        .filter(|case| case.tier == tier)
        .map(|case| (case.name, serve(&case.head)))
        .collect();
    assert!(cases.len() > 10, "data file");
    cases
}

#[test]
fn severe_requests_are_refused() {
    let served: Vec<_> =
        of_tier("Severe").into_iter().filter(|(_, result)| result.is_ok()).collect();
    assert_eq!(served, []);
}

#[test]
fn compliant_requests_are_served_but_for_what_we_refuse_on_purpose() {
    // Transfer codings other than chunked, fragments and empty targets are refused.
    let on_purpose = [
        HeadError::InvalidTransferEncoding,
        HeadError::InvalidTarget,
        HeadError::InvalidRequestLine,
    ];
    let refused: Vec<_> = of_tier("Compliant")
        .into_iter()
        .filter(|(_, result)| matches!(result, Err(error) if !on_purpose.contains(error)))
        .collect();
    assert_eq!(refused, []);
}

#[test]
fn ambiguous_requests_are_refused_or_have_one_reading() {
    // What is left is ambiguous to others only: bodies of GET and HEAD, which are framed like any,
    // and names that resemble those of framing, but are others.
    let mut served: Vec<_> = of_tier("Ambiguous")
        .into_iter()
        .filter(|(_, result)| result.is_ok())
        .map(|(name, _)| name)
        .collect();
    served.sort();
    assert_eq!(served, AMBIGUOUS_BUT_SERVED);
}

const AMBIGUOUS_BUT_SERVED: [&str; 10] = [
    "ambiguous: Content_Length with underscore.",
    "ambiguous: Get with a body and Content-Length",
    "ambiguous: Get with a body and Transfer-Encoding",
    "ambiguous: Head with a body and Content-Length",
    "ambiguous: Head with a body and Transfer-Encoding",
    "ambiguous: Transfer-Encoding with multiple delimiters",
    "ambiguous: Transfer-Encoding with multiple hyphens",
    "ambiguous: Transfer_Encoding with underscore.",
    "real-life-test-cases: Has a CL in GET",
    "real-life-test-cases: Has a TE in GET",
];

/// Reasons for which a request is refused although it follows the grammar, or although the
/// analysis, which knows nothing of bodies and hosts, has nothing against it.
fn is_refused_on_purpose(error: HeadError) -> bool {
    matches!(
        error,
        HeadError::MissingHost
            | HeadError::RepeatedHost
            | HeadError::InvalidHost
            | HeadError::InvalidTarget
            | HeadError::InvalidRequestLine
            | HeadError::InvalidMethod
            | HeadError::InvalidTransferEncoding
            | HeadError::UnsupportedExpectation
            | HeadError::TooManyEmptyLines
            | HeadError::InvalidContentLength
    )
}

/// The analysis also judges `Content#Length` by the rules of `Content-Length`. To this crate they
/// are two fields; what a server makes of such names is a question for whoever knows the server.
fn without_lookalikes(head: &[u8]) -> Vec<u8> {
    let mut lines = head.split_inclusive(|&byte| byte == b'\n');
    let mut kept = lines.next().unwrap_or_default().to_vec();
    for line in lines {
        let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        if JUDGED_NAMES.contains(&name.as_str()) {
            kept.extend_from_slice(line);
        }
    }
    kept.extend_from_slice(b"\r\n");
    kept
}

const JUDGED_NAMES: [&str; 9] = [
    "accept",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "transfer-encoding",
    "upgrade",
    "x-a",
];

proptest! {
    // The seed is fixed, because what others think of a request is not ours to promise.
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(9112),
        ..ProptestConfig::with_cases(10_000)
    })]

    #[test]
    fn generated_requests_are_judged_alike(request in near_valid::requests()) {
        let mut buffer = BytesMut::from(&request[..]);
        let result = parse_request(&mut buffer, &Limits::default(), HeaderMap::new());
        let head = &request[..request.len() - buffer.len()];
        match result {
            Ok(None) => {}
            Ok(Some(_)) => {
                let head = without_lookalikes(head);
                let verdict = HttpRequestData::analyze_raw_request(&head);
                prop_assert_ne!(verdict.tier, RequestSafetyTier::Severe, "{:?}", verdict.message);
            }
            Err(error) => {
                let end = request.windows(4).position(|four| four == b"\r\n\r\n");
                let head = &request[..end.map_or(request.len(), |end| end + 4)];
                // The analysis has nothing against anything that is not HTTP/1.
                let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
                if !line.ends_with(b" HTTP/1.1\r") {
                    return Ok(());
                }
                let verdict = HttpRequestData::analyze_raw_request(head);
                prop_assert!(
                    verdict.tier != RequestSafetyTier::Compliant || is_refused_on_purpose(error),
                    "compliant, but {error}: {}", request.escape_ascii()
                );
            }
        }
    }
}
