//! HTTP/1.1 wire format: heads and bodies, in and out.
//!
//! [`HeadReader`] turns bytes into a [`RequestHead`] or [`ResponseHead`], [`ChunkedDecoder`] turns
//! a chunked body into its data, and the `encode_*` functions write both. What is accepted is the
//! strict grammar of RFC 9112 and RFC 9110 and nothing else: a message that two implementations
//! could read differently is refused, because this crate sits between two implementations.
//!
//! This crate knows no sockets, no clock, no runtime and no configuration. It does not decide what
//! happens to a refused message; [`HeadError::status`] only says which answer fits.

mod authority;
mod canonical;
mod chunked;
mod encode;
mod error;
mod facts;
mod fields;
mod head;
mod limits;
mod names;
mod request;
mod response;
mod scan;
mod token;

pub use crate::authority::is_valid_authority;
pub use crate::canonical::put_canonical_name;
pub use crate::chunked::{ChunkedDecoder, Decoded, is_forbidden_trailer};
pub use crate::encode::{
    CHUNK_END, ConnectionHeader, encode_chunk, encode_chunk_head, encode_last_chunk,
    encode_request, encode_response, reason_phrase,
};
pub use crate::error::{BodyError, HeadError};
pub use crate::head::{
    BodyLength, HeadReader, RequestHead, ResponseHead, parse_request, parse_response,
};
pub use crate::limits::Limits;
