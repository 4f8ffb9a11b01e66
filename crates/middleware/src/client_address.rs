//! Whose request it is: the address of a client by `ipStrategy`, and ranges of addresses.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use exchange::Exchange;
use ipnet::{IpNet, Ipv4Net};

use crate::header_names::X_FORWARDED_FOR;

/// Finds the client's address.
#[derive(Debug)]
pub(crate) enum IpStrategy {
    /// The connection's peer.
    Peer { ipv6_subnet: Option<u8> },
    /// The entry of `X-Forwarded-For` at this position from the right, counted from one.
    Depth { depth: usize, ipv6_subnet: Option<u8> },
    /// The rightmost entry of `X-Forwarded-For` that is not in these ranges.
    Excluded(IpRanges),
}

impl IpStrategy {
    /// # Errors
    /// With Traefik's words for a broken subnet or range.
    pub(crate) fn new(settings: Option<&config::dynamic::IpStrategy>) -> Result<Self, String> {
        let Some(settings) = settings else { return Ok(Self::Peer { ipv6_subnet: None }) };
        let depth = usize::try_from(settings.depth).unwrap_or(0);
        if depth == 0 && !settings.excluded_ips.is_empty() {
            return Ok(Self::Excluded(IpRanges::new(&settings.excluded_ips)?));
        }
        let ipv6_subnet = settings.ipv6_subnet;
        if let Some(bits) = ipv6_subnet
            && !(1..=128).contains(&bits)
        {
            return Err(format!(
                "invalid IPv6 subnet {bits} value, should be greater to 0 and lower or equal to 128"
            ));
        }
        Ok(match depth {
            0 => Self::Peer { ipv6_subnet },
            _ => Self::Depth { depth, ipv6_subnet },
        })
    }

    /// Gives the client's address; `None` when the headers do not say one.
    pub(crate) fn address(&self, exchange: &Exchange) -> Option<IpAddr> {
        match self {
            Self::Peer { ipv6_subnet } => {
                let address = exchange.connection.peer.ip().to_canonical();
                Some(masked(address, *ipv6_subnet))
            }
            Self::Depth { depth, ipv6_subnet } => {
                let forwarded = forwarded_for(exchange);
                let entry = forwarded.rsplit(',').nth(depth - 1)?;
                Some(masked(parse(without_port(entry.trim()))?, *ipv6_subnet))
            }
            Self::Excluded(ranges) => {
                let forwarded = forwarded_for(exchange);
                let entry = forwarded.rsplit(',').map(str::trim).find(|entry| {
                    let excluded = parse(entry).is_some_and(|address| ranges.contains(address));
                    !entry.is_empty() && !excluded
                })?;
                parse(without_port(entry))
            }
        }
    }
}

/// Addresses and ranges of them.
#[derive(Debug)]
pub(crate) struct IpRanges(Vec<IpNet>);

impl IpRanges {
    /// Reads addresses and CIDR ranges.
    ///
    /// # Errors
    /// With Traefik's words when one is neither.
    pub(crate) fn new(texts: &[String]) -> Result<Self, String> {
        let range = |text: &String| {
            let read = match text.parse::<IpAddr>() {
                Ok(address) => Some(IpNet::from(address.to_canonical())),
                Err(_) => text.parse::<IpNet>().ok().map(canonical),
            };
            read.ok_or_else(|| {
                format!("parsing CIDR trusted IPs <nil>: invalid CIDR address: {text}")
            })
        };
        Ok(Self(texts.iter().map(range).collect::<Result<_, _>>()?))
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(&address))
    }
}

/// The header's first field; at the door all fields became one.
fn forwarded_for(exchange: &Exchange) -> Cow<'_, str> {
    exchange
        .request
        .headers
        .get(X_FORWARDED_FOR)
        .map_or(Cow::Borrowed(""), |value| String::from_utf8_lossy(value.as_bytes()))
}

/// Reads an address; that of IPv6 may have a zone.
fn parse(text: &str) -> Option<IpAddr> {
    let address = match text.split_once('%') {
        Some((address, zone)) if !zone.is_empty() => IpAddr::V6(address.parse().ok()?),
        _ => text.parse().ok()?,
    };
    Some(address.to_canonical())
}

/// Takes a port off, as `1.2.3.4:80` and `[::1]:80` have it.
fn without_port(text: &str) -> &str {
    match text.rsplit_once(':') {
        Some((host, _)) if host.starts_with('[') && host.ends_with(']') => &host[1..host.len() - 1],
        Some((host, _)) if !host.contains([':', '[', ']']) => host,
        _ => text,
    }
}

