//! Finds the static configuration: one file, or else the flags, or else the environment.
//!
//! As in Traefik the three are never mixed; what is ignored for that reason is said.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::decode::{self, schema};
use crate::diagnostic::Diagnostic;
use crate::env::{self, Environment};
use crate::flags::{self, Flags};
use crate::node::{Node, Value};
use crate::parse::{self, Format};
use crate::static_config::{StaticConfiguration, deprecated, unsupported, validate};

/// The outcome of looking for a static configuration.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Complete, with implicit entry points; absent if there is an error.
    pub configuration: Option<StaticConfiguration>,
    pub source: Source,
    pub diagnostics: Vec<Diagnostic>,
}

/// Where a static configuration comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    File(PathBuf),
    Flags,
    Environment,
    /// Nothing was given.
    Defaults,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "file {}", path.display()),
            Self::Flags => formatter.write_str("flags"),
            Self::Environment => formatter.write_str("environment"),
            Self::Defaults => formatter.write_str("defaults"),
        }
    }
}

/// Loads the static configuration. `args` are the arguments after the program's name and command;
/// `variables` is the whole environment, which also says where files are looked for.
pub fn load(args: &[String], variables: &[(String, String)]) -> Loaded {
    load_from(args, variables, &search_bases(variables))
}

/// Folders and file names without extension, in the order in which files are looked for.
fn search_bases(variables: &[(String, String)]) -> Vec<PathBuf> {
    let variable = |name: &str| {
        let found = variables.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    // Traefik: an unset variable is empty, so that `/traefik.yml` is found, which many images use.
    let folders = [
        PathBuf::from("/etc/traefik"),
        PathBuf::from(format!("{}/", variable("XDG_CONFIG_HOME"))),
        PathBuf::from(format!("{}/.config", variable("HOME"))),
        PathBuf::from("."),
    ];
    let names = |folder: PathBuf| ["ferrovia", "traefik"].map(|name| folder.join(name));
    let own = PathBuf::from("/etc/ferrovia/ferrovia");
    std::iter::once(own).chain(folders.into_iter().flat_map(names)).collect()
}

fn load_from(args: &[String], variables: &[(String, String)], bases: &[PathBuf]) -> Loaded {
    let options = schema::options::<StaticConfiguration>();
    let environment = env::parse(variables, &options);
    let flags = match flags::parse(args, &options) {
        Ok(flags) => flags,
        Err(diagnostic) => return failed(Source::Flags, diagnostic),
    };
    let file = match find_file(flags.config_file.as_deref(), bases) {
        Ok(file) => file,
        Err(unreadable) => {
            return failed(Source::File(unreadable.path), *unreadable.diagnostic);
        }
    };
    if let Some(path) = file {
        return from_file(path, &flags, &environment);
    }
    let mut diagnostics = Vec::new();
    if !flags.names.is_empty() {
        diagnostics.extend(ignored("variables", &environment.names, &Source::Flags));
        return finish(&flags.node, Source::Flags, diagnostics);
    }
    diagnostics.extend(environment.diagnostics);
    let source = if environment.names.is_empty() { Source::Defaults } else { Source::Environment };
    finish(&environment.node, source, diagnostics)
}

/// The file that `--configFile` names, or else the first that exists.
fn find_file(named: Option<&str>, bases: &[PathBuf]) -> Result<Option<PathBuf>, Unreadable> {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        let path = PathBuf::from(named);
        // Traefik: a file that does not exist is skipped without a word.
        return match path.metadata() {
            Ok(_) => Ok(Some(path)),
            Err(error) => {
                let message = format!("configuration file {named:?}: {error}");
                Err(Unreadable::new(path, message))
            }
        };
    }
    for base in bases {
        for extension in ["toml", "yaml", "yml"] {
            let path = base.with_extension(extension);
            match path.metadata() {
                Ok(metadata) if metadata.is_file() => return Ok(Some(path)),
                Ok(_) => {}
                Err(error) if is_absent(&error) => {}
                Err(error) => {
                    let message =
                        format!("configuration file {:?}: {error}", path.display().to_string());
                    return Err(Unreadable::new(path, message));
                }
            }
        }
    }
    Ok(None)
}

/// A file that is there, or should be, and cannot be read.
struct Unreadable {
    path: PathBuf,
    diagnostic: Box<Diagnostic>,
}

