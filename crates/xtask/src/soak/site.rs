//! What the proxy is configured to serve, how that changes, and which answers are right.
//!
//! Ten files hold a thousand routers each, an eleventh holds the services and middlewares. Every
//! file has beside its plain routers a *marker*, whose answer tells the version of the file that is
//! in force, a *victim*, which is what gets broken, and at times *extra* routers.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, bail, ensure};
use testkit::ports::ReservedPort;

use super::Expected as SharedExpected;
use super::upstream::Upstream;
use crate::client::{Answer, Client};
use crate::proxy::Proxy;
use crate::surroundings::Directory;

/// Plain routers.
pub(super) const ROUTERS: usize = ROUTERS_PER_FILE * SERVICES_FILE;
/// Files in the directory of the file provider.
pub(super) const FILES: usize = SERVICES_FILE + 1;
/// The number of the file that holds services and middlewares.
pub(super) const SERVICES_FILE: usize = 10;
/// Services, each with servers of its own.
pub(super) const SERVICES: usize = 4;
/// Routers that come and go with [`FileState::has_extra`].
pub(super) const EXTRA: usize = 10;
/// Path of all requests whose answer shall come at once.
pub(super) const PATH: &str = "/soak";

/// The proxy's configuration on disk and the upstream servers behind it.
pub(super) struct Site {
    // Fields drop in order: the servers end before the directory goes.
    services: Vec<Vec<Upstream>>,
    servers_started: usize,
    pub(super) files: Vec<FileState>,
    pub(super) expected: SharedExpected,
    web: ReservedPort,
    api: ReservedPort,
    directory: Directory,
}

/// What a file says.
#[derive(Clone, Debug)]
pub(super) struct FileState {
    /// Counts the valid contents.
    pub(super) version: u32,
    pub(super) has_extra: bool,
    pub(super) victim: Victim,
}

/// How a file's victim is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Victim {
    Sound,
    UnknownKey,
    BadRule,
    DanglingService,
}

/// Which answers are right now, for all threads that check some.
#[derive(Debug)]
pub(super) struct Expected {
    versions: Vec<Versions>,
}

/// Versions of a file. While both differ, either may answer.
#[derive(Debug)]
struct Versions {
    /// Seen in force; an older one must not answer any more.
    live: AtomicU32,
    /// Written.
    written: AtomicU32,
}

/// Something to ask for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ask {
    Plain(usize),
    Marker(usize),
    Victim(usize),
    Extra(usize, usize),
}

impl Site {
    /// Starts the upstream servers and writes all files.
    pub(super) fn create() -> anyhow::Result<Self> {
        let directory = Directory::create("soak")?;
        fs::create_dir(directory.0.join("dynamic"))?;
        let file = FileState { version: 1, has_extra: false, victim: Victim::Sound };
        let versions = || Versions { live: AtomicU32::new(1), written: AtomicU32::new(1) };
        let mut site = Self {
            services: (0..SERVICES).map(|_| Vec::new()).collect(),
            servers_started: 0,
            files: vec![file; FILES],
            expected: Arc::new(Expected { versions: (0..FILES).map(|_| versions()).collect() }),
            web: ReservedPort::claim()?,
            api: ReservedPort::claim()?,
            directory,
        };
        for service in 0..SERVICES {
            for _ in 0..SERVERS_AT_FIRST {
                site.add_server(service)?;
            }
        }
        site.write_static("")?;
        for file in 0..FILES {
            site.write(file, &site.text(file))?;
        }
        Ok(site)
    }

    /// Starts a proxy and waits until it serves all files.
    pub(super) fn start(&self, binary: &Path) -> anyhow::Result<Proxy> {
        let mut proxy = Proxy::start(binary, &self.static_file(), self.directory())?;
        proxy.await_ready(|| {
            (0..FILES).all(|file| self.probe(file).is_ok_and(|seen| seen.is_some()))
        })?;
        Ok(proxy)
    }

