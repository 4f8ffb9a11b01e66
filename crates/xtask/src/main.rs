//! Development commands, run as `cargo xtask <command>`.

mod bench;
mod client;
mod command_line;
mod differences;
mod faults;
mod latency;
mod proxy;
mod record;
mod soak;
mod surroundings;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask <command>

  record [--binary PATH] [FILTER]   write down what Traefik answers to the scenarios
  replay --binary PATH [FILTER]     compare a proxy with what was written down
  differences                       tell where ferrovia differs on purpose, as Markdown
  bench ...                         measure (see `cargo xtask bench --help`)
  soak ...                          prove that reloads lose nothing (`cargo xtask soak --help`)
  faults ...                        bad days: servers, clients and resources that fail
                                    (`cargo xtask faults --help`)
  tidy                              check crate edges, file sizes and the like";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<()> {
    match args.split_first() {
        Some((command, rest)) => match command.as_str() {
            "record" => record::record(rest),
            "replay" => record::replay(rest),
            "differences" => differences::run(),
            "bench" => bench::run(rest),
            "soak" => soak::run(rest),
            "faults" => faults::run(rest),
            "tidy" => tidy::run(),
            _ => bail!("unknown command {command:?}\n{USAGE}"),
        },
        None => bail!("{USAGE}"),
    }
}
