//! `ferrovia quickstart`: two small servers, the proxy before them, and what to try.

mod upstream;

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use config::static_config::{Api, EntryPoint, FileProvider, Providers, StaticConfiguration};

use crate::options;
use crate::start::{self, Plan};

/// Runs the command.
pub(crate) fn run(args: &[String]) -> ExitCode {
    let port = match port(args) {
        Ok(port) => port,
        Err(problem) => return options::refuse("quickstart", &problem),
    };
    match prepare(port) {
        Ok(plan) => start::run(plan),
        Err(problem) => crate::complain(&format!("ferrovia quickstart: {problem}")),
    }
}

fn port(args: &[String]) -> Result<u16, String> {
    let mut port = DEFAULT_PORT;
    for option in options::pairs(args, &["port"]) {
        let (_, text) = option?;
        port = text.parse().map_err(|_| format!("--port: {text:?} is not a port"))?;
    }
    Ok(port)
}

/// Opens the servers' sockets, writes the file and makes the plan.
fn prepare(port: u16) -> Result<Plan, String> {
    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    // Taken now so that nobody else does, and to say early that the port is taken.
    let open = |address: SocketAddr| {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    let failed = |error: io::Error| format!("cannot open a server's socket: {error}");
    let one = open(loopback(0)).map_err(failed)?;
    let two = open(loopback(0)).map_err(failed)?;
    let urls = [&one, &two]
        .map(|listener| listener.local_addr().map(|address| format!("http://{address}")));
    let [first, second] = urls;
    let urls = [first.map_err(failed)?, second.map_err(failed)?];
    let kept = write_routes(Path::new(FOLDER), &urls)
        .map_err(|error| format!("cannot write {FOLDER}/{FILE}: {error}"))?;

    let plan = Plan::fixed(configuration(port), Vec::new());
    let plan = plan.beside(async move {
        let servers = [("one", one), ("two", two)];
        for (name, listener) in servers {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => drop(tokio::spawn(upstream::serve(name, listener))),
                Err(error) => tracing::error!(%error, "server {name} cannot be started"),
            }
        }
    });
    Ok(plan.announced_by(move |addresses| {
        let address = |name: &str| {
            let mut all = addresses.iter();
            all.find(|(found, _)| found == name).map(|(_, address)| *address)
        };
        match (address("web"), address("traefik")) {
            (Some(web), Some(api)) => guide(web, api, &urls, kept.as_deref()),
            _ => String::new(),
        }
    }))
}

fn configuration(port: u16) -> StaticConfiguration {
    let listening_on = |address| EntryPoint { address, ..EntryPoint::default() };
    let file =
        FileProvider { directory: FOLDER.to_owned(), watch: true, ..FileProvider::default() };
    StaticConfiguration {
        entry_points: [
            ("web".to_owned(), listening_on(format!("127.0.0.1:{port}"))),
            ("traefik".to_owned(), listening_on("127.0.0.1:0".to_owned())),
        ]
        .into(),
        api: Some(Api { insecure: true, dashboard: false, ..Api::default() }),
        providers: Providers {
            file: Some(file),
            // Who tries things out does not want to wait.
            providers_throttle_duration: config::Duration::from_millis(100),
            ..Providers::default()
        },
        ..StaticConfiguration::default()
    }
}

