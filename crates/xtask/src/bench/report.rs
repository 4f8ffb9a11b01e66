//! The benchmark's tables in Markdown.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use super::findings::{Findings, Memory, Sample, Speed};
use super::goals;
use super::options::Options;
use super::peer::Peer;

/// Renders everything that was found.
pub(super) fn render(findings: &Findings, options: &Options) -> String {
    let mut text = format!(
        "Measured with {} rounds of {} s on {}.\n\n",
        options.rounds,
        options.seconds,
        machine()
    );
    if !findings.speed.is_empty() {
        text.push_str(SPEED_HEAD);
        for speed in &findings.speed {
            speed_line(&mut text, findings, speed);
        }
        text.push('\n');
    }
    if !findings.memory.is_empty() {
        text.push_str(MEMORY_HEAD);
        for memory in &findings.memory {
            memory_line(&mut text, findings, memory);
        }
        text.push('\n');
    }
    if findings.speed.iter().any(|speed| speed.median.others > OTHERS_MAX) {
        text.push_str(
            "Other programs were using the proxies' core: measure again when it is quiet.\n\n",
        );
    }
    for line in goals::lines(findings) {
        let _ = writeln!(text, "- {line}");
    }
    if !findings.notes.is_empty() {
        text.push_str("\nNotes:\n\n");
        for note in &findings.notes {
            let _ = writeln!(text, "- {note}");
        }
    }
    text
}

fn speed_line(text: &mut String, findings: &Findings, speed: &Speed) {
    let Speed { row, peer, routers, median, spread, .. } = speed;
    let one_router = if *routers == row.routers() { "" } else { " (one router)" };
    let ferrovia = findings.speed_of(*row, Peer::Ferrovia, row.routers());
    let is_itself = *peer == Peer::Ferrovia && *routers == row.routers();
    let ratio = |measure: fn(&Sample) -> f64| match ferrovia {
        Some(ferrovia) if !is_itself => ferrovia.ratio(speed, measure),
        _ => None,
    };
    let ratio = |measure| ratio(measure).map_or_else(|| "–".to_owned(), |it| format!("{it:.2}"));
    let _ = writeln!(
        text,
        "| {} | {}{one_router} {} | {:.1} | {:.0} % | {:.0} % | {:.0} % | {:.0} | {} | {} | {} | {} | {} | {} |",
        row.name(),
        peer.name(),
        version(findings, *peer),
        median.cpu_micros,
        spread * 100.0,
        median.busy * 100.0,
        median.others * 100.0,
        median.requests_per_second,
        millis(median.p50),
        millis(median.p99),
        ratio(|it| it.cpu_micros),
        ratio(|it| it.requests_per_second),
        ratio(|it| it.p50.as_secs_f64()),
        ratio(|it| it.p99.as_secs_f64()),
    );
}

fn memory_line(text: &mut String, findings: &Findings, memory: &Memory) {
    let ferrovia = findings.memory.iter().find(|it| it.peer == Peer::Ferrovia);
    let ratio = |of: fn(&Memory) -> Option<f64>| match ferrovia {
        Some(ferrovia) if memory.peer != Peer::Ferrovia => of(ferrovia)
            .zip(of(memory))
            .map_or_else(|| "–".to_owned(), |(ours, theirs)| format!("{:.2}", ours / theirs)),
        _ => "–".to_owned(),
    };
    let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1048576.0);
    let _ = writeln!(
        text,
        "| {} {} | {} | {} | {:.1} | {:.1} | {} | {} | {} | {} |",
        memory.peer.name(),
        version(findings, memory.peer),
        megabytes(memory.one_router_bytes),
        memory.routers_bytes.map_or_else(|| "–".to_owned(), megabytes),
        memory.plain_connection_bytes / 1024.0,
        memory.tls_connection_bytes / 1024.0,
        ratio(|it| Some(it.one_router_bytes as f64)),
        ratio(|it| it.routers_bytes.map(|bytes| bytes as f64)),
        ratio(|it| Some(it.plain_connection_bytes)),
        ratio(|it| Some(it.tls_connection_bytes)),
    );
}

/// The version, and where it is from when that is not what the method asks for.
fn version(findings: &Findings, peer: Peer) -> String {
    findings
        .versions
        .iter()
        .find(|(of, ..)| *of == peer)
        .map(|(_, version, origin)| format!("{version} ({})", origin.name()))
        .unwrap_or_default()
}

fn millis(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64() * 1e3)
}

fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("an unknown processor", |(_, model)| model.trim());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{model}, Linux {}", kernel.trim())
}

/// Beyond this share of the core, others distort what is measured.
const OTHERS_MAX: f64 = 0.05;
const SPEED_HEAD: &str = "\
| row | proxy | CPU µs/request | spread | core busy | others | requests/s | p50 ms | p99 ms | Ferrovia/it: CPU | requests/s | p50 | p99 |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
";
const MEMORY_HEAD: &str = "\
| memory | one router MiB | 10,000 routers MiB | KiB per idle connection | per idle TLS connection | Ferrovia/it: one router | 10,000 routers | connection | TLS connection |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
";
