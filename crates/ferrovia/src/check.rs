//! `ferrovia check`: reads everything, starts nothing, says everything that is wrong.

use std::collections::HashMap;
use std::process::ExitCode;

use config::Diagnostic;
use config::load::Loaded;
use config::static_config::StaticConfiguration;
use routing::compile::Runtime;

use crate::{entry_points, report, server, settings};

/// Runs the command.
pub(crate) fn run(args: &[String]) -> ExitCode {
    let Loaded { configuration, source, mut diagnostics } = settings::load(args);
    let mut counts = String::new();
    if let Some(configuration) = &configuration {
        diagnostics.extend(addresses(configuration));
        let updates: Vec<_> = providers::for_configuration(configuration)
            .iter_mut()
            .map(|provider| provider.read_once())
            .collect();
        let internal = server::internal_services(configuration);
        let evaluated = control::evaluate(configuration, &updates, &internal);
        counts = count(&evaluated.runtime, configuration);
        diagnostics.extend(evaluated.diagnostics);
    }
    print!("{}", report::render(&diagnostics));
    println!("{source}: {}{counts}", report::summary(&diagnostics));
    if diagnostics.iter().any(Diagnostic::is_error) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
