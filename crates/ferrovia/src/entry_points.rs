//! From an entry point as users write it to what the data plane must know of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::time::Duration;

use config::static_config::{EntryPoint, EntryPointHttp, Global, Http2};
use http::HeaderName;
use ipnet::IpNet;
use proxy::{EntryPointSettings, ForwardedSettings, HeaderAliases, Http2Settings};

/// Makes the data plane's settings of an entry point; `None` for UDP, which is not served yet. The
/// error is a clause about the entry point.
pub(crate) fn settings(
    name: &str,
    entry_point: &EntryPoint,
    global: &Global,
) -> Result<Option<EntryPointSettings>, String> {
    if entry_point.is_udp() {
        return Ok(None);
    }
    let timeouts = &entry_point.transport.responding_timeouts;
    let http = &entry_point.http;
    let not_append_for = entry_point.forwarded_headers.not_append_x_forwarded_for
        || global.not_append_x_forwarded_for;
    Ok(Some(EntryPointSettings {
        name: name.into(),
        address: address(entry_point)?,
        reuse_port: entry_point.reuse_port,
        read_timeout: limit(timeouts.read_timeout),
        write_timeout: limit(timeouts.write_timeout),
        idle_timeout: limit(timeouts.idle_timeout),
        keep_alive_requests_max: u64::try_from(entry_point.transport.keep_alive_max_requests)
            .ok()
            .filter(|requests| *requests > 0),
        keep_alive_time_max: limit(entry_point.transport.keep_alive_max_time),
        head_bytes_max: usize::try_from(http.max_header_bytes)
            .ok()
            .filter(|bytes| *bytes > 0)
            .unwrap_or(HEAD_BYTES_MAX),
        sanitize_path: http.sanitize_path,
        encode_query_semicolons: http.encode_query_semicolons,
        header_aliases: header_aliases(http),
        forwarded: ForwardedSettings {
            insecure: entry_point.forwarded_headers.insecure,
            trusted: entry_point
                .forwarded_headers
                .trusted_ips
                .iter()
                .map(|text| network(text))
                .collect::<Result<_, _>>()?,
            connection: entry_point
                .forwarded_headers
                .connection
                .iter()
                .map(|text| header_name(text))
                .collect::<Result<_, _>>()?,
            not_append_for,
        },
        http2: http2(&entry_point.http2),
    }))
}

/// Zero means the default, as for Go.
fn http2(http2: &Http2) -> Http2Settings {
    let chosen =
        |value: i32, default| u32::try_from(value).ok().filter(|v| *v > 0).unwrap_or(default);
    let default = Http2Settings::default();
    Http2Settings {
        concurrent_streams_max: chosen(
            http2.max_concurrent_streams,
            default.concurrent_streams_max,
        ),
        decoder_table_bytes: chosen(
            http2.max_decoder_header_table_size,
            default.decoder_table_bytes,
        ),
    }
}

/// Zero and less mean no limit.
fn limit(duration: config::Duration) -> Option<Duration> {
    Some(duration.as_std()).filter(|duration| !duration.is_zero())
}

fn address(entry_point: &EntryPoint) -> Result<SocketAddr, String> {
    let listen = entry_point.listen_address()?;
    if listen.host.is_empty() {
        return Ok(SocketAddr::new(everywhere(), listen.port));
    }
    // Go's scope is written as ours: fe80::1%eth0.
    let mut found = (listen.host.as_str(), listen.port)
        .to_socket_addrs()
        .map_err(|error| format!("host {:?}: {error}", listen.host))?;
    found.next().ok_or_else(|| format!("host {:?} has no address", listen.host))
}

/// All addresses of the machine: `[::]`, which takes IPv4 too, unless IPv6 is switched off.
fn everywhere() -> IpAddr {
    let any: IpAddr = Ipv6Addr::UNSPECIFIED.into();
    match TcpListener::bind((any, 0)) {
        Ok(_) => any,
        Err(_) => Ipv4Addr::UNSPECIFIED.into(),
    }
}

