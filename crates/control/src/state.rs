//! What the API and the command line read of the control plane.

use std::sync::Arc;
use std::time::SystemTime;

use config::Diagnostic;
use config::static_config::StaticConfiguration;
use routing::compile::Runtime;

/// The configuration in force, how its objects fare and what is wrong with it. Replaced as a whole
/// whenever something changed.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// All HTTP objects. One that is broken but whose last good version is in service has the
    /// status `warning`, is shown as written and says why in its errors.
    pub runtime: Arc<Runtime>,
    /// Everything there is to say about the configuration, providers' findings first.
    pub diagnostics: Arc<[Diagnostic]>,
    /// The number of the snapshot that was published last; 0: none yet.
    pub generation: u64,
    /// In the order in which they were started.
    pub providers: Vec<ProviderState>,
    pub static_configuration: Arc<StaticConfiguration>,
}

/// What is known of one provider.
#[derive(Clone, Debug)]
pub struct ProviderState {
    pub name: Arc<str>,
    /// Configurations taken from it.
    pub updates: u64,
    /// When the last of them was taken.
    pub updated: Option<SystemTime>,
}

impl State {
    /// Tells whether every provider has delivered at least once.
    pub fn is_complete(&self) -> bool {
        self.providers.iter().all(|provider| provider.updates > 0)
    }
}
