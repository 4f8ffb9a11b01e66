//! Clients that people use, through the program: curl, WebSockets, a browser.
//!
//! A test whose program is not installed says so and passes; the WebSocket client of this test is
//! always there.

mod site;
mod websocket;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use testkit::certificates::Certificates;
use testkit::upstream::{Log, Received, Reply, Upstream, UpstreamSpec};

use crate::site::{Directory, Setup, Site};
use crate::websocket::{Client, Frame, Opcode};

#[test]
fn curl_gets_a_page() {
    let shop = Shop::start();
    let Some(output) = shop.curl(&["-i", &shop.url("/hello")]) else { return };
    let text = success(&output);
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("\r\n\r\nhello"), "{text}");
}

#[test]
fn curl_asks_twice_over_one_connection() {
    let shop = Shop::start();
    let (first, second) = (shop.url("/hello"), shop.url("/chunked"));
    let Some(output) = shop.curl(&["-v", &first, &second]) else { return };
    assert_eq!(success(&output), format!("hello{}", "x".repeat(5000)));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.to_lowercase().contains("re-using existing connection"), "{told}");
}

#[test]
fn curl_uploads_ten_megabytes() {
    let shop = Shop::start();
    let file = shop.file_of_megabytes(10);
    let data = format!("@{}", file.display());
    let arguments = ["--data-binary", &data, &shop.url("/upload")];
    let Some(output) = shop.curl(&arguments) else { return };
    assert_eq!(success(&output), "shop");
    shop.check_received("POST /upload HTTP/1.1", &file, "Content-Length");
}

#[test]
fn curl_uploads_in_chunks() {
    let shop = Shop::start();
    let file = shop.file_of_megabytes(3);
    let chunked = "Transfer-Encoding: chunked";
    let arguments = ["-T", &file.display().to_string(), "-H", chunked, &shop.url("/upload")];
    let Some(output) = shop.curl(&arguments) else { return };
    assert_eq!(success(&output), "shop");
    shop.check_received("PUT /upload HTTP/1.1", &file, "Transfer-Encoding");
}

#[test]
fn curl_downloads_ten_megabytes() {
    let shop = Shop::start();
    let Some(output) = shop.curl(&[shop.url("/large")]) else { return };
    success(&output);
    assert_eq!(output.stdout.len(), 10 << 20);
}

#[test]
fn curl_asks_for_the_head_only() {
    let shop = Shop::start();
    let Some(output) = shop.curl(&["-I", &shop.url("/hello")]) else { return };
    let text = success(&output);
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(text.contains("Content-Length: 5\r\n") && text.ends_with("\r\n\r\n"), "{text}");
}

#[test]
fn curl_speaks_http_1_0() {
    let shop = Shop::start();
    let Some(output) = shop.curl(&["--http1.0", "-i", &shop.url("/chunked")]) else { return };
    let text = success(&output);
    assert!(text.starts_with("HTTP/1.0 200 OK\r\n"), "{text}");
    assert!(!text.to_lowercase().contains("transfer-encoding"), "{text}");
    assert!(text.ends_with(&format!("\r\n\r\n{}", "x".repeat(5000))), "the body, without chunks");
}

#[test]
fn curl_waits_for_100_continue() {
    let shop = Shop::start();
    let file = shop.file_of_megabytes(1);
    let data = format!("@{}", file.display());
    let expect = "Expect: 100-continue";
    let url = shop.url("/upload");
    let patience = WAIT_FOR_CONTINUE.as_secs().to_string();
    let arguments =
        ["-v", "--expect100-timeout", &patience, "-H", expect, "--data-binary", &data, &url];
    let started = Instant::now();
    let Some(output) = shop.curl(&arguments) else { return };
    assert_eq!(success(&output), "shop");
    assert!(started.elapsed() < WAIT_FOR_CONTINUE, "curl did not have to lose its patience");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("< HTTP/1.1 100 Continue"), "{told}");
    shop.check_received("POST /upload HTTP/1.1", &file, "Content-Length");
}

#[test]
fn curl_trusts_the_certificate_of_a_name() {
    let shop = Shop::start();
    let port = shop.site.web().port();
    let authority = shop.authority.display().to_string();
    let resolve = format!("shop.test:{port}:127.0.0.1");
    let url = format!("https://shop.test:{port}/secure");
    let arguments = ["--cacert", &authority, "--resolve", &resolve, "-v", &url];
    let Some(output) = shop.curl(&arguments) else { return };
    assert_eq!(success(&output), "secret");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("SSL certificate verify ok"), "{told}");
}

#[test]
fn a_websocket_echoes_messages_of_every_size() {
    let (_site, mut client) = open_websocket();
    for length in [0, 1, 125, 126, 65_535, 65_536, 1 << 20] {
        let payload: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
        let sent = Frame::new(Opcode::Binary, &payload);
        client.send(&sent).expect("an open connection");
        let received = client.receive().expect("an echo");
        assert!(received == sent, "{length} bytes come back as {}", received.payload.len());
    }
}