/// Writes the routes. A file of an earlier run may hold somebody's work: it is kept beside, under
/// the name that is given back.
fn write_routes(folder: &Path, urls: &[String; 2]) -> io::Result<Option<PathBuf>> {
    fs::create_dir_all(folder)?;
    let path = folder.join(FILE);
    let text = routes(urls);
    let kept = match fs::read_to_string(&path) {
        Ok(old) if without_urls(&old) == without_urls(&text) => None,
        Ok(_) => {
            let kept = folder.join(format!("{FILE}.before"));
            fs::rename(&path, &kept)?;
            Some(kept)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    fs::write(&path, text)?;
    Ok(kept)
}

fn without_urls(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.contains("url: http")).collect()
}

fn routes(urls: &[String; 2]) -> String {
    let [one, two] = urls;
    format!(
        "# The routes of the quick start. Save a change, and it is in force.
http:
  routers:
    hello:
      rule: PathPrefix(`/`)
      service: two-servers
      # middlewares: [mark]

  services:
    two-servers:
      loadBalancer:
        servers:
          - url: {one}
          - url: {two}

  middlewares:
    mark:
      headers:
        customRequestHeaders:
          X-Quickstart: seen by Ferrovia
"
    )
}

/// What to try. `kept` is the file of an earlier run.
fn guide(web: SocketAddr, api: SocketAddr, urls: &[String; 2], kept: Option<&Path>) -> String {
    let [one, two] = urls;
    let kept = match kept {
        Some(kept) => format!("  {} is what an earlier run left.\n", kept.display()),
        None => String::new(),
    };
    let proxy = format!("http://{web}");
    let blank = " ".repeat(proxy.len());
    format!(
        "
  {proxy}  ──►  server one  {one}
  {blank}  ──►  server two  {two}

  The routes are in {FOLDER}/{FILE}; what they became is at http://{api}/api/rawdata.
{kept}
  1. See it balance:   curl {proxy}/hello {proxy}/hello
  2. Change it:        take the # away before \"middlewares\" in {FOLDER}/{FILE} and save;
                       the servers then show the header X-Quickstart, and no request is lost.
  3. Break it:         write \"rul\" for \"rule\" and save; the log below says file, line and what
                       was meant, and requests are answered as before.
  4. Ask about it:     curl http://{api}/api/http/services/two-servers@file

  Ctrl-C ends all of it. The same for servers of your own:
    ferrovia proxy --from :8080 --to http://localhost:3000 --to http://localhost:3001
"
    )
}

const DEFAULT_PORT: u16 = 8080;
const FOLDER: &str = "quickstart";
const FILE: &str = "routes.yml";

#[cfg(test)]
mod tests {
    use config::decode_dynamic::decode_dynamic;
    use config::parse::{Format, parse};

    use super::*;

    fn check_port(args: &[&str], expected: Result<u16, &str>) {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        assert_eq!(port(&args).as_ref().map_err(String::as_str), expected.as_ref().map_err(|e| *e));
    }

    #[test]
    fn the_port_can_be_chosen() {
        check_port(&[], Ok(8080));
        check_port(&["--port=81"], Ok(81));
        check_port(&["--port", "x"], Err("--port: \"x\" is not a port"));
        check_port(&["--prt", "1"], Err("unknown flag --prt (there is --port)"));
    }

    /// Expects the routes to be read without complaint.
    fn check_routes(text: &str, middlewares: &[&str]) {
        let node = parse(text, FILE, Format::Yaml).expect("well-formed YAML");
        let decoded = decode_dynamic(node);
        assert_eq!(decoded.diagnostics, []);
        let http = decoded.configuration.http;
        assert_eq!(http.services["two-servers"].load_balancer.as_ref().unwrap().servers.len(), 2);
        assert_eq!(http.routers["hello"].middlewares, middlewares);
        assert!(http.middlewares.contains_key("mark"));
    }

    #[test]
    fn the_routes_are_right_before_and_after_the_change_the_guide_proposes() {
        let urls = ["http://127.0.0.1:1".to_owned(), "http://127.0.0.1:2".to_owned()];
        let text = routes(&urls);
        check_routes(&text, &[]);
        check_routes(&text.replace("# middlewares", "middlewares"), &["mark"]);
    }

    #[test]
    fn somebodys_work_is_kept() {
        let folder = std::env::temp_dir().join(format!("ferrovia-routes-{}", std::process::id()));
        let urls = ["http://127.0.0.1:1".to_owned(), "http://127.0.0.1:2".to_owned()];
        assert_eq!(write_routes(&folder, &urls).expect("writable"), None);
        let other_ports = ["http://127.0.0.1:3".to_owned(), "http://127.0.0.1:4".to_owned()];
        assert_eq!(write_routes(&folder, &other_ports).expect("writable"), None);
        fs::write(folder.join(FILE), "# mine").expect("writable");
        let kept = write_routes(&folder, &urls).expect("writable").expect("kept");
        assert_eq!(fs::read_to_string(kept).expect("readable"), "# mine");
        assert_eq!(fs::read_to_string(folder.join(FILE)).expect("readable"), routes(&urls));
        fs::remove_dir_all(folder).expect("removable");
    }
}