    /// The entry point of all routers.
    pub(super) fn web(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.web.number()))
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory.0
    }

    pub(super) fn static_file(&self) -> PathBuf {
        self.directory.0.join("static.yml")
    }

    /// Writes the static file, with further entry points as members of a YAML mapping.
    pub(super) fn write_static(&self, entry_points: &str) -> anyhow::Result<()> {
        let (web, api) = (self.web.number(), self.api.number());
        let dynamic = self.directory.0.join("dynamic");
        let text = format!(
            "global: {{checkNewVersion: false, sendAnonymousUsage: false}}\n\
             entryPoints:\n  web: {{address: \"127.0.0.1:{web}\"}}\n  \
             traefik: {{address: \"127.0.0.1:{api}\"}}\n{entry_points}\
             providers:\n  providersThrottleDuration: 1ms\n  file: {{directory: {}}}\n\
             api: {{insecure: true}}\nping: {{}}\n",
            dynamic.display()
        );
        self.replace(&self.static_file(), &text)
    }

    /// Asks for a file's version over a connection of its own; `None` as long as none answers.
    pub(super) fn probe(&self, file: usize) -> anyhow::Result<Option<u32>> {
        let Ok(mut client) = Client::connect(self.web()) else { return Ok(None) };
        Ok(client.get(&Ask::Marker(file).host(), PATH).ok().and_then(|answer| version(&answer)))
    }

    /// Starts one more server of a service; the file that says so is not written yet.
    pub(super) fn add_server(&mut self, service: usize) -> anyhow::Result<String> {
        self.servers_started += 1;
        let name = format!("{}-{}", service_name(service), self.servers_started);
        self.services[service].push(Upstream::start(name.clone())?);
        Ok(name)
    }

    /// Takes the oldest server of a service out; the file that says so is not written yet.
    pub(super) fn take_server(&mut self, service: usize) -> anyhow::Result<Upstream> {
        let servers = &mut self.services[service];
        ensure!(servers.len() > 1, "service {service} would be left without servers");
        Ok(servers.remove(0))
    }

    pub(super) fn servers(&self, service: usize) -> usize {
        self.services[service].len()
    }

    /// Writes the next version of a file. What is expected changes with it.
    pub(super) fn publish(&mut self, file: usize) -> anyhow::Result<u32> {
        self.files[file].version += 1;
        let version = self.files[file].version;
        let text = self.text(file);
        self.expected.versions[file].written.store(version, Ordering::SeqCst);
        self.write(file, &text)?;
        Ok(version)
    }

    /// Says that the written version of a file was seen in force.
    pub(super) fn confirm(&self, file: usize) {
        let versions = &self.expected.versions[file];
        versions.live.store(versions.written.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// What a file has to say now.
    pub(super) fn text(&self, file: usize) -> String {
        let FileState { version, has_extra, victim } = &self.files[file];
        let mut text = String::from("http:\n  routers:\n");
        let mut router = |ask: Ask, service: usize, middleware: &str| {
            let (name, host, service) = (ask.name(), ask.host(), service_name(service));
            let _ = writeln!(
                text,
                "    {name}: {{rule: \"Host(`{host}`)\", service: {service}, middlewares: [{middleware}]}}"
            );
        };
        if file != SERVICES_FILE {
            for index in file * ROUTERS_PER_FILE..(file + 1) * ROUTERS_PER_FILE {
                router(Ask::Plain(index), index % SERVICES, &format!("p{}", index % PREFIXES));
            }
        }
        router(Ask::Marker(file), file % SERVICES, &format!("version-{file}"));
        if *has_extra {
            for index in 0..EXTRA {
                router(Ask::Extra(file, index), index % SERVICES, "extra");
            }
        }
        let host = Ask::Victim(file).host();
        let members = match victim {
            Victim::Sound => format!("rule: \"Host(`{host}`)\", service: a"),
            Victim::UnknownKey => format!("rule: \"Host(`{host}`)\", service: a, servise: b"),
            Victim::BadRule => format!("rule: \"Host(`{host}`) &&\", service: a"),
            Victim::DanglingService => format!("rule: \"Host(`{host}`)\", service: nowhere"),
        };
        let name = Ask::Victim(file).name();
        let _ = writeln!(text, "    {name}: {{{members}, middlewares: [victim]}}");
        let _ = writeln!(text, "  middlewares:");
        let mut prefix = |name: &str, prefix: &str| {
            let _ = writeln!(text, "    {name}: {{addPrefix: {{prefix: /{prefix}}}}}");
        };
        prefix(&format!("version-{file}"), &format!("v{version}"));
        if file == SERVICES_FILE {
            for index in 0..PREFIXES {
                prefix(&format!("p{index}"), &format!("p{index}"));
            }
            prefix("victim", "victim");
            prefix("extra", "extra");
            let _ = writeln!(text, "  services:");
            for (index, servers) in self.services.iter().enumerate() {
                let name = service_name(index);
                let _ = writeln!(text, "    {name}:\n      loadBalancer:\n        servers:");
                for server in servers {
                    let _ = writeln!(text, "          - url: http://{}", server.address);
                }
            }
        }
        text
    }

    /// Puts a text in a file's place in one go, as editors and tools do.
    pub(super) fn write(&self, file: usize, text: &str) -> anyhow::Result<()> {
        self.replace(&self.path(file), text)
    }

    /// Overwrites a file where it lies: readers may see it at any length.
    pub(super) fn overwrite(&self, file: usize, text: &str) -> anyhow::Result<()> {
        fs::write(self.path(file), text).context("a dynamic file")
    }

    fn path(&self, file: usize) -> PathBuf {
        self.directory.0.join(format!("dynamic/file-{file}.yml"))
    }

    fn replace(&self, path: &Path, text: &str) -> anyhow::Result<()> {
        let new = self.directory.0.join("new");
        fs::write(&new, text)?;
        fs::rename(&new, path).with_context(|| path.display().to_string())
    }
}

impl Expected {
    /// What the server may say of a file when the request is sent; see [`Expected::judge`].
    pub(super) fn live(&self, ask: Ask) -> u32 {
        match ask {
            Ask::Marker(file) => self.versions[file].live.load(Ordering::SeqCst),
            _ => 0,
        }
    }

    /// Tells what is wrong with an answer, if anything. `live` was in force before it was asked for.
    pub(super) fn judge(&self, ask: Ask, live: u32, answer: &Answer<'_>) -> anyhow::Result<()> {
        let wrong = || format!("{ask:?}: {} {:?}", answer.status, answer.body);
        ensure!(answer.status == 200, wrong());
        let (service, prefix) = match ask {
            Ask::Plain(index) => (index % SERVICES, format!("p{}", index % PREFIXES)),
            Ask::Victim(_) => (0, "victim".to_owned()),
            Ask::Extra(_, index) => (index % SERVICES, "extra".to_owned()),
            Ask::Marker(file) => {
                let Some(version) = version(answer) else { bail!(wrong()) };
                let written = self.versions[file].written.load(Ordering::SeqCst);
                if !(live..=written).contains(&version) {
                    bail!("{}: not of version {live} to {written}", wrong());
                }
                (file % SERVICES, format!("v{version}"))
            }
        };
        let rest = format!(" {} /{prefix}{PATH} 0", ask.host());
        let server = answer.body.strip_suffix(&rest).with_context(wrong)?;
        let is_of_service = server.split_once('-').is_some_and(|(s, _)| s == service_name(service));
        ensure!(is_of_service, "{}: not of service {}", wrong(), service_name(service));
        Ok(())
    }
}

impl Ask {
    /// One of the requests of the load: of twenty, one for a marker and one for a victim.
    pub(super) fn of_number(number: u64) -> Self {
        let number = number as usize;
        match number % 20 {
            7 => Self::Marker(number / 20 % FILES),
            17 => Self::Victim(number / 20 % FILES),
            // A stride without a common divisor visits every router.
            _ => Self::Plain(number.wrapping_mul(7919) % ROUTERS),
        }
    }

    /// The host that leads to the router.
    pub(super) fn host(self) -> String {
        format!("{}.soak.test", self.name())
    }

    fn name(self) -> String {
        match self {
            Self::Plain(index) => format!("plain-{index}"),
            Self::Marker(file) => format!("marker-{file}"),
            Self::Victim(file) => format!("victim-{file}"),
            Self::Extra(file, index) => format!("extra-{file}-{index}"),
        }
    }
}

/// The version in a marker's answer.
pub(super) fn version(answer: &Answer<'_>) -> Option<u32> {
    let path = answer.body.split(' ').nth(2)?;
    path.strip_prefix("/v")?.strip_suffix(PATH)?.parse().ok()
}

fn service_name(service: usize) -> &'static str {
    ["a", "b", "c", "d"][service]
}