#[test]
fn a_websocket_carries_fragments_pings_and_the_closing_handshake() {
    let (_site, mut client) = open_websocket();
    let frames = [
        Frame { opcode: Opcode::Text, is_final: false, payload: b"iron ".to_vec() },
        Frame::new(Opcode::Ping, b"still there?"),
        Frame::new(Opcode::Continuation, b"road"),
        Frame::new(Opcode::Close, &[0x03, 0xe8]),
    ];
    frames.iter().for_each(|frame| client.send(frame).expect("an open connection"));
    for sent in &frames {
        let received = client.receive().expect("an answer");
        let is_ping = sent.opcode == Opcode::Ping;
        let opcode = if is_ping { Opcode::Pong } else { sent.opcode };
        assert_eq!(received, Frame { opcode, ..sent.clone() });
    }
    assert_eq!(client.rest().expect("an orderly end"), b"", "the upstream has closed");
}

#[test]
fn a_websocket_that_is_half_closed_still_receives() {
    let (_site, mut client) = open_websocket();
    client.send(&Frame::new(Opcode::Text, b"hello")).expect("an open connection");
    assert_eq!(client.receive().expect("an echo").payload, b"hello");
    client.half_close().expect("an open connection");
    assert_eq!(client.receive().expect("a last message"), Frame::new(Opcode::Text, b"bye"));
    assert_eq!(client.rest().expect("an orderly end"), b"");
}

#[test]
fn python_speaks_websocket() {
    let shop = Shop::start();
    if !has("python3", &["-c", "import websockets.sync.client"]) {
        return left_out("python3 with the package websockets is not installed");
    }
    let authority = shop.authority.display().to_string();
    for (url, tls) in [(shop.url("/ws"), ""), (shop.secure_url("/ws"), authority.as_str())] {
        let url = url.replacen("http", "ws", 1);
        let output = run("python3", &["-c", PYTHON, &url, tls]).expect("it has just run");
        assert_eq!(success(&output).trim(), "closed with 1000", "{url}");
    }
}

#[test]
fn a_browser_shows_a_page_with_all_that_belongs_to_it() {
    let shop = Shop::start();
    let Some(browser) = BROWSERS.into_iter().find(|name| has(name, &["--version"])) else {
        return left_out("no Chromium is installed");
    };
    for (name, url) in [("plain", shop.url("/page")), ("secure", shop.secure_url("/page"))] {
        let profile = shop.site.directory().path().join(name);
        let profile = format!("--user-data-dir={}", profile.display());
        let mut arguments = BROWSER_ARGUMENTS.to_vec();
        arguments.extend([profile.as_str(), &url]);
        let output = run(browser, &arguments).expect("it has just run");
        let document = success(&output);
        let numbers: String = (0..SCRIPTS).map(|number| format!(" {number}")).collect();
        assert!(document.contains(&format!("<p id=\"loaded\">{numbers}</p>")), "{document}");
        assert!(document.contains("<p id=\"picture\">1 x 1</p>"), "{document}");
        assert!(document.contains("<p id=\"style\">7px</p>"), "{document}");
    }
    let asked = shop.log.take(0, Duration::ZERO);
    let scripts = asked.iter().filter(|request| request.first_line.contains(".js ")).count();
    assert_eq!(scripts, 2 * SCRIPTS, "every script was asked for once a page");
}

/// A site with a shop of many pages and a WebSocket, in the clear and over TLS on one port.
struct Shop {
    site: Site,
    log: Log,
    authority: PathBuf,
    _upstream: Upstream,
}

impl Shop {
    fn start() -> Self {
        let directory = Directory::create();
        let mut certificates = Certificates::new(directory.path());
        let log = Log::default();
        let spec = UpstreamSpec { name: "shop".to_owned(), reply: replies(), ..Default::default() };
        let upstream = Upstream::start(spec, &mut certificates, &log).expect("an upstream");
        let echo = websocket::start_echo().expect("an upstream");
        let authority = certificates.authority_path("ca").expect("a written authority");
        let issued = certificates.issue("shop.test+127.0.0.1").expect("a certificate");
        let file = format!(
            "http:\n  routers:\n    r: {{rule: PathPrefix(`/`), service: shop}}\n    \
             s: {{rule: PathPrefix(`/`), service: shop, tls: {{}}}}\n    \
             w: {{rule: Path(`/ws`), priority: 100, service: echo}}\n    \
             v: {{rule: Path(`/ws`), priority: 100, service: echo, tls: {{}}}}\n  services:\n    \
             shop: {{loadBalancer: {{servers: [{{url: \"http://{}\"}}]}}}}\n    \
             echo: {{loadBalancer: {{servers: [{{url: \"http://{echo}\"}}]}}}}\n\
             tls:\n  stores:\n    default:\n      defaultCertificate: \
             {{certFile: \"{}\", keyFile: \"{}\"}}\n",
            upstream.address(),
            issued.certificate_path.display(),
            issued.key_path.display(),
        );
        let site = Site::start_with(Setup {
            directory,
            files: &[("shop.yml", &file)],
            ..Setup::default()
        });
        Self { site, log, authority, _upstream: upstream }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.site.web())
    }

    fn secure_url(&self, path: &str) -> String {
        format!("https://{}{path}", self.site.web())
    }

    /// Runs curl without what the user has configured for it.
    fn curl(&self, arguments: &[impl AsRef<OsStr>]) -> Option<Output> {
        let mut all: Vec<&OsStr> =
            ["-q", "-sS", "--noproxy", "*", "--max-time", "60"].iter().map(OsStr::new).collect();
        all.extend(arguments.iter().map(AsRef::as_ref));
        let output = run("curl", &all);
        if output.is_none() {
            left_out("curl is not installed");
        }
        output
    }

    fn file_of_megabytes(&self, megabytes: usize) -> PathBuf {
        let path = self.site.directory().path().join("upload");
        let line = "All along the iron road, day and night.\n".bytes().cycle();
        fs::write(&path, line.take(megabytes << 20).collect::<Vec<_>>()).expect("a written file");
        path
    }

    /// Expects that the file's contents reached the upstream whole, framed with that field.
    #[track_caller]
    fn check_received(&self, first_line: &str, file: &Path, framing: &str) {
        let mut received = self.log.take(1, Duration::from_secs(5));
        let request: Received = received.pop().expect("a request reached the upstream");
        assert_eq!(request.first_line, first_line);
        assert!(request.complete, "the body came whole");
        assert!(request.body == fs::read(file).expect("the file"), "the body is the file's");
        let is_framed = request.fields.iter().any(|(name, _)| name == framing);
        assert!(is_framed, "{framing} in {:?}", request.fields);
    }
}

