//! The services that answer from inside the process, as a static configuration switches them on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use api::{ApiService, DashboardService, Facts, PingService, Terminating};
use arc_swap::ArcSwap;
use config::static_config::StaticConfiguration;
use control::State;
use exchange::InternalService;

use crate::version;

/// Internal services by name, and where they look for the state of the control plane.
pub(crate) struct Internal {
    pub(crate) services: HashMap<String, Arc<dyn InternalService>>,
    pub(crate) state: Arc<ArcSwap<State>>,
}

impl Internal {
    /// Makes the services that a configuration switches on.
    pub(crate) fn new(
        configuration: &StaticConfiguration,
        started: SystemTime,
        terminating: &Terminating,
    ) -> Self {
        let state = Arc::new(ArcSwap::from_pointee(State::default()));
        let mut services: HashMap<String, Arc<dyn InternalService>> = HashMap::new();
        if let Some(api) = &configuration.api {
            let source = Arc::clone(&state);
            let source = Arc::new(move || facts(&source.load()));
            let service = ApiService::new(version::info(started), source);
            services.insert("api@internal".to_owned(), Arc::new(service));
            if api.dashboard {
                let dashboard = DashboardService::new(&api.base_path);
                services.insert("dashboard@internal".to_owned(), Arc::new(dashboard));
            }
        }
        if let Some(ping) = &configuration.ping {
            let ping = PingService::new(terminating.clone(), ping.terminating_status_code);
            services.insert("ping@internal".to_owned(), Arc::new(ping));
        }
        Self { services, state }
    }
}

fn facts(state: &State) -> Facts {
    Facts {
        configuration: Arc::clone(&state.static_configuration),
        runtime: Arc::clone(&state.runtime),
        diagnostics: Arc::clone(&state.diagnostics),
    }
}
