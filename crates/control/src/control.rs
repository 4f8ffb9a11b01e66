//! The loop that takes updates in and publishes snapshots.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use config::Diagnostic;
use config::static_config::StaticConfiguration;
use exchange::InternalService;
use routing::Snapshot;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use crate::aggregate::internal_services;
use crate::evaluate::{Evaluated, evaluate_next};
use crate::files::{Fingerprint, Watch, directories_of};
use crate::health::Checks;
use crate::report::Reporter;
use crate::resolve::Resolver;
use crate::throttle::Throttle;
use crate::{Provider, ProviderState, Signals, State, Update};

/// Serves snapshots.
pub trait DataPlane: Send + Sync {
    /// Serves this snapshot from the next request on.
    fn publish(&self, snapshot: Arc<Snapshot>);
}

/// The control plane.
pub struct Control {
    static_configuration: ArcSwap<StaticConfiguration>,
    internal: Arc<HashMap<String, Arc<dyn InternalService>>>,
    plane: Arc<dyn DataPlane>,
    state: Arc<ArcSwap<State>>,
    static_replaced: Notify,
    reload: watch::Sender<u64>,
}

impl Control {
    /// Makes a control plane that publishes to `plane`. `internal` are the services that answer
    /// from inside the process, by `name@internal`; routers to those that are not there are left
    /// out.
    pub fn new(
        static_configuration: Arc<StaticConfiguration>,
        internal: HashMap<String, Arc<dyn InternalService>>,
        plane: Arc<dyn DataPlane>,
    ) -> Self {
        let state =
            State { static_configuration: Arc::clone(&static_configuration), ..State::default() };
        Self {
            static_configuration: ArcSwap::new(static_configuration),
            internal: Arc::new(internal_services(internal)),
            plane,
            state: Arc::new(ArcSwap::from_pointee(state)),
            static_replaced: Notify::new(),
            reload: watch::Sender::new(0),
        }
    }

    /// Writes its state where others, such as the internal services, look for it already.
    #[must_use]
    pub fn with_state(mut self, state: Arc<ArcSwap<State>>) -> Self {
        state.store(self.state.load_full());
        self.state = state;
        self
    }

    /// Where the state is found at any time.
    pub fn state(&self) -> Arc<ArcSwap<State>> {
        Arc::clone(&self.state)
    }

    /// Applies another static configuration: entry points' models, default transports, internal
    /// routers and the throttle. Which providers run is not changed.
    pub fn replace_static(&self, static_configuration: Arc<StaticConfiguration>) {
        self.static_configuration.store(static_configuration);
        self.static_replaced.notify_one();
    }

    /// Makes all providers read everything again.
    pub fn reload(&self) {
        self.reload.send_modify(|count| *count += 1);
    }

    /// Runs the providers and publishes what they say until `shutdown` becomes true. The first
    /// snapshot waits a moment for all providers, so that a start does not answer 404 to requests
    /// whose routers are about to come.
    pub async fn run(
        self: Arc<Self>,
        providers: Vec<Box<dyn Provider>>,
        shutdown: watch::Receiver<bool>,
    ) {
        let (sender, mut updates) = mpsc::channel(UPDATES_WAITING_MAX);
        let mut signals = Signals { shutdown, reload: self.reload.subscribe() };
        let mut running = Running::new(&self, &providers);
        let mut tasks = JoinSet::new();
        for provider in providers {
            tasks.spawn(provider.run(sender.clone(), signals.clone()));
        }
        let mut background = JoinSet::new();
        background.spawn(Arc::clone(&running.resolver).refresh());
        loop {
            let due = running.due();
            tokio::select! {
                biased;
                () = signals.stopped() => break,
                Some(ended) = tasks.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "provider ended; its last configuration stays");
                    }
                }
                Some(update) = updates.recv() => {
                    running.take(update);
                    while let Ok(update) = updates.try_recv() {
                        running.take(update);
                    }
                }
                () = self.static_replaced.notified() => running.replace_static(),
                () = running.certificates.changed() => running.is_outdated = true,
                () = sleep_until(due) => {}
            }
            running.advance().await;
        }
    }
}

async fn sleep_until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}

/// What the loop remembers.
struct Running<'a> {
    control: &'a Control,
    throttle: Throttle,
    /// The updates in force.
    updates: BTreeMap<Arc<str>, Arc<Update>>,
    /// Updates that are not in force any more: taking thousands of objects apart can wait until
    /// those in their place are published.
    replaced: Vec<Arc<Update>>,
    providers: Vec<ProviderState>,
    evaluated: Option<Arc<Evaluated>>,
    generation: u64,
    /// Something changed that is no update.
    is_outdated: bool,
    /// The first snapshot does not wait any longer.
    patience: Instant,
    reporter: Reporter,
    resolver: Arc<Resolver>,
    checks: Checks,
    certificates: CertificateFiles,
}

impl<'a> Running<'a> {
    fn new(control: &'a Control, providers: &[Box<dyn Provider>]) -> Self {
        let interval = throttle_interval(&control.static_configuration.load());
        let providers: Vec<ProviderState> = providers
            .iter()
            .map(|provider| ProviderState { name: provider.name(), updates: 0, updated: None })
            .collect();
        Self {
            control,
            throttle: Throttle::new(interval),
            updates: BTreeMap::new(),
            replaced: Vec::new(),
            evaluated: None,
            generation: 0,
            is_outdated: true,
            patience: Instant::now() + if providers.is_empty() { Duration::ZERO } else { PATIENCE },
            providers,
            reporter: Reporter::default(),
            resolver: Arc::default(),
            checks: Checks::default(),
            certificates: CertificateFiles::default(),
        }
    }