fn open_websocket() -> (Shop, Client) {
    let shop = Shop::start();
    let client = Client::open(shop.site.web(), "shop.test", "/ws").expect("a handshake");
    (shop, client)
}

/// What the shop answers; everything else is answered with its name.
fn replies() -> Vec<Reply> {
    let reply = |path: &str, kind: &str, body: &str| Reply {
        path: Some(path.to_owned()),
        headers: vec![format!("Content-Type: {kind}")],
        body: Some(body.to_owned()),
        ..Reply::default()
    };
    let mut replies = vec![
        reply("/hello", "text/plain", "hello"),
        reply("/secure", "text/plain", "secret"),
        Reply {
            framing: testkit::upstream::BodyFraming::Chunked,
            ..reply("/chunked", "text/plain", &"x".repeat(5000))
        },
        Reply { body_bytes: Some(10 << 20), ..reply("/large", "text/plain", "") },
        reply("/style.css", "text/css", "p { margin-left: 7px }"),
        reply(
            "/picture.svg",
            "image/svg+xml",
            "<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>",
        ),
    ];
    let mut scripts = String::new();
    for number in 0..SCRIPTS {
        let path = format!("/{number}.js");
        scripts.push_str(&format!("<script src=\"{path}\"></script>"));
        let script = format!("document.getElementById('loaded').append(' {number}')");
        replies.push(reply(&path, "text/javascript", &script));
    }
    let page = format!(
        "<!doctype html><html><head><link rel=\"icon\" href=\"data:,\">\
         <link rel=\"stylesheet\" href=\"/style.css\"></head><body><p id=\"loaded\"></p>\
         <p id=\"picture\"></p><p id=\"style\"></p><img src=\"/picture.svg\">{scripts}<script>\
         addEventListener('load', () => {{\
         const picture = document.images[0], style = document.getElementById('style');\
         document.getElementById('picture').append(\
         `${{picture.naturalWidth}} x ${{picture.naturalHeight}}`);\
         style.append(getComputedStyle(style).marginLeft);\
         }})</script></body></html>"
    );
    replies.push(reply("/page", "text/html; charset=utf-8", &page));
    replies
}

/// Runs a program to its end; `None` if there is no such program.
fn run(program: &str, arguments: &[impl AsRef<OsStr>]) -> Option<Output> {
    Command::new(program).args(arguments).output().ok()
}

fn has(program: &str, arguments: &[&str]) -> bool {
    run(program, arguments).is_some_and(|output| output.status.success())
}

fn left_out(why: &str) {
    println!("left out: {why}");
}

/// The standard output of a program that succeeded.
#[track_caller]
fn success(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const WAIT_FOR_CONTINUE: Duration = Duration::from_secs(20);
const SCRIPTS: usize = 12;
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];
/// Nothing but the page shall be asked for.
const BROWSER_ARGUMENTS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--ignore-certificate-errors",
    "--dump-dom",
];
const PYTHON: &str = r#"
import os, ssl, sys
from websockets.sync.client import connect

url, authority = sys.argv[1], sys.argv[2]
context = ssl.create_default_context(cafile=authority) if authority else None
with connect(url, ssl=context, proxy=None, max_size=None) as socket:
    socket.send("hello")
    assert socket.recv() == "hello"
    large = os.urandom(1 << 20)
    socket.send(large)
    assert socket.recv() == large
    socket.send(["in ", "three ", "parts"])
    assert socket.recv() == "in three parts"
    assert socket.ping().wait(10)
print("closed with", socket.close_code)
"#;
