//! Proves that nothing is lost while Ferrovia changes under load (`cargo xtask soak`).
//!
//! A proxy serves 10,000 routers from files while connections that never rest check every answer
//! they get. Meanwhile files change, rightly and wrongly, upstream servers come and go as processes
//! of their own, signals rain, and at last the proxy is told to end. One wrong or missing answer
//! fails the run. The proxy is a program with configuration files, known from outside only, so that
//! Traefik can be put in its place.

mod changes;
mod drain;
mod load;
mod options;
mod phase;
mod signals;
mod site;
mod upstream;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;

use self::load::Load;
use self::options::{Options, Part};
use self::phase::Phase;
use self::site::{ROUTERS, Site};
use crate::proxy;

/// Runs the parts that `args` ask for; see [`options::USAGE`].
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    if let [word, name] = args
        && word == upstream::WORD
    {
        return upstream::serve(name);
    }
    let Some(options) = Options::parse(args)? else {
        print!("{}", options::USAGE);
        return Ok(());
    };
    let binary = match &options.ferrovia {
        Some(path) => std::path::absolute(path)?,
        None => proxy::build()?,
    };
    let mut problems = Vec::new();
    for part in &options.parts {
        let started = Instant::now();
        println!("{}:", part.name());
        let found = match part {
            Part::Reload => reload(&binary, &options)?,
            Part::Signals => signals(&binary, &options)?,
            Part::Drain => drain::run(&binary, &options)?,
        };
        let verdict = if found.is_empty() { "passed" } else { "FAILED" };
        println!("  {verdict} after {:.1} s", started.elapsed().as_secs_f32());
        problems.extend(found.into_iter().map(|problem| format!("{}: {problem}", part.name())));
    }
    if problems.is_empty() {
        return Ok(());
    }
    for problem in &problems {
        println!("problem: {problem}");
    }
    bail!("the soak found {} problems", problems.len())
}

/// Changes under load. Gives what went wrong.
fn reload(binary: &Path, options: &Options) -> anyhow::Result<Vec<String>> {
    let mut site = Site::create()?;
    let started = Instant::now();
    let mut proxy = site.start(binary)?;
    println!(
        "  {ROUTERS} routers served {:.0} ms after the start",
        started.elapsed().as_secs_f64() * 1e3
    );
    let load = Load::start(site.web(), &site.expected, options.connections);

    // The allocator and the pools shall have seen the load before memory is compared.
    load.answer(options.requests / 20, &mut proxy)?;
    let resident_before = proxy.resident_bytes()?;
    let outcome = changes::apply(&mut site, &mut proxy, &load, options);
    load.enter(Phase::After);
    if outcome.is_ok() {
        load.answer(options.requests / 20, &mut proxy)?;
        load.answer_until(options.requests, &mut proxy)?;
    }
    let resident_after = proxy.resident_bytes()?;
    let totals = load.stop();
    let mut problems = totals.problems();
    match outcome {
        Ok(summary) => println!("{summary}"),
        Err(error) => problems.push(format!("{error:#}\n{}", proxy.log_tail())),
    }
    println!("{totals}");
    println!(
        "  resident memory: {:.1} MB before, {:.1} MB after the changes",
        resident_before as f64 / 1e6,
        resident_after as f64 / 1e6
    );
    if totals.answered < options.requests {
        problems.push(format!("only {} requests were answered", totals.answered));
    }
    if let Err(error) = proxy.end(END_LIMIT) {
        problems.push(format!("{error:#}"));
    }
    Ok(problems)
}

/// SIGHUP under load. Gives what went wrong.
fn signals(binary: &Path, options: &Options) -> anyhow::Result<Vec<String>> {
    let site = Site::create()?;
    let mut proxy = site.start(binary)?;
    let load = Load::start(site.web(), &site.expected, options.connections);
    let outcome = signals::run(&site, &mut proxy, &load);
    let totals = load.stop();
    let mut problems = totals.problems();
    match outcome {
        Ok(summary) => println!("{summary}"),
        Err(error) => problems.push(format!("{error:#}\n{}", proxy.log_tail())),
    }
    println!("{totals}");
    if let Err(error) = proxy.end(END_LIMIT) {
        problems.push(format!("{error:#}"));
    }
    Ok(problems)
}

/// Shared by the threads of a run.
type Expected = Arc<site::Expected>;

const END_LIMIT: Duration = Duration::from_secs(15);
