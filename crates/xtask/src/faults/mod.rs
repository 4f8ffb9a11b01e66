//! Bad days (`cargo xtask faults`): servers that fail, responses that break off, clients that are
//! slow, descriptors, disk and memory that run out, and reloads under mixed traffic.
//!
//! Every scenario starts the program with configuration files and knows it from outside only: by
//! what clients and servers see, and by what the kernel tells of the process. It prints one line
//! with its figures. Nothing is waited for by guess: where time passes it is the length of a fault.

mod cut_off;
mod descriptors;
mod disk;
mod events;
mod load;
mod memory;
mod mixed;
mod options;
mod servers;
mod site;
mod slow;
mod upstream;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::bail;

use self::options::Options;
use self::servers::Fault;
use self::slow::Slowness;
use crate::proxy;
use crate::surroundings::raise_open_files;

/// One bad day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scenario {
    /// A server of three has a fault, again and again.
    Server(Fault),
    /// Responses cut off at every byte.
    CutOff,
    /// Thousands of clients take their time.
    Slow(Slowness),
    /// No descriptors are left.
    Descriptors,
    /// The log file cannot grow.
    LogLimit,
    /// The log's disk is full.
    LogDisk,
    /// Memory is limited, and clients want more than there is.
    Memory,
    /// All kinds of traffic, and reloads.
    Mixed,
}

/// What came of a scenario.
enum Outcome {
    Ran(Report),
    /// This machine cannot do it, for this reason.
    Skipped(String),
}

/// Figures, and what is wrong with them.
#[derive(Default)]
struct Report {
    figures: Vec<String>,
    problems: Vec<String>,
}

/// What all scenarios are given.
struct Run {
    binary: PathBuf,
    options: Options,
}

/// Runs the scenarios that `args` ask for; see [`options::USAGE`].
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    if let [word, name, port] = args
        && word == upstream::WORD
    {
        return upstream::serve(name, port.parse()?);
    }
    let Some(options) = Options::parse(args)? else {
        print!("{}", options::USAGE);
        return Ok(());
    };
    raise_open_files(2 * options.clients as u64 + 1000)?;
    let binary = match &options.ferrovia {
        Some(path) => std::path::absolute(path)?,
        None => proxy::build()?,
    };
    let run = Run { binary, options };
    let mut failed = 0;
    for scenario in &run.options.scenarios {
        let started = Instant::now();
        let outcome = scenario.run(&run);
        let name = scenario.name();
        let seconds = started.elapsed().as_secs_f32();
        match outcome {
            Ok(Outcome::Skipped(reason)) => println!("{name:<12} skipped: {reason}"),
            Ok(Outcome::Ran(report)) => {
                let verdict = if report.problems.is_empty() { "ok    " } else { "FAILED" };
                println!("{name:<12} {verdict} {} [{seconds:.0} s]", report.figures.join("; "));
                for problem in &report.problems {
                    println!("{:<12}   problem: {problem}", "");
                }
                failed += usize::from(!report.problems.is_empty());
            }
            Err(error) => {
                println!("{name:<12} FAILED {error:#} [{seconds:.0} s]");
                failed += 1;
            }
        }
    }
    if failed > 0 {
        bail!("{failed} scenarios failed");
    }
    Ok(())
}

impl Scenario {
    const ALL: [Self; 16] = [
        Self::Server(Fault::Killed),
        Self::Server(Fault::Stopped),
        Self::Server(Fault::Refuse),
        Self::Server(Fault::Reset),
        Self::Server(Fault::Cut),
        Self::Server(Fault::Errors),
        Self::CutOff,
        Self::Slow(Slowness::Heads),
        Self::Slow(Slowness::Bodies),
        Self::Slow(Slowness::Reads),
        Self::Slow(Slowness::Idle),
        Self::Descriptors,
        Self::LogLimit,
        Self::LogDisk,
        Self::Memory,
        Self::Mixed,
    ];

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Server(fault) => fault.name(),
            Self::CutOff => "cut-off",
            Self::Slow(slowness) => slowness.name(),
            Self::Descriptors => "descriptors",
            Self::LogLimit => "log-limit",
            Self::LogDisk => "log-disk",
            Self::Memory => "memory",
            Self::Mixed => "mixed",
        }
    }

    fn run(self, run: &Run) -> anyhow::Result<Outcome> {
        let report = match self {
            Self::Server(fault) => servers::run(run, fault)?,
            Self::CutOff => cut_off::run(run)?,
            Self::Slow(slowness) => slow::run(run, slowness)?,
            Self::Descriptors => descriptors::run(run)?,
            Self::LogLimit => disk::limit(run)?,
            Self::LogDisk => return disk::full(run),
            Self::Memory => return memory::run(run),
            Self::Mixed => mixed::run(run)?,
        };
        Ok(Outcome::Ran(report))
    }
}

impl Run {
    fn binary(&self) -> &Path {
        &self.binary
    }
}

impl Report {
    fn figure(&mut self, figure: impl Into<String>) {
        self.figures.push(figure.into());
    }

    /// Notes a problem unless a condition holds.
    fn expect(&mut self, holds: bool, problem: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(problem());
        }
    }
}
