//! Transports to servers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use config::Diagnostic;
use config::dynamic::{ClientTls, ServersTransport, TlsCertificate};
use tls::ClientSettings;

use super::Input;
use crate::Transport;

/// The transport of load balancers that name none.
pub(crate) const DEFAULT_TRANSPORT: &str = "default@internal";
/// Go keeps two idle connections a host unless told otherwise.
const GO_IDLE_MAX: usize = 2;
/// Go's time for the answer to a ping, where none is set.
const GO_PING_TIMEOUT: Duration = Duration::from_secs(15);
/// What is offered to servers that shall not speak HTTP/2.
const HTTP1: [&str; 1] = ["http/1.1"];

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// A transport and the settings it was built from.
#[derive(Clone)]
pub(crate) struct Kept {
    settings: ServersTransport,
    transport: Arc<Transport>,
}

/// Builds transports when a service asks for them.
pub(crate) struct Transports<'a> {
    input: &'a Input<'a>,
    previous: &'a HashMap<String, Kept>,
    built: HashMap<String, Kept>,
    problems: Vec<Diagnostic>,
}

impl<'a> Transports<'a> {
    pub(crate) fn new(input: &'a Input<'a>, previous: &'a HashMap<String, Kept>) -> Self {
        Self { input, previous, built: HashMap::new(), problems: Vec::new() }
    }

    /// Gives the transport of that qualified name.
    pub(crate) fn transport(&mut self, name: &str) -> Result<Arc<Transport>, String> {
        let settings = if name == DEFAULT_TRANSPORT {
            self.input.default_transport
        } else {
            self.input
                .configuration
                .http
                .servers_transports
                .get(name)
                .ok_or_else(|| format!("servers transport not found {name}"))?
        };
        self.build(name, settings)
    }

    /// Makes a transport for an authentication server.
    pub(crate) fn for_endpoint(
        &mut self,
        name: &str,
        tls: Option<&ClientTls>,
    ) -> Result<Arc<Transport>, String> {
        let mut settings = ServersTransport { max_idle_conns_per_host: 64, ..Default::default() };
        if let Some(tls) = tls {
            settings.insecure_skip_verify = tls.insecure_skip_verify;
            settings.root_cas =
                Some(tls.ca.clone()).filter(|ca| !ca.is_empty()).into_iter().collect();
            if !tls.cert.is_empty() {
                settings.certificates =
                    vec![TlsCertificate { cert_file: tls.cert.clone(), key_file: tls.key.clone() }];
            }
        }
        self.build(name, &settings)
    }

    fn build(&mut self, name: &str, settings: &ServersTransport) -> Result<Arc<Transport>, String> {
        let find = |kept: &HashMap<String, Kept>| {
            kept.get(name).filter(|kept| kept.settings == *settings).cloned()
        };
        let kept = match find(&self.built).or_else(|| find(self.previous)) {
            Some(kept) => kept,
            None => {
                let (tls, warnings) = client_config(settings).map_err(|error| error.to_string())?;
                let about = |text| {
                    Diagnostic::warning("servers-transport", text)
                        .about(format!("serversTransport {name:?}"))
                };
                self.problems.extend(warnings.into_iter().map(about));
                Kept {
                    settings: settings.clone(),
                    transport: Arc::new(compile(name, settings, tls)),
                }
            }
        };
        let transport = Arc::clone(&kept.transport);
        self.built.insert(name.to_owned(), kept);
        Ok(transport)
    }

    pub(crate) fn finish(self) -> (HashMap<String, Kept>, Vec<Diagnostic>) {
        (self.built, self.problems)
    }
}

fn client_config(
    settings: &ServersTransport,
) -> Result<(Arc<rustls::ClientConfig>, Vec<String>), tls::Error> {
    let protocols: &[&str] = if settings.disable_http2 { &HTTP1 } else { &["h2", "http/1.1"] };
    tls::client_config(&ClientSettings::try_from(settings)?.with_alpn(protocols))
}

fn compile(name: &str, settings: &ServersTransport, tls: Arc<rustls::ClientConfig>) -> Transport {
    let timeouts = settings.forwarding_timeouts.clone().unwrap_or_default();
    let limit =
        |duration: config::Duration| Some(duration.as_std()).filter(|d| *d > Duration::ZERO);
    let http1_tls = match settings.disable_http2 {
        true => Arc::clone(&tls),
        false => tls::offering(&tls, &HTTP1),
    };
    Transport {
        name: name.into(),
        tls,
        http1_tls,
        is_http2_disabled: settings.disable_http2,
        server_name: Some(settings.server_name.as_str()).filter(|n| !n.is_empty()).map(Arc::from),
        dial_timeout: limit(timeouts.dial_timeout),
        response_header_timeout: limit(timeouts.response_header_timeout),
        idle_timeout: limit(timeouts.idle_conn_timeout),
        read_idle_timeout: limit(timeouts.read_idle_timeout),
        ping_timeout: limit(timeouts.ping_timeout).unwrap_or(GO_PING_TIMEOUT),
        idle_max: match settings.max_idle_conns_per_host {
            0 => GO_IDLE_MAX,
            max => usize::try_from(max).unwrap_or(0),
        },
        id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
    }
}
