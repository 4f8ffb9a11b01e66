use super::*;
use crate::error::BodyError::*;

struct Body {
    data: String,
    trailers: Vec<(String, String)>,
    /// What was left in the buffer or not fed yet.
    rest: Vec<u8>,
}

/// Feeds `input` in pieces of `size`; `None` means that its end is missing.
fn decode(limits: &Limits, input: &[u8], size: usize) -> Result<Option<Body>, BodyError> {
    let mut decoder = ChunkedDecoder::new(limits);
    let mut buffer = BytesMut::new();
    let mut data = Vec::new();
    let mut pieces = input.chunks(size);
    loop {
        match decoder.decode(&mut buffer)? {
            Decoded::Data(piece) => {
                assert!(!piece.is_empty());
                data.extend_from_slice(&piece);
            }
            Decoded::NeedMore => match pieces.next() {
                Some(piece) => buffer.extend_from_slice(piece),
                None => return Ok(None),
            },
            Decoded::End(trailers) => {
                assert!(decoder.is_done());
                assert!(matches!(decoder.decode(&mut buffer), Ok(Decoded::End(None))));
                let trailers = trailers.unwrap_or_default();
                let trailers = trailers
                    .iter()
                    .map(|(name, value)| {
                        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                        (name.to_string(), value)
                    })
                    .collect();
                let rest = [&buffer[..], &pieces.collect::<Vec<_>>().concat()].concat();
                let data = String::from_utf8(data).expect("text");
                return Ok(Some(Body { data, trailers, rest }));
            }
        }
    }
}

#[track_caller]
fn check_within(limits: &Limits, input: &[u8], expected: Result<Option<&str>, BodyError>) {
    for size in [1, 2, 3, 7, input.len()] {
        let result = decode(limits, input, size).map(|body| {
            body.map(|body| {
                assert_eq!(body.rest, b"", "rest");
                assert!(body.trailers.is_empty(), "trailers");
                body.data
            })
        });
        let result = result.as_ref().map(Option::as_deref).map_err(|&error| error);
        assert_eq!(result, expected, "pieces of {size}: {}", input.escape_ascii());
    }
}

#[track_caller]
fn check(input: &[u8], expected: Result<Option<&str>, BodyError>) {
    check_within(&Limits::default(), input, expected);
}

#[track_caller]
fn check_trailers(input: &[u8], expected: &[(&str, &str)]) {
    for size in [1, 2, 3, 7, input.len()] {
        let body = decode(&Limits::default(), input, size).expect("valid").expect("whole");
        let trailers: Vec<_> =
            body.trailers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(trailers, expected);
        assert_eq!(body.rest, b"next");
    }
}

