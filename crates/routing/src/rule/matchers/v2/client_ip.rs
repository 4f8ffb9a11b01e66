//! `ClientIP` of v2: several addresses or ranges.

use crate::rule::matchers::client_ip::{ClientIp, parse_ranges};
use crate::rule::matchers::{Definition, Match};

pub(super) const DEFINITION: Definition =
    Definition { name: "ClientIP", argument_counts: &[], build };

fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    let ranges = parse_ranges(arguments).map_err(|reason| {
        format!("could not initialize IP Checker for \"ClientIP\" matcher: {reason}")
    })?;
    Ok(Box::new(ClientIp { ranges }))
}
