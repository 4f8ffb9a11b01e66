//! Two upstream servers, the same for every proxy: one nginx process with two ports.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use super::client::Connection;
use super::process::{Launch, Program, Running, free_port};
use super::row::{BODY_PATH, Request};

/// The running upstream servers.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) ports: [u16; 2],
    status_port: u16,
    _running: Running,
}

impl Upstream {
    pub(super) fn start(nginx: &Program, dir: &Path, core: usize) -> anyhow::Result<Self> {
        let dir = dir.join("upstream");
        fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
        fs::write(dir.join(&BODY_PATH[1..]), vec![b'x'; BODY_BYTES]).context("body file")?;
        let ports = [free_port()?, free_port()?];
        let status_port = free_port()?;
        let configuration = dir.join("nginx.conf");
        fs::write(&configuration, nginx_conf(&dir, ports, status_port)).context("nginx.conf")?;
        let launch = Launch {
            args: vec!["-c".to_owned(), configuration.display().to_string()],
            env: Vec::new(),
            dir: &dir,
            core,
        };
        let mut running = nginx.start("upstream", &launch)?;
        for port in [ports[0], ports[1], status_port] {
            running.wait_for_port(port, Duration::from_secs(10))?;
        }
        Ok(Self { ports, status_port, _running: running })
    }

    /// Connections accepted so far, to see whether a proxy keeps its own alive.
    pub(super) fn accepted(&self) -> anyhow::Result<u64> {
        let request = Request { host: "status".to_owned(), path: "/".to_owned() };
        let response = Connection::plain(self.status_port)?.get(&request)?;
        let text = String::from_utf8_lossy(&response.body);
        // The line below `server accepts handled requests` starts with the count.
        text.lines()
            .nth(2)
            .and_then(|line| line.split_whitespace().next()?.parse().ok())
            .with_context(|| format!("upstream status {text:?}"))
    }
}

fn nginx_conf(dir: &Path, [first, second]: [u16; 2], status: u16) -> String {
    let dir = dir.display();
    format!(
        r#"daemon off;
master_process off;
pid "{dir}/nginx.pid";
error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_temp_path "{dir}/body";
  proxy_temp_path "{dir}/proxy";
  fastcgi_temp_path "{dir}/fastcgi";
  uwsgi_temp_path "{dir}/uwsgi";
  scgi_temp_path "{dir}/scgi";
  default_type text/plain;
  sendfile on;
  open_file_cache max=8;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  server {{
    listen 127.0.0.1:{first};
    listen 127.0.0.1:{second};
    root "{dir}";
    if ($args = {REPORT_QUERY}) {{
      return 200 "upstream: $server_port\nhost: $http_host\nx-forwarded-for: $http_x_forwarded_for\nx-forwarded-host: $http_x_forwarded_host\nx-forwarded-port: $http_x_forwarded_port\nx-forwarded-proto: $http_x_forwarded_proto\nx-forwarded-server: $http_x_forwarded_server\nx-real-ip: $http_x_real_ip\n";
    }}
    location = {BODY_PATH} {{ }}
    location / {{ return 200 "hello from upstream\n"; }}
  }}
  server {{
    listen 127.0.0.1:{status};
    location / {{ stub_status; }}
  }}
}}
"#
    )
}

/// With this query the upstream answers with what the proxy sent it.
pub(super) const REPORT_QUERY: &str = "report";
/// Length of the large response.
pub(super) const BODY_BYTES: usize = 1024 * 1024;