impl Unreadable {
    fn new(path: PathBuf, message: String) -> Self {
        Self { path, diagnostic: Box::new(Diagnostic::error(CODE_FILE, message)) }
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

fn from_file(path: PathBuf, flags: &Flags, environment: &Environment) -> Loaded {
    let source = Source::File(path.clone());
    let node = match read_file(&path) {
        Ok(node) => node,
        Err(diagnostic) => return failed(source, diagnostic),
    };
    let mut diagnostics = Vec::new();
    let flag_names: Vec<String> = flags.names.iter().map(|name| format!("--{name}")).collect();
    diagnostics.extend(ignored("flags", &flag_names, &source));
    diagnostics.extend(ignored("variables", &environment.names, &source));
    let node = without_dynamic_sections(node, &mut diagnostics);
    finish(&node, source, diagnostics)
}

fn read_file(path: &Path) -> Result<Node, Diagnostic> {
    let name = path.display().to_string();
    let Some(format) = Format::of_file(&name) else {
        let message = format!("configuration file {name:?}: unsupported extension");
        return Err(Diagnostic::error(CODE_FILE, message).hint("use toml, yaml, yml or json"));
    };
    let bytes = std::fs::read(path).map_err(|error| {
        Diagnostic::error(CODE_FILE, format!("configuration file {name:?}: {error}"))
    })?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Diagnostic::error(CODE_FILE, format!("configuration file {name:?}: not UTF-8 text"))
    })?;
    let node = parse::parse(&text, &name, format)?;
    match &node.value {
        Value::Null => {
            let message = format!("configuration file {name:?} holds no configuration");
            Err(Diagnostic::error(CODE_FILE, message))
        }
        Value::Mapping(_) => Ok(node),
        _ => {
            let message = format!("expected a mapping, found {}", node.kind_name());
            Err(Diagnostic::error("syntax", message).at(Some(node.place)))
        }
    }
}

/// One file may hold both kinds of configuration, as Traefik allows; the dynamic part is read from
/// it only if `providers.file` names it.
fn without_dynamic_sections(node: Node, diagnostics: &mut Vec<Diagnostic>) -> Node {
    let Value::Mapping(mut entries) = node.value else { return node };
    entries.retain(|(key, _)| {
        let is_dynamic = DYNAMIC_SECTIONS.iter().any(|name| key.text.eq_ignore_ascii_case(name));
        if is_dynamic {
            let message = format!("{:?} belongs to the dynamic configuration", key.text);
            let hint = "it is ignored here; let providers.file read it";
            let diagnostic = Diagnostic::warning("dynamic-key", message).hint(hint);
            diagnostics.push(diagnostic.at(Some(key.place.clone())));
        }
        !is_dynamic
    });
    Node { value: Value::Mapping(entries), place: node.place }
}

/// Decodes and checks a tree.
fn finish(node: &Node, source: Source, mut diagnostics: Vec<Diagnostic>) -> Loaded {
    let deprecated = deprecated::check(node);
    let decoded = decode::decode::<StaticConfiguration>(node, None, "");
    // A removed option is an unknown key as well; the first says more.
    let is_news = |diagnostic: &Diagnostic| {
        !deprecated.iter().any(|known| known.is_error() && known.place == diagnostic.place)
    };
    diagnostics.extend(decoded.diagnostics.into_iter().filter(is_news));
    diagnostics.extend(deprecated);
    let mut configuration = decoded.value;
    if let Some(configuration) = &mut configuration {
        configuration.set_effective();
        diagnostics.extend(validate::validate(configuration, node));
    }
    diagnostics.extend(unsupported::unsupported(node));
    if diagnostics.iter().any(Diagnostic::is_error) {
        configuration = None;
    }
    Loaded { configuration, source, diagnostics }
}

fn failed(source: Source, diagnostic: Diagnostic) -> Loaded {
    Loaded { configuration: None, source, diagnostics: vec![diagnostic] }
}

fn ignored(what: &str, names: &[String], source: &Source) -> Option<Diagnostic> {
    if names.is_empty() {
        return None;
    }
    let reason = match source {
        Source::File(path) => format!("the file {} is used", path.display()),
        _ => "flags are given".to_owned(),
    };
    let message = format!("{what} are ignored because {reason}: {}", names.join(", "));
    Some(Diagnostic::warning("ignored-source", message))
}

const CODE_FILE: &str = "configuration-file";
const DYNAMIC_SECTIONS: [&str; 4] = ["http", "tcp", "udp", "tls"];

#[cfg(test)]
mod tests;
