//! The scenarios against this build: `cargo test -p ferrovia --test scenarios -- [FILTER]`.
//!
//! What is expected was recorded from Traefik (`cargo xtask record`); nothing but this workspace
//! is needed to compare. The file serves as a harness of its own (`harness = false`), where the
//! arguments are filters, and as a common test, where `SCENARIOS` in the environment is one.

use std::env;
use std::path::Path;
use std::thread;

use testkit::harness::{Mode, Options, Summary, run_all};

#[allow(dead_code, reason = "the common harness has a main function of its own")]
fn main() {
    let filter = env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if replay(&filter.unwrap_or_default()).failed > 0 {
        std::process::exit(101);
    }
}

#[test]
fn answers_are_those_of_traefik() {
    let summary = replay(&env::var("SCENARIOS").unwrap_or_default());
    assert_eq!(summary.failed, 0, "scenarios failed");
}

fn replay(filter: &str) -> Summary {
    let options = Options {
        scenarios: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios"),
        binary: env!("CARGO_BIN_EXE_ferrovia").into(),
        filter: filter.to_owned(),
        mode: Mode::Replay,
        with_differences: true,
        threads: thread::available_parallelism().map_or(2, usize::from) + 1,
    };
    run_all(&options).expect("the scenarios can be read")
}
