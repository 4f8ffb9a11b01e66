//! hot path
//!
//! `ClientIP`: the client's address, single or by range. Never looks at header fields.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::rule::View;
use crate::rule::matchers::{Definition, Match};

pub(super) const DEFINITION: Definition =
    Definition { name: "ClientIP", argument_counts: &[1], build };

fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    let ranges = parse_ranges(arguments)
        .map_err(|reason| format!("initializing IP checker for ClientIP matcher: {reason}"))?;
    Ok(Box::new(ClientIp { ranges }))
}

pub(super) struct ClientIp {
    pub(super) ranges: Box<[IpNet]>,
}

impl Match for ClientIp {
    fn matches(&self, view: &View<'_>) -> bool {
        let address = view.client_ip();
        self.ranges.iter().any(|range| range.contains(&address))
    }
}

/// Reads addresses and ranges. A range of IPv6 has no IPv4 addresses in it, not even `::/0`.
pub(super) fn parse_ranges(arguments: &[Vec<u8>]) -> Result<Box<[IpNet]>, String> {
    arguments
        .iter()
        .map(|argument| {
            let text = String::from_utf8_lossy(argument);
            parse_range(&text).ok_or_else(|| {
                // Traefik: it prints the range it could not parse, which Go calls nil.
                format!("parsing CIDR trusted IPs <nil>: invalid CIDR address: {text}")
            })
        })
        .collect()
}

fn parse_range(text: &str) -> Option<IpNet> {
    let Some((address, length)) = text.split_once('/') else {
        return text.parse::<IpAddr>().ok().map(|address| address.to_canonical().into());
    };
    let address: IpAddr = address.parse().ok()?;
    if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let length: u8 = length.parse().ok()?;
    let range = IpNet::new(address, length).ok()?.trunc();
    match range.network() {
        // A range of addresses mapped from IPv4 is a range of IPv4 addresses.
        IpAddr::V6(network) if length >= 96 => match network.to_ipv4_mapped() {
            Some(network) => IpNet::new(network.into(), length - 96).ok(),
            None => Some(range),
        },
        _ => Some(range),
    }
}
