//! The running program: the data plane, the control plane and what connects them.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, anyhow};
use api::Terminating;
use config::static_config::StaticConfiguration;
use control::Provider;
use proxy::{DataPlane, EntryPointSettings, OpenError};

use crate::control_plane::{ControlPlane, has_same_control_plane};
use crate::entry_points;
use crate::internal::Internal;

/// Everything that runs.
pub(crate) struct Server {
    data_plane: Arc<DataPlane>,
    control: ControlPlane,
    /// The settings of the entry points that are open.
    entry_points: BTreeMap<String, EntryPointSettings>,
    configuration: Arc<StaticConfiguration>,
    started: SystemTime,
    terminating: Terminating,
}

impl Server {
    /// Starts both planes and opens the entry points, once there is something to serve.
    ///
    /// # Errors
    /// When an entry point cannot be opened.
    pub(crate) async fn start(
        configuration: StaticConfiguration,
        providers: Vec<Box<dyn Provider>>,
    ) -> anyhow::Result<Self> {
        let configuration = Arc::new(configuration);
        let entry_points: BTreeMap<_, _> = wanted(&configuration)
            .map(|(name, settings)| match settings {
                Ok(settings) => Ok((name, settings)),
                Err(problem) => Err(anyhow!("entry point {name:?}: {problem}")),
            })
            .collect::<Result<_, _>>()?;
        // Follows the affinity of the process.
        let workers = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let data_plane = DataPlane::start(workers).context("the data plane cannot be started")?;
        let data_plane = Arc::new(data_plane);
        let (started, terminating) = (SystemTime::now(), Terminating::default());
        let services = Internal::new(&configuration, started, &terminating);
        let control = ControlPlane::start(&configuration, services, providers, &data_plane);
        // Traefik: answers 404 until its providers have delivered.
        control.settled().await;
        for settings in entry_points.values() {
            data_plane.open(settings.clone()).map_err(|error| anyhow!(explain(&error)))?;
        }
        Ok(Self { data_plane, control, entry_points, configuration, started, terminating })
    }

    /// The addresses that the entry points got, by name.
    pub(crate) fn addresses(&self) -> Vec<(String, SocketAddr)> {
        let addresses = self.data_plane.addresses();
        let mut addresses: Vec<_> =
            addresses.into_iter().map(|(name, address)| (name.to_string(), address)).collect();
        addresses.sort();
        addresses
    }

    /// Says what listens where, and what is served.
    pub(crate) fn log_facts(&self) {
        for (name, address) in self.addresses() {
            tracing::info!("entry point {name:?} listens on {address}");
        }
        self.control.log_facts();
    }

    /// Takes another static configuration. What cannot be done is told and stays as it was.
    pub(crate) async fn reload(&mut self, configuration: StaticConfiguration) {
        let configuration = Arc::new(configuration);
        self.reload_entry_points(&configuration).await;
        if has_same_control_plane(&self.configuration, &configuration) {
            self.control.replace_static(Arc::clone(&configuration));
        } else {
            // Requests are served from the last snapshot until there is a new one.
            self.control.stop().await;
            let services = Internal::new(&configuration, self.started, &self.terminating);
            let providers = providers::from_static(&configuration);
            let data_plane = &self.data_plane;
            self.control = ControlPlane::start(&configuration, services, providers, data_plane);
            self.control.settled().await;
        }
        self.configuration = configuration;
    }

    /// Lets the providers read everything again.
    pub(crate) fn reload_providers(&self) {
        self.control.reload();
    }

    /// Ends gracefully: ping says so at once, new requests are taken for the time that the life
    /// cycle allows, and those under way are finished. Gives the number of connections that were
    /// still open at the end.
    pub(crate) async fn end(&mut self) -> usize {
        self.terminating.begin();
        let life_cycles =
            || self.configuration.entry_points.values().map(|entry| &entry.transport.life_cycle);
        let accept = life_cycles().map(|cycle| cycle.request_accept_grace_timeout.as_std()).max();
        let grace = life_cycles().map(|cycle| cycle.grace_time_out.as_std()).max();
        let accept = accept.unwrap_or_default();
        if !accept.is_zero() {
            tracing::info!("new requests are accepted for {accept:?}");
            tokio::time::sleep(accept).await;
        }
        let left = self.data_plane.drain(grace.unwrap_or_default()).await;
        self.control.stop().await;
        left
    }

