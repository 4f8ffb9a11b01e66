//! Options of the commands that are Ferrovia's own; `config` reads those of the configuration.

use std::process::ExitCode;

/// Reads `--name value` and `--name=value`, also with one dash, for these names.
pub(crate) fn pairs<'a>(
    args: &'a [String],
    names: &'a [&'static str],
) -> impl Iterator<Item = Result<(&'static str, &'a str), String>> {
    let mut rest = args.iter();
    std::iter::from_fn(move || {
        let argument = rest.next()?;
        let Some(flag) = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-')) else {
            return Some(Err(format!("unexpected argument {argument:?}")));
        };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (flag, None),
        };
        let Some(known) = names.iter().find(|known| known.eq_ignore_ascii_case(name)) else {
            return Some(Err(format!("unknown flag --{name} ({})", listed(names))));
        };
        let value = value.or_else(|| rest.next().map(String::as_str));
        Some(value.map(|value| (*known, value)).ok_or_else(|| format!("--{known} needs a value")))
    })
}

/// Says what is wrong with a command's arguments.
pub(crate) fn refuse(command: &str, problem: &str) -> ExitCode {
    crate::complain(&format!("ferrovia {command}: {problem}\nferrovia {command} --help says more"))
}

fn listed(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("--{name}")).collect();
    match names.as_slice() {
        [only] => format!("there is {only}"),
        _ => format!("there are {}", names.join(" and ")),
    }
}
