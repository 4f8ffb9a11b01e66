//! The load of the keep-alive rows: the program wrk, 64 connections.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use super::row::Request;

/// What a run of load saw.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Load {
    pub(super) requests: u64,
    pub(super) elapsed: Duration,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    /// Responses other than 2xx and 3xx, and failed connections.
    pub(super) errors: u64,
}

/// Repeats `requests` against a loopback port for `seconds` and reads wrk's counts.
pub(super) fn run(
    dir: &Path,
    core: usize,
    (scheme, port): (&str, u16),
    requests: &[Request],
    seconds: u64,
) -> anyhow::Result<Load> {
    let script = dir.join("load.lua");
    fs::write(&script, lua(requests)).context("load.lua")?;
    let openssl = dir.join("openssl.cnf");
    fs::write(&openssl, OPENSSL).context("openssl.cnf")?;
    let output = Command::new("timeout")
        .args(["-k", "1", &(seconds + 20).to_string()])
        .args(["setpriv", "--pdeathsig", "KILL", "taskset", "-c", &core.to_string()])
        .args(["wrk", "-t1", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s"), "-s"])
        .arg(&script)
        .arg(format!("{scheme}://127.0.0.1:{port}/"))
        .env("OPENSSL_CONF", &openssl)
        .output()
        .context("wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(load) = parse(&text) else {
        bail!("wrk: {}: {} {}", output.status, text, String::from_utf8_lossy(&output.stderr));
    };
    Ok(load)
}

fn lua(requests: &[Request]) -> String {
    let mut script = String::from("local requests, last = {}, 0\nfunction init(args)\n");
    for Request { host, path } in requests {
        // `{:?}` of a host or path of ours is a Lua string as well.
        let _ = writeln!(
            script,
            "  requests[#requests + 1] = wrk.format(\"GET\", {path:?}, {{ Host = {host:?} }})"
        );
    }
    script.push_str(SCRIPT_END);
    script
}

fn parse(output: &str) -> Option<Load> {
    let line = output.lines().find_map(|line| line.strip_prefix(MARK))?;
    let numbers: Vec<u64> = line.split_whitespace().map_while(|word| word.parse().ok()).collect();
    let &[requests, elapsed, p50, p99, errors] = numbers.as_slice() else { return None };
    Some(Load {
        requests,
        elapsed: Duration::from_micros(elapsed),
        p50: Duration::from_micros(p50),
        p99: Duration::from_micros(p99),
        errors,
    })
}

/// Connections that wrk keeps open.
pub(super) const CONNECTIONS: usize = 64;

const MARK: &str = "counted: ";
const SCRIPT_END: &str = r#"end
function request()
  last = last % #requests + 1
  return requests[last]
end
function done(summary, latency)
  local failed = summary.errors
  io.write(string.format("counted: %.0f %.0f %.0f %.0f %.0f\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    failed.status + failed.connect + failed.read + failed.write + failed.timeout))
end
"#;

/// The same TLS for every proxy, whatever each would prefer.
const OPENSSL: &str = "openssl_conf = bench
[bench]
ssl_conf = modules
[modules]
system_default = tls
[tls]
MinProtocol = TLSv1.3
Ciphersuites = TLS_AES_128_GCM_SHA256
Groups = X25519
";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, expected: Option<(u64, u64)>) {
        let load = parse(output);
        assert_eq!(load.map(|load| (load.requests, load.errors)), expected, "{output}");
    }

    #[test]
    fn reads_the_counted_line() {
        check("Running 1s test\ncounted: 1234 1000500 90 300 2\n", Some((1234, 2)));
        check("unable to connect\n", None);
        check("counted: 1 2\n", None);
    }

    #[test]
    fn scripts_name_every_request() {
        let request = |path: &str| Request { host: "bench.test".into(), path: path.into() };
        let script = lua(&[request("/a"), request("/b")]);
        assert!(script.contains(r#"wrk.format("GET", "/a", { Host = "bench.test" })"#));
        assert_eq!(script.matches("wrk.format").count(), 2);
    }
}
