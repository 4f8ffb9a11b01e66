//! Security headers and the check of allowed hosts.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use config::dynamic::Headers as Settings;
use exchange::Request;
use http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_REPORT_ONLY, HeaderMap, HeaderName,
    HeaderValue, PUBLIC_KEY_PINS, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION,
};

use crate::header_names::{read_list, read_name, read_value};

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const NONCE: &str = "$NONCE";

pub(super) struct Secure {
    allowed_hosts: Vec<String>,
    hosts_proxy_headers: Vec<HeaderName>,
    ssl_proxy_headers: Vec<(HeaderName, HeaderValue)>,
    always: Vec<(HeaderName, HeaderValue)>,
    over_tls: Vec<(HeaderName, HeaderValue)>,
    /// Policies with places for a number used once.
    with_nonce: Vec<(HeaderName, String)>,
}

impl Secure {
    /// Gives `None` when no security setting is used.
    pub(super) fn new(settings: &Settings) -> Result<Option<Self>, String> {
        if !is_used(settings) {
            return Ok(None);
        }
        let is_development = settings.is_development;
        let mut secure = Self {
            allowed_hosts: if is_development { Vec::new() } else { settings.allowed_hosts.clone() },
            hosts_proxy_headers: read_list(&settings.hosts_proxy_headers),
            ssl_proxy_headers: Vec::new(),
            always: Vec::new(),
            over_tls: Vec::new(),
            with_nonce: Vec::new(),
        };
        for (name, value) in &settings.ssl_proxy_headers {
            secure.ssl_proxy_headers.push((read_name(name)?, read_value(name, value)?));
        }
        if let Some(seconds) = settings.sts_seconds.filter(|seconds| *seconds != 0)
            && !is_development
        {
            let subdomains =
                if settings.sts_include_subdomains { "; includeSubDomains" } else { "" };
            let preload = if settings.sts_preload { "; preload" } else { "" };
            let text = format!("max-age={seconds}{subdomains}{preload}");
            let list =
                if settings.force_sts_header { &mut secure.always } else { &mut secure.over_tls };
            list.push((STRICT_TRANSPORT_SECURITY, read_value("stsSeconds", &text)?));
        }
        if !is_development {
            add(&mut secure.over_tls, PUBLIC_KEY_PINS, &settings.public_key)?;
        }
        let either = |custom: &str, is_on: bool, usual: &str| match (custom, is_on) {
            ("", true) => usual.to_owned(),
            (custom, _) => custom.to_owned(),
        };
        let frame = either(&settings.custom_frame_options_value, settings.frame_deny, "DENY");
        let nosniff = either("", settings.content_type_nosniff, "nosniff");
        let xss = either(
            &settings.custom_browser_xss_value,
            settings.browser_xss_filter,
            "1; mode=block",
        );
        add(&mut secure.always, X_FRAME_OPTIONS, &frame)?;
        add(&mut secure.always, X_CONTENT_TYPE_OPTIONS, &nosniff)?;
        add(&mut secure.always, X_XSS_PROTECTION, &xss)?;
        add(&mut secure.always, REFERRER_POLICY, &settings.referrer_policy)?;
        add(&mut secure.always, PERMISSIONS_POLICY, &settings.permissions_policy)?;
        let policies = [
            (CONTENT_SECURITY_POLICY, &settings.content_security_policy),
            (CONTENT_SECURITY_POLICY_REPORT_ONLY, &settings.content_security_policy_report_only),
        ];
        for (name, policy) in policies {
            if policy.contains(NONCE) {
                read_value(name.as_str(), policy)?;
                secure.with_nonce.push((name, policy.clone()));
            } else {
                add(&mut secure.always, name, policy)?;
            }
        }
        Ok(Some(secure))
    }

    /// Tells whether the request's host, or the one a proxy header names, is allowed. Compares the
    /// port too.
    pub(super) fn allows_host(&self, request: &Request) -> bool {
        if self.allowed_hosts.is_empty() {
            return true;
        }
        let mut told = self.hosts_proxy_headers.iter().filter_map(|name| request.headers.get(name));
        let host = told.find(|value| !value.is_empty()).unwrap_or(request.authority.text());
        self.allowed_hosts
            .iter()
            .any(|allowed| allowed.as_bytes().eq_ignore_ascii_case(host.as_bytes()))
    }

    /// Tells whether a header says that the client used TLS.
    pub(super) fn is_told_tls(&self, request: &HeaderMap) -> bool {
        self.ssl_proxy_headers.iter().any(|(name, value)| request.get(name) == Some(value))
    }

    /// Adds the security headers to a response.
    pub(super) fn finish(&self, headers: &mut HeaderMap, is_tls: bool) {
        let over_tls: &[_] = if is_tls { &self.over_tls } else { &[] };
        for (name, value) in self.always.iter().chain(over_tls) {
            headers.insert(name.clone(), value.clone());
        }
        if self.with_nonce.is_empty() {
            return;
        }
        let mut bytes = [0; 16];
        if rand::fill(&mut bytes).is_err() {
            // Without randomness no policy is told: one that can be guessed is worse.
            return;
        }
        let nonce = format!("'nonce-{}'", STANDARD_NO_PAD.encode(bytes));
        for (name, policy) in &self.with_nonce {
            if let Ok(value) = HeaderValue::from_bytes(policy.replace(NONCE, &nonce).as_bytes()) {
                headers.insert(name.clone(), value);
            }
        }
    }
}

fn add(
    list: &mut Vec<(HeaderName, HeaderValue)>,
    name: HeaderName,
    value: &str,
) -> Result<(), String> {
    if !value.is_empty() {
        let value = read_value(name.as_str(), value)?;
        list.push((name, value));
    }
    Ok(())
}

/// Tells whether any security setting is given, also one of those that have no effect any more.
fn is_used(settings: &Settings) -> bool {
    !settings.allowed_hosts.is_empty()
        || !settings.hosts_proxy_headers.is_empty()
        || settings.ssl_redirect == Some(true)
        || settings.ssl_temporary_redirect == Some(true)
        || settings.ssl_force_host == Some(true)
        || settings.ssl_host.as_ref().is_some_and(|host| !host.is_empty())
        || !settings.ssl_proxy_headers.is_empty()
        || settings.sts_seconds.is_some()
        || settings.sts_include_subdomains
        || settings.sts_preload
        || settings.force_sts_header
        || settings.frame_deny
        || !settings.custom_frame_options_value.is_empty()
        || settings.content_type_nosniff
        || settings.browser_xss_filter
        || !settings.custom_browser_xss_value.is_empty()
        || !settings.content_security_policy.is_empty()
        || !settings.content_security_policy_report_only.is_empty()
        || !settings.public_key.is_empty()
        || !settings.referrer_policy.is_empty()
        || settings.feature_policy.as_ref().is_some_and(|policy| !policy.is_empty())
        || !settings.permissions_policy.is_empty()
        || settings.is_development
}
