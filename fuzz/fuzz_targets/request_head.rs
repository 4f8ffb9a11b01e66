//! Any bytes, cut in two anywhere: the same head or the same refusal, and never a panic.
#![no_main]

use bytes::BytesMut;
use codec::{HeadReader, Limits};
use http::HeaderMap;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, Vec<u8>)| {
    let (cut, bytes) = input;
    let cut = usize::from(cut).min(bytes.len());
    let mut whole = BytesMut::from(&bytes[..]);
    let at_once = HeadReader::new(Limits::default()).read_request(&mut whole, HeaderMap::new());

    let mut reader = HeadReader::new(Limits::default());
    let mut buffer = BytesMut::from(&bytes[..cut]);
    let in_parts = match reader.read_request(&mut buffer, HeaderMap::new()) {
        Ok(None) => {
            buffer.extend_from_slice(&bytes[cut..]);
            reader.read_request(&mut buffer, HeaderMap::new())
        }
        early => early,
    };
    match (at_once, in_parts) {
        (Ok(Some(one)), Ok(Some(other))) => {
            assert_eq!(one.method, other.method);
            assert_eq!(one.target, other.target);
            assert_eq!(one.headers, other.headers);
            assert_eq!(one.body, other.body);
        }
        (Ok(None), Ok(None)) | (Err(_), Err(_)) => {}
        (one, other) => panic!("read differently: {one:?} and {other:?}"),
    }
});
