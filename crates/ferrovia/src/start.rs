//! From a plan to a running program, until it is told to end.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::process::ExitCode;

use config::load::{Loaded, Source};
use config::static_config::StaticConfiguration;
use control::Provider;

use crate::logging::Logging;
use crate::server::Server;
use crate::signals::{Event, Events};
use crate::{report, settings, systemd};

/// What shall run.
pub(crate) struct Plan {
    origin: Origin,
    providers: Vec<Box<dyn Provider>>,
    beside: Option<Beside>,
    announcement: Option<Announcement>,
}

/// Where the static configuration comes from, now and at each reload.
enum Origin {
    Arguments(Vec<String>),
    Fixed(Box<StaticConfiguration>),
}

type Beside = Pin<Box<dyn Future<Output = ()> + Send>>;
type Announcement = Box<dyn FnOnce(&[(String, SocketAddr)]) -> String>;

impl Plan {
    /// Runs what the arguments, or else a file or the environment, say.
    pub(crate) fn of_arguments(args: &[String]) -> Self {
        Self::new(Origin::Arguments(args.to_vec()), Vec::new())
    }

    /// Runs a configuration that no user wrote.
    pub(crate) fn fixed(
        configuration: StaticConfiguration,
        providers: Vec<Box<dyn Provider>>,
    ) -> Self {
        Self::new(Origin::Fixed(Box::new(configuration)), providers)
    }

    /// Runs a task beside.
    #[must_use]
    pub(crate) fn beside(mut self, task: impl Future<Output = ()> + Send + 'static) -> Self {
        self.beside = Some(Box::pin(task));
        self
    }

    /// Prints a text once all entry points are open; it is made from their addresses.
    #[must_use]
    pub(crate) fn announced_by(
        mut self,
        announcement: impl FnOnce(&[(String, SocketAddr)]) -> String + 'static,
    ) -> Self {
        self.announcement = Some(Box::new(announcement));
        self
    }

    fn new(origin: Origin, providers: Vec<Box<dyn Provider>>) -> Self {
        Self { origin, providers, beside: None, announcement: None }
    }
}

impl Origin {
    fn load(&self) -> Loaded {
        match self {
            Self::Arguments(args) => settings::load(args),
            Self::Fixed(configuration) => {
                let configuration = Some(StaticConfiguration::clone(configuration));
                Loaded { configuration, source: Source::Flags, diagnostics: Vec::new() }
            }
        }
    }
}

/// Runs a plan to its end.
pub(crate) fn run(plan: Plan) -> ExitCode {
    let Loaded { configuration, source, diagnostics } = plan.origin.load();
    let Some(configuration) = configuration else {
        let (findings, summary) = (report::render(&diagnostics), report::summary(&diagnostics));
        return crate::complain(&format!("{findings}ferrovia: not started: {summary}"));
    };
    let logging = match Logging::start(configuration.log.as_ref()) {
        Ok(logging) => logging,
        Err(error) => return crate::complain(&format!("ferrovia: not started: {error}")),
    };
    if matches!(plan.origin, Origin::Arguments(_)) {
        tracing::info!("Ferrovia {}, configured by {source}", crate::version::VERSION);
    }
    for diagnostic in &diagnostics {
        report::log(diagnostic);
    }
    // The control plane has little to do; the data plane has threads of its own.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("control")
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(serve(plan, configuration, &logging));
            // A task that blocks, such as a name being resolved, shall not hold the end up.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(anyhow::Error::new(error).context("the control plane cannot be started")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !logging.is_on_standard_output() {
                tracing::error!("not started: {error:#}");
            }
            crate::complain(&format!("ferrovia: not started: {error:#}"))
        }
    }
}

async fn serve(
    plan: Plan,
    configuration: StaticConfiguration,
    logging: &Logging,
) -> anyhow::Result<()> {
    let Plan { origin, providers, beside, announcement } = plan;
    let mut events = Events::listen()?;
    if let Some(beside) = beside {
        tokio::spawn(beside);
    }
    let mut providers = providers;
    providers.extend(providers::from_static(&configuration));
    let mut server = tokio::select! {
        server = Server::start(configuration, providers) => server?,
        () = events.terminated() => return Ok(()),
    };
    match announcement {
        Some(announcement) => {
            crate::say(&announcement(&server.addresses()));
        }
        None => server.log_facts(),
    }
    systemd::ready();
    tokio::spawn(systemd::watch());
    loop {
        match events.next().await {
            Event::Terminate => break,
            Event::ReopenLog => match logging.reopen() {
                Ok(()) => tracing::info!("opened the log file again"),
                Err(error) => tracing::error!(%error, "the log goes on where it went"),
            },
            Event::Reload => {
                systemd::reloading();
                reload(&origin, &mut server, logging).await;
                systemd::ready();
            }
        }
    }
    systemd::stopping();
    tracing::info!("ending: requests under way are finished");
    tokio::select! {
        left = server.end() => match left {
            0 => tracing::info!("ended"),
            _ => tracing::warn!("ended, closing {}", report::count(left, "connection")),
        },
        () = events.terminated() => tracing::warn!("ended at once, as asked twice"),
    }
    Ok(())
}

/// Reads everything again. What is wrong stays as it was.
async fn reload(origin: &Origin, server: &mut Server, logging: &Logging) {
    let Loaded { configuration, source, diagnostics } = origin.load();
    for diagnostic in &diagnostics {
        report::log(diagnostic);
    }
    let Some(configuration) = configuration else {
        let summary = report::summary(&diagnostics);
        tracing::error!("the static configuration stays as it was: {source}: {summary}");
        // The rest may have changed all the same.
        server.reload_providers();
        return;
    };
    if let Err(error) = logging.change(configuration.log.as_ref()) {
        tracing::error!(%error, "the log goes on as before");
    }
    server.reload(configuration).await;
    tracing::info!("read everything again: {source}");
}

const CONTROL_THREADS: usize = 2;
