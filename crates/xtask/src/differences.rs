//! `differences`: where ferrovia differs from Traefik on purpose, as the scenarios say it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use testkit::scenario::{Ours, Scenario, ScenarioFile};

/// Prints a Markdown table of all marked differences and what is left for later.
pub(crate) fn run() -> Result<()> {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut differences = Table::default();
    let mut later = Table::default();
    for file in ScenarioFile::list(&scenarios, "")? {
        let scenario = file.read()?;
        collect(&file.name, &scenario, &mut differences, &mut later);
    }
    print!(
        "## Different on purpose\n\n{}\n## Not there yet\n\n{}",
        differences.markdown("Why"),
        later.markdown("What"),
    );
    Ok(())
}

/// For each reason the scenarios that show it, and there an answer and how it differs.
#[derive(Debug, Default)]
struct Table(BTreeMap<String, BTreeMap<String, Row>>);

#[derive(Debug)]
struct Row {
    answers: usize,
    example: String,
}

fn collect(name: &str, scenario: &Scenario, differences: &mut Table, later: &mut Table) {
    if let Some(what) = &scenario.later {
        later.add(what, name, 1, "the whole scenario");
        return;
    }
    for step in &scenario.request {
        if let Some(ours) = &step.ours {
            let example = format!("{}: {}", step.label(), summary(ours));
            differences.add(&ours.reason, name, 1, &example);
        }
    }
    for mark in &scenario.differs {
        let table = if mark.is_for_later() { &mut *later } else { &mut *differences };
        let line = mark.lines().next().unwrap_or_default();
        let example = match mark.at.first() {
            Some(label) => format!("{label}: {line}"),
            None => line.to_owned(),
        };
        table.add(&mark.reason, name, mark.at.len().max(1), &example);
    }
}

fn summary(ours: &Ours) -> String {
    let mut parts: Vec<String> = ours.refuse.iter().map(|status| format!("is {status}")).collect();
    parts.extend(ours.parts.iter().map(|(part, value)| format!("{part} is {value}")));
    if !ours.ignore.is_empty() {
        parts.push(format!("{} not compared", ours.ignore.join(", ")));
    }
    parts.join(", ")
}

impl Table {
    fn add(&mut self, reason: &str, scenario: &str, answers: usize, example: &str) {
        let row = self
            .0
            .entry(reason.to_owned())
            .or_default()
            .entry(scenario.to_owned())
            .or_insert_with(|| Row { answers: 0, example: example.to_owned() });
        row.answers += answers;
    }

    fn markdown(&self, heading: &str) -> String {
        let mut text = format!("| {heading} | Scenario | Answers | Example |\n|---|---|---|---|\n");
        for (reason, rows) in &self.0 {
            for (scenario, Row { answers, example }) in rows {
                let (reason, example) = (cell(reason), cell(example));
                let _ = writeln!(text, "| {reason} | `{scenario}` | {answers} | {example} |");
            }
        }
        text
    }
}

/// Text inside a cell: on one line, short, and with nothing that Markdown would take as its own.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    for (number, character) in text.chars().enumerate() {
        if number == CELL_CHARACTERS_MAX {
            cell.push('…');
            break;
        }
        match character {
            '\n' | '\r' => cell.push(' '),
            '|' | '<' | '>' | '*' | '_' | '`' | '\\' | '[' | ']' => cell.extend(['\\', character]),
            other => cell.push(other),
        }
    }
    cell
}

const CELL_CHARACTERS_MAX: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_lists_each_scenario_once_and_counts_its_answers() {
        let mut table = Table::default();
        table.add("so", "a/b", 1, "GET /x|y");
        table.add("so", "a/b", 2, "GET /z");
        let text = table.markdown("Why");
        assert!(text.ends_with("| so | `a/b` | 3 | GET /x\\|y |\n"), "{text}");
    }

    #[test]
    fn cells_stay_on_one_line_and_short() {
        assert_eq!(cell("a\nb"), "a b");
        assert_eq!(cell(&"x".repeat(1000)).chars().count(), CELL_CHARACTERS_MAX + 1);
    }
}
