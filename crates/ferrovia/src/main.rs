//! Ferrovia: an edge proxy and load balancer that configures itself.
//!
//! Everything is wired here and nowhere else: the static configuration chooses entry points for
//! the data plane ([`proxy`]) and providers for the control plane ([`control`]); signals change or
//! end both.

mod check;
mod clock;
mod command;
mod control_plane;
mod entry_points;
mod fixed_provider;
mod healthcheck;
mod help;
mod internal;
mod logging;
mod options;
mod proxy_command;
mod quickstart;
mod report;
mod server;
mod settings;
mod signals;
mod start;
mod systemd;
mod version;

use std::io::Write;
use std::process::ExitCode;

use crate::command::{Command, Topic};
use crate::start::Plan;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args: Vec<String> =
        std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    match Command::parse(&args) {
        Command::Start(args) => start::run(Plan::of_arguments(args)),
        Command::Check(args) => check::run(args),
        Command::Proxy(args) => proxy_command::run(args),
        Command::Quickstart(args) => quickstart::run(args),
        Command::Healthcheck(args) => healthcheck::run(args),
        Command::Version => say(&version::text()),
        Command::Help(topic) => say(&help::text(topic)),
        Command::Unknown(name) => {
            say(&help::text(Topic::Program));
            complain(&format!("\nferrovia: command not found: {name}"))
        }
    }
}

/// Writes to standard output. A reader that closed the pipe, such as `head`, has seen enough.
fn say(text: &str) -> ExitCode {
    let _ = writeln!(std::io::stdout(), "{text}");
    ExitCode::SUCCESS
}

/// Writes to standard error, if there is anybody to read it.
fn complain(text: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::FAILURE
}