#[test]
fn chunks_are_joined() {
    check(b"0\r\n\r\n", Ok(Some("")));
    check(b"000\r\n\r\n", Ok(Some("")));
    check(b"3\r\nabc\r\n0\r\n\r\n", Ok(Some("abc")));
    check(b"3\r\nabc\r\n0002\r\n\r\n\r\n0\r\n\r\n", Ok(Some("abc\r\n")));
    check(b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", Ok(Some("01234567890123456789")));
}

#[test]
fn a_body_cut_off_has_no_end() {
    check(b"3", Ok(None));
    check(b"3\r\nab", Ok(None));
    check(b"3\r\nabc", Ok(None));
    check(b"3\r\nabc\r\n", Ok(None));
    check(b"3\r\nabc\r\n0", Ok(None));
    check(b"3\r\nabc\r\n0\r\n", Ok(None));
    check(b"3\r\nabc\r\n0\r\n\r", Ok(None));
    check(b"3\r\nabc\r\n0\r\nX: a\r\n", Ok(None));
    check(b"ffffffffffffffff\r\nabc", Ok(None));
}

#[test]
fn sizes_are_hexadecimal_digits_only() {
    for size in ["", "0x1", "+1", "-1", " 1", "1 ", "1\t", "g", "1g", "_", "1_0", ","] {
        check(format!("{size}\r\na\r\n0\r\n\r\n").as_bytes(), Err(InvalidChunkSize));
    }
    check(b"\r\n0\r\n\r\n", Err(InvalidChunkSize));
    check(b"0000000000000001\r\na\r\n0\r\n\r\n", Ok(Some("a")));
    check(b"10000000000000001\r\na", Err(ChunkSizeTooLarge));
    check(b"00000000000000001\r\na", Err(ChunkSizeTooLarge));
}

#[test]
fn lines_end_in_crlf_only() {
    check(b"3\nabc\r\n0\r\n\r\n", Err(InvalidChunkSize));
    check(b"3\rabc\r\n0\r\n\r\n", Err(InvalidChunkSize));
    check(b"3\r\nabc\n0\r\n\r\n", Err(MissingChunkEnd));
    check(b"3\r\nabc\r0\r\n\r\n", Err(MissingChunkEnd));
    check(b"3\r\nabcd\r\n0\r\n\r\n", Err(MissingChunkEnd));
    check(b"3\r\nabc\r\n0\n\r\n", Err(InvalidChunkSize));
    check(b"3\r\nabc\r\n0\r\n\n", Err(InvalidTrailer(HeadError::BareLineFeed)));
}

#[test]
fn extensions_are_read_over_within_a_limit() {
    check(b"1;a=b;c=\"d;e\" ; f\r\na\r\n0;x\r\n\r\n", Ok(Some("a")));
    check(b"1 ;a\r\na\r\n0\t;x\r\n\r\n", Ok(Some("a")));
    check(b"1;\r\na\r\n0\r\n\r\n", Ok(Some("a")));
    check(b"1 a\r\n", Err(InvalidChunkSize));
    check(b"1;a\nb\r\n", Err(InvalidChunkExtension));
    check(b"1;a\rb\r\n", Err(InvalidChunkSize));
    check(b"1;a\0\r\n", Err(InvalidChunkExtension));
    check(b"1;a\x7f\r\n", Err(InvalidChunkExtension));
    let limits = Limits { chunk_extension_bytes: 10, ..Limits::default() };
    check_within(&limits, b"1;23\r\na\r\n0;2345\r\n\r\n", Ok(Some("a")));
    check_within(&limits, b"1;23\r\na\r\n0;23456\r\n\r\n", Err(ChunkExtensionsTooLarge));
}

#[test]
fn trailers_are_returned_without_the_forbidden_ones() {
    check_trailers(b"0\r\n\r\nnext", &[]);
    check_trailers(
        b"1\r\na\r\n0\r\nGrpc-Status: 0\r\nX:\t a \r\n\r\nnext",
        &[("grpc-status", "0"), ("x", "a")],
    );
    check_trailers(
        b"0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHOST: b\r\nAuthorization: c\r\n\
          X-Forwarded-For: d\r\nCookie: e\r\nConnection: f\r\n\r\nnext",
        &[],
    );
}

#[test]
fn trailers_are_as_strict_as_fields_and_bounded() {
    let invalid = |error| Err(InvalidTrailer(error));
    check(b"0\r\nX : a\r\n\r\n", invalid(HeadError::SpaceBeforeColon));
    check(b"0\r\nX: a\r\n b\r\n\r\n", invalid(HeadError::ObsoleteFold));
    check(b"0\r\nX\r\n\r\n", invalid(HeadError::MissingColon));
    check(b"0\r\nHost: a\0\r\n\r\n", invalid(HeadError::InvalidFieldValue));
    check(b"0\r\nX: a\nY: b\r\n\r\n", invalid(HeadError::BareLineFeed));
    let limits = Limits { trailer_bytes: 20, trailer_fields: 2, ..Limits::default() };
    check_within(&limits, b"0\r\nHost: 0123456789\r\n\r\n", Ok(Some("")));
    check_within(&limits, b"0\r\nHost: 01234567890\r\n\r\n", Err(TrailersTooLarge));
    check_within(&limits, b"0\r\nHost:\r\nHost:\r\n\r\n", Ok(Some("")));
    check_within(&limits, b"0\r\nTe:\r\nTe:\r\nTe:\r\n\r\n", Err(TooManyTrailers));
}

#[test]
fn a_million_chunks_of_one_byte_cost_linear_time() {
    let mut buffer = BytesMut::from(&b"1\r\na\r\n".repeat(1_000_000)[..]);
    buffer.extend_from_slice(b"0\r\n\r\n");
    let mut decoder = ChunkedDecoder::new(&Limits::default());
    let mut bytes = 0;
    while let Decoded::Data(data) = decoder.decode(&mut buffer).expect("valid") {
        bytes += data.len();
    }
    assert_eq!(bytes, 1_000_000);
    assert!(decoder.is_done());
}