fn header_aliases(http: &EntryPointHttp) -> HeaderAliases {
    let strategies =
        (http.alias_headers_strategy.as_str(), http.underscore_headers_strategy.as_str());
    match strategies {
        ("delete", _) => HeaderAliases::Delete,
        ("reject", _) => HeaderAliases::Reject,
        ("", "delete") => HeaderAliases::DeleteUnderscores,
        ("", "reject") => HeaderAliases::RejectUnderscores,
        _ => HeaderAliases::Keep,
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    if let Ok(network) = text.parse::<IpNet>() {
        return Ok(network);
    }
    text.parse::<IpAddr>().map(IpNet::from).map_err(|_| {
        format!("forwardedHeaders.trustedIPs: {text:?} is neither an IP address nor a CIDR range")
    })
}

fn header_name(text: &str) -> Result<HeaderName, String> {
    HeaderName::try_from(text.trim())
        .map_err(|_| format!("forwardedHeaders.connection: {text:?} is not a header name"))
}

const HEAD_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use config::static_config::ForwardedHeaders;

    use super::*;

    fn entry_point(address: &str) -> EntryPoint {
        EntryPoint { address: address.to_owned(), ..EntryPoint::default() }
    }

    fn check_address(text: &str, expected: Result<&str, &str>) {
        let made = settings("web", &entry_point(text), &Global::default());
        let made = made.map(|made| made.expect("TCP").address.to_string());
        assert_eq!(made.as_deref().map_err(String::as_str), expected, "address {text}");
    }

    #[test]
    fn addresses_become_sockets() {
        check_address("127.0.0.1:80", Ok("127.0.0.1:80"));
        check_address("[::1]:443/tcp", Ok("[::1]:443"));
        check_address("0.0.0.0:1", Ok("0.0.0.0:1"));
        check_address("80", Err("missing port in address \"80\""));
    }

    #[test]
    fn an_address_without_host_means_everywhere() {
        let made = settings("web", &entry_point(":0"), &Global::default());
        let address = made.ok().flatten().expect("TCP").address;
        assert!(address.ip().is_unspecified());
    }

    #[test]
    fn defaults_are_those_of_the_data_plane() {
        let made = settings("web", &entry_point("127.0.0.1:0"), &Global::default());
        let expected = EntryPointSettings::new("web", SocketAddr::from(([127, 0, 0, 1], 0)));
        assert_eq!(made, Ok(Some(expected)));
    }

    #[test]
    fn udp_is_left_out() {
        assert_eq!(settings("dns", &entry_point(":53/udp"), &Global::default()), Ok(None));
    }

    #[test]
    fn zeros_mean_no_limit() {
        let mut zero = entry_point("127.0.0.1:0");
        let timeouts = &mut zero.transport.responding_timeouts;
        timeouts.read_timeout = config::Duration::ZERO;
        timeouts.idle_timeout = config::Duration::ZERO;
        zero.http.max_header_bytes = 0;
        let made = settings("web", &zero, &Global::default()).ok().flatten().expect("TCP");
        assert_eq!((made.read_timeout, made.idle_timeout), (None, None));
        assert_eq!(made.head_bytes_max, HEAD_BYTES_MAX);
    }

    #[test]
    fn whom_to_trust() {
        let mut trusting = entry_point("127.0.0.1:0");
        trusting.forwarded_headers = ForwardedHeaders {
            trusted_ips: vec!["10.0.0.0/8".to_owned(), "::1".to_owned()],
            connection: vec!["X-Foo".to_owned()],
            ..ForwardedHeaders::default()
        };
        let global = Global { not_append_x_forwarded_for: true, ..Global::default() };
        let made = settings("web", &trusting, &global).ok().flatten().expect("TCP").forwarded;
        assert!(made.trusts("10.1.2.3".parse().expect("an address")));
        assert!(made.trusts("::1".parse().expect("an address")));
        assert!(!made.trusts("11.1.2.3".parse().expect("an address")));
        assert_eq!((made.connection, made.not_append_for), (vec!["x-foo".parse().unwrap()], true));
        trusting.forwarded_headers.trusted_ips.push("10.0.0.0/33".to_owned());
        assert_eq!(
            settings("web", &trusting, &Global::default()),
            Err(
                "forwardedHeaders.trustedIPs: \"10.0.0.0/33\" is neither an IP address nor a CIDR \
                 range"
                    .to_owned()
            )
        );
    }
}
