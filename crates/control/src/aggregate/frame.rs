//! What the static configuration says about routing, in the form that aggregation needs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use config::dynamic::{
    Configuration, ForwardingTimeouts, Router, RouterObservability, RouterTls, ServersTransport,
    TlsDomain, TraceVerbosity,
};
use config::static_config::{
    EncodedCharacters, EntryPoint, EntryPointObservability, EntryPointTls, StaticConfiguration,
    StaticServersTransport,
};
use exchange::InternalService;
use routing::DeniedCharacters;
use routing::compile::{EntryPointInput, Input};
use routing::rule::Syntax;

/// The static side of aggregation and compilation.
pub(crate) struct Frame<'a> {
    pub(crate) static_configuration: &'a StaticConfiguration,
    pub(crate) internal: &'a HashMap<String, Arc<dyn InternalService>>,
    pub(crate) models: Arc<Models>,
    entry_points: Vec<EntryPointInput>,
    precedence: Vec<String>,
    default_transport: ServersTransport,
}

/// What is added to routers.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Models {
    /// Entry points of routers that name none.
    pub(crate) default_entry_points: Vec<String>,
    pub(crate) by_entry_point: BTreeMap<String, Model>,
}

/// What an entry point adds to its routers.
#[derive(Debug, PartialEq)]
pub(crate) struct Model {
    pub(crate) middlewares: Vec<String>,
    pub(crate) tls: Option<RouterTls>,
    pub(crate) observability: RouterObservability,
    /// `core.defaultRuleSyntax`.
    pub(crate) rule_syntax: String,
}

impl Models {
    /// The entry points of a router, which children do not have.
    pub(crate) fn entry_points<'a>(&'a self, router: &'a Router) -> &'a [String] {
        if router.entry_points.is_empty() && router.parent_refs.is_empty() {
            &self.default_entry_points
        } else {
            &router.entry_points
        }
    }
}

impl<'a> Frame<'a> {
    pub(crate) fn new(
        static_configuration: &'a StaticConfiguration,
        internal: &'a HashMap<String, Arc<dyn InternalService>>,
    ) -> Self {
        let rule_syntax = static_configuration.core.as_ref().map(|core| &*core.default_rule_syntax);
        let named = &static_configuration.entry_points;
        let tcp = || named.iter().filter(|(_, entry_point)| !entry_point.is_udp());
        let models = named.iter().filter_map(|(name, entry_point)| {
            Some((name.clone(), model(entry_point, rule_syntax.unwrap_or_default())?))
        });
        let entry_points = tcp().map(|(name, entry_point)| EntryPointInput {
            name: name.as_str().into(),
            denied_characters: denied(entry_point.http.encoded_characters.as_ref()),
        });
        let mut default_entry_points: Vec<String> =
            static_configuration.default_entry_points().into_iter().map(str::to_owned).collect();
        default_entry_points.sort();
        let precedence = &static_configuration.providers.precedence;
        Self {
            static_configuration,
            internal,
            models: Arc::new(Models { default_entry_points, by_entry_point: models.collect() }),
            entry_points: entry_points.collect(),
            precedence: precedence.iter().map(|name| name.to_ascii_lowercase()).collect(),
            default_transport: transport(&static_configuration.servers_transport),
        }
    }

    /// What is compiled, for this configuration.
    pub(crate) fn input<'b>(&'b self, configuration: &'b Configuration) -> Input<'b> {
        let core = self.static_configuration.core.as_ref();
        Input {
            configuration,
            entry_points: &self.entry_points,
            internal: self.internal,
            precedence: &self.precedence,
            default_transport: &self.default_transport,
            strict_tls_options: core.is_some_and(|core| core.strict_tls_options),
            default_rule_syntax: core
                .map(|core| Syntax::from_name(&core.default_rule_syntax))
                .unwrap_or_default(),
        }
    }

    /// Names of the entry points that routers can name.
    pub(crate) fn entry_point_names(&self) -> impl Iterator<Item = &str> {
        self.entry_points.iter().map(|entry_point| &*entry_point.name)
    }
}

/// An entry point that has nothing to add has no model, and its routers keep their names.
fn model(entry_point: &EntryPoint, rule_syntax: &str) -> Option<Model> {
    let EntryPoint { http, observability, .. } = entry_point;
    let has_model = !http.middlewares.is_empty()
        || http.tls.is_some()
        || http.encoded_characters.is_some()
        || observability.is_some()
        || !rule_syntax.is_empty();
    has_model.then(|| Model {
        middlewares: http.middlewares.clone(),
        tls: http.tls.as_ref().map(router_tls),
        observability: observability.as_ref().map(router_observability).unwrap_or_default(),
        rule_syntax: rule_syntax.to_owned(),
    })
}

fn router_tls(tls: &EntryPointTls) -> RouterTls {
    let domains = tls.domains.iter();
    RouterTls {
        options: tls.options.clone(),
        cert_resolver: tls.cert_resolver.clone(),
        domains: domains
            .map(|domain| TlsDomain { main: domain.main.clone(), sans: domain.sans.clone() })
            .collect(),
    }
}

fn router_observability(settings: &EntryPointObservability) -> RouterObservability {
    RouterObservability {
        access_logs: settings.access_logs,
        metrics: settings.metrics,
        tracing: settings.tracing,
        trace_verbosity: Some(match settings.trace_verbosity.as_str() {
            "detailed" => TraceVerbosity::Detailed,
            _ => TraceVerbosity::Minimal,
        }),
    }
}

fn denied(allowed: Option<&EncodedCharacters>) -> DeniedCharacters {
    let Some(allowed) = allowed else { return DeniedCharacters::default() };
    let characters = [
        (b'/', allowed.allow_encoded_slash),
        (b'\\', allowed.allow_encoded_back_slash),
        (0, allowed.allow_encoded_null_character),
        (b';', allowed.allow_encoded_semicolon),
        (b'%', allowed.allow_encoded_percent),
        (b'?', allowed.allow_encoded_question_mark),
        (b'#', allowed.allow_encoded_hash),
    ];
    let denied = characters.into_iter().filter(|(_, is_allowed)| !is_allowed);
    DeniedCharacters(denied.map(|(character, _)| character).collect())
}

fn transport(settings: &StaticServersTransport) -> ServersTransport {
    ServersTransport {
        insecure_skip_verify: settings.insecure_skip_verify,
        root_cas: settings.root_cas.clone(),
        max_idle_conns_per_host: settings.max_idle_conns_per_host,
        forwarding_timeouts: settings.forwarding_timeouts.as_ref().map(|timeouts| {
            ForwardingTimeouts {
                dial_timeout: timeouts.dial_timeout,
                response_header_timeout: timeouts.response_header_timeout,
                idle_conn_timeout: timeouts.idle_conn_timeout,
                ..ForwardingTimeouts::default()
            }
        }),
        ..ServersTransport::default()
    }
}
