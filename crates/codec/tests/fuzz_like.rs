//! Properties that hold for any bytes and for any way in which they arrive.

mod near_valid;

use bytes::{Bytes, BytesMut};
use codec::{
    BodyError, BodyLength, ChunkedDecoder, ConnectionHeader, Decoded, HeadError, HeadReader,
    Limits, encode_chunk, encode_last_chunk, encode_request, encode_response, is_forbidden_trailer,
    parse_request, parse_response,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// What a head says, in a form that can be compared. Errors are equal among each other: a fault of
/// the start line may be reported before a fault behind it has arrived.
type Read = Result<Option<(String, Bytes)>, ()>;

fn read_requests(pieces: &[&[u8]]) -> Read {
    let mut reader = HeadReader::new(SMALL);
    let mut buffer = BytesMut::new();
    for (index, piece) in pieces.iter().enumerate() {
        buffer.extend_from_slice(piece);
        match reader.read_request(&mut buffer, HeaderMap::new()) {
            Ok(None) => {}
            Ok(Some(head)) => {
                for late in &pieces[index + 1..] {
                    buffer.extend_from_slice(late);
                }
                return Ok(Some((format!("{head:?}"), buffer.freeze())));
            }
            Err(_) => return Err(()),
        }
    }
    Ok(None)
}

fn read_responses(pieces: &[&[u8]]) -> Read {
    let mut reader = HeadReader::new(SMALL);
    let mut buffer = BytesMut::new();
    for (index, piece) in pieces.iter().enumerate() {
        buffer.extend_from_slice(piece);
        match reader.read_response(&mut buffer, &Method::GET, HeaderMap::new()) {
            Ok(None) => {}
            Ok(Some(head)) => {
                for late in &pieces[index + 1..] {
                    buffer.extend_from_slice(late);
                }
                return Ok(Some((format!("{head:?}"), buffer.freeze())));
            }
            Err(_) => return Err(()),
        }
    }
    Ok(None)
}

type Body = Result<Option<(Vec<u8>, Option<HeaderMap>, Bytes)>, BodyError>;

fn decode(pieces: &[&[u8]]) -> Body {
    let mut decoder = ChunkedDecoder::new(&SMALL);
    let mut buffer = BytesMut::new();
    let mut data = Vec::new();
    let mut pieces = pieces.iter();
    loop {
        match decoder.decode(&mut buffer)? {
            Decoded::Data(piece) => data.extend_from_slice(&piece),
            Decoded::End(trailers) => {
                pieces.for_each(|piece| buffer.extend_from_slice(piece));
                return Ok(Some((data, trailers, buffer.freeze())));
            }
            Decoded::NeedMore => match pieces.next() {
                Some(piece) => buffer.extend_from_slice(piece),
                None => return Ok(None),
            },
        }
    }
}

/// Cuts `bytes` at the places that `cuts` names.
fn cut<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.sort_unstable();
    let mut pieces = Vec::new();
    let mut start = 0;
    for place in places {
        pieces.push(&bytes[start..place]);
        start = place;
    }
    pieces.push(&bytes[start..]);
    pieces
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    vec(any::<prop::sample::Index>(), 0..6)
}

/// Bytes that look like the protocol, so that all states are reached.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let word = select(vec![
        "GET / HTTP/1.1\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 304 \r\n",
        "\r\n",
        "\r",
        "\n",
        " ",
        "\t",
        ":",
        "Host: a\r\n",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "X: y\r\n",
        "5\r\n",
        "a\r\n",
        "hello",
        ";x=y",
        "0",
        "0\r\n",
        "0\r\n\r\n",
        "ffffffffffffffff",
        "\0",
        "é",
    ]);
    let piece = prop_oneof![
        8 => word.prop_map(|word| word.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..4),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn method() -> impl Strategy<Value = Method> {
    let token = "[A-Za-z!#$%&'*+.^_`|~-]{1,20}";
    prop_oneof![
        select(vec![Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE]),
        token.prop_filter_map("CONNECT has its own form", |token| {
            Method::from_bytes(token.as_bytes()).ok().filter(|method| *method != Method::CONNECT)
        }),
    ]
}

/// Fields that say nothing about framing or the connection.
fn fields() -> impl Strategy<Value = HeaderMap> {
    let name = "[a-z0-9!#$%&'*+.^_`|~-]{1,12}";
    let value = vec(prop_oneof![8 => 0x21..0x7f_u8, 1 => 0x80..=0xff_u8], 0..12);
    vec((name, value), 0..8).prop_map(|fields| {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a valid name");
            if !matches!(name.as_str(), "host" | "expect" | "upgrade" | "connection" | "te") {
                headers.append(name, HeaderValue::from_bytes(&value).expect("a valid value"));
            }
        }
        headers
    })
}

/// Headers without those that the encoder writes itself.
fn without_framing(mut headers: HeaderMap) -> HeaderMap {
    for name in ["host", "content-length", "transfer-encoding", "connection"] {
        headers.remove(name);
    }
    headers
}

