//! Runs one scenario against one binary.

mod note;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::answer::Answer;
use crate::certificates::Certificates;
use crate::client::{Connection, TlsOptions};
use crate::placeholders::Placeholders;
use crate::proxy::Proxy;
use crate::rawdata::{self, Wanted};
use crate::scenario::{Scenario, Step};
use crate::upstream::{Log, Upstream};

/// Starts the binary on the scenario, takes every step, stops it, and gives the answers.
pub fn run(scenario: &Scenario, binary: &Path) -> Result<Vec<Answer>> {
    let mut run = Run::start(scenario, binary)?;
    let mut answers = Vec::new();
    for step in &scenario.request {
        let taken = run.take(step).with_context(|| {
            format!("step {:?}\nlog of the proxy:\n{}", step.label(), run.proxy.log_tail())
        })?;
        answers.extend(taken);
    }
    run.connections.clear();
    run.proxy.stop()?;
    Ok(answers)
}

struct Run<'a> {
    scenario: &'a Scenario,
    placeholders: Placeholders,
    log: Log,
    proxy: Proxy,
    api: SocketAddr,
    connections: BTreeMap<String, Connection>,
    dynamic: PathBuf,
    _upstreams: Vec<Upstream>,
    directory: Directory,
}

impl<'a> Run<'a> {
    fn start(scenario: &'a Scenario, binary: &Path) -> Result<Self> {
        let directory = Directory::create()?;
        let dynamic = directory.0.join("dynamic");
        let certificates = directory.0.join("certificates");
        fs::create_dir(&dynamic)?;
        fs::create_dir(&certificates)?;
        let mut placeholders = Placeholders::new(Certificates::new(&certificates), &dynamic);

        let log = Log::default();
        let mut upstreams = Vec::new();
        for spec in &scenario.upstream {
            let upstream = Upstream::start(spec.clone(), placeholders.certificates(), &log)?;
            placeholders.add_upstream(&spec.name, upstream.address().port());
            upstreams.push(upstream);
        }
        let static_file = directory.0.join("static.yml");
        fs::write(&static_file, placeholders.expand(&scenario.static_configuration())?)?;
        for (name, text) in &scenario.dynamic {
            let path = dynamic.join(name);
            fs::create_dir_all(path.parent().unwrap_or(&dynamic))?;
            fs::write(path, placeholders.expand(text)?)?;
        }

        let api = SocketAddr::from(([127, 0, 0, 1], placeholders.port("TRAEFIK")?));
        let mut proxy = Proxy::start(binary, &static_file, &directory.0)?;
        let wanted = if scenario.settle || scenario.dynamic.is_empty() {
            Wanted { unchanged_for: SETTLED, ..Wanted::default() }
        } else {
            Wanted { present: vec!["@file\":".to_owned()], ..Wanted::default() }
        };
        if let Err(error) = rawdata::wait(api, &wanted, || proxy.check_running()) {
            bail!("not ready: {error:#}\nlog of the proxy:\n{}", proxy.log_tail());
        }
        Ok(Self {
            scenario,
            placeholders,
            log,
            proxy,
            api,
            connections: BTreeMap::new(),
            dynamic,
            _upstreams: upstreams,
            directory,
        })
    }

    fn take(&mut self, step: &Step) -> Result<Vec<Answer>> {
        self.proxy.check_running()?;
        self.change_files(step)?;
        let mut answers = match step.request_text() {
            Some(text) => {
                let text = self.placeholders.expand(&text)?;
                if step.repeat > 0 {
                    vec![self.repeat(step, &text)?]
                } else {
                    self.send(step, &text)?
                }
            }
            None if step.handshake => vec![self.shake_hands(step)?],
            None => vec![Answer::default()],
        };
        let shown = self.wait(step)?;
        if let Some(only) = &step.rawdata {
            let text = rawdata::stable(&shown, only).to_string();
            answers[0].rawdata = Some(serde_json::from_str(&self.placeholders.mask(&text))?);
        }
        if step.repeat == 0 {
            let received = self.log.take(step.await_upstream, PATIENCE);
            let had = step.request_text().unwrap_or_default().to_lowercase();
            if !step.ignore_upstream {
                answers[0].upstream = received
                    .iter()
                    .map(|received| self.note_received(received, had.contains("accept-encoding:")))
                    .collect();
            }
        }
        for (number, answer) in answers.iter_mut().enumerate() {
            if !step.unstable.is_empty() {
                *answer = answer.without(&step.unstable)?;
            }
            answer.request = self.placeholders.mask(&step.label());
            if number > 0 {
                answer.request = format!("(answer {}) {}", number + 1, answer.request);
            }
        }
        Ok(answers)
    }