    /// Opens, changes and closes entry points until they are as wanted. Connections live on.
    async fn reload_entry_points(&mut self, configuration: &StaticConfiguration) {
        let wanted: BTreeMap<_, _> = wanted(configuration).collect();
        let gone: Vec<_> =
            self.entry_points.keys().filter(|name| !wanted.contains_key(*name)).cloned().collect();
        for name in gone {
            self.data_plane.close(&name);
            self.entry_points.remove(&name);
            tracing::info!("entry point {name:?} is closed");
        }
        for (name, settings) in wanted {
            let settings = match settings {
                Ok(settings) => settings,
                Err(problem) => {
                    tracing::error!("entry point {name:?} stays as it was: {problem}");
                    continue;
                }
            };
            match self.entry_points.get(&name) {
                Some(open) if *open == settings => {}
                Some(open) if is_same_socket(open, &settings) => {
                    self.data_plane.reconfigure(settings.clone());
                    self.entry_points.insert(name, settings);
                }
                Some(open) => {
                    let open = open.clone();
                    self.move_entry_point(name, &open, settings).await;
                }
                None => match open_patiently(&self.data_plane, &settings).await {
                    Ok(address) => {
                        tracing::info!("entry point {name:?} listens on {address}");
                        self.entry_points.insert(name, settings);
                    }
                    Err(error) => tracing::error!("{}", explain(&error)),
                },
            }
        }
    }

    /// Opens an entry point at its new address before the old one is closed, unless they overlap.
    async fn move_entry_point(
        &mut self,
        name: String,
        old: &EntryPointSettings,
        new: EntryPointSettings,
    ) {
        let mut opened = self.data_plane.open(new.clone());
        if is_taken(&opened) && old.address.port() == new.address.port() {
            self.data_plane.close(&name);
            opened = open_patiently(&self.data_plane, &new).await;
            if opened.is_err()
                && let Err(error) = open_patiently(&self.data_plane, old).await
            {
                tracing::error!("{}", explain(&error));
                self.entry_points.remove(&name);
            }
        }
        match opened {
            Ok(address) => {
                tracing::info!("entry point {name:?} listens on {address} now");
                self.entry_points.insert(name, new);
            }
            Err(error) => tracing::error!("{}; it stays where it was", explain(&error)),
        }
    }
}

/// The entry points of a configuration that can be served.
fn wanted(
    configuration: &StaticConfiguration,
) -> impl Iterator<Item = (String, Result<EntryPointSettings, String>)> {
    configuration.entry_points.iter().filter_map(|(name, entry_point)| {
        let settings = entry_points::settings(name, entry_point, &configuration.global);
        settings.transpose().map(|settings| (name.clone(), settings))
    })
}

/// Tells whether an open socket can go on under new settings.
fn is_same_socket(open: &EntryPointSettings, wanted: &EntryPointSettings) -> bool {
    open.address == wanted.address && open.reuse_port == wanted.reuse_port
}

fn is_taken(opened: &Result<SocketAddr, OpenError>) -> bool {
    opened.as_ref().is_err_and(|error| error.source.kind() == io::ErrorKind::AddrInUse)
}

/// Opens an entry point whose address may still be held by one that is being closed.
async fn open_patiently(
    data_plane: &DataPlane,
    settings: &EntryPointSettings,
) -> Result<SocketAddr, OpenError> {
    for _ in 0..OPEN_TRIES {
        let opened = data_plane.open(settings.clone());
        if !is_taken(&opened) {
            return opened;
        }
        tokio::time::sleep(OPEN_PAUSE).await;
    }
    data_plane.open(settings.clone())
}

/// What went wrong, and what may help.
fn explain(error: &OpenError) -> String {
    let hint = match error.source.kind() {
        io::ErrorKind::AddrInUse => " (another program listens there)",
        io::ErrorKind::PermissionDenied if error.address.port() < 1024 => {
            " (ports below 1024 need root or the capability CAP_NET_BIND_SERVICE)"
        }
        io::ErrorKind::AddrNotAvailable => " (no interface of this machine has that address)",
        _ => "",
    };
    format!("{error}{hint}")
}

const OPEN_TRIES: u32 = 50;
const OPEN_PAUSE: Duration = Duration::from_millis(20);
