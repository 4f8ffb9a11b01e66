//! One step of a scenario.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde::Deserialize;
use serde_json::Value;

use super::line;

/// One step: a request, a look at the runtime configuration, or a change of dynamic files.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// What the step is called in the recording; the request itself without.
    pub name: Option<String>,
    /// Requests in their short form, one a line.
    pub lines: Option<String>,
    /// The bytes of the request.
    pub raw: Option<String>,
    /// How many answers to read on the connection.
    pub answers: usize,
    /// The methods those answers belong to; default: the first word of the request.
    pub methods: Vec<String>,
    /// The placeholder of the address to connect to.
    pub to: String,
    /// Keeps the connection under that name for later steps.
    pub on: Option<String>,
    /// Speaks TLS, without a server name unless `sni` is given.
    pub tls: bool,
    /// Speaks TLS with that server name.
    pub sni: Option<String>,
    /// Protocols offered in the handshake.
    pub alpn: Vec<String>,
    /// `1.2` or `1.3`.
    pub tls_version: Option<String>,
    /// Certificate the client shows (see [`crate::certificates`]).
    pub client_certificate: Option<String>,
    /// Only shakes hands.
    pub handshake: bool,
    /// Sends no `Host`.
    pub no_host: bool,
    /// Field lines besides `Host`; part of `lines`.
    pub headers: Vec<String>,
    /// The body, with `Content-Length`.
    pub body: Option<String>,
    /// So many bytes as body, in place of `body`.
    pub body_bytes: Option<usize>,
    /// The body in chunks of 1000 bytes instead.
    pub chunked: bool,
    /// Trailer field lines after the last chunk.
    pub trailers: Vec<String>,
    /// Sent when an interim answer came.
    pub after_interim: String,
    /// Sent after 101; as many bytes are expected back.
    pub tunnel: String,
    /// How long to wait for an answer that is not expected to come; default 8 seconds.
    pub patience_ms: Option<u64>,
    /// Closes the connection when the request reached the upstream, without reading an answer.
    pub abort: bool,
    /// Sends the request so many times and counts the answers.
    pub repeat: usize,
    /// What to count: `body`, `status` or a header name.
    pub count_by: String,
    /// Waits for so many requests at the upstreams before writing them down.
    pub await_upstream: usize,
    /// Does not write down what reached the upstreams.
    pub ignore_upstream: bool,
    /// Parts of the answer that change from run to run and are not written down.
    pub unstable: Vec<String>,
    /// Writes the body down as JSON.
    pub json: bool,
    /// Looks at the runtime configuration: sections or objects, empty for all.
    pub rawdata: Option<Vec<String>>,
    /// Writes dynamic files.
    pub write: BTreeMap<String, String>,
    /// Removes dynamic files.
    pub remove: Vec<String>,
    /// Waits until the runtime configuration shows these texts.
    pub wait_for: Vec<String>,
    /// Waits until the runtime configuration no longer shows these texts.
    pub wait_gone: Vec<String>,
    /// Waits until the runtime configuration has not changed for a while.
    pub settle: bool,
    /// Where ferrovia differs on purpose.
    pub ours: Option<Ours>,
    #[serde(skip)]
    pub(crate) request_line: String,
}

/// Where ferrovia differs from what was recorded, and why.
#[derive(Debug, Clone, Deserialize)]
pub struct Ours {
    /// The reason, a sentence.
    pub reason: String,
    /// The request is refused with that status: the connection closed, nothing at the upstream.
    pub refuse: Option<u16>,
    /// Parts that are not compared.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Parts of the answer in place of the recorded ones; empty for none.
    #[serde(flatten)]
    pub parts: BTreeMap<String, Value>,
}

impl Ours {
    /// Whether it says what a part of the answer is.
    pub fn says(&self, part: &str) -> bool {
        self.refuse.is_some() || self.parts.contains_key(part)
    }
}

impl Default for Step {
    fn default() -> Self {
        Self {
            name: None,
            lines: None,
            raw: None,
            answers: 1,
            methods: Vec::new(),
            to: "WEB".to_owned(),
            on: None,
            tls: false,
            sni: None,
            alpn: Vec::new(),
            tls_version: None,
            client_certificate: None,
            handshake: false,
            no_host: false,
            headers: Vec::new(),
            body: None,
            body_bytes: None,
            chunked: false,
            trailers: Vec::new(),
            after_interim: String::new(),
            tunnel: String::new(),
            patience_ms: None,
            abort: false,
            repeat: 0,
            count_by: "body".to_owned(),
            await_upstream: 0,
            ignore_upstream: false,
            unstable: Vec::new(),
            json: false,
            rawdata: None,
            write: BTreeMap::new(),
            remove: Vec::new(),
            wait_for: Vec::new(),
            wait_gone: Vec::new(),
            settle: false,
            ours: None,
            request_line: String::new(),
        }
    }
}

impl Step {
    /// Takes a step of several lines apart; the other settings hold for each of them.
    pub(super) fn expand(self) -> Result<Vec<Self>> {
        let Some(lines) = &self.lines else { return Ok(vec![self]) };
        let base = Self { lines: None, ..self.clone() };
        let steps: Vec<_> = lines
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
            .map(|line| line::parse(line, &base))
            .collect::<Result<_>>()?;
        if steps.len() > 1 && (base.ours.is_some() || base.name.is_some()) {
            bail!("`name` and `ours` belong to a step of one line: {lines}");
        }
        Ok(steps)
    }

    /// What the step is called in the recording.
    pub fn label(&self) -> String {
        let given = self.name.as_ref().or(self.lines.as_ref()).or(self.raw.as_ref());
        match given {
            Some(label) => label.clone(),
            None if self.rawdata.is_some() => "rawdata".to_owned(),
            None if self.handshake => {
                format!("handshake {}", self.sni.as_deref().unwrap_or("without a server name"))
            }
            None if !self.write.is_empty() => {
                format!("write {}", self.write.keys().cloned().collect::<Vec<_>>().join(", "))
            }
            None if !self.remove.is_empty() => format!("remove {}", self.remove.join(", ")),
            None => "wait".to_owned(),
        }
    }

    /// The method of the n-th answer.
    pub fn method(&self, number: usize) -> &str {
        match self.methods.get(number) {
            Some(method) => method,
            None => {
                let text = self.raw.as_deref().unwrap_or(&self.request_line);
                text.split(' ').next().unwrap_or_default()
            }
        }
    }

    /// The bytes of the request, placeholders still in them. None for steps that send none.
    pub fn request_text(&self) -> Option<String> {
        if let Some(raw) = &self.raw {
            return Some(raw.clone());
        }
        if self.request_line.is_empty() {
            return None;
        }
        let mut text = format!("{}\r\n", self.request_line);
        for header in &self.headers {
            text.push_str(header);
            text.push_str("\r\n");
        }
        let body = match (self.body_bytes, &self.body) {
            (Some(count), _) => Some("x".repeat(count)),
            (None, body) => body.clone(),
        };
        match body {
            None => text.push_str("\r\n"),
            Some(body) if self.chunked => {
                text.push_str("Transfer-Encoding: chunked\r\n\r\n");
                text.push_str(&chunks(&body, &self.trailers));
            }
            Some(body) => {
                text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
            }
        }
        Some(text)
    }
}

fn chunks(body: &str, trailers: &[String]) -> String {
    let mut text = String::new();
    for piece in body.as_bytes().chunks(1000) {
        text.push_str(&format!("{:x}\r\n{}\r\n", piece.len(), String::from_utf8_lossy(piece)));
    }
    text.push_str("0\r\n");
    for trailer in trailers {
        text.push_str(trailer);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text
}
