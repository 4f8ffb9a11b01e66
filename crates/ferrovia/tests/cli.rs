//! The command line as users meet it: texts, exit codes, signals.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory of its own for one test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ferrovia-cli-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder for the test");
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).expect("writable");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferrovia"));
    command.args(args).current_dir(folder).stdin(Stdio::null()).env_clear();
    command
}

/// Runs to the end and expects this exit code and these parts of the outputs.
#[track_caller]
fn check(folder: &Path, args: &[&str], code: i32, stdout: &str, stderr: &str) {
    let Output { status, stdout: out, stderr: err } =
        command(folder, args).output().expect("the program runs");
    let (out, err) = (String::from_utf8_lossy(&out), String::from_utf8_lossy(&err));
    assert_eq!(status.code(), Some(code), "{args:?}\n{out}\n{err}");
    assert!(out.contains(stdout), "{args:?}: no {stdout:?} in\n{out}");
    assert!(err.contains(stderr), "{args:?}: no {stderr:?} in\n{err}");
}

/// A running Ferrovia that logs to standard output.
struct Running {
    child: Child,
    log: BufReader<ChildStdout>,
}

impl Running {
    fn start(folder: &Path, args: &[&str]) -> Self {
        let mut command = command(folder, args);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program runs");
        let log = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, log }
    }

    /// Reads the log until a line has the text; gives that line.
    #[track_caller]
    fn wait_for(&mut self, text: &str) -> String {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            let length = self.log.read_line(&mut line).expect("readable");
            assert!(length > 0, "the program ended without {text:?}:\n{seen}");
            if line.contains(text) {
                return line;
            }
            seen.push_str(&line);
        }
    }

    /// Reads on until the entry point listens; gives its address.
    #[track_caller]
    fn address(&mut self, entry_point: &str) -> String {
        let line = self.wait_for(&format!("entry point \"{entry_point}\" listens on "));
        let (_, rest) = line.split_once("listens on ").expect("the text is there");
        rest.split_whitespace().next().expect("an address").to_owned()
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([name, &id]).status().expect("kill is there");
        assert!(status.success());
    }

    #[track_caller]
    fn ends_with(mut self, code: i32) {
        assert_eq!(self.child.wait().expect("it ends").code(), Some(code));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Gives status line and body.
fn get(address: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("writable");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("readable");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
}

#[test]
fn unknown_commands_get_the_help_page_and_an_error() {
    let folder = Folder::new();
    check(&folder.0, &["foo"], 1, "Usage:", "ferrovia: command not found: foo");
}

#[test]
fn help_and_version_succeed() {
    let folder = Folder::new();
    check(&folder.0, &["--help"], 0, "Commands:", "");
    check(&folder.0, &["help", "flags"], 0, "--entryPoints.<name>.address=<value>", "");
    check(&folder.0, &["check", "-h"], 0, "ferrovia check", "");
    check(&folder.0, &["version", "--nonsense"], 0, "Rust version: ", "");
}

#[test]
fn bad_flags_keep_the_program_from_starting() {
    let folder = Folder::new();
    let expected = "error: flag --api.insecur: api: unknown key \"insecur\" (did you mean \
                    \"insecure\"?)\nferrovia: not started: 1 error, no warnings\n";
    check(&folder.0, &["--api.insecur=true"], 1, "", expected);
    let missing = "configuration file \"nope.yml\"";
    check(&folder.0, &["--configFile=nope.yml"], 1, "", missing);
}

#[test]
fn a_taken_address_is_told_with_the_entry_points_name() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound");
    let flag = format!("--entryPoints.web.address={address}");
    let expected = format!("entry point \"web\": cannot listen on {address}: ");
    check(&folder.0, &[&flag], 1, "", &expected);
}

#[test]
fn check_says_where_and_what() {
    let folder = Folder::new();
    folder.write(
        "ferrovia.yml",
        "entryPoints:\n  web: {address: \"127.0.0.1:0\"}\nproviders: {file: {filename: d.yml}}\n",
    );
    let good = "http:\n  routers:\n    a: {rule: \"Path(`/a`)\", service: s}\n  services:\n    s: \
                {loadBalancer: {servers: [{url: \"http://127.0.0.1:1\"}]}}\n";
    folder.write("d.yml", good);
    let clean = "no errors, no warnings; 1 entry point, 1 router, 1 service, no middlewares\n";
    check(&folder.0, &["check"], 0, clean, "");
    folder.write("d.yml", &good.replace("rule:", "rul:"));
    let broken = "error: d.yml:3:9: router \"a@file\": unknown key \"rul\" (did you mean \"rule\"?)\n \
                  3 |     a: {rul: \"Path(`/a`)\", service: s}\n   |         ^\n";
    check(&folder.0, &["check"], 1, broken, "");
    folder.write("d.yml", &good.replace("service: s", "service: t"));
    let unknown = "router \"a@file\": the service \"t@file\" does not exist";
    check(&folder.0, &["check"], 1, unknown, "");
}

#[test]
fn own_commands_name_their_mistakes() {
    let folder = Folder::new();
    check(&folder.0, &["proxy"], 1, "", "ferrovia proxy: say at least one server");
    check(&folder.0, &["quickstart", "--port=x"], 1, "", "--port: \"x\" is not a port");
}

