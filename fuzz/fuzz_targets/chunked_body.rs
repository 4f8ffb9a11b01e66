//! Any bytes as a chunked body, cut in two anywhere: the same data, and never a panic.
#![no_main]

use bytes::BytesMut;
use codec::{ChunkedDecoder, Decoded, Limits};
use libfuzzer_sys::fuzz_target;

fn decode(parts: &[&[u8]]) -> (Vec<u8>, Option<bool>) {
    let mut decoder = ChunkedDecoder::new(&Limits::default());
    let mut buffer = BytesMut::new();
    let mut data = Vec::new();
    for part in parts {
        buffer.extend_from_slice(part);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Decoded::Data(piece)) => data.extend_from_slice(&piece),
                Ok(Decoded::NeedMore) => break,
                Ok(Decoded::End(_)) => return (data, Some(true)),
                Err(_) => return (data, Some(false)),
            }
        }
    }
    (data, None)
}

fuzz_target!(|input: (u16, Vec<u8>)| {
    let (cut, bytes) = input;
    let cut = usize::from(cut).min(bytes.len());
    assert_eq!(decode(&[&bytes]), decode(&[&bytes[..cut], &bytes[cut..]]));
});
