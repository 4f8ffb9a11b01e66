//! The program's own log: Traefik's two formats, on standard output or in a file.
//!
//! Settings can change while the program runs (SIGHUP), and the file can be reopened after it was
//! rotated (SIGUSR1).

mod event;
mod output;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::SystemTime;

use config::static_config::Log;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, reload};

use self::event::{Format, Line};
use self::output::Output;

/// The running log, to change its settings.
pub(crate) struct Logging {
    level: reload::Handle<LevelFilter, Registry>,
    output: Arc<Output>,
}

impl Logging {
    /// Starts logging with the settings of a static configuration.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn start(settings: Option<&Log>) -> io::Result<Self> {
        let (format, path) = destination(settings);
        let output = Arc::new(Output::open(format, path)?);
        let (filter, level) = reload::Layer::new(level(settings).0);
        let lines = Lines { output: Arc::clone(&output) };
        // Fails only if something logs already, which nothing does.
        let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
        complain(settings);
        Ok(Self { level, output })
    }

    /// Takes other settings.
    ///
    /// # Errors
    /// When the new file cannot be written; everything stays as it was.
    pub(crate) fn change(&self, settings: Option<&Log>) -> io::Result<()> {
        let (format, path) = destination(settings);
        self.output.change(format, path)?;
        let _ = self.level.reload(level(settings).0);
        complain(settings);
        Ok(())
    }

    /// Tells whether the log goes to standard output, not to a file.
    pub(crate) fn is_on_standard_output(&self) -> bool {
        self.output.is_standard()
    }

    /// Opens the file again by its name.
    pub(crate) fn reopen(&self) -> io::Result<()> {
        self.output.reopen()
    }
}

/// The level, and whether it could be read.
fn level(settings: Option<&Log>) -> (LevelFilter, bool) {
    // Traefik: logs errors only unless told otherwise.
    let Some(log) = settings else { return (LevelFilter::INFO, true) };
    match log.level.to_ascii_uppercase().as_str() {
        "TRACE" => (LevelFilter::TRACE, true),
        "DEBUG" => (LevelFilter::DEBUG, true),
        "INFO" => (LevelFilter::INFO, true),
        "WARN" | "WARNING" => (LevelFilter::WARN, true),
        "ERROR" | "FATAL" | "PANIC" => (LevelFilter::ERROR, true),
        _ => (LevelFilter::ERROR, false),
    }
}

fn complain(settings: Option<&Log>) {
    if let (Some(log), (_, false)) = (settings, level(settings)) {
        tracing::error!(logLevel = log.level, "log.level is unknown, logging errors only");
    }
}

fn destination(settings: Option<&Log>) -> (Format, Option<&str>) {
    let path = settings.map(|log| log.file_path.as_str()).filter(|path| !path.is_empty());
    let format = match settings {
        Some(log) if log.format.eq_ignore_ascii_case("json") => Format::Json,
        _ => {
            let wants_colors = settings.is_none_or(|log| !log.no_color) && path.is_none();
            // Traefik: colours also what goes to a file or a pipe.
            let is_terminal = io::stdout().is_terminal();
            let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            Format::Common { has_colors: wants_colors && is_terminal && !no_color }
        }
    };
    (format, path)
}

/// Turns every event into a line.
struct Lines {
    output: Arc<Output>,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        // The library tells of every frame: for its own makers, and something for every request.
        !metadata.target().starts_with("h2::") || *metadata.level() <= Level::WARN
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let line = Line::new(event, SystemTime::now());
        self.output.write(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: LevelFilter, is_known: bool) {
        let log = Log { level: text.to_owned(), ..Log::default() };
        assert_eq!(level(Some(&log)), (expected, is_known), "level {text}");
    }

    #[test]
    fn levels_are_traefiks() {
        check("debug", LevelFilter::DEBUG, true);
        check("Info", LevelFilter::INFO, true);
        check("WARN", LevelFilter::WARN, true);
        check("FATAL", LevelFilter::ERROR, true);
        check("loud", LevelFilter::ERROR, false);
    }

    #[test]
    fn without_settings_the_level_is_info() {
        assert_eq!(level(None), (LevelFilter::INFO, true));
    }
}
