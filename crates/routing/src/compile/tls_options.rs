//! Which TLS options a server name gets on an entry point.
//!
//! Every TLS router binds the hosts of its rule to its options. Hosts that two routers bind to
//! different options fall back to the default ones, or disable the routers in strict mode.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use config::dynamic::Router;
use config::{Diagnostic, Severity};
use tls::{Certificates, Problem, ServerConfigs, ServerSettings, Subject};

use super::{Input, qualify};

/// The options of routers that name none.
pub(crate) const DEFAULT_OPTIONS: &str = "default";
/// What the data plane speaks over TLS.
const PROTOCOLS: &[&str] = &["h2", "http/1.1"];

/// What a run keeps for the next, so that unchanged certificates and sessions live on.
#[derive(Default)]
pub(crate) struct Kept {
    certificates: Option<Arc<Certificates>>,
    configs: Option<Arc<ServerConfigs>>,
}

/// Certificates and options, built.
pub(crate) struct TlsBuilt {
    configs: Arc<ServerConfigs>,
    /// What is wrong with options that cannot be used; `None`: they do not exist.
    broken: HashMap<String, Option<String>>,
    pub(crate) kept: Kept,
    pub(crate) problems: Vec<Diagnostic>,
    pub(crate) files: Vec<PathBuf>,
}

/// The TLS routers of one entry point.
#[derive(Default)]
pub(crate) struct Hosts(Vec<Bound>);

/// A TLS router, and the hosts it binds to its options.
struct Bound {
    router: String,
    rule: String,
    hosts: Vec<String>,
    options: String,
}

/// Why a router's options give way to the default ones.
pub(crate) enum Conflict {
    /// Another router binds one of its hosts to other options.
    Host,
    /// Its rule names no host that a handshake could be held against.
    NoHost { rule: String, options: String },
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str(
                "router's TLSOptions configuration is conflicting with other routers on the same \
                 entrypoint and host, default TLS options will be used instead",
            ),
            Self::NoHost { rule, options } => write!(
                f,
                "no domain found in rule {rule}, the TLS option {options} cannot be applied"
            ),
        }
    }
}

/// Builds certificates and options.
pub(crate) fn build(input: &Input<'_>, previous: &Kept) -> TlsBuilt {
    let settings = &input.configuration.tls;
    let (certificates, mut problems) = Certificates::load(settings, previous.certificates.as_ref());
    let (configs, more) = ServerConfigs::build(
        &settings.options,
        &certificates,
        PROTOCOLS,
        previous.configs.as_deref(),
    );
    problems.extend(more);
    let configs = Arc::new(configs);
    let mut files: Vec<PathBuf> = certificates.files().to_vec();
    files.extend_from_slice(configs.files());
    let mut broken = HashMap::new();
    for problem in &problems {
        if let (Subject::Options(name), Severity::Error) = (&problem.subject, problem.severity) {
            broken.insert(name.clone(), Some(problem.message.clone()));
        }
    }
    // Two providers that both define the default options have neither: what would go by them is
    // refused, since nobody can say which of the two was meant.
    let has_default = settings.options.contains_key(DEFAULT_OPTIONS);
    if !has_default {
        broken.insert(DEFAULT_OPTIONS.to_owned(), None);
    }
    let problems = problems.into_iter().map(Problem::into_diagnostic).collect();
    let kept =
        Kept { certificates: Some(Arc::clone(&certificates)), configs: Some(Arc::clone(&configs)) };
    TlsBuilt { configs, broken, kept, problems, files }
}

/// The qualified name of a router's TLS options.
pub(crate) fn options_of(router: &Router, name: &str) -> Option<String> {
    let tls = router.tls.as_ref()?;
    Some(match tls.options.as_str() {
        "" | DEFAULT_OPTIONS => DEFAULT_OPTIONS.to_owned(),
        named => qualify(named, name),
    })
}

impl TlsBuilt {
    /// Says what is wrong with options; `None`: they can be used.
    pub(crate) fn fault(&self, options: &str) -> Option<String> {
        if self.configs.is_usable(options) && !self.broken.contains_key(options) {
            return None;
        }
        Some(match self.broken.get(options) {
            Some(Some(message)) => format!("building TLS config: {message}"),
            Some(None) | None => format!("unknown TLS options: {options}"),
        })
    }
}

impl Hosts {
    /// Notes a TLS router.
    pub(crate) fn add(&mut self, router: &str, rule: &str, hosts: Vec<String>, options: String) {
        let (router, rule) = (router.to_owned(), rule.to_owned());
        self.0.push(Bound { router, rule, hosts, options });
    }

    /// Decides which host gets which options. Gives the settings for handshakes, and the routers
    /// whose options gave way, with why.
    pub(crate) fn settle(self, tls: &TlsBuilt) -> (Arc<ServerSettings>, HashMap<String, Conflict>) {
        let mut wanted: HashMap<&str, (&str, bool)> = HashMap::new();
        for bound in &self.0 {
            for host in &bound.hosts {
                let entry = wanted.entry(host).or_insert((&bound.options, false));
                entry.1 |= entry.0 != bound.options;
            }
        }
        let mut conflicts = HashMap::new();
        for bound in &self.0 {
            let conflict = if bound.hosts.iter().any(|host| wanted[host.as_str()].1) {
                Conflict::Host
            } else if bound.hosts.is_empty() && bound.options != DEFAULT_OPTIONS {
                Conflict::NoHost { rule: bound.rule.clone(), options: bound.options.clone() }
            } else {
                continue;
            };
            conflicts.insert(bound.router.clone(), conflict);
        }
        let bound = wanted.iter().map(|(host, (options, is_disputed))| {
            let options = if *is_disputed { DEFAULT_OPTIONS } else { options };
            ((*host).to_owned(), Some(options.to_owned()))
        });
        let refused = tls.broken.contains_key(DEFAULT_OPTIONS).then(|| ("*".to_owned(), None));
        (Arc::new(ServerSettings::new(&tls.configs, bound.chain(refused))), conflicts)
    }
}
