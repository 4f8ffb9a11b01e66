//! Entry points, with Go's idea of what is empty: zero durations and numbers are left out.

use config::Duration;
use config::static_config::{
    EncodedCharacters, EntryPoint, EntryPointDomain, EntryPointHttp, EntryPointObservability,
    EntryPointTls, ForwardedHeaders, Http2, Http3, LifeCycle, ProxyProtocol, RedirectEntryPoint,
    RespondingTimeouts, StaticConfiguration, Transport,
};
use serde::Serialize;

/// An entry point as `/api/entrypoints` shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EntryPointView<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    address: &'a str,
    #[serde(rename = "allowACMEByPass", skip_serializing_if = "is_zero")]
    allow_acme_by_pass: bool,
    #[serde(skip_serializing_if = "is_zero")]
    reuse_port: bool,
    #[serde(skip_serializing_if = "is_zero")]
    as_default: bool,
    transport: TransportView,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy_protocol: Option<TrustView<'a>>,
    forwarded_headers: TrustView<'a>,
    http: HttpView<'a>,
    http2: Http2View,
    #[serde(skip_serializing_if = "Option::is_none")]
    http3: Option<Http3View>,
    udp: UdpView,
    #[serde(skip_serializing_if = "Option::is_none")]
    observability: Option<ObservabilityView<'a>>,
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TransportView {
    life_cycle: LifeCycleView,
    responding_timeouts: TimeoutsView,
    #[serde(skip_serializing_if = "is_zero")]
    keep_alive_max_time: Duration,
    #[serde(skip_serializing_if = "is_zero")]
    keep_alive_max_requests: i64,
}

#[derive(Serialize)]
struct LifeCycleView {
    #[serde(rename = "requestAcceptGraceTimeout", skip_serializing_if = "is_zero")]
    request_accept_grace_timeout: Duration,
    #[serde(rename = "graceTimeOut", skip_serializing_if = "is_zero")]
    grace_time_out: Duration,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TimeoutsView {
    #[serde(skip_serializing_if = "is_zero")]
    read_timeout: Duration,
    #[serde(skip_serializing_if = "is_zero")]
    write_timeout: Duration,
    #[serde(skip_serializing_if = "is_zero")]
    idle_timeout: Duration,
}

/// Forwarded headers, and the PROXY protocol, which has the first two keys.
#[derive(Serialize)]
struct TrustView<'a> {
    #[serde(skip_serializing_if = "is_zero")]
    insecure: bool,
    #[serde(rename = "trustedIPs", skip_serializing_if = "<[String]>::is_empty")]
    trusted_ips: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    connection: &'a [String],
    #[serde(rename = "notAppendXForwardedFor", skip_serializing_if = "is_zero")]
    not_append_x_forwarded_for: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HttpView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    redirections: Option<RedirectionsView<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    middlewares: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<TlsView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoded_characters: Option<EncodedCharactersView>,
    #[serde(skip_serializing_if = "is_zero")]
    encode_query_semicolons: bool,
    sanitize_path: bool,
    #[serde(skip_serializing_if = "is_zero")]
    max_header_bytes: i64,
    #[serde(skip_serializing_if = "str::is_empty")]
    alias_headers_strategy: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    underscore_headers_strategy: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RedirectionsView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    entry_point: Option<RedirectView<'a>>,
}

#[derive(Serialize)]
struct RedirectView<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    to: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    scheme: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    permanent: bool,
    #[serde(skip_serializing_if = "is_zero")]
    priority: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TlsView<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    options: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    cert_resolver: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    domains: Vec<DomainView<'a>>,
}

