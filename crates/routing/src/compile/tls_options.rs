//! Which TLS options a server name gets on an entry point.
//!
//! Every TLS router binds the hosts of its rule to its options. Hosts that two routers bind to
//! different options fall back to the default ones, or disable the routers in strict mode.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use config::Diagnostic;
use config::dynamic::Router;
use tls::{Certificates, Problem, ServerConfigs, ServerSettings};

use super::{Input, qualify};

/// The options of routers that name none.
pub(crate) const DEFAULT_OPTIONS: &str = "default";
/// What the data plane speaks over TLS.
const PROTOCOLS: &[&str] = &["http/1.1"];

/// What a run keeps for the next, so that unchanged certificates and sessions live on.
#[derive(Default)]
pub(crate) struct Kept {
    certificates: Option<Arc<Certificates>>,
    configs: Option<Arc<ServerConfigs>>,
}

/// Certificates and options, built.
pub(crate) struct TlsBuilt {
    configs: Arc<ServerConfigs>,
    pub(crate) kept: Kept,
    pub(crate) problems: Vec<Diagnostic>,
    pub(crate) files: Vec<PathBuf>,
}

/// The TLS routers of one entry point: name, hosts, options.
#[derive(Default)]
pub(crate) struct Hosts(Vec<(String, Vec<String>, String)>);

/// Builds certificates and options.
pub(crate) fn build(input: &Input<'_>, previous: &Kept) -> TlsBuilt {
    let settings = &input.configuration.tls;
    let (certificates, mut problems) = Certificates::load(settings, previous.certificates.as_ref());
    let mut options: BTreeMap<String, config::dynamic::TlsOptions> =
        settings.options.iter().map(|(name, options)| (name.clone(), options.clone())).collect();
    options.entry(DEFAULT_OPTIONS.to_owned()).or_default();
    let (configs, more) =
        ServerConfigs::build(&options, &certificates, PROTOCOLS, previous.configs.as_deref());
    problems.extend(more);
    let configs = Arc::new(configs);
    let mut files: Vec<PathBuf> = certificates.files().to_vec();
    files.extend_from_slice(configs.files());
    let problems = problems.into_iter().map(Problem::into_diagnostic).collect();
    let kept =
        Kept { certificates: Some(Arc::clone(&certificates)), configs: Some(Arc::clone(&configs)) };
    TlsBuilt { configs, kept, problems, files }
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
    /// Tells whether options exist and are not broken.
    pub(crate) fn is_usable(&self, options: &str) -> bool {
        self.configs.is_usable(options)
    }
}

impl Hosts {
    /// Notes a TLS router.
    pub(crate) fn add(&mut self, router: &str, hosts: Vec<String>, options: String) {
        self.0.push((router.to_owned(), hosts, options));
    }

    /// Decides which host gets which options. Gives the settings for handshakes, and the routers
    /// whose options gave way, with why.
    pub(crate) fn settle(self, tls: &TlsBuilt) -> (Arc<ServerSettings>, HashMap<String, String>) {
        let mut wanted: HashMap<&str, (&str, bool)> = HashMap::new();
        for (_, hosts, options) in &self.0 {
            for host in hosts {
                let entry = wanted.entry(host).or_insert((options, false));
                entry.1 |= entry.0 != options;
            }
        }
        let mut conflicts = HashMap::new();
        for (router, hosts, _) in &self.0 {
            if let Some(host) = hosts.iter().find(|host| wanted[host.as_str()].1) {
                conflicts.insert(router.clone(), host.clone());
            }
        }
        let bound = wanted.iter().map(|(host, (options, is_disputed))| {
            let options = if *is_disputed { DEFAULT_OPTIONS } else { options };
            ((*host).to_owned(), Some(options.to_owned()))
        });
        (Arc::new(ServerSettings::new(&tls.configs, bound)), conflicts)
    }
}