    /// When to look again, though nothing happens.
    fn due(&self) -> Option<Instant> {
        if self.evaluated.is_none() { Some(self.patience) } else { self.throttle.deadline() }
    }

    fn take(&mut self, update: Update) {
        let provider = Arc::clone(&update.provider);
        let in_force = self.updates.get(&provider);
        if !in_force.is_some_and(|in_force| in_force.says_the_same(&update)) {
            self.throttle.offer(update);
            return;
        }
        // Back to what is in force, before anything else got there.
        if self.throttle.waiting(&provider).is_some() {
            self.throttle.withdraw(&provider);
        }
        self.updates.insert(provider, Arc::new(update));
        self.relocate();
    }

    fn replace_static(&mut self) {
        let static_configuration = self.control.static_configuration.load();
        self.throttle.set_interval(throttle_interval(&static_configuration));
        self.is_outdated = true;
    }

    /// Takes updates whose time has come into force.
    async fn advance(&mut self) {
        for update in self.throttle.pass(Instant::now()) {
            let known = self.providers.iter_mut().find(|known| known.name == update.provider);
            if let Some(known) = known {
                known.updates += 1;
                known.updated = Some(SystemTime::now());
            }
            tracing::debug!(provider = &*update.provider, "configuration received");
            let before = self.updates.insert(Arc::clone(&update.provider), Arc::new(update));
            self.replaced.extend(before);
            self.is_outdated = true;
        }
        let is_waiting = self.evaluated.is_none()
            && Instant::now() < self.patience
            && self.providers.iter().any(|provider| provider.updates == 0);
        if self.is_outdated && !is_waiting {
            self.is_outdated = false;
            self.evaluate().await;
        }
    }

    async fn evaluate(&mut self) {
        let static_configuration = self.control.static_configuration.load_full();
        let internal = Arc::clone(&self.control.internal);
        let previous = self.evaluated.clone();
        let updates: Vec<Arc<Update>> = self.updates.values().cloned().collect();
        let generation = self.generation + 1;
        let settings = Arc::clone(&static_configuration);
        // Reads certificates and may take a while with many objects.
        let evaluation = tokio::task::spawn_blocking(move || {
            let updates: Vec<&Update> = updates.iter().map(Arc::as_ref).collect();
            evaluate_next(&settings, &updates, &internal, previous.as_deref(), generation)
        });
        let evaluated = match evaluation.await {
            Ok(evaluated) => Arc::new(evaluated),
            Err(error) => {
                tracing::error!(%error, "evaluation failed; the configuration in force stays");
                return;
            }
        };
        self.generation = generation;
        self.resolver.serve(&evaluated.compiled.servers, RESOLVE_BOUND).await;
        self.control.plane.publish(Arc::clone(&evaluated.compiled.snapshot));
        self.checks.set(&evaluated.compiled.health_checked);
        self.certificates.set(&evaluated.compiled.certificate_files);
        self.evaluated = Some(Arc::clone(&evaluated));
        self.replaced.clear();
        self.reporter.report(&evaluated.diagnostics);
        self.control.state.store(Arc::new(State {
            runtime: Arc::clone(&evaluated.runtime),
            diagnostics: evaluated.diagnostics.clone().into(),
            generation,
            providers: self.providers.clone(),
            static_configuration,
        }));
        tracing::debug!(generation, "configuration published");
    }

    /// Says again what is wrong, after an update whose objects are the same.
    fn relocate(&mut self) {
        let Some(evaluated) = &self.evaluated else { return };
        let updates: Vec<&Update> = self.updates.values().map(Arc::as_ref).collect();
        let diagnostics: Vec<Diagnostic> = evaluated.relocate(&updates);
        let state = self.control.state.load();
        if *state.diagnostics == *diagnostics {
            return;
        }
        self.reporter.report(&diagnostics);
        let state = State { diagnostics: diagnostics.into(), ..State::clone(&state) };
        self.control.state.store(Arc::new(state));
    }
}

/// Certificate files and what they looked like when they were read.
#[derive(Default)]
struct CertificateFiles {
    watch: Watch,
    files: BTreeMap<PathBuf, Option<Fingerprint>>,
    /// Changed so shortly before they were read that a later change might not show.
    is_unsettled: bool,
}

impl CertificateFiles {
    fn set(&mut self, files: &[PathBuf]) {
        let directories: BTreeSet<PathBuf> =
            files.iter().flat_map(|file| directories_of(file)).collect();
        self.watch.set_directories(&directories);
        self.files = files.iter().map(|file| (file.clone(), Fingerprint::of(file))).collect();
        let now = SystemTime::now();
        self.is_unsettled = self.files.values().flatten().any(|found| !found.is_settled(now));
    }

    /// Waits until a file is not what it was. Nothing is lost if the future is dropped.
    async fn changed(&mut self) {
        loop {
            self.watch.changed().await;
            let has_changed =
                self.files.iter().any(|(file, known)| Fingerprint::of(file) != *known);
            if has_changed || std::mem::take(&mut self.is_unsettled) {
                return;
            }
        }
    }
}

fn throttle_interval(static_configuration: &StaticConfiguration) -> Duration {
    static_configuration.providers.providers_throttle_duration.as_std()
}

/// How long the first snapshot waits for all providers.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a snapshot waits for addresses of hosts that are new.
const RESOLVE_BOUND: Duration = Duration::from_secs(2);
/// Updates that may wait while a snapshot is made; providers wait when there are more.
const UPDATES_WAITING_MAX: usize = 16;

#[cfg(test)]
mod tests;