fn masked(address: IpAddr, ipv6_subnet: Option<u8>) -> IpAddr {
    match (address, ipv6_subnet) {
        (IpAddr::V6(address), Some(bits)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
        _ => address,
    }
}

/// Turns a range of IPv4 addresses that is written as IPv6 into what it means.
fn canonical(range: IpNet) -> IpNet {
    if let IpNet::V6(v6) = range
        && let Some(bits) = v6.prefix_len().checked_sub(96)
        && let Some(address) = v6.addr().to_ipv4_mapped()
        && let Ok(v4) = Ipv4Net::new(address, bits)
    {
        return IpNet::V4(v4);
    }
    range
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn strategy(depth: i64, excluded: &[&str], ipv6_subnet: Option<u8>) -> IpStrategy {
        let settings = config::dynamic::IpStrategy {
            depth,
            excluded_ips: excluded.iter().map(|text| (*text).to_owned()).collect(),
            ipv6_subnet,
        };
        IpStrategy::new(Some(&settings)).expect("valid settings")
    }

    fn check(strategy: &IpStrategy, forwarded_for: Option<&str>, expected: Option<&str>) {
        let mut exchange = fixture::exchange("GET", "http://h/");
        if let Some(value) = forwarded_for {
            exchange.request.headers = fixture::headers(&[("X-Forwarded-For", value)]);
        }
        let address = strategy.address(&exchange).map(|address| address.to_string());
        assert_eq!(address.as_deref(), expected, "{strategy:?} of {forwarded_for:?}");
    }

    #[test]
    fn without_settings_the_peer_counts() {
        check(&IpStrategy::new(None).expect("valid"), Some("10.0.0.1"), Some("192.0.2.7"));
    }

    #[test]
    fn depth_counts_from_the_right() {
        let list = Some("10.0.0.1, 10.0.0.2,10.0.0.3:80 ");
        check(&strategy(1, &[], None), list, Some("10.0.0.3"));
        check(&strategy(3, &["10.0.0.1"], None), list, Some("10.0.0.1"));
        check(&strategy(4, &[], None), list, None);
        check(&strategy(1, &[], None), None, None);
        check(&strategy(1, &[], None), Some("[2001:db8::1]:80"), Some("2001:db8::1"));
        check(&strategy(1, &[], None), Some("fe80::1%eth0"), Some("fe80::1"));
        check(&strategy(1, &[], None), Some("::ffff:10.0.0.1"), Some("10.0.0.1"));
    }

    #[test]
    fn excluded_addresses_are_skipped_from_the_right() {
        let excluded = strategy(0, &["10.0.0.0/8", "::1"], None);
        check(&excluded, Some("1.1.1.1, 10.0.0.2, ::1, "), Some("1.1.1.1"));
        check(&excluded, Some("10.0.0.2"), None);
        check(&excluded, Some("1.1.1.1, junk, 10.0.0.1"), None);
    }

    #[test]
    fn ipv6_addresses_are_masked() {
        let subnet = strategy(1, &[], Some(64));
        check(&subnet, Some("2001:db8:1:2:3:4:5:6"), Some("2001:db8:1:2::"));
        check(&subnet, Some("10.0.0.1"), Some("10.0.0.1"));
        check(&strategy(1, &[], Some(128)), Some("::1"), Some("::1"));
    }

    #[test]
    fn broken_settings_are_refused_with_traefiks_words() {
        let settings = |excluded: &[&str], ipv6_subnet| config::dynamic::IpStrategy {
            depth: 0,
            excluded_ips: excluded.iter().map(|text| (*text).to_owned()).collect(),
            ipv6_subnet,
        };
        assert_eq!(
            IpStrategy::new(Some(&settings(&[], Some(200)))).err().as_deref(),
            Some("invalid IPv6 subnet 200 value, should be greater to 0 and lower or equal to 128")
        );
        assert_eq!(
            IpStrategy::new(Some(&settings(&["foo/3"], None))).err().as_deref(),
            Some("parsing CIDR trusted IPs <nil>: invalid CIDR address: foo/3")
        );
    }

    #[test]
    fn ranges_hold_addresses_in_both_notations() {
        let ranges = ["1.2.3.4/24", "::ffff:10.0.0.0/104"].map(str::to_owned);
        let ranges = IpRanges::new(&ranges).expect("valid ranges");
        let inside = |text: &str| ranges.contains(parse(text).expect("valid address"));
        assert!(inside("1.2.3.9") && inside("::ffff:1.2.3.9") && inside("10.9.9.9"));
        assert!(!inside("1.2.4.1") && !inside("11.0.0.0"));
    }
}
