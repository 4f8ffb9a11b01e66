//! `ferrovia check`: reads everything, starts nothing, says everything that is wrong.

use std::process::ExitCode;
use std::time::SystemTime;

use api::Terminating;
use config::Diagnostic;
use config::load::Loaded;
use config::static_config::StaticConfiguration;

use crate::control_plane::facts;
use crate::internal::Internal;
use crate::{entry_points, report, settings};

/// Runs the command.
pub(crate) fn run(args: &[String]) -> ExitCode {
    let Loaded { configuration, source, mut diagnostics } = settings::load(args);
    let mut found = String::new();
    if let Some(configuration) = &configuration {
        diagnostics.extend(entry_points(configuration));
        let mut providers = providers::from_static(configuration);
        let updates: Vec<_> = providers.iter_mut().map(|provider| provider.read_once()).collect();
        let internal = Internal::new(configuration, SystemTime::now(), &Terminating::default());
        let evaluated = control::evaluate(configuration, &updates, &internal.services);
        let entry_points = report::count(configuration.entry_points.len(), "entry point");
        found = format!("; {entry_points}, {}", facts(&evaluated.runtime));
        diagnostics.extend(evaluated.diagnostics);
    }
    crate::say(&format!(
        "{}{source}: {}{found}",
        report::render(&diagnostics),
        report::summary(&diagnostics)
    ));
    if diagnostics.iter().any(Diagnostic::is_error) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// What would keep entry points from being opened, as far as can be known without opening them.
fn entry_points(configuration: &StaticConfiguration) -> Vec<Diagnostic> {
    let entry_points = configuration.entry_points.iter();
    let problems = entry_points.filter_map(|(name, entry_point)| {
        let problem = entry_points::settings(name, entry_point, &configuration.global).err()?;
        Some(Diagnostic::error("entry-point", problem).about(format!("entry point {name:?}")))
    });
    problems.collect()
}