#[test]
fn healthcheck_speaks_traefiks_words() {
    let folder = Folder::new();
    let off = "Error calling healthcheck: please enable `ping` to use health check\n";
    check(&folder.0, &["healthcheck"], 1, off, "");
    let args = ["--ping", "--entryPoints.traefik.address=127.0.0.1:0"];
    let mut running = Running::start(&folder.0, &args);
    let address = running.address("traefik");
    let flag = format!("--entryPoints.traefik.address={address}");
    let fine = format!("OK: http://{address}/ping\n");
    check(&folder.0, &["healthcheck", "--ping", &flag], 0, &fine, "");
    running.signal("-TERM");
    running.ends_with(0);
    let gone = format!(
        "Error calling healthcheck: Head \"http://{address}/ping\": dial tcp {address}: connect: \
         connection refused\n"
    );
    check(&folder.0, &["healthcheck", "--ping", &flag], 1, &gone, "");
}

#[test]
fn ping_fails_while_requests_are_still_accepted() {
    let folder = Folder::new();
    let args = [
        "--ping",
        "--ping.terminatingStatusCode=504",
        "--entryPoints.traefik.address=127.0.0.1:0",
        "--entryPoints.traefik.transport.lifeCycle.requestAcceptGraceTimeout=60s",
    ];
    let mut running = Running::start(&folder.0, &args);
    let address = running.address("traefik");
    assert_eq!(get(&address, "/ping"), ("HTTP/1.1 200 OK".to_owned(), "OK".to_owned()));
    running.signal("-TERM");
    running.wait_for("new requests are accepted for 60s");
    let expected = ("HTTP/1.1 504 Gateway Timeout".to_owned(), "Gateway Timeout".to_owned());
    assert_eq!(get(&address, "/ping"), expected);
    // The second one ends it at once.
    running.signal("-TERM");
    running.ends_with(0);
}

#[test]
fn a_hangup_rereads_the_static_configuration() {
    let folder = Folder::new();
    let one = "entryPoints:\n  one: {address: \"127.0.0.1:0\"}\n";
    let both = format!("{one}  two: {{address: \"127.0.0.1:0\"}}\napi: {{insecure: true}}\n");
    let with_api = both.replace("two:", "traefik:");
    folder.write("ferrovia.yml", one);
    let mut running = Running::start(&folder.0, &[]);
    let first = running.address("one");
    running.wait_for("serving ");

    folder.write("ferrovia.yml", &with_api);
    running.signal("-HUP");
    let api = running.address("traefik");
    running.wait_for("read everything again");
    assert_eq!(get(&api, "/api/entrypoints/one").0, "HTTP/1.1 200 OK");
    assert_eq!(get(&first, "/").0, "HTTP/1.1 404 Not Found");

    folder.write("ferrovia.yml", "entryPoints: {one: {adress: x}}\n");
    running.signal("-HUP");
    running.wait_for("unknown key \"adress\" (did you mean \"address\"?)");
    running.wait_for("the static configuration stays as it was");
    assert_eq!(get(&api, "/api/entrypoints/one").0, "HTTP/1.1 200 OK");

    folder.write("ferrovia.yml", one);
    running.signal("-HUP");
    running.wait_for("entry point \"traefik\" is closed");
    running.wait_for("read everything again");
    assert_eq!(get(&first, "/").0, "HTTP/1.1 404 Not Found");
    running.signal("-INT");
    running.ends_with(0);
}

#[test]
fn proxy_forwards_without_any_file() {
    let folder = Folder::new();
    let mut upstream =
        Running::start(&folder.0, &["--ping", "--entryPoints.traefik.address=127.0.0.1:0"]);
    let to = upstream.address("traefik");
    let mut proxy = Running::start(&folder.0, &["proxy", "--from", "127.0.0.1:0", "--to", &to]);
    let from = proxy.address("web");
    assert_eq!(get(&from, "/ping"), ("HTTP/1.1 200 OK".to_owned(), "OK".to_owned()));
    proxy.signal("-TERM");
    proxy.ends_with(0);
    upstream.signal("-TERM");
    upstream.ends_with(0);
}

#[test]
fn quickstart_writes_routes_and_balances() {
    let folder = Folder::new();
    let mut running = Running::start(&folder.0, &["quickstart", "--port=0"]);
    let line = running.wait_for("──►  server one");
    let url = line.split_whitespace().next().expect("a URL");
    let address = url.strip_prefix("http://").expect("plain HTTP").to_owned();
    running.wait_for("Ctrl-C ends all of it");
    let mut answers: Vec<String> = (0..2).map(|_| get(&address, "/x").1).collect();
    answers.sort();
    assert!(answers[0].starts_with("Hello from server one. You asked: GET /x\n"), "{answers:?}");
    assert!(answers[1].starts_with("Hello from server two. You asked: GET /x\n"), "{answers:?}");

    let file = folder.0.join("quickstart/routes.yml");
    let routes = fs::read_to_string(&file).expect("written");
    fs::write(&file, routes.replace("rule:", "rul:")).expect("writable");
    running.wait_for("unknown key \"rul\" (did you mean \"rule\"?");
    assert_eq!(get(&address, "/x").0, "HTTP/1.1 200 OK");
    running.signal("-INT");
    running.ends_with(0);
}
