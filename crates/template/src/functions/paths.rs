//! Slash-separated paths, and the process environment.

use crate::functions::table;

table! { pub(super) TABLE:
    "base", 1..=1 => |arguments| Ok(base(arguments.text(0)?).into());
    "dir", 1..=1 => |arguments| Ok(dir(arguments.text(0)?).into());
    "clean", 1..=1 => |arguments| Ok(clean(arguments.text(0)?).into());
    "ext", 1..=1 => |arguments| Ok(ext(arguments.text(0)?).into());
    "isAbs", 1..=1 => |arguments| Ok(arguments.text(0)?.starts_with('/').into());
    // Traefik runs these on Unix, where the system's paths are the same as the others.
    "osBase", 1..=1 => |arguments| Ok(base(arguments.text(0)?).into());
    "osDir", 1..=1 => |arguments| Ok(dir(arguments.text(0)?).into());
    "osClean", 1..=1 => |arguments| Ok(clean(arguments.text(0)?).into());
    "osExt", 1..=1 => |arguments| Ok(ext(arguments.text(0)?).into());
    "osIsAbs", 1..=1 => |arguments| Ok(arguments.text(0)?.starts_with('/').into());
    "env", 1..=1 => |arguments| Ok(environment(arguments.text(0)?).into());
    "expandenv", 1..=1 => |arguments| Ok(expand(arguments.text(0)?).into());
}

fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit('/').next() {
        Some("") | None => "/",
        Some(last) => last,
    }
}

fn dir(path: &str) -> String {
    clean(path.rfind('/').map_or("", |slash| &path[..=slash]))
}

/// The shortest path that means the same.
fn clean(path: &str) -> String {
    let is_rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if is_rooted => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    match (is_rooted, parts.join("/")) {
        (true, joined) => format!("/{joined}"),
        (false, joined) if joined.is_empty() => ".".to_owned(),
        (false, joined) => joined,
    }
}

fn ext(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rfind('.').map_or("", |dot| &name[dot..])
}

/// A variable of the environment; empty when absent or not Unicode.
fn environment(name: &str) -> String {
    if name.is_empty() || name.contains(['=', '\0']) {
        return String::new();
    }
    std::env::var(name).unwrap_or_default()
}

/// Go's `os.ExpandEnv`: `$name` and `${name}`; malformed references vanish.
fn expand(text: &str) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        let after = &rest[dollar + 1..];
        if after.is_empty() {
            break;
        }
        expanded.push_str(&rest[..dollar]);
        let (name, length) = variable(after);
        match name {
            Some(name) => expanded.push_str(&environment(name)),
            // A dollar sign that begins no name stays; broken braces do not.
            None if length == 0 => expanded.push('$'),
            None => {}
        }
        rest = &after[length..];
    }
    expanded.push_str(rest);
    expanded
}

/// The name that a reference begins with, and the length of the reference after its dollar sign.
fn variable(text: &str) -> (Option<&str>, usize) {
    let is_special = |symbol: char| "*#$@!?-".contains(symbol) || symbol.is_ascii_digit();
    if let Some(braced) = text.strip_prefix('{') {
        let mut symbols = braced.chars();
        if symbols.next().is_some_and(is_special) && symbols.next() == Some('}') {
            return (Some(&braced[..1]), 3);
        }
        return match braced.find('}') {
            Some(0) => (None, 2),
            Some(end) => (Some(&braced[..end]), end + 2),
            None => (None, 1),
        };
    }
    if text.starts_with(is_special) {
        return (Some(&text[..1]), 1);
    }
    let is_name = |symbol: char| symbol.is_ascii_alphanumeric() || symbol == '_';
    let end = text.find(|symbol| !is_name(symbol)).unwrap_or(text.len());
    if end == 0 { (None, 0) } else { (Some(&text[..end]), end) }
}