#[derive(Serialize)]
struct DomainView<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    main: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    sans: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EncodedCharactersView {
    #[serde(skip_serializing_if = "is_zero")]
    allow_encoded_slash: bool,
    #[serde(skip_serializing_if = "is_zero")]
    allow_encoded_back_slash: bool,
    #[serde(skip_serializing_if = "is_zero")]
    allow_encoded_null_character: bool,
    #[serde(skip_serializing_if = "is_zero")]
    allow_encoded_semicolon: bool,
    #[serde(skip_serializing_if = "is_zero")]
    allow_encoded_percent: bool,
    #[serde(skip_serializing_if = "is_zero")]
    allow_encoded_question_mark: bool,
    #[serde(skip_serializing_if = "is_zero")]
    allow_encoded_hash: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http2View {
    #[serde(skip_serializing_if = "is_zero")]
    max_concurrent_streams: i32,
    #[serde(skip_serializing_if = "is_zero")]
    max_decoder_header_table_size: i32,
    #[serde(skip_serializing_if = "is_zero")]
    max_encoder_header_table_size: i32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http3View {
    #[serde(skip_serializing_if = "is_zero")]
    advertised_port: i32,
}

#[derive(Serialize)]
struct UdpView {
    #[serde(skip_serializing_if = "is_zero")]
    timeout: Duration,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ObservabilityView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    access_logs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracing: Option<bool>,
    #[serde(skip_serializing_if = "str::is_empty")]
    trace_verbosity: &'a str,
}

impl<'a> EntryPointView<'a> {
    pub(crate) fn new(name: &'a str, entry_point: &'a EntryPoint) -> Self {
        let EntryPoint {
            address,
            allow_acme_by_pass,
            reuse_port,
            as_default,
            transport,
            proxy_protocol,
            forwarded_headers,
            http,
            http2,
            http3,
            udp,
            observability,
        } = entry_point;
        Self {
            address,
            allow_acme_by_pass: *allow_acme_by_pass,
            reuse_port: *reuse_port,
            as_default: *as_default,
            transport: transport.into(),
            proxy_protocol: proxy_protocol.as_ref().map(TrustView::from),
            forwarded_headers: forwarded_headers.into(),
            http: http.into(),
            http2: http2.into(),
            http3: http3
                .as_ref()
                .map(|Http3 { advertised_port }| Http3View { advertised_port: *advertised_port }),
            udp: UdpView { timeout: udp.timeout },
            observability: observability.as_ref().map(ObservabilityView::from),
            name,
        }
    }
}

/// All entry points; Traefik does not let this list be searched or sorted.
pub(crate) fn list(configuration: &StaticConfiguration) -> Vec<EntryPointView<'_>> {
    let entry_points = configuration.entry_points.iter();
    entry_points.map(|(name, entry_point)| EntryPointView::new(name, entry_point)).collect()
}

impl From<&Transport> for TransportView {
    fn from(transport: &Transport) -> Self {
        let LifeCycle { request_accept_grace_timeout, grace_time_out } = transport.life_cycle;
        let RespondingTimeouts { read_timeout, write_timeout, idle_timeout } =
            transport.responding_timeouts;
        Self {
            life_cycle: LifeCycleView { request_accept_grace_timeout, grace_time_out },
            responding_timeouts: TimeoutsView { read_timeout, write_timeout, idle_timeout },
            keep_alive_max_time: transport.keep_alive_max_time,
            keep_alive_max_requests: transport.keep_alive_max_requests,
        }
    }
}

impl<'a> From<&'a ProxyProtocol> for TrustView<'a> {
    fn from(ProxyProtocol { insecure, trusted_ips }: &'a ProxyProtocol) -> Self {
        Self {
            insecure: *insecure,
            trusted_ips,
            connection: &[],
            not_append_x_forwarded_for: false,
        }
    }
}

impl<'a> From<&'a ForwardedHeaders> for TrustView<'a> {
    fn from(headers: &'a ForwardedHeaders) -> Self {
        let ForwardedHeaders { insecure, trusted_ips, connection, not_append_x_forwarded_for } =
            headers;
        Self {
            insecure: *insecure,
            trusted_ips,
            connection,
            not_append_x_forwarded_for: *not_append_x_forwarded_for,
        }
    }
}

