//! What every proxy is configured to serve, and a proxy that serves it.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::Bench;
use super::client::Connection;
use super::peer::Peer;
use super::process::{Launch, Program, Running, free_port};
use super::row::{BODY_PATH, HOST, Request, Routers};
use super::upstream::{BODY_BYTES, REPORT_QUERY, Upstream};

/// One site: a plain and a TLS port before two upstream servers.
#[derive(Debug)]
pub(super) struct Site<'a> {
    pub(super) dir: PathBuf,
    pub(super) routers: Routers,
    pub(super) plain_port: u16,
    pub(super) tls_port: u16,
    pub(super) upstream_ports: [u16; 2],
    pub(super) certificate: &'a Certificate,
}

/// A self-signed ECDSA P-256 certificate, in the files that the proxies want.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    /// Certificate and key in one file, for HAProxy.
    pub(super) both: PathBuf,
}

impl Certificate {
    pub(super) fn create(dir: &Path) -> anyhow::Result<Self> {
        let names = vec![HOST.to_owned(), "127.0.0.1".to_owned()];
        // rcgen's default is ECDSA P-256 with SHA-256.
        let made = rcgen::generate_simple_self_signed(names).context("certificate")?;
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let files = Self {
            certificate: dir.join("certificate.pem"),
            key: dir.join("key.pem"),
            both: dir.join("both.pem"),
        };
        fs::write(&files.certificate, &certificate)?;
        fs::write(&files.key, &key)?;
        fs::write(&files.both, format!("{certificate}{key}"))?;
        Ok(files)
    }
}

/// A proxy that runs and was seen to do the same work as the others.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) plain_port: u16,
    pub(super) tls_port: u16,
    pub(super) running: Running,
}

impl Serving {
    /// Starts `peer` on the proxy's core and checks its answers.
    pub(super) fn start(
        bench: &Bench,
        peer: Peer,
        program: &Program,
        routers: Routers,
    ) -> anyhow::Result<Self> {
        let site = Site::create(
            bench.dir.path(),
            &format!("{}-{routers:?}", peer.name()),
            routers,
            &bench.upstream,
            &bench.certificate,
        )?;
        let (args, env) = peer.configure(&site)?;
        let launch = Launch { args, env, dir: &site.dir, core: bench.cores.proxy };
        let serving = site.start(peer, program, &launch, START_LIMIT)?;
        serving.check(routers).with_context(|| format!("{} with {routers:?}", peer.name()))?;
        serving.check_tls(bench, routers).with_context(|| format!("{} over TLS", peer.name()))?;
        Ok(serving)
    }

    /// The site answers, both upstream servers get requests, and forwarded headers are set.
    fn check(&self, routers: Routers) -> anyhow::Result<()> {
        let Request { host, path } = routers.request(routers.count() - 1);
        let mut connection = Connection::plain(self.plain_port)?;
        let report = Request { host: host.clone(), path: format!("{path}?{REPORT_QUERY}") };
        let mut upstreams = HashSet::new();
        for _ in 0..8 {
            let response = connection.get(&report)?;
            ensure!(response.status == 200, "status {} for {report:?}", response.status);
            let text = String::from_utf8_lossy(&response.body).into_owned();
            for (name, value) in text.lines().filter_map(|line| line.split_once(": ")) {
                match name {
                    "upstream" => drop(upstreams.insert(value.to_owned())),
                    "host" | "x-forwarded-host" if value != host => {
                        bail!("header {name} is {value:?}")
                    }
                    // Addresses may differ: Envoy puts its own in place of a loopback client's.
                    _ if value.is_empty() => bail!("header {name} is missing"),
                    _ => {}
                }
            }
        }
        ensure!(upstreams.len() == 2, "requests reach {} upstream servers, not 2", upstreams.len());
        if routers == Routers::One {
            let body = connection.get(&Request { host, path: BODY_PATH.to_owned() })?.body;
            ensure!(body.len() == BODY_BYTES, "the large response has {} bytes", body.len());
        }
        Ok(())
    }

    fn check_tls(&self, bench: &Bench, routers: Routers) -> anyhow::Result<()> {
        if routers == Routers::One {
            let mut connection = Connection::tls(self.tls_port, &bench.handshakes)?;
            let response = connection.get(&routers.request(0))?;
            ensure!(response.status == 200, "status {}", response.status);
        }
        Ok(())
    }
}

impl<'a> Site<'a> {
    /// Takes ports and an empty folder for a proxy.
    pub(super) fn create(
        parent: &Path,
        name: &str,
        routers: Routers,
        upstream: &Upstream,
        certificate: &'a Certificate,
    ) -> anyhow::Result<Self> {
        let dir = parent.join(name);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
        Ok(Self {
            dir,
            routers,
            plain_port: free_port()?,
            tls_port: free_port()?,
            upstream_ports: upstream.ports,
            certificate,
        })
    }

    /// Starts a configured proxy and waits for its first successful answer.
    pub(super) fn start(
        &self,
        peer: Peer,
        program: &Program,
        launch: &Launch<'_>,
        limit: Duration,
    ) -> anyhow::Result<Serving> {
        let end = std::time::Instant::now() + limit;
        let mut running = program.start(peer.name(), launch)?;
        running.wait_for_port(self.plain_port, limit)?;
        running.wait_for_port(self.tls_port, limit)?;
        // Listening comes before the routing table is read: the last router answers when it is.
        let request = self.routers.request(self.routers.count() - 1);
        loop {
            match Connection::plain(self.plain_port).and_then(|mut it| it.get(&request)) {
                Ok(response) if response.status == 200 => break,
                outcome if std::time::Instant::now() > end => {
                    bail!("{} does not serve {request:?}: {outcome:?}", peer.name())
                }
                _ => std::thread::sleep(Duration::from_millis(50)),
            }
        }
        Ok(Serving { plain_port: self.plain_port, tls_port: self.tls_port, running })
    }
}

const START_LIMIT: Duration = Duration::from_secs(30);