    fn change_files(&mut self, step: &Step) -> Result<()> {
        for (name, text) in &step.write {
            // In one go: a file seen half written would be a configuration of its own.
            let new = self.directory.0.join("new");
            fs::write(&new, self.placeholders.expand(text)?)?;
            fs::rename(new, self.dynamic.join(name))?;
        }
        for name in &step.remove {
            fs::remove_file(self.dynamic.join(name))?;
        }
        Ok(())
    }

    fn wait(&mut self, step: &Step) -> Result<serde_json::Value> {
        let waits = step.settle || !step.wait_for.is_empty() || !step.wait_gone.is_empty();
        if !waits && step.rawdata.is_none() {
            return Ok(serde_json::Value::Null);
        }
        let mut expand = |texts: &[String]| -> Result<Vec<String>> {
            texts.iter().map(|text| self.placeholders.expand(text)).collect()
        };
        let wanted = Wanted {
            present: expand(&step.wait_for)?,
            absent: expand(&step.wait_gone)?,
            unchanged_for: if step.settle { SETTLED } else { Duration::ZERO },
        };
        rawdata::wait(self.api, &wanted, || self.proxy.check_running())
    }

    /// Sends a request and reads its answers.
    fn send(&mut self, step: &Step, text: &str) -> Result<Vec<Answer>> {
        let kept = step.on.as_ref().and_then(|name| self.connections.remove(name));
        let mut connection = match kept {
            Some(connection) => connection,
            None => match self.connect(step)? {
                Some(connection) => connection,
                None => return Ok(vec![note::refused_handshake()]),
            },
        };
        if let Some(patience) = step.patience_ms {
            connection.set_patience(Duration::from_millis(patience))?;
        }
        connection.send(text.as_bytes());
        if step.abort {
            self.log.wait(1, PATIENCE);
            return Ok(vec![Answer::default()]);
        }
        let after_interim = self.placeholders.expand(&step.after_interim)?;
        let mut answers = Vec::new();
        let mut open = true;
        for number in 0..step.answers {
            let method = step.method(number);
            let response =
                connection.response(method, after_interim.as_bytes(), step.tunnel.as_bytes());
            open = !response.closed && response.head.is_some();
            answers.push(self.note_response(&response, connection.tls.as_ref(), step.json));
            if !open {
                break;
            }
        }
        if let (Some(name), true) = (&step.on, open) {
            self.connections.insert(name.clone(), connection);
        }
        Ok(answers)
    }

    /// Sends a request again and again and counts what comes back.
    fn repeat(&mut self, step: &Step, text: &str) -> Result<Answer> {
        let mut counts = BTreeMap::new();
        for _ in 0..step.repeat {
            let answers = self.send(step, text)?;
            let answer = &answers[0];
            let counted = match step.count_by.as_str() {
                "body" => answer.body.clone(),
                "status" => answer.status.clone(),
                name => answer
                    .headers
                    .iter()
                    .filter_map(|line| line.split_once(": "))
                    .find(|(header, _)| header.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.to_owned()),
            };
            *counts.entry(counted.unwrap_or_else(|| "(none)".to_owned())).or_insert(0) += 1;
        }
        self.log.take(0, Duration::ZERO);
        Ok(Answer { counts, ..Answer::default() })
    }

    fn shake_hands(&mut self, step: &Step) -> Result<Answer> {
        let Some(connection) = self.connect(step)? else { return Ok(note::refused_handshake()) };
        let tls = connection.tls.as_ref().map(|facts| self.note_tls(facts));
        Ok(Answer { tls, ..Answer::default() })
    }

    fn connect(&mut self, step: &Step) -> Result<Option<Connection>> {
        let address = SocketAddr::from(([127, 0, 0, 1], self.placeholders.port(&step.to)?));
        if !step.tls && step.sni.is_none() && !step.handshake {
            return Ok(Some(Connection::plain(address)?));
        }
        let client = match &step.client_certificate {
            None => None,
            Some(name) => {
                let issued = self.placeholders.certificates().issue(name)?;
                Some((issued.certificate.clone(), issued.key.clone_key()))
            }
        };
        let options = TlsOptions {
            sni: step.sni.clone(),
            alpn: step.alpn.clone(),
            version: step.tls_version.clone(),
            client,
        };
        Connection::tls(address, &options)
    }
}

/// A directory of its own, removed in the end.
struct Directory(PathBuf);

impl Directory {
    fn create() -> Result<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);

        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ferrovia-scenario-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How long the API must not change to count as settled. Both proxies react to a file within a
/// few milliseconds.
const SETTLED: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(5);