impl<'a> From<&'a EntryPointHttp> for HttpView<'a> {
    fn from(http: &'a EntryPointHttp) -> Self {
        let redirections = http.redirections.as_ref().map(|redirections| RedirectionsView {
            entry_point: redirections.entry_point.as_ref().map(RedirectView::from),
        });
        Self {
            redirections,
            middlewares: &http.middlewares,
            tls: http.tls.as_ref().map(TlsView::from),
            encoded_characters: http.encoded_characters.as_ref().map(EncodedCharactersView::from),
            encode_query_semicolons: http.encode_query_semicolons,
            sanitize_path: http.sanitize_path,
            max_header_bytes: http.max_header_bytes,
            alias_headers_strategy: &http.alias_headers_strategy,
            underscore_headers_strategy: &http.underscore_headers_strategy,
        }
    }
}

impl<'a> From<&'a RedirectEntryPoint> for RedirectView<'a> {
    fn from(redirect: &'a RedirectEntryPoint) -> Self {
        let RedirectEntryPoint { to, scheme, permanent, priority } = redirect;
        Self { to, scheme, permanent: *permanent, priority: *priority }
    }
}

impl<'a> From<&'a EntryPointTls> for TlsView<'a> {
    fn from(EntryPointTls { options, cert_resolver, domains }: &'a EntryPointTls) -> Self {
        let domain =
            |EntryPointDomain { main, sans }: &'a EntryPointDomain| DomainView { main, sans };
        Self { options, cert_resolver, domains: domains.iter().map(domain).collect() }
    }
}

impl From<&EncodedCharacters> for EncodedCharactersView {
    fn from(characters: &EncodedCharacters) -> Self {
        Self {
            allow_encoded_slash: characters.allow_encoded_slash,
            allow_encoded_back_slash: characters.allow_encoded_back_slash,
            allow_encoded_null_character: characters.allow_encoded_null_character,
            allow_encoded_semicolon: characters.allow_encoded_semicolon,
            allow_encoded_percent: characters.allow_encoded_percent,
            allow_encoded_question_mark: characters.allow_encoded_question_mark,
            allow_encoded_hash: characters.allow_encoded_hash,
        }
    }
}

impl From<&Http2> for Http2View {
    fn from(http2: &Http2) -> Self {
        Self {
            max_concurrent_streams: http2.max_concurrent_streams,
            max_decoder_header_table_size: http2.max_decoder_header_table_size,
            max_encoder_header_table_size: http2.max_encoder_header_table_size,
        }
    }
}

