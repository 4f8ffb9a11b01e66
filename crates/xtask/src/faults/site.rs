//! Configuration files of a scenario, and the ports that the proxy listens on.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use testkit::ports::ReservedPort;

use crate::client::Client;
use crate::proxy::Proxy;
use crate::surroundings::Directory;

/// The host of requests that need none in particular.
pub(super) const HOST: &str = "faults.test";

/// A proxy's configuration on disk: entry point `web` in clear text, `secure` with TLS.
pub(super) struct Site {
    web: ReservedPort,
    secure: ReservedPort,
    api: ReservedPort,
    directory: Directory,
}

impl Site {
    /// Writes the static file. `transport` is what both entry points' `transport` says, in YAML's flow
    /// style, `more` are further lines.
    pub(super) fn create(transport: &str, more: &str) -> anyhow::Result<Self> {
        let site = Self {
            web: ReservedPort::claim()?,
            secure: ReservedPort::claim()?,
            api: ReservedPort::claim()?,
            directory: Directory::create("faults")?,
        };
        fs::create_dir(site.directory.0.join("dynamic"))?;
        let transport = match transport {
            "" => String::new(),
            transport => format!(", transport: {{{transport}}}"),
        };
        let text = format!(
            "global: {{checkNewVersion: false, sendAnonymousUsage: false}}\n\
             entryPoints:\n  \
             web: {{address: \"{}\"{transport}}}\n  \
             secure: {{address: \"{}\"{transport}, http: {{tls: {{}}}}}}\n  \
             traefik: {{address: \"127.0.0.1:{}\"}}\n\
             providers:\n  providersThrottleDuration: 1ms\n  file: {{directory: {}}}\n\
             api: {{insecure: true}}\nping: {{}}\n{more}\n",
            site.web(),
            site.secure(),
            site.api.number(),
            site.directory.0.join("dynamic").display(),
        );
        fs::write(site.static_file(), text)?;
        Ok(site)
    }

    /// A site without settings of its own, all of whose requests go to these servers.
    pub(super) fn of_servers(transport: &str, servers: &[SocketAddr]) -> anyhow::Result<Self> {
        let site = Self::create(transport, "")?;
        site.write("routes.yml", &routes(servers, ""))?;
        Ok(site)
    }

    pub(super) fn web(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.web.number()))
    }

    pub(super) fn secure(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.secure.number()))
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory.0
    }

    /// Puts a dynamic file in its place in one go.
    pub(super) fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let new = self.directory.0.join("new");
        fs::write(&new, text)?;
        fs::rename(&new, self.directory.0.join("dynamic").join(name)).context("a dynamic file")
    }

    /// Starts a proxy and waits until `/ready` is answered with 200.
    pub(super) fn start(&self, binary: &Path) -> anyhow::Result<Proxy> {
        let mut proxy = Proxy::start(binary, &self.static_file(), self.directory())?;
        proxy.await_ready(|| self.answers("/ready"))?;
        Ok(proxy)
    }

    /// Tells whether a new connection's request is answered with 200.
    pub(super) fn answers(&self, path: &str) -> bool {
        let Ok(mut client) = Client::connect(self.web()) else { return false };
        client.get(HOST, path).is_ok_and(|answer| answer.status == 200)
    }

    fn static_file(&self) -> PathBuf {
        self.directory.0.join("static.yml")
    }
}

/// Routers of both entry points to one load balancer, which says `more` of itself.
pub(super) fn routes(servers: &[SocketAddr], more: &str) -> String {
    let servers: Vec<_> =
        servers.iter().map(|address| format!("{{url: \"http://{address}\"}}")).collect();
    format!(
        "http:\n  routers:\n    \
         plain: {{rule: PathPrefix(`/`), entryPoints: [web], service: app}}\n    \
         secure: {{rule: PathPrefix(`/`), entryPoints: [secure], service: app, tls: {{}}}}\n  \
         services:\n    app: {{loadBalancer: {{servers: [{}]{more}}}}}\n",
        servers.join(", ")
    )
}
