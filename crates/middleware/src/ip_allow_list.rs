//! `ipAllowList` and `ipWhiteList`: let only some addresses pass.

use exchange::{Exchange, Flow, Memo, Middleware, Phases, Response, status_text};
use http::StatusCode;

use crate::client_address::{IpRanges, IpStrategy};

pub(crate) struct IpAllowList {
    ranges: IpRanges,
    strategy: IpStrategy,
    reject_status: StatusCode,
}

impl IpAllowList {
    pub(crate) fn new(settings: &config::dynamic::IpAllowList) -> Result<Self, String> {
        if settings.source_range.is_empty() {
            return Err("sourceRange is empty, IPAllowLister not created".to_owned());
        }
        let reject_status = match settings.reject_status_code {
            0 => StatusCode::FORBIDDEN,
            code => StatusCode::from_u16(code)
                .ok()
                .filter(|status| !status_text(*status).is_empty())
                .ok_or_else(|| format!("invalid HTTP status code {code}"))?,
        };
        Self::with_words(settings, reject_status, "cannot parse CIDRs")
    }

    /// The deprecated kind: always 403, and other words for a broken range.
    pub(crate) fn white_list(settings: &config::dynamic::IpAllowList) -> Result<Self, String> {
        if settings.source_range.is_empty() {
            return Err("sourceRange is empty, IPWhiteLister not created".to_owned());
        }
        Self::with_words(settings, StatusCode::FORBIDDEN, "cannot parse CIDR whitelist")
    }

    fn with_words(
        settings: &config::dynamic::IpAllowList,
        reject_status: StatusCode,
        words: &str,
    ) -> Result<Self, String> {
        let ranges = IpRanges::new(&settings.source_range)
            .map_err(|error| format!("{words} [{}]: {error}", settings.source_range.join(" ")))?;
        let strategy = IpStrategy::new(settings.ip_strategy.as_ref())?;
        Ok(Self { ranges, strategy, reject_status })
    }
}

impl Middleware for IpAllowList {
    fn on_request(&self, exchange: &mut Exchange, _memo: &mut Memo) -> Flow {
        let address = self.strategy.address(exchange);
        if address.is_some_and(|address| self.ranges.contains(address)) {
            return Flow::Continue;
        }
        tracing::debug!(?address, "rejecting a client's address");
        Flow::respond(Response::status_only(self.reject_status))
    }

    fn phases(&self) -> Phases {
        Phases::Request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn settings(
        ranges: &[&str],
        depth: i64,
        reject_status_code: u16,
    ) -> config::dynamic::IpAllowList {
        config::dynamic::IpAllowList {
            source_range: ranges.iter().map(|text| (*text).to_owned()).collect(),
            ip_strategy: Some(config::dynamic::IpStrategy {
                depth,
                ..config::dynamic::IpStrategy::default()
            }),
            reject_status_code,
        }
    }

    fn check(settings: &config::dynamic::IpAllowList, expected: Option<&str>) {
        let middleware = IpAllowList::new(settings).expect("valid settings");
        let mut exchange = fixture::exchange("GET", "http://h/");
        exchange.request.headers = fixture::headers(&[("X-Forwarded-For", "10.0.0.1, 10.0.0.2")]);
        let answer = fixture::request_phase(&middleware, &mut exchange);
        assert_eq!(answer.map(fixture::told).as_deref(), expected);
    }

    #[test]
    fn only_addresses_of_the_ranges_pass() {
        check(&settings(&["192.0.2.0/24"], 0, 0), None);
        check(&settings(&["192.0.2.7"], 0, 0), None);
        check(&settings(&["10.0.0.0/8"], 0, 0), Some("403\nForbidden"));
        check(&settings(&["10.0.0.1"], 2, 0), None);
        check(&settings(&["10.0.0.1"], 1, 404), Some("404\nNot Found"));
        check(&settings(&["0.0.0.0/0"], 3, 0), Some("403\nForbidden"));
    }

    fn check_error(settings: &config::dynamic::IpAllowList, allow: &str, white: &str) {
        assert_eq!(IpAllowList::new(settings).err().as_deref(), Some(allow));
        let white_list = IpAllowList::white_list(settings).err();
        assert_eq!(white_list.as_deref().unwrap_or_default(), white);
    }

    #[test]
    fn broken_settings_are_refused_with_traefiks_words() {
        check_error(
            &settings(&[], 0, 0),
            "sourceRange is empty, IPAllowLister not created",
            "sourceRange is empty, IPWhiteLister not created",
        );
        check_error(
            &settings(&["::1", "foo/3"], 0, 0),
            "cannot parse CIDRs [::1 foo/3]: parsing CIDR trusted IPs <nil>: invalid CIDR address: \
             foo/3",
            "cannot parse CIDR whitelist [::1 foo/3]: parsing CIDR trusted IPs <nil>: invalid CIDR \
             address: foo/3",
        );
        check_error(&settings(&["::1"], 0, 299), "invalid HTTP status code 299", "");
    }
}