impl<'a> From<&'a EntryPointObservability> for ObservabilityView<'a> {
    fn from(observability: &'a EntryPointObservability) -> Self {
        let EntryPointObservability { access_logs, metrics, tracing, trace_verbosity } =
            observability;
        Self { access_logs: *access_logs, metrics: *metrics, tracing: *tracing, trace_verbosity }
    }
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use config::decode::decode;
    use config::parse::{Format, parse};

    use super::*;
    use crate::json::encode;

    /// Expects an entry point `web`, written as YAML, to be shown as Traefik 3.7 shows it.
    fn check(yaml: &str, expected: &str) {
        let node = parse(yaml, "f", Format::Yaml).expect("well-formed YAML");
        let entry_point: EntryPoint = decode(&node, None, "").clean().expect("a valid sample");
        let bytes = encode(&EntryPointView::new("web", &entry_point)).expect("valid JSON");
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
    }

    #[test]
    fn defaults_are_shown() {
        check(
            "address: ':1'",
            r#"{"address":":1","transport":{"lifeCycle":{"graceTimeOut":"10s"},"respondingTimeouts":{"readTimeout":"1m0s","idleTimeout":"3m0s"}},"forwardedHeaders":{},"http":{"sanitizePath":true,"maxHeaderBytes":1048576},"http2":{"maxConcurrentStreams":250,"maxDecoderHeaderTableSize":4096,"maxEncoderHeaderTableSize":4096},"udp":{"timeout":"3s"},"name":"web"}"#,
        );
    }

    #[test]
    fn zeros_are_left_out() {
        check(
            "{address: ':1', transport: {lifeCycle: {graceTimeOut: 0}, respondingTimeouts: \
             {readTimeout: 0, idleTimeout: 0}}, http: {sanitizePath: false, maxHeaderBytes: 0, \
             redirections: {entryPoint: {to: ':5'}}, underscoreHeadersStrategy: delete}, http2: \
             {maxConcurrentStreams: 0, maxDecoderHeaderTableSize: 0, maxEncoderHeaderTableSize: \
             0}, http3: {}, udp: {timeout: 0}}",
            r#"{"address":":1","transport":{"lifeCycle":{},"respondingTimeouts":{}},"forwardedHeaders":{},"http":{"redirections":{"entryPoint":{"to":":5","scheme":"https","permanent":true,"priority":9223372036854775806}},"sanitizePath":false,"underscoreHeadersStrategy":"delete"},"http2":{},"http3":{},"udp":{},"name":"web"}"#,
        );
    }

    #[test]
    fn everything_is_shown_in_traefiks_order() {
        check(
            "{address: ':1', allowACMEByPass: true, reusePort: true, asDefault: true, transport: \
             {lifeCycle: {requestAcceptGraceTimeout: 1s, graceTimeOut: 2s}, respondingTimeouts: \
             {readTimeout: 3s, writeTimeout: 4s, idleTimeout: 5s}, keepAliveMaxTime: 6s, \
             keepAliveMaxRequests: 7}, proxyProtocol: {insecure: true, trustedIPs: [1.1.1.1]}, \
             forwardedHeaders: {insecure: true, trustedIPs: [10.0.0.0/8], connection: [foo], \
             notAppendXForwardedFor: true}, http: {redirections: {entryPoint: {to: websecure, \
             scheme: http, permanent: false, priority: 5}}, middlewares: [hdr@file], tls: \
             {options: foo, certResolver: bar, domains: [{main: a, sans: [b]}]}, \
             encodeQuerySemicolons: true, sanitizePath: false, maxHeaderBytes: 5000, \
             encodedCharacters: {allowEncodedSlash: false}, aliasHeadersStrategy: delete}, http2: \
             {maxConcurrentStreams: 1, maxDecoderHeaderTableSize: 2, maxEncoderHeaderTableSize: \
             3}, http3: {advertisedPort: 44}, udp: {timeout: 9s}, observability: {accessLogs: \
             false, metrics: false, tracing: false, traceVerbosity: detailed}}",
            r#"{"address":":1","allowACMEByPass":true,"reusePort":true,"asDefault":true,"transport":{"lifeCycle":{"requestAcceptGraceTimeout":"1s","graceTimeOut":"2s"},"respondingTimeouts":{"readTimeout":"3s","writeTimeout":"4s","idleTimeout":"5s"},"keepAliveMaxTime":"6s","keepAliveMaxRequests":7},"proxyProtocol":{"insecure":true,"trustedIPs":["1.1.1.1"]},"forwardedHeaders":{"insecure":true,"trustedIPs":["10.0.0.0/8"],"connection":["foo"],"notAppendXForwardedFor":true},"http":{"redirections":{"entryPoint":{"to":"websecure","scheme":"http","priority":5}},"middlewares":["hdr@file"],"tls":{"options":"foo","certResolver":"bar","domains":[{"main":"a","sans":["b"]}]},"encodedCharacters":{"allowEncodedBackSlash":true,"allowEncodedNullCharacter":true,"allowEncodedSemicolon":true,"allowEncodedPercent":true,"allowEncodedQuestionMark":true,"allowEncodedHash":true},"encodeQuerySemicolons":true,"sanitizePath":false,"maxHeaderBytes":5000,"aliasHeadersStrategy":"delete"},"http2":{"maxConcurrentStreams":1,"maxDecoderHeaderTableSize":2,"maxEncoderHeaderTableSize":3},"http3":{"advertisedPort":44},"udp":{"timeout":"9s"},"observability":{"accessLogs":false,"metrics":false,"tracing":false,"traceVerbosity":"detailed"},"name":"web"}"#,
        );
    }
}
