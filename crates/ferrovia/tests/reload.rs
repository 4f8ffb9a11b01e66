//! How configuration changes while the program runs, and how the program ends.

mod site;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use testkit::certificates::Certificates;
use testkit::client::Connection;
use testkit::ports::ReservedPort;
use testkit::upstream::{Log, Upstream, UpstreamSpec};

use crate::site::{Directory, Setup, Site, answer, ask, eventually, get, text_of};

#[test]
fn a_file_that_another_one_replaces_goes_live() {
    let upstreams = Upstreams::start();
    let mut site = Site::start(&upstreams.file("r", "a"));
    assert_eq!(site.get("r", "/"), answer("200", "a"));
    site.replace("r.yml", &upstreams.file("r", "b"));
    site.wait_for(&[&upstreams.url("b")], &[&upstreams.url("a")]);
    assert_eq!(site.get("r", "/"), answer("200", "b"));
    fs::remove_file(site.directory().dynamic().join("r.yml")).expect("a removed file");
    site.wait_for(&[], &["r@file"]);
    assert_eq!(site.get("r", "/").0, "404");
}

/// The kubelet puts a new directory beside the old one and then moves the link `..data` over.
#[test]
fn a_config_map_goes_live_when_its_link_moves() {
    let upstreams = Upstreams::start();
    let directory = Directory::create();
    let mount = directory.dynamic();
    fs::create_dir(&mount).expect("a new directory");
    let lay = |version: &str, text: &str| {
        fs::create_dir(mount.join(version)).expect("a new directory");
        fs::write(mount.join(version).join("r.yml"), text).expect("a written file");
        symlink(version, mount.join("..data_tmp")).expect("a new link");
        fs::rename(mount.join("..data_tmp"), mount.join("..data")).expect("a moved link");
    };
    lay("..2026_01", &upstreams.file("r", "a"));
    symlink("..data/r.yml", mount.join("r.yml")).expect("a new link");
    let mut site = Site::start_with(Setup { directory, ..Setup::default() });
    assert_eq!(site.get("r", "/"), answer("200", "a"));

    lay("..2026_02", &upstreams.file("r", "b"));
    fs::remove_dir_all(mount.join("..2026_01")).expect("a removed directory");
    site.wait_for(&[&upstreams.url("b")], &[&upstreams.url("a")]);
    assert_eq!(site.get("r", "/"), answer("200", "b"));
}

#[test]
fn a_half_written_file_leaves_what_it_said_before() {
    let upstreams = Upstreams::start();
    let whole = upstreams.file("r", "a");
    let half = &whole[..whole.find("Host(").expect("a rule") + 3];
    check_last_good(&upstreams, half);
}

#[test]
fn an_empty_file_leaves_what_it_said_before() {
    check_last_good(&Upstreams::start(), "");
}

#[test]
fn a_file_with_a_syntax_error_leaves_what_it_said_before() {
    check_last_good(&Upstreams::start(), "http: ]\n");
}

/// Overwrites a file with `text`, lets another file change after it, and expects that the first
/// one's router answers as before.
#[track_caller]
fn check_last_good(upstreams: &Upstreams, text: &str) {
    let mut site = Site::start(&upstreams.file("r", "a"));
    site.overwrite("r.yml", text);
    site.replace("later.yml", &upstreams.file("later", "b"));
    site.wait_for(&["later@file", "r@file"], &[]);
    assert_eq!(site.get("later", "/"), answer("200", "b"));
    assert_eq!(site.get("r", "/"), answer("200", "a"));

    site.overwrite("r.yml", &upstreams.file("r", "b"));
    site.wait_for(&["r@file"], &[&upstreams.url("a")]);
    assert_eq!(site.get("r", "/"), answer("200", "b"));
}

#[test]
fn a_file_that_says_nothing_on_purpose_removes_what_it_said_before() {
    let upstreams = Upstreams::start();
    let mut site = Site::start(&upstreams.file("r", "a"));
    site.replace("r.yml", "{}\n");
    site.wait_for(&[], &["r@file"]);
    assert_eq!(site.get("r", "/").0, "404");
}

#[test]
fn an_unknown_key_disturbs_only_its_own_router() {
    check_bad_router("rule: Host(`bad`), service: b-bad, servise: b-bad");
}

#[test]
fn a_rule_that_cannot_be_read_disturbs_only_its_own_router() {
    check_bad_router("rule: Host(`bad`) &&, service: b-bad");
}

#[test]
fn a_service_that_does_not_exist_disturbs_only_its_own_router() {
    check_bad_router("rule: Host(`bad`), service: nowhere");
}

/// Changes a file that holds two routers: the one called `bad` becomes these members, the other
/// gets another service. Expects the old router `bad` and the new other one.
#[track_caller]
fn check_bad_router(members: &str) {
    let upstreams = Upstreams::start();
    let file = |service: &str, bad: &str| {
        format!(
            "http:\n  routers:\n    r: {{rule: Host(`good`), service: {service}}}\n    \
             bad: {{{bad}}}\n  services:\n{}{}",
            upstreams.service("a"),
            upstreams.service("b")
        )
        .replace("b-bad", "b")
    };
    let first = file("a", "rule: Host(`bad`), service: b");
    let mut site = Site::start(&first);
    assert_eq!(site.get("good", "/"), answer("200", "a"));
    assert_eq!(site.get("bad", "/"), answer("200", "b"));

    site.replace("r.yml", &file("b", members));
    eventually("the good router has changed", || site.get("good", "/") == answer("200", "b"));
    assert_eq!(site.get("bad", "/"), answer("200", "b"));
    let shown = site.wait_for(&["bad@file"], &[]);
    assert!(shown.contains("last good version"), "the API tells what is wrong: {shown}");
}

