//! Runs all scenarios on some threads, to record them or to compare.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::compare::differences;
use crate::differs::Marks;
use crate::run::run;
use crate::scenario::{Scenario, ScenarioFile};

/// What to do with which scenarios.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory with a directory for each family.
    pub scenarios: PathBuf,
    /// The program under test.
    pub binary: PathBuf,
    /// Only scenarios whose `family/name` contains it.
    pub filter: String,
    /// What to do with the answers.
    pub mode: Mode,
    /// Whether `ours`, `differs` and `later` in scenarios hold: for ferrovia, not for Traefik.
    pub with_differences: bool,
    /// Scenarios at the same time.
    pub threads: usize,
}

impl Options {
    fn leaves_out_later(&self) -> bool {
        self.mode == Mode::Replay && self.with_differences
    }
}

/// What to do with the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Write them down.
    Record,
    /// Compare them with those written down.
    Replay,
}

/// How many scenarios ended how.
#[derive(Debug, Clone, Copy, Default)]
pub struct Summary {
    /// All answers as recorded.
    pub passed: usize,
    /// At least one difference, or could not be run.
    pub failed: usize,
    /// Said themselves that they are not to be run.
    pub ignored: usize,
    /// Are about what ferrovia does not have yet.
    pub later: usize,
}

/// Runs the scenarios, printing a line for each and the differences of the failed ones.
pub fn run_all(options: &Options) -> Result<Summary> {
    let started = Instant::now();
    let files = ScenarioFile::list(&options.scenarios, &options.filter)?;
    if files.is_empty() {
        bail!("no scenario named like {:?} in {}", options.filter, options.scenarios.display());
    }
    println!("\nrunning {} scenarios against {}", files.len(), options.binary.display());
    let next = AtomicUsize::new(0);
    let summary = Mutex::new(Summary::default());
    thread::scope(|scope| {
        for _ in 0..options.threads.clamp(1, files.len()) {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let started = Instant::now();
                    let outcome = run_one(file, options);
                    let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
                    report(file, &outcome, started.elapsed(), &mut summary);
                }
            });
        }
    });
    let summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Summary { passed, failed, ignored, later } = summary;
    println!(
        "\ntest result: {}. {passed} passed; {failed} failed; {ignored} ignored; \
         {later} left for later; finished in {:.2}s",
        if failed == 0 { "ok" } else { "FAILED" },
        started.elapsed().as_secs_f32(),
    );
    Ok(summary)
}

enum Outcome {
    Passed(usize),
    Ignored(String),
    Later(String),
    Differs(Vec<String>),
    NotRun(anyhow::Error),
}

fn report(file: &ScenarioFile, outcome: &Outcome, took: Duration, summary: &mut Summary) {
    let (name, took) = (&file.name, took.as_secs_f32());
    match outcome {
        Outcome::Passed(answers) => {
            summary.passed += 1;
            println!("scenario {name} ... ok ({answers} answers, {took:.2}s)");
        }
        Outcome::Ignored(reason) => {
            summary.ignored += 1;
            println!("scenario {name} ... ignored: {reason}");
        }
        Outcome::Later(what) => {
            summary.later += 1;
            println!("scenario {name} ... left for later: {what}");
        }
        Outcome::Differs(lines) => {
            summary.failed += 1;
            println!("scenario {name} ... FAILED\n{}", lines.join("\n"));
        }
        Outcome::NotRun(error) => {
            summary.failed += 1;
            println!("scenario {name} ... FAILED, could not be run: {error:#}");
        }
    }
}

fn run_one(file: &ScenarioFile, options: &Options) -> Outcome {
    let scenario = match file.read() {
        Ok(Scenario { ignored: Some(reason), .. }) => return Outcome::Ignored(reason),
        Ok(Scenario { later: Some(what), .. }) if options.leaves_out_later() => {
            return Outcome::Later(what);
        }
        Ok(scenario) => scenario,
        Err(error) => return Outcome::NotRun(error),
    };
    let result = match options.mode {
        Mode::Record => record(file, &scenario, &options.binary),
        Mode::Replay => replay(file, &scenario, options),
    };
    result.unwrap_or_else(Outcome::NotRun)
}

fn record(file: &ScenarioFile, scenario: &Scenario, binary: &Path) -> Result<Outcome> {
    let answers = run(scenario, binary)?;
    file.write_expected(&answers)?;
    Ok(Outcome::Passed(answers.len()))
}

fn replay(file: &ScenarioFile, scenario: &Scenario, options: &Options) -> Result<Outcome> {
    let Some(expected) = file.expected()? else {
        bail!("nothing recorded yet: cargo xtask record {}", file.name)
    };
    let scenario = &mut scenario.clone();
    if options.with_differences {
        // What changes from run to run of Traefik need not do so here.
        for step in &mut scenario.request {
            let ours = step.ours.as_ref();
            step.unstable.retain(|part| !ours.is_some_and(|ours| ours.says(part)));
        }
    }
    let given = run(scenario, &options.binary)?;
    let mut lines = Vec::new();
    // Only the first answer to a step can be said to differ on purpose; it names the step.
    let ours = |label: &str| {
        let step = scenario.request.iter().find(|step| step.label() == label)?;
        step.ours.as_ref().filter(|_| options.with_differences)
    };
    let mut marks = Marks::new(if options.with_differences { &scenario.differs } else { &[] });
    let mut given = given.into_iter().peekable();
    for (number, expected) in expected.iter().enumerate() {
        let label = &expected.request;
        let Some(given) = given.next_if(|given| given.request == *label) else {
            lines.push(format!("  [{number}] {label:?}\n      no such answer"));
            continue;
        };
        let differing = differences(expected, &given, ours(label))?;
        let differing = marks.remaining(label, differing);
        if !differing.is_empty() {
            lines.push(format!("  [{number}] {label:?}"));
            lines.extend(differing.iter().map(|line| format!("      {line}")));
        }
    }
    for surplus in given {
        lines.push(format!("      an answer that was not recorded: {:?}", surplus.request));
    }
    lines.extend(marks.stale().iter().map(|line| format!("      {line}")));
    Ok(if lines.is_empty() { Outcome::Passed(expected.len()) } else { Outcome::Differs(lines) })
}
