//! The matchers of Traefik 2, kept for migration: several arguments mean "one of", and hosts and
//! paths may have variables, `{name}` or `{name:pattern}`.

mod client_ip;
mod headers;
mod headers_regexp;
mod host;
mod host_header;
mod host_regexp;
mod method;
mod path;
mod path_prefix;
mod query;
mod template;

use crate::rule::matchers::Definition;

pub(super) const DEFINITIONS: &[&Definition] = &[
    &client_ip::DEFINITION,
    &headers::DEFINITION,
    &headers_regexp::DEFINITION,
    &host::DEFINITION,
    &host_header::DEFINITION,
    &host_regexp::DEFINITION,
    &method::DEFINITION,
    &path::DEFINITION,
    &path_prefix::DEFINITION,
    &query::DEFINITION,
];

/// Takes arguments as pairs.
fn pairs(arguments: &[Vec<u8>]) -> Result<impl Iterator<Item = (&[u8], &[u8])>, String> {
    if !arguments.len().is_multiple_of(2) {
        let list = crate::rule::go_text::list(arguments);
        return Err(format!("mux: number of parameters must be multiple of 2, got {list}"));
    }
    Ok(arguments.chunks_exact(2).map(|pair| (pair[0].as_slice(), pair[1].as_slice())))
}
