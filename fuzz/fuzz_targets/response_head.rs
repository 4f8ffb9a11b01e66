//! Any bytes as a response's head: never a panic, and what is read can be written and read again.
#![no_main]

use bytes::BytesMut;
use codec::{ConnectionHeader, HeadReader, Limits};
use http::{HeaderMap, Method, Version};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut buffer = BytesMut::from(bytes);
    let mut reader = HeadReader::new(Limits::default());
    let read = reader.read_response(&mut buffer, &Method::GET, HeaderMap::new());
    let Ok(Some(head)) = read else { return };
    let mut written = BytesMut::new();
    codec::encode_response(
        &mut written,
        Version::HTTP_11,
        head.status,
        &head.headers,
        head.body,
        ConnectionHeader::KeepAlive,
    );
    let again = HeadReader::new(Limits::default())
        .read_response(&mut written, &Method::GET, HeaderMap::new())
        .expect("what was written can be read")
        .expect("what was written is whole");
    assert_eq!(again.status, head.status);
});
