//! One run from updates to a snapshot: merge, compile, put last good versions in the place of what
//! is broken, compile again, and say what was found.
//!
//! An object that is broken now but worked before goes on as it last worked, with everything it
//! needed then, until it is mended or deleted. In the runtime it is shown as written, with the
//! status `warning` (it works, but not as written) and what is wrong with it. What was broken from
//! the start is `disabled`, as in Traefik.

mod explain;
mod findings;
mod kept;
mod last_good;
mod references;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use config::Diagnostic;
use config::static_config::StaticConfiguration;
use exchange::InternalService;
use routing::compile::{Compiled, Runtime, compile};

use self::findings::{Findings, Written};
use self::kept::Keeping;
use crate::Update;
use crate::aggregate::{Frame, Id, Merged, Previous, internal_services, merge};

/// What became of a configuration.
pub struct Evaluated {
    pub compiled: Compiled,
    /// How every object fares, last good versions included.
    pub runtime: Arc<Runtime>,
    pub diagnostics: Vec<Diagnostic>,
    /// What is in force, and what of it is broken: the last good versions of the next run.
    merged: Merged,
    broken: BTreeSet<Id>,
    findings: Findings,
}

/// Evaluates configurations from scratch, as at the start of the program. Starts nothing; reads
/// certificate files, so that it may block.
pub fn evaluate(
    static_configuration: &StaticConfiguration,
    updates: &[Update],
    internal: &HashMap<String, Arc<dyn InternalService>>,
) -> Evaluated {
    let internal = internal_services(internal.clone());
    let updates: Vec<&Update> = updates.iter().collect();
    evaluate_next(static_configuration, &updates, &internal, None, 1)
}

/// Evaluates configurations that take the place of previous ones.
pub(crate) fn evaluate_next(
    static_configuration: &StaticConfiguration,
    updates: &[&Update],
    internal: &HashMap<String, Arc<dyn InternalService>>,
    previous: Option<&Evaluated>,
    generation: u64,
) -> Evaluated {
    let frame = Frame::new(static_configuration, internal);
    let good =
        previous.map(|previous| Previous { merged: &previous.merged, broken: &previous.broken });
    let before = previous.map(|previous| &previous.compiled);
    let mut merged = merge(&frame, updates, good.as_ref());
    let mut compiled = compile(&frame.input(&merged.configuration), before, generation);
    let mut broken = last_good::broken(&compiled.runtime, &merged);
    let mut as_written = None;
    let mut replaced = BTreeMap::new();
    let mut written = Written::default();
    if let Some(good) = &good {
        for _ in 0..ROUNDS_MAX {
            let plan = last_good::plan(&broken, &merged, good, &replaced, &frame);
            if plan.is_empty() {
                break;
            }
            for id in plan {
                let was_there = merged.has(&id);
                written.set_aside(&id, &merged);
                merged.take_over(good.merged, &id);
                replaced.insert(id, was_there);
            }
            merged.apply_models(&frame, Some(good.merged));
            let next = compile(&frame.input(&merged.configuration), before, generation);
            as_written.get_or_insert(std::mem::replace(&mut compiled, next).runtime);
            broken = last_good::broken(&compiled.runtime, &merged);
        }
    }
    let mut runtime = Arc::clone(&compiled.runtime);
    let keeping = Keeping { as_written, replaced };
    let shown = keeping.show(&mut runtime, &merged, updates, &frame);
    let findings = Findings::new(&frame, shown, written);
    let diagnostics = findings.collect(&runtime, &compiled.problems, &merged, updates);
    Evaluated { compiled, runtime, diagnostics, merged, broken, findings }
}

impl Evaluated {
    /// Says again what was found, for updates that say the same but from other places.
    pub(crate) fn relocate(&self, updates: &[&Update]) -> Vec<Diagnostic> {
        self.findings.collect(&self.runtime, &self.compiled.problems, &self.merged, updates)
    }
}

/// Each round repairs a whole layer of the chain router, middleware or service, child service,
/// transport; deeper chains of broken objects stay broken.
const ROUNDS_MAX: usize = 8;
