//! Addresses of entry points: `[host]:port[/protocol]`.

use super::EntryPoint;

/// What an entry point's address says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    /// Host name or address without brackets; empty: every address of the machine.
    pub host: String,
    /// 0: any free port.
    pub port: u16,
    pub protocol: Protocol,
}

/// The transport protocol of an entry point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Tcp,
    Udp,
}

impl EntryPoint {
    /// Reads the address; the error is a clause about it.
    pub fn listen_address(&self) -> Result<ListenAddress, String> {
        let (address, protocol) = match self.address.split_once('/') {
            None => (self.address.as_str(), Protocol::Tcp),
            Some((address, name)) if name.eq_ignore_ascii_case("tcp") => (address, Protocol::Tcp),
            Some((address, name)) if name.eq_ignore_ascii_case("udp") => (address, Protocol::Udp),
            Some((_, name)) => {
                return Err(format!("invalid protocol {name:?}, expected tcp or udp"));
            }
        };
        // Traefik: an entry point without address listens on a free port of its own.
        if address.is_empty() {
            return Ok(ListenAddress { host: String::new(), port: 0, protocol });
        }
        let Some((host, port)) = address.rsplit_once(':') else {
            return Err(format!("missing port in address {address:?}"));
        };
        let host = match host.strip_prefix('[') {
            Some(inner) => match inner.strip_suffix(']') {
                Some(inner) => inner,
                None => return Err(format!("missing ']' in address {address:?}")),
            },
            None if host.contains(':') => {
                return Err(format!("too many colons in address {address:?}, write [host]:port"));
            }
            None => host,
        };
        let port = match port {
            "http" => 80,
            "https" => 443,
            digits => digits.parse().map_err(|_| format!("invalid port {digits:?}"))?,
        };
        Ok(ListenAddress { host: host.to_owned(), port, protocol })
    }

    /// Whether the address names UDP.
    pub fn is_udp(&self) -> bool {
        self.address.rsplit_once('/').is_some_and(|(_, name)| name.eq_ignore_ascii_case("udp"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: Result<(&str, u16, Protocol), &str>) {
        let entry_point = EntryPoint { address: address.to_owned(), ..EntryPoint::default() };
        let found = entry_point.listen_address();
        let found = found
            .as_ref()
            .map(|address| (address.host.as_str(), address.port, address.protocol))
            .map_err(String::as_str);
        assert_eq!(found, expected, "address {address:?}");
    }

    #[test]
    fn addresses_of_entry_points() {
        check(":80", Ok(("", 80, Protocol::Tcp)));
        check("127.0.0.1:0", Ok(("127.0.0.1", 0, Protocol::Tcp)));
        check("[::1]:443/tcp", Ok(("::1", 443, Protocol::Tcp)));
        check("example.org:53/UDP", Ok(("example.org", 53, Protocol::Udp)));
        check("", Ok(("", 0, Protocol::Tcp)));
        check("/udp", Ok(("", 0, Protocol::Udp)));
        check(":http", Ok(("", 80, Protocol::Tcp)));
    }

    #[test]
    fn addresses_that_cannot_be_listened_on() {
        check("80", Err("missing port in address \"80\""));
        check(":70000", Err("invalid port \"70000\""));
        check(":80/sctp", Err("invalid protocol \"sctp\", expected tcp or udp"));
        check("::1:80", Err("too many colons in address \"::1:80\", write [host]:port"));
        check("[::1:80", Err("missing ']' in address \"[::1:80\""));
    }
}