const ROUTERS_PER_FILE: usize = 1000;
const PREFIXES: usize = 100;
const SERVERS_AT_FIRST: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ask: Ask, live: u32, body: &str, is_right: bool) {
        let versions = || Versions { live: AtomicU32::new(0), written: AtomicU32::new(5) };
        let expected = Expected { versions: (0..FILES).map(|_| versions()).collect() };
        let answer = Answer { status: 200, head: "", body, closes: false };
        assert_eq!(expected.judge(ask, live, &answer).is_ok(), is_right, "{body}");
    }

    #[test]
    fn only_the_router_asked_for_and_a_server_of_its_service_are_right() {
        check(Ask::Plain(205), 0, "b-17 plain-205.soak.test /p5/soak 0", true);
        check(Ask::Plain(205), 0, "a-17 plain-205.soak.test /p5/soak 0", false);
        check(Ask::Plain(205), 0, "b-17 plain-205.soak.test /p6/soak 0", false);
        check(Ask::Plain(205), 0, "b-17 plain-204.soak.test /p5/soak 0", false);
    }

    #[test]
    fn a_marker_may_not_answer_with_a_version_that_is_over_or_was_never_written() {
        check(Ask::Marker(3), 4, "d-1 marker-3.soak.test /v3/soak 0", false);
        check(Ask::Marker(3), 4, "d-1 marker-3.soak.test /v4/soak 0", true);
        check(Ask::Marker(3), 4, "d-1 marker-3.soak.test /v5/soak 0", true);
        check(Ask::Marker(3), 4, "d-1 marker-3.soak.test /v6/soak 0", false);
    }
}
