//! The proxies and their configuration: the same work for each.
//!
//! One worker, the access log off, keep-alive on both sides, two upstream servers in turn, the same
//! forwarded headers (For, Host, Port, Proto, Server and X-Real-Ip, which Traefik always sets).

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context;

use super::row::{HOST, Routers};
use super::site::Site;

/// A proxy that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    Ferrovia,
    Haproxy,
    Nginx,
    Traefik,
    Envoy,
    Caddy,
}

impl Peer {
    pub(super) const ALL: [Self; 6] =
        [Self::Ferrovia, Self::Haproxy, Self::Nginx, Self::Traefik, Self::Envoy, Self::Caddy];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|peer| peer.name() == name)
    }

    /// The name of the proxy and of its program.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ferrovia => "ferrovia",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
            Self::Traefik => "traefik",
            Self::Envoy => "envoy",
            Self::Caddy => "caddy",
        }
    }

    /// The arguments with which the program tells its version.
    pub(super) fn version_args(self) -> &'static [&'static str] {
        match self {
            Self::Haproxy | Self::Nginx => &["-v"],
            Self::Envoy => &["--version"],
            Self::Ferrovia | Self::Traefik | Self::Caddy => &["version"],
        }
    }

    /// Whether the peer has routing tables like Traefik's, so that rows with many routers and the
    /// same files make sense.
    pub(super) fn reads_traefik_files(self) -> bool {
        matches!(self, Self::Ferrovia | Self::Traefik)
    }

    /// Writes the configuration into the site's folder; returns arguments and environment.
    pub(super) fn configure(self, site: &Site<'_>) -> anyhow::Result<Invocation> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let invocation = match self {
            Self::Ferrovia | Self::Traefik => {
                save(site, "static.yml", &traefik_static(site))?;
                save(site, "dynamic.yml", &traefik_dynamic(site))?;
                (words(&["--configFile=static.yml"]), vec![("GOMAXPROCS", "1")])
            }
            Self::Haproxy => {
                save(site, "haproxy.cfg", &haproxy(site))?;
                (words(&["-db", "-f", "haproxy.cfg"]), Vec::new())
            }
            Self::Nginx => {
                save(site, "nginx.conf", &nginx(site))?;
                let path = site.dir.join("nginx.conf").display().to_string();
                (vec!["-c".to_owned(), path], Vec::new())
            }
            Self::Envoy => {
                save(site, "envoy.yaml", &envoy(site))?;
                let fixed = "-c envoy.yaml --concurrency 1 --disable-hot-restart -l error";
                (words(&fixed.split(' ').collect::<Vec<_>>()), Vec::new())
            }
            Self::Caddy => {
                save(site, "Caddyfile", &caddy(site))?;
                let fixed = ["run", "--config", "Caddyfile", "--adapter", "caddyfile"];
                // Caddy stores what it makes below these; relative to the site's folder.
                let env = vec![
                    ("GOMAXPROCS", "1"),
                    ("XDG_DATA_HOME", "data"),
                    ("XDG_CONFIG_HOME", "config"),
                ];
                (words(&fixed), env)
            }
        };
        Ok(invocation)
    }
}

/// Arguments and environment of a configured proxy.
pub(super) type Invocation = (Vec<String>, Vec<(&'static str, &'static str)>);

fn save(site: &Site<'_>, name: &str, text: &str) -> anyhow::Result<()> {
    fs::write(site.dir.join(name), text).with_context(|| name.to_owned())
}

fn traefik_static(site: &Site<'_>) -> String {
    let Site { plain_port, tls_port, .. } = site;
    format!(
        r#"global:
  checkNewVersion: false
  sendAnonymousUsage: false
log:
  level: ERROR
entryPoints:
  web:
    address: "127.0.0.1:{plain_port}"
  websecure:
    address: "127.0.0.1:{tls_port}"
providers:
  file:
    filename: dynamic.yml
"#
    )
}

fn traefik_dynamic(site: &Site<'_>) -> String {
    let mut text = String::from("http:\n  routers:\n");
    let mut router = |name: &str, entry_point: &str, rule: &str, tls: &str| {
        let _ = write!(
            text,
            "    {name}:\n      entryPoints: [{entry_point}]\n      rule: \"{rule}\"\n      \
             service: bench\n{tls}"
        );
    };
    for index in 0..site.routers.count() {
        router(&format!("router-{index}"), "web", &site.routers.rule(index), "");
    }
    router("secure", "websecure", &Routers::One.rule(0), "      tls: {}\n");
    let [first, second] = site.upstream_ports;
    let (certificate, key) =
        (site.certificate.certificate.display(), site.certificate.key.display());
    let _ = write!(
        text,
        r#"  services:
    bench:
      loadBalancer:
        servers:
          - url: "http://127.0.0.1:{first}"
          - url: "http://127.0.0.1:{second}"
tls:
  certificates:
    - certFile: "{certificate}"
      keyFile: "{key}"
  stores:
    default:
      defaultCertificate:
        certFile: "{certificate}"
        keyFile: "{key}"
  options:
    default:
      minVersion: VersionTLS13
"#
    );
    text
}

