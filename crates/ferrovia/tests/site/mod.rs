//! A running ferrovia with configuration files of its own, seen from outside.

#![allow(dead_code, reason = "every test file uses a part of it")]

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testkit::client::{Connection, Response, status};
use testkit::ports::ReservedPort;
use testkit::rawdata::{self, Wanted};

/// A ferrovia that runs until the value is dropped or it was told to end.
pub(crate) struct Site {
    process: Child,
    ports: Ports,
    /// Further members of the entry point `web`, in braces' notation with a comma before.
    web: String,
    directory: Directory,
}

/// What differs from one site to another.
pub(crate) struct Setup<'a> {
    /// Where its files are; may have been prepared.
    pub(crate) directory: Directory,
    /// Further members of the entry point `web`.
    pub(crate) web: &'a str,
    /// Dynamic files.
    pub(crate) files: &'a [(&'a str, &'a str)],
    /// The router that shows that they are served.
    pub(crate) router: &'a str,
}

impl Site {
    /// Starts on one dynamic file, `r.yml`, and waits until its router `r` is served.
    pub(crate) fn start(file: &str) -> Self {
        Self::start_with(Setup { files: &[("r.yml", file)], ..Setup::default() })
    }

    /// Starts as told and waits until the router is served.
    pub(crate) fn start_with(setup: Setup<'_>) -> Self {
        let Setup { directory, web, files, router } = setup;
        let claim = || ReservedPort::claim().expect("a free port");
        let ports = Ports { web: claim(), api: claim() };
        fs::create_dir_all(directory.dynamic()).expect("a new directory");
        for (name, text) in files {
            fs::write(directory.dynamic().join(name), text).expect("a written file");
        }
        ports.write_static(&directory, web, "");
        let log = File::create(directory.log()).expect("a new file");
        let process = Command::new(env!("CARGO_BIN_EXE_ferrovia"))
            .arg(format!("--configFile={}", directory.static_file().display()))
            .current_dir(&directory.0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("an open file"))
            .stderr(log)
            .spawn()
            .expect("ferrovia starts");
        let mut site = Self { process, ports, web: web.to_owned(), directory };
        site.wait_for(&[router], &[]);
        site
    }

    /// The entry point `web`.
    pub(crate) fn web(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.ports.web.number()))
    }

    /// The entry point of the API and of ping.
    pub(crate) fn api(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.ports.api.number()))
    }

    /// The directory of this site, with everything in it.
    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Replaces a dynamic file in one go, as editors and deployment tools do.
    pub(crate) fn replace(&self, name: &str, text: &str) {
        let new = self.directory.0.join("new");
        fs::write(&new, text).expect("a written file");
        fs::rename(new, self.directory.dynamic().join(name)).expect("a renamed file");
    }

    /// Overwrites a dynamic file where it lies.
    pub(crate) fn overwrite(&self, name: &str, text: &str) {
        fs::write(self.directory.dynamic().join(name), text).expect("a written file");
    }

    /// Writes the static file again, with further entry points as lines of YAML.
    pub(crate) fn write_static(&self, entry_points: &str) {
        self.ports.write_static(&self.directory, &self.web, entry_points);
    }

    /// Waits until the runtime configuration holds all texts of `present` and none of `absent`.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, present: &[&str], absent: &[&str]) -> String {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let wanted = Wanted { present: owned(present), absent: owned(absent), ..Wanted::default() };
        let (api, process) = (self.api(), &mut self.process);
        let waited = rawdata::wait(api, &wanted, || match process.try_wait()? {
            None => Ok(()),
            Some(status) => Err(std::io::Error::other(format!("it ended with {status}")).into()),
        });
        match waited {
            Ok(shown) => shown.to_string(),
            Err(error) => panic!("{error:#}\n{}", self.log()),
        }
    }

    /// Asks the entry point `web` on a connection of its own: status and body.
    pub(crate) fn get(&self, host: &str, path: &str) -> (String, String) {
        get(self.web(), host, path)
    }

    /// Sends a signal by its name without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status();
        assert!(sent.expect("kill runs").success(), "signal {name} is sent");
    }

    /// Waits for the end of the process.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the process has ended", || {
            status = self.process.try_wait().expect("a child of ours");
            status.is_some()
        });
        status.expect("it has just been seen")
    }

    /// Whether the process runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.try_wait().expect("a child of ours").is_none()
    }

    /// What ferrovia wrote.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.log()).unwrap_or_default()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("log of ferrovia:\n{}", self.log());
        }
    }
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self { directory: Directory::create(), web: "", files: &[], router: "r@file" }
    }
}

struct Ports {
    web: ReservedPort,
    api: ReservedPort,
}

impl Ports {
    fn write_static(&self, directory: &Directory, web: &str, entry_points: &str) {
        let text = format!(
            "entryPoints:\n  web: {{address: \"127.0.0.1:{}\"{web}}}\n  \
             traefik: {{address: \"127.0.0.1:{}\"}}\n{entry_points}\
             providers:\n  providersThrottleDuration: 1ms\n  file: {{directory: {}}}\n\
             api: {{insecure: true}}\nping: {{}}\n",
            self.web.number(),
            self.api.number(),
            directory.dynamic().display()
        );
        let new = directory.0.join("new-static");
        fs::write(&new, text).expect("a written file");
        fs::rename(new, directory.static_file()).expect("a renamed file");
    }
}

/// A directory of one test's own, removed in the end.
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// Makes a new one.
    pub(crate) fn create() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);

        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ferrovia-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("a new directory");
        Self(path.canonicalize().expect("an existing directory"))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The directory of the file provider.
    pub(crate) fn dynamic(&self) -> PathBuf {
        self.0.join("dynamic")
    }

    /// The static file.
    pub(crate) fn static_file(&self) -> PathBuf {
        self.0.join("static.yml")
    }

    fn log(&self) -> PathBuf {
        self.0.join("ferrovia.log")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Asks on a connection of its own: status and body, both empty if no answer comes.
pub(crate) fn get(address: SocketAddr, host: &str, path: &str) -> (String, String) {
    match Connection::plain(address) {
        Ok(mut connection) => text_of(&ask(&mut connection, host, path)),
        Err(_) => (String::new(), String::new()),
    }
}

/// Sends a request and reads its answer.
pub(crate) fn ask(connection: &mut Connection, host: &str, path: &str) -> Response {
    connection.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
    connection.response("GET", b"", b"")
}

/// Status and body of an answer.
pub(crate) fn text_of(response: &Response) -> (String, String) {
    let status = response.head.as_ref().map_or("", status).to_owned();
    (status, String::from_utf8_lossy(&response.body.bytes).into_owned())
}

/// An answer as [`get`] gives it.
pub(crate) fn answer(status: &str, body: &str) -> (String, String) {
    (status.to_owned(), body.to_owned())
}

/// Looks again and again until something is so; fails after a time that is long for anything.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "waited {PATIENCE:?} in vain until {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

const PATIENCE: Duration = Duration::from_secs(15);