#[test]
fn a_hangup_opens_and_closes_entry_points() {
    let upstreams = Upstreams::start();
    let mut site = Site::start(&upstreams.file("r", "a"));
    let more = ReservedPort::claim().expect("a free port");
    let address = SocketAddr::from(([127, 0, 0, 1], more.number()));
    let mut kept = Connection::plain(site.web()).expect("a connection");
    assert_eq!(text_of(&ask(&mut kept, "r", "/")), answer("200", "a"));

    site.write_static(&format!("  more: {{address: \"{address}\"}}\n"));
    site.signal("HUP");
    eventually("the new entry point routes", || get(address, "r", "/") == answer("200", "a"));

    site.write_static("");
    site.signal("HUP");
    eventually("the entry point is closed", || TcpStream::connect(address).is_err());
    assert_eq!(text_of(&ask(&mut kept, "r", "/")), answer("200", "a"), "on the old connection");
    assert_eq!(site.get("r", "/"), answer("200", "a"));
    assert!(site.is_running());
}

#[test]
fn a_hangup_with_a_wrong_static_file_changes_nothing() {
    let upstreams = Upstreams::start();
    let mut site = Site::start(&upstreams.file("r", "a"));
    site.write_static("  more: {adress: \":1\"}\n");
    site.signal("HUP");
    eventually("the log tells what is wrong", || site.log().contains("adress"));
    assert_eq!(site.get("r", "/"), answer("200", "a"));
    assert!(site.is_running());
}

#[test]
fn a_log_that_may_not_grow_does_not_end_the_program() {
    let upstreams = Upstreams::start();
    let mut site = Site::start(&upstreams.file("r", "a"));
    // What the kernel sends with a write beyond RLIMIT_FSIZE; by default it ends a process.
    site.signal("XFSZ");
    assert_eq!(site.get("r", "/"), answer("200", "a"));
    assert!(site.is_running());
}

#[test]
fn sigterm_finishes_what_is_under_way_and_refuses_what_is_new() {
    let gate = Gate::start();
    let mut site = Site::start(&gate.file("r"));
    let mut client = Connection::plain(site.web()).expect("a connection");
    client.send(b"GET /slow HTTP/1.1\r\nHost: r\r\n\r\n");
    gate.reached();
    site.signal("TERM");
    eventually("the listener is closed", || TcpStream::connect(site.web()).is_err());
    assert!(site.is_running(), "a request is under way");

    gate.open();
    let response = client.response("GET", b"", b"");
    assert_eq!(text_of(&response), answer("200", "gate"));
    assert!(response.closed, "the connection ends with the last answer");
    assert!(site.ended().success());
}

#[test]
fn ping_fails_while_requests_are_still_taken() {
    let upstreams = Upstreams::start();
    let mut site = Site::start_with(Setup {
        web: ", transport: {lifeCycle: {requestAcceptGraceTimeout: 1h}}",
        files: &[("r.yml", &upstreams.file("r", "a"))],
        ..Setup::default()
    });
    assert_eq!(get(site.api(), "x", "/ping"), answer("200", "OK"));
    site.signal("TERM");
    eventually("ping says so", || get(site.api(), "x", "/ping").0 == "503");
    assert_eq!(site.get("r", "/"), answer("200", "a"), "load balancers need time to notice");

    site.signal("TERM");
    assert!(site.ended().success(), "asked twice, it ends at once");
}

/// Two upstreams, `a` and `b`, that answer with their names.
struct Upstreams {
    a: Upstream,
    b: Upstream,
}

impl Upstreams {
    fn start() -> Self {
        let start = |name: &str| {
            let spec = UpstreamSpec { name: name.to_owned(), ..UpstreamSpec::default() };
            let mut no_certificates = Certificates::new(std::path::Path::new(""));
            Upstream::start(spec, &mut no_certificates, &Log::default()).expect("an upstream")
        };
        Self { a: start("a"), b: start("b") }
    }

    fn url(&self, name: &str) -> String {
        let upstream = if name == "a" { &self.a } else { &self.b };
        format!("http://{}", upstream.address())
    }

    fn service(&self, name: &str) -> String {
        format!("    {name}: {{loadBalancer: {{servers: [{{url: \"{}\"}}]}}}}\n", self.url(name))
    }

    /// A file with one router, by its name as host, to one upstream.
    fn file(&self, router: &str, upstream: &str) -> String {
        file(router, &self.url(upstream))
    }
}

fn file(router: &str, url: &str) -> String {
    format!(
        "http:\n  routers:\n    {router}: {{rule: Host(`{router}`), service: of-{router}}}\n  \
         services:\n    of-{router}: {{loadBalancer: {{servers: [{{url: \"{url}\"}}]}}}}\n"
    )
}

/// An upstream that answers one request, and only when told.
struct Gate {
    address: SocketAddr,
    reached: Receiver<()>,
    open: Sender<()>,
}

impl Gate {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a listener");
        let address = listener.local_addr().expect("a bound listener");
        let (reach, reached) = channel();
        let (open, opened) = channel();
        thread::spawn(move || {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
                head.push(byte[0]);
            }
            let _ = reach.send(());
            if opened.recv().is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngate");
            }
        });
        Self { address, reached, open }
    }

    fn file(&self, router: &str) -> String {
        file(router, &format!("http://{}", self.address))
    }

    fn reached(&self) {
        self.reached.recv().expect("the request reaches the upstream");
    }

    fn open(&self) {
        self.open.send(()).expect("the upstream waits");
    }
}