fn haproxy(site: &Site<'_>) -> String {
    let Site { plain_port, tls_port, .. } = site;
    let [first, second] = site.upstream_ports;
    let both = site.certificate.both.display();
    format!(
        r#"global
  nbthread 1
  maxconn 8000
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  timeout http-keep-alive 300s
  http-reuse always
frontend entry
  bind 127.0.0.1:{plain_port}
  bind 127.0.0.1:{tls_port} ssl crt {both} ssl-min-ver TLSv1.3
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Real-Ip %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Server bench
  http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
  http-request set-header X-Forwarded-Proto http unless {{ ssl_fc }}
  use_backend bench if {{ req.hdr(host) -i {HOST} }}
backend bench
  balance roundrobin
  server first 127.0.0.1:{first}
  server second 127.0.0.1:{second}
"#
    )
}

fn nginx(site: &Site<'_>) -> String {
    let Site { plain_port, tls_port, .. } = site;
    let [first, second] = site.upstream_ports;
    let dir = site.dir.display();
    let (certificate, key) =
        (site.certificate.certificate.display(), site.certificate.key.display());
    let temp_paths = temp_paths(&site.dir);
    format!(
        r#"daemon off;
master_process off;
worker_processes 1;
pid "{dir}/nginx.pid";
error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
{temp_paths}
  access_log off;
  keepalive_timeout 300s;
  keepalive_requests 1000000000;
  ssl_protocols TLSv1.3;
  ssl_certificate "{certificate}";
  ssl_certificate_key "{key}";
  upstream bench {{
    server 127.0.0.1:{first};
    server 127.0.0.1:{second};
    keepalive 128;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
  }}
  server {{
    listen 127.0.0.1:{plain_port};
    listen 127.0.0.1:{tls_port} ssl;
    server_name {HOST};
    location / {{
      proxy_pass http://bench;
      proxy_http_version 1.1;
      proxy_max_temp_file_size 0;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Real-Ip $remote_addr;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Forwarded-Server bench;
      proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
"#
    )
}

fn temp_paths(dir: &Path) -> String {
    let dir = dir.display();
    ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("  {kind}_temp_path \"{dir}/{kind}\";"))
        .join("\n")
}

fn envoy(site: &Site<'_>) -> String {
    let [first, second] = site.upstream_ports;
    let (certificate, key) =
        (site.certificate.certificate.display(), site.certificate.key.display());
    let tls = format!(
        r#"
      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            tls_params: {{ tls_minimum_protocol_version: TLSv1_3, tls_maximum_protocol_version: TLSv1_3 }}
            tls_certificates:
            - certificate_chain: {{ filename: "{certificate}" }}
              private_key: {{ filename: "{key}" }}"#
    );
    let listener = |name: &str, port: u16, transport_socket: &str| {
        format!(
            r#"  - name: {name}
    address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: {name}
          use_remote_address: true
          generate_request_id: false
          route_config:
            request_headers_to_add:
            - header: {{ key: X-Real-Ip, value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%" }}
            - header: {{ key: X-Forwarded-Host, value: "%REQ(:authority)%" }}
            - header: {{ key: X-Forwarded-Port, value: "%DOWNSTREAM_LOCAL_PORT%" }}
            - header: {{ key: X-Forwarded-Server, value: bench }}
            virtual_hosts:
            - name: bench
              domains: ["{HOST}"]
              routes:
              - match: {{ prefix: "/" }}
                route: {{ cluster: bench }}
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
              suppress_envoy_headers: true{transport_socket}
"#
        )
    };
    let endpoint = |port: u16| {
        format!(
            "        - endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }} }}\n"
        )
    };
    format!(
        r#"static_resources:
  listeners:
{plain}{secure}  clusters:
  - name: bench
    type: STATIC
    connect_timeout: 5s
    lb_policy: ROUND_ROBIN
    circuit_breakers:
      thresholds: [{{ max_connections: 8192, max_pending_requests: 8192, max_requests: 8192 }}]
    load_assignment:
      cluster_name: bench
      endpoints:
      - lb_endpoints:
{first}{second}"#,
        plain = listener("web", site.plain_port, ""),
        secure = listener("websecure", site.tls_port, &tls),
        first = endpoint(first),
        second = endpoint(second),
    )
}

fn caddy(site: &Site<'_>) -> String {
    let Site { plain_port, tls_port, .. } = site;
    let [first, second] = site.upstream_ports;
    let (certificate, key) =
        (site.certificate.certificate.display(), site.certificate.key.display());
    format!(
        r#"{{
  admin off
  persist_config off
  auto_https off
  default_bind 127.0.0.1
  default_sni {HOST}
  log {{
    level ERROR
  }}
}}
(bench) {{
  reverse_proxy 127.0.0.1:{first} 127.0.0.1:{second} {{
    lb_policy round_robin
    header_up X-Real-Ip {{remote_host}}
    header_up X-Forwarded-Port {{http.request.local.port}}
    header_up X-Forwarded-Server bench
    transport http {{
      keepalive 300s
      keepalive_idle_conns_per_host 256
    }}
  }}
}}
http://{HOST}:{plain_port} {{
  import bench
}}
https://{HOST}:{tls_port} {{
  tls "{certificate}" "{key}" {{
    protocols tls1.3
  }}
  import bench
}}
"#
    )
}
