//! One file: its last good content, and what is wrong with it now.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use config::decode_dynamic::{DynamicDecoded, Kind, Rejected, decode_text};
use config::dynamic::Configuration;
use config::parse::Format;
use config::{Diagnostic, Place};
use control::files::Fingerprint;

use super::Depth;

/// One file.
pub(super) struct Source {
    path: PathBuf,
    /// The name that places carry.
    name: String,
    /// What the file looked like when it was read last, if a later change would show.
    fingerprint: Option<Fingerprint>,
    /// What was read last, good or not, if it was text.
    text: Option<Arc<str>>,
    /// The last content that could be used.
    pub(super) good: Option<Arc<DynamicDecoded>>,
    /// Objects that the last good content had and that could not be found now because the section
    /// they were in is unreadable.
    pub(super) lost: Vec<Rejected>,
    /// Why the present content is not used.
    pub(super) problem: Option<Diagnostic>,
}

impl Source {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            name: path.display().to_string(),
            fingerprint: None,
            text: None,
            good: None,
            lost: Vec::new(),
            problem: None,
        }
    }

    /// Reads the file again if it may have changed. Tells whether anything is not as it was.
    pub(super) fn refresh(&mut self, depth: Depth, logs_rendered: bool) -> bool {
        let now = SystemTime::now();
        let fingerprint = Fingerprint::of(&self.path);
        if depth == Depth::Changed && fingerprint.is_some() && fingerprint == self.fingerprint {
            return false;
        }
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.fingerprint = None;
                self.text = None;
                let problem = self.unreadable(&error);
                return self.fail(problem);
            }
        };
        self.fingerprint = fingerprint.filter(|found| found.is_settled(now));
        let is_known = self.text.as_ref().is_some_and(|text| text.as_bytes() == bytes);
        if depth == Depth::Changed && is_known {
            return false;
        }
        self.text = String::from_utf8(bytes).ok().map(Arc::from);
        match self.read(logs_rendered) {
            Ok(decoded) => self.succeed(decoded),
            Err(problem) => self.fail(problem),
        }
    }

    fn succeed(&mut self, decoded: DynamicDecoded) -> bool {
        // A section that is unreadable as a whole hides objects that may still be meant.
        let hides_objects = decoded
            .diagnostics
            .iter()
            .any(|diagnostic| diagnostic.is_error() && diagnostic.object.is_none());
        let mut lost = std::mem::take(&mut self.lost);
        if hides_objects && let Some(before) = &self.good {
            lost.retain(|lost| !decoded.mentions(lost.kind, &lost.name));
            lost.extend(missing(&before.configuration, &decoded));
            lost.dedup();
            self.lost = lost;
        }
        self.problem = None;
        self.good = Some(Arc::new(decoded));
        true
    }

    fn fail(&mut self, mut problem: Diagnostic) -> bool {
        if self.good.is_some() {
            let note = "its last good content stays in service";
            problem.hint = Some(match problem.hint.take() {
                Some(hint) => format!("{hint}; {note}"),
                None => note.to_owned(),
            });
        }
        let problem = Some(problem);
        if self.problem == problem {
            return false;
        }
        self.problem = problem;
        true
    }

    /// Makes objects of a text; the error says why nothing can be made of it.
    fn read(&self, logs_rendered: bool) -> Result<DynamicDecoded, Diagnostic> {
        let unusable = |message: &str| {
            let diagnostic = Diagnostic::error("unreadable-file", message);
            Err(diagnostic.at(Some(Place::new(self.name.as_str(), 1, 1))))
        };
        let Some(text) = &self.text else { return unusable("not UTF-8 text") };
        if text.trim().is_empty() {
            if !self.has_objects() {
                return Ok(DynamicDecoded::default());
            }
            // Truncated and not written yet, as far as one can know.
            let diagnostic = Diagnostic::warning("empty-file", "the file is empty")
                .at(Some(Place::new(self.name.as_str(), 1, 1)))
                .hint("to remove its objects, write {} or delete it");
            return Err(diagnostic);
        }
        let Some(format) = Format::of_file(&self.name) else {
            return unusable("unsupported file extension, use toml, yaml, yml or json");
        };
        let rendered = self.render(text, logs_rendered)?;
        let before = self.good.as_deref();
        match rendered.map(Arc::from) {
            None => decode_text(Arc::clone(text), &self.name, format, before),
            Some(rendered) => decode_text(rendered, &self.name, format, before)
                .map_err(|error| error.hint(RENDERED)),
        }
    }

    /// Tells whether the file stands for any object, readable or not.
    fn has_objects(&self) -> bool {
        let is_empty = |good: &Arc<DynamicDecoded>| {
            good.rejected.is_empty() && good.configuration == Configuration::default()
        };
        !self.lost.is_empty() || !self.good.as_ref().is_none_or(is_empty)
    }

    /// Renders the file if it is a template.
    fn render(&self, text: &str, logs_rendered: bool) -> Result<Option<String>, Diagnostic> {
        if !template::needs_rendering(text) {
            return Ok(None);
        }
        let rendered = template::render(&self.name, text).map_err(|error| {
            let place =
                Place::new(self.name.as_str(), error.line.unwrap_or(1), error.column.unwrap_or(1));
            Diagnostic::error("template", error.message)
                .at(Some(place))
                .hint("files are Go templates; literal braces are written {{ \"{{\" }}")
        })?;
        if logs_rendered {
            tracing::debug!(file = self.name, rendered, "template rendered");
        }
        Ok(Some(rendered))
    }

    fn unreadable(&self, error: &io::Error) -> Diagnostic {
        let message = format!("file {:?}: {error}", self.name);
        Diagnostic::error("unreadable-file", message)
    }
}

/// The objects of a configuration that a later text does not mention.
fn missing(before: &Configuration, now: &DynamicDecoded) -> Vec<Rejected> {
    let Configuration { http, tcp, udp, tls } = before;
    let mut missing = Vec::new();
    let mut look = |kind: Kind, names: &mut dyn Iterator<Item = &String>| {
        for name in names.filter(|name| !now.mentions(kind, name)) {
            missing.push(Rejected { kind, name: name.clone() });
        }
    };
    look(Kind::Router, &mut http.routers.keys());
    look(Kind::Service, &mut http.services.keys());
    look(Kind::Middleware, &mut http.middlewares.keys());
    look(Kind::ServersTransport, &mut http.servers_transports.keys());
    look(Kind::TcpRouter, &mut tcp.routers.keys());
    look(Kind::TcpService, &mut tcp.services.keys());
    look(Kind::TcpMiddleware, &mut tcp.middlewares.keys());
    look(Kind::TcpServersTransport, &mut tcp.servers_transports.keys());
    look(Kind::UdpRouter, &mut udp.routers.keys());
    look(Kind::UdpService, &mut udp.services.keys());
    look(Kind::TlsOptions, &mut tls.options.keys());
    look(Kind::TlsStore, &mut tls.stores.keys());
    if !tls.certificates.is_empty() && now.configuration.tls.certificates.is_empty() {
        missing.push(Rejected { kind: Kind::Certificate, name: "0".to_owned() });
    }
    missing
}

const RENDERED: &str = "line and column are those of the rendered template";
