//! The control plane as the program runs it: a task that can be stopped and started anew.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use config::static_config::{Providers, StaticConfiguration};
use control::{Control, Provider, State};
use proxy::DataPlane;
use routing::Snapshot;
use routing::compile::{Runtime, Status};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::internal::Internal;
use crate::report::count;

/// A running control plane.
pub(crate) struct ControlPlane {
    control: Arc<Control>,
    state: Arc<ArcSwap<State>>,
    shutdown: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Hands snapshots to the data plane; neither plane knows the other.
struct Publisher(Arc<DataPlane>);

impl control::DataPlane for Publisher {
    fn publish(&self, snapshot: Arc<Snapshot>) {
        let replaced = self.0.publish(snapshot);
        // Whoever lets go of it last takes it to pieces, which takes milliseconds with thousands of
        // routers. That shall be no worker, unless a stream goes on for very long.
        tokio::spawn(async move {
            let mut looks = 0;
            while Arc::strong_count(&replaced) > 1 && looks < REPLACED_LOOKS_MAX {
                tokio::time::sleep(REPLACED_LOOK).await;
                looks += 1;
            }
        });
    }
}

/// How often it is asked whether the workers have let go of a replaced snapshot. An idle one does
/// within a second.
const REPLACED_LOOK: Duration = Duration::from_millis(50);
const REPLACED_LOOKS_MAX: u32 = 60;

impl ControlPlane {
    /// Starts the control plane and its providers.
    pub(crate) fn start(
        configuration: &Arc<StaticConfiguration>,
        internal: Internal,
        providers: Vec<Box<dyn Provider>>,
        data_plane: &Arc<DataPlane>,
    ) -> Self {
        let publisher = Arc::new(Publisher(Arc::clone(data_plane)));
        let Internal { services, state } = internal;
        let control = Control::new(Arc::clone(configuration), services, publisher);
        let control = Arc::new(control.with_state(Arc::clone(&state)));
        let (shutdown, is_over) = watch::channel(false);
        let task = tokio::spawn(Arc::clone(&control).run(providers, is_over));
        Self { control, state, shutdown, task }
    }

    /// Waits until there is a first snapshot, but not for ever.
    pub(crate) async fn settled(&self) {
        let settled = async {
            while self.state.load().generation == 0 {
                tokio::time::sleep(POLL).await;
            }
        };
        if tokio::time::timeout(PATIENCE, settled).await.is_err() {
            tracing::warn!("no configuration was delivered yet, requests are answered with 404");
        }
    }

    /// Takes another static configuration that needs no other providers, and lets them read
    /// everything again.
    pub(crate) fn replace_static(&self, configuration: Arc<StaticConfiguration>) {
        self.control.replace_static(configuration);
        self.control.reload();
    }

    /// Lets the providers read everything again.
    pub(crate) fn reload(&self) {
        self.control.reload();
    }

    /// Stops the providers. The last snapshot stays in service.
    pub(crate) async fn stop(&mut self) {
        let _ = self.shutdown.send(true);
        if tokio::time::timeout(PATIENCE, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }

    /// Says what is served.
    pub(crate) fn log_facts(&self) {
        tracing::info!("serving {}", facts(&self.state.load().runtime));
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Counts what is in a runtime: `2 routers, 1 service, no middlewares (1 of them disabled)`.
/// The program's own objects do not count.
pub(crate) fn facts(runtime: &Runtime) -> String {
    let is_users = |name: &String| !name.ends_with("@internal");
    let routers = runtime.routers.iter().filter(|(name, _)| is_users(name));
    let services = runtime.services.iter().filter(|(name, _)| is_users(name));
    let middlewares = runtime.middlewares.iter().filter(|(name, _)| is_users(name));
    let statuses: Vec<Status> = (routers.clone().map(|(_, info)| info.status))
        .chain(services.clone().map(|(_, info)| info.status))
        .chain(middlewares.clone().map(|(_, info)| info.status))
        .collect();
    let disabled = statuses.iter().filter(|status| **status == Status::Disabled).count();
    let mut text = format!(
        "{}, {}, {}",
        count(routers.count(), "router"),
        count(services.count(), "service"),
        count(middlewares.count(), "middleware"),
    );
    if disabled > 0 {
        text.push_str(&format!(" ({disabled} of them disabled)"));
    }
    text
}

/// Tells whether the same providers and internal services can go on under another configuration.
pub(crate) fn has_same_control_plane(old: &StaticConfiguration, new: &StaticConfiguration) -> bool {
    // These two are applied to providers that run.
    let providers = |configuration: &StaticConfiguration| Providers {
        providers_throttle_duration: config::Duration::ZERO,
        precedence: Vec::new(),
        ..configuration.providers.clone()
    };
    let api = |configuration: &StaticConfiguration| {
        configuration.api.as_ref().map(|api| (api.dashboard, api.base_path.clone()))
    };
    providers(old) == providers(new) && api(old) == api(new) && old.ping == new.ping
}

const POLL: Duration = Duration::from_millis(5);
/// Longer than the control plane waits for its providers and for names.
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use config::static_config::{Api, FileProvider, Ping};
    use routing::compile::{RouterInfo, ServiceInfo};

    use super::*;

    fn check_facts(runtime: &Runtime, expected: &str) {
        assert_eq!(facts(runtime), expected);
    }

    #[test]
    fn the_users_objects_are_counted() {
        check_facts(&Runtime::default(), "no routers, no services, no middlewares");
        let bad = RouterInfo { status: Status::Disabled, ..RouterInfo::default() };
        let runtime = Runtime {
            routers: [
                ("a@file".to_owned(), RouterInfo::default()),
                ("b@file".to_owned(), bad),
                ("api@internal".to_owned(), RouterInfo::default()),
            ]
            .into(),
            services: [("a@file".to_owned(), ServiceInfo::default())].into(),
            ..Runtime::default()
        };
        check_facts(&runtime, "2 routers, 1 service, no middlewares (1 of them disabled)");
    }

    fn check_same(change: impl Fn(&mut StaticConfiguration), expected: bool) {
        let old = StaticConfiguration::default();
        let mut new = old.clone();
        change(&mut new);
        assert_eq!(has_same_control_plane(&old, &new), expected);
    }

    #[test]
    fn providers_go_on_unless_their_settings_changed() {
        check_same(|_| {}, true);
        check_same(|new| new.providers.providers_throttle_duration = config::Duration::ZERO, true);
        check_same(|new| new.providers.precedence.push("file".to_owned()), true);
        check_same(|new| new.providers.file = Some(FileProvider::default()), false);
        check_same(|new| new.api = Some(Api::default()), false);
        check_same(|new| new.ping = Some(Ping::default()), false);
        check_same(|new| new.global.not_append_x_forwarded_for = true, true);
    }
}
