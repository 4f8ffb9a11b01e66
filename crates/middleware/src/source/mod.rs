//! What requests share a limit: `sourceCriterion`, and tables with a place for each source.

mod key;
mod shards;

use config::dynamic::SourceCriterion as Settings;
use exchange::Exchange;
use http::header::HeaderName;

pub(crate) use self::key::SourceKey;
pub(crate) use self::shards::Shards;
use crate::client_address::IpStrategy;

/// Tells whose request it is.
#[derive(Debug)]
pub(crate) enum Source {
    Ip(IpStrategy),
    /// The first value of a header; `None` for a name that no header can have.
    Header(Option<HeaderName>),
    /// The request's host.
    Host,
}

impl Source {
    /// Reads the criterion; without one, and for an empty one, `default` holds.
    ///
    /// # Errors
    /// With Traefik's words for criteria that exclude each other, and what `ipStrategy` refuses.
    pub(crate) fn new(settings: Option<&Settings>, default: Self) -> Result<Self, String> {
        let Some(settings) = settings else { return Ok(default) };
        let Settings { ip_strategy, request_header_name, request_host } = settings;
        let has_header = !request_header_name.is_empty();
        if ip_strategy.is_some() && has_header {
            return Err("iPStrategy and RequestHeaderName are mutually exclusive".to_owned());
        }
        if ip_strategy.is_some() && *request_host {
            return Err("iPStrategy and RequestHost are mutually exclusive".to_owned());
        }
        if has_header && *request_host {
            return Err("requestHost and RequestHeaderName are mutually exclusive".to_owned());
        }
        if ip_strategy.is_some() {
            return Ok(Self::Ip(IpStrategy::new(ip_strategy.as_ref())?));
        }
        if has_header {
            return Ok(Self::Header(HeaderName::from_bytes(request_header_name.as_bytes()).ok()));
        }
        Ok(if *request_host { Self::Host } else { default })
    }

    /// Gives the source of a request. Requests that do not say one share an empty source.
    pub(crate) fn of(&self, exchange: &Exchange) -> SourceKey {
        match self {
            Self::Ip(strategy) => match strategy.address(exchange) {
                Some(std::net::IpAddr::V4(address)) => SourceKey::new(&address.octets()),
                Some(std::net::IpAddr::V6(address)) => SourceKey::new(&address.octets()),
                None => SourceKey::new(b""),
            },
            Self::Header(name) => {
                let value = name.as_ref().and_then(|name| exchange.request.headers.get(name));
                SourceKey::new(value.map_or(b"", |value| value.as_bytes()))
            }
            // Traefik: as the client wrote it, so that letters in upper case and ports that the
            // rule does not look at are sources of their own.
            Self::Host => SourceKey::new(exchange.request.authority.name().as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn settings(ip: bool, header: &str, request_host: bool) -> Settings {
        Settings {
            ip_strategy: ip.then(config::dynamic::IpStrategy::default),
            request_header_name: header.to_owned(),
            request_host,
        }
    }

    fn check(settings: &Settings, expected: &[u8]) {
        let source = Source::new(Some(settings), Source::Host).expect("valid settings");
        let mut exchange = fixture::exchange("GET", "http://Example.org:81/");
        exchange.request.headers = fixture::headers(&[("X-Who", "me"), ("X-Who", "you")]);
        assert_eq!(source.of(&exchange), SourceKey::new(expected), "{settings:?}");
    }

    #[test]
    fn sources_are_addresses_headers_or_hosts() {
        check(&settings(true, "", false), &[192, 0, 2, 7]);
        check(&settings(false, "x-who", false), b"me");
        check(&settings(false, "X-Missing", false), b"");
        check(&settings(false, "no header", false), b"");
        check(&settings(false, "", true), b"example.org");
        check(&settings(false, "", false), b"example.org");
    }

    #[test]
    fn criteria_exclude_each_other_with_traefiks_words() {
        let error = |settings: &Settings| Source::new(Some(settings), Source::Host).err();
        assert_eq!(
            error(&settings(true, "X-Who", true)).as_deref(),
            Some("iPStrategy and RequestHeaderName are mutually exclusive")
        );
        assert_eq!(
            error(&settings(true, "", true)).as_deref(),
            Some("iPStrategy and RequestHost are mutually exclusive")
        );
        assert_eq!(
            error(&settings(false, "X-Who", true)).as_deref(),
            Some("requestHost and RequestHeaderName are mutually exclusive")
        );
    }
}