const SMALL: Limits = Limits {
    head_bytes: 300,
    request_line_bytes: 100,
    fields: 10,
    chunk_extension_bytes: 20,
    trailer_bytes: 60,
    trailer_fields: 3,
};

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(2000)
    })]

    #[test]
    fn heads_do_not_depend_on_where_they_are_cut(
        request in near_valid::requests(),
        cuts in cuts(),
    ) {
        prop_assert_eq!(read_requests(&cut(&request, &cuts)), read_requests(&[&request]));
        let single: Vec<_> = request.chunks(1).collect();
        prop_assert_eq!(read_requests(&single), read_requests(&[&request]));
    }

    #[test]
    fn soup_does_not_depend_on_where_it_is_cut(soup in soup(), cuts in cuts()) {
        let pieces = cut(&soup, &cuts);
        prop_assert_eq!(read_requests(&pieces), read_requests(&[&soup]));
        prop_assert_eq!(read_responses(&pieces), read_responses(&[&soup]));
        prop_assert_eq!(decode(&pieces), decode(&[&soup]));
        let single: Vec<_> = soup.chunks(1).collect();
        prop_assert_eq!(decode(&single), decode(&[&soup]));
    }

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..400)) {
        let _ = read_requests(&[&bytes]);
        let _ = read_responses(&[&bytes]);
        let _ = decode(&[&bytes]);
    }

    #[test]
    fn a_written_request_reads_as_it_was(
        method in method(),
        path in "/[!-\"$-~]{0,30}",
        headers in fields(),
        length in prop_oneof![
            Just(BodyLength::None),
            (0..=i64::MAX as u64).prop_map(BodyLength::Fixed),
            Just(BodyLength::Fixed(0)),
            Just(BodyLength::Chunked),
        ],
    ) {
        let mut wire = BytesMut::new();
        encode_request(&mut wire, &method, &path, b"example.com:8080", &headers, length);
        let head = parse_request(&mut wire, &Limits::default(), HeaderMap::new()).unwrap().unwrap();
        let expected_length = match length {
            BodyLength::None if [Method::POST, Method::PUT, Method::PATCH].contains(&method) => {
                BodyLength::Fixed(0)
            }
            BodyLength::Fixed(0) if [Method::GET, Method::HEAD].contains(&method) => {
                BodyLength::None
            }
            other => other,
        };
        prop_assert!(wire.is_empty());
        prop_assert_eq!(head.method, method);
        prop_assert_eq!(head.target, path);
        prop_assert_eq!(head.host.expect("a host"), "example.com:8080");
        prop_assert_eq!(without_framing(head.headers), headers);
        prop_assert_eq!(head.body, expected_length);
        prop_assert!(head.keep_alive);
    }

    #[test]
    fn a_request_cannot_be_broken_out_of(
        target in any::<String>(),
        host in vec(any::<u8>(), 0..20),
        headers in fields(),
    ) {
        let mut wire = BytesMut::new();
        encode_request(&mut wire, &Method::GET, &target, &host, &headers, BodyLength::None);
        let lines = wire.windows(2).filter(|pair| pair == b"\r\n").count();
        prop_assert_eq!(lines, headers.len() + 3);
        match parse_request(&mut wire, &Limits::default(), HeaderMap::new()) {
            Ok(head) => prop_assert_eq!(head.unwrap().headers.len(), headers.len()),
            Err(error) => {
                prop_assert!(matches!(error, HeadError::InvalidTarget | HeadError::InvalidHost));
            }
        }
    }

    #[test]
    fn a_written_response_reads_as_it_was(
        status in (200..1000_u16).prop_map(|status| StatusCode::from_u16(status).unwrap()),
        version in select(vec![Version::HTTP_10, Version::HTTP_11]),
        headers in fields(),
        length in prop_oneof![
            (0..=i64::MAX as u64).prop_map(BodyLength::Fixed),
            Just(BodyLength::Chunked),
            Just(BodyLength::UntilClose),
        ],
        close in any::<bool>(),
    ) {
        let connection = if close { ConnectionHeader::Close } else { ConnectionHeader::KeepAlive };
        let mut wire = BytesMut::new();
        encode_response(&mut wire, version, status, &headers, length, connection);
        let limits = Limits::default();
        let head = parse_response(&mut wire, &Method::GET, &limits, HeaderMap::new());
        let head = head.unwrap().unwrap();
        let has_no_body = status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
        let expected_length = match length {
            _ if has_no_body => BodyLength::None,
            length => length.for_version(version),
        };
        prop_assert!(wire.is_empty());
        prop_assert_eq!(head.status, status);
        prop_assert_eq!(head.version, version);
        prop_assert_eq!(without_framing(head.headers), headers);
        prop_assert_eq!(head.body, expected_length);
        prop_assert_eq!(head.keep_alive, !close && expected_length != BodyLength::UntilClose);
    }

    #[test]
    fn a_written_body_reads_as_it_was(
        chunks in vec(vec(any::<u8>(), 0..40), 0..10),
        trailers in fields(),
        cuts in cuts(),
    ) {
        let mut trailers = trailers;
        while let Some(name) = trailers.keys().nth(2).cloned() {
            trailers.remove(name);
        }
        let mut wire = BytesMut::new();
        for chunk in &chunks {
            encode_chunk(&mut wire, chunk);
        }
        encode_last_chunk(&mut wire, Some(&trailers));
        match decode(&cut(&wire, &cuts)) {
            Ok(Some((data, read, rest))) => {
                let forbidden: Vec<_> = trailers
                    .keys()
                    .filter(|name| is_forbidden_trailer(name.as_ref()))
                    .cloned()
                    .collect();
                for name in forbidden {
                    trailers.remove(name);
                }
                prop_assert_eq!(data, chunks.concat());
                prop_assert_eq!(read.unwrap_or_default(), trailers);
                prop_assert!(rest.is_empty());
            }
            result => {
                let error = result.map(|_| ());
                let is_limit = matches!(
                    error,
                    Err(BodyError::TrailersTooLarge | BodyError::TooManyTrailers)
                );
                prop_assert!(is_limit, "{:?}", error);
            }
        }
    }
}
