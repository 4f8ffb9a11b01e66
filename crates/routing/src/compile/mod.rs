//! `compile()`: from qualified configuration to a [`Snapshot`], with everything the API says of it.
//!
//! Objects whose settings did not change keep their `Arc` from the previous run, and with it their
//! state: health, addresses, pooled connections, sessions. An object that cannot be built is
//! reported and left out, together with what cannot work without it; everything else goes live.

mod groups;
mod load_balancers;
mod middlewares;
mod parents;
mod routers;
mod runtime;
mod server_url;
mod services;
mod tls_options;
mod transports;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use config::Diagnostic;
use config::dynamic::{Configuration, ServersTransport};
use exchange::InternalService;

use crate::{DeniedCharacters, EntryPointRoutes, Server, Service, Snapshot};

pub use self::runtime::{MiddlewareInfo, RouterInfo, Runtime, ServerState, ServiceInfo, Status};

/// What `compile` works on. All names are qualified (`name@provider`), entry points' models are
/// applied, defaults are set.
pub struct Input<'a> {
    pub configuration: &'a Configuration,
    pub entry_points: &'a [EntryPointInput],
    /// Services that answer from inside the process, by `name@internal`.
    pub internal: &'a HashMap<String, Arc<dyn InternalService>>,
    /// Providers in order of precedence, for routers of equal priority.
    pub precedence: &'a [String],
    /// The transport of load balancers that name none: the static `serversTransport`.
    pub default_transport: &'a ServersTransport,
    /// Disables routers whose TLS options conflict, as `core.strictTLSOptions`.
    pub strict_tls_options: bool,
    /// The syntax of rules that name none.
    pub default_rule_syntax: crate::rule::Syntax,
}

/// What `compile` must know of an entry point.
#[derive(Clone, Debug)]
pub struct EntryPointInput {
    pub name: Arc<str>,
    pub denied_characters: DeniedCharacters,
}

/// What came out, and what the next run can reuse.
pub struct Compiled {
    pub snapshot: Arc<Snapshot>,
    pub runtime: Arc<Runtime>,
    /// Load balancers with active health checks.
    pub health_checked: Vec<Arc<Service>>,
    /// Every server there is, those of middlewares included: their names are to be resolved.
    pub servers: Vec<Arc<Server>>,
    /// What transports, certificates and TLS options have to report; objects that fail to build say
    /// so in the runtime.
    pub problems: Vec<Diagnostic>,
    /// Files of certificates, to be watched.
    pub certificate_files: Vec<std::path::PathBuf>,
    memory: Memory,
}

/// What a run keeps for the next.
#[derive(Default)]
struct Memory {
    services: HashMap<String, services::Kept>,
    transports: HashMap<String, transports::Kept>,
    middlewares: middlewares::Memory,
    tls: tls_options::Kept,
}

/// Compiles a configuration. Never fails: what cannot be built is said in the runtime.
pub fn compile(input: &Input<'_>, previous: Option<&Compiled>, generation: u64) -> Compiled {
    let empty = Memory::default();
    let memory = previous.map_or(&empty, |previous| &previous.memory);
    let before = previous.map(|previous| &*previous.runtime);
    let mut runtime = Runtime::new(input.configuration, before);
    let transports = transports::Transports::new(input, &memory.transports);
    let mut services = services::Services::new(input, &memory.services, transports);
    let mut middlewares = middlewares::Middlewares::new(input, &memory.middlewares);
    let tls = tls_options::build(input, &memory.tls);
    let built = routers::build(input, &mut services, &mut middlewares, &tls, &mut runtime);
    let mut entry_points = foldhash::HashMap::default();
    for (entry_point, routers::Built { plain, secure, tls }) in built {
        entry_points.insert(entry_point, Arc::new(EntryPointRoutes { plain, secure, tls }));
    }
    let mut problems = tls.problems;
    let (kept_services, kept_transports, health_checked, transport_problems) =
        services.finish(&mut runtime);
    let servers = kept_services.values().flat_map(services::Kept::servers).cloned().collect();
    problems.extend(transport_problems);
    let kept_middlewares = middlewares.finish(&mut runtime);
    Compiled {
        snapshot: Arc::new(Snapshot { generation, entry_points }),
        runtime: Arc::new(runtime),
        health_checked,
        servers,
        problems,
        certificate_files: tls.files,
        memory: Memory {
            services: kept_services,
            transports: kept_transports,
            middlewares: kept_middlewares,
            tls: tls.kept,
        },
    }
}

/// Tells whether settings are the same; those that came through unchanged are even the same value.
pub(crate) fn is_same<T: PartialEq>(one: &Arc<T>, other: &Arc<T>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}

/// Gives `name` the provider of the object that refers to it, unless it has one.
pub(crate) fn qualify(name: &str, owner: &str) -> String {
    if name.contains('@') {
        return name.to_owned();
    }
    match owner.rsplit_once('@') {
        Some((_, provider)) => format!("{name}@{provider}"),
        None => name.to_owned(),
    }
}

/// The provider of a qualified name.
pub(crate) fn provider_of(name: &str) -> &str {
    name.rsplit_once('@').map_or("", |(_, provider)| provider)
}

/// Objects by name, in the order of names.
type Named<T> = BTreeMap<String, T>;
