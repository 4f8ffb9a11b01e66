//! The static configuration as the commands ask for it.

use std::env;
use std::process::ExitCode;

use config::load::{self, Loaded};
use config::static_config::StaticConfiguration;

use crate::report;

/// Loads the static configuration from a file, the flags or the environment.
pub(crate) fn load(args: &[String]) -> Loaded {
    load::load(args, &environment())
}

/// Loads the static configuration, or says on standard error why there is none.
pub(crate) fn load_or_explain(args: &[String]) -> Result<StaticConfiguration, ExitCode> {
    let Loaded { configuration, diagnostics, .. } = load(args);
    configuration.ok_or_else(|| crate::complain(report::render(&diagnostics).trim_end()))
}

/// The environment; what is not Unicode cannot be a setting.
fn environment() -> Vec<(String, String)> {
    env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
