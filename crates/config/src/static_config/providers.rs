//! Where the dynamic configuration comes from, except from Kubernetes.

use super::{
    Knative, KubernetesCrd, KubernetesGateway, KubernetesIngress, KubernetesIngressNginx, Named,
};
use crate::Duration;

section! {
    /// Where the dynamic configuration comes from.
    pub struct Providers {
        /// Least time between two configurations of a provider. Default: 2s.
        pub providers_throttle_duration: Duration = Duration::from_secs(2),
        /// Order of providers among routers of equal priority. Default: Traefik's effective one,
        /// which is none.
        pub precedence: Vec<String>,
        /// Containers of Docker.
        pub docker: Option<Docker>,
        /// Services of Docker Swarm.
        pub swarm: Option<Swarm>,
        /// Files.
        pub file: Option<FileProvider>,
        /// Kubernetes Ingress.
        pub kubernetes_ingress: Option<KubernetesIngress>,
        /// Kubernetes Ingress with the annotations of ingress-nginx.
        #[serde(rename = "kubernetesIngressNGINX")]
        pub kubernetes_ingress_nginx: Option<KubernetesIngressNginx>,
        /// Traefik's own Kubernetes resources.
        #[serde(rename = "kubernetesCRD")]
        pub kubernetes_crd: Option<KubernetesCrd>,
        /// Kubernetes Gateway API.
        pub kubernetes_gateway: Option<KubernetesGateway>,
        /// Knative.
        pub knative: Option<Knative>,
        /// `PUT` of a configuration to the API.
        pub rest: Option<Rest>,
        /// Services of the Consul catalogue.
        pub consul_catalog: Option<ConsulCatalog>,
        /// Services of Nomad.
        pub nomad: Option<Nomad>,
        /// Tasks of Amazon ECS.
        pub ecs: Option<Ecs>,
        /// Keys of Consul.
        pub consul: Option<Consul>,
        /// Keys of etcd.
        pub etcd: Option<Etcd>,
        /// Keys of ZooKeeper.
        #[serde(rename = "zooKeeper")]
        pub zookeeper: Option<ZooKeeper>,
        /// Keys of Redis.
        pub redis: Option<Redis>,
        /// A URL that is polled.
        pub http: Option<HttpProvider>,
        /// Settings of provider plug-ins, by name.
        pub plugin: Named<serde_json::Value>,
    }
}

section! {
    /// TLS towards a service that is not routed to.
    pub struct ClientTls {
        /// Certificates to trust: file or PEM. Default: the system's.
        pub ca: String,
        /// Own certificate: file or PEM.
        pub cert: String,
        /// Own key: file or PEM.
        pub key: String,
        /// Accepts any certificate. Default: false.
        pub insecure_skip_verify: bool,
    }
}

section! {
    /// Dynamic configuration from files.
    pub struct FileProvider {
        /// Folder of files; goes before `filename`.
        pub directory: String,
        /// One file.
        pub filename: String,
        /// Reads again when files change. Default: true.
        pub watch: bool = true,
        /// Logs what templates make of files. Default: false.
        pub debug_log_generated_template: bool,
    }
}

section! {
    /// Containers of Docker.
    pub struct Docker {
        /// Takes containers without the label `traefik.enable`. Default: true.
        pub exposed_by_default: bool = true,
        /// Expression over labels that containers must meet.
        pub constraints: String,
        /// Keeps services whose containers are unhealthy or gone. Default: false.
        pub allow_empty_services: bool,
        /// Network whose addresses are used.
        pub network: String,
        /// Uses the addresses of published ports. Default: false.
        #[serde(rename = "useBindPortIP")]
        pub use_bind_port_ip: bool,
        /// Follows events. Default: true.
        pub watch: bool = true,
        /// Template of the rule of routers without one.
        pub default_rule: String = DEFAULT_RULE,
        /// User name.
        pub username: String,
        /// Password.
        pub password: String,
        /// Default: `unix:///var/run/docker.sock`.
        pub endpoint: String = "unix:///var/run/docker.sock",
        /// TLS towards the daemon.
        pub tls: Option<ClientTls>,
        /// Time of a request. 0 (default): no limit.
        #[serde(rename = "httpClientTimeout")]
        pub http_client_timeout: Duration,
    }
}

section! {
    /// Services of Docker Swarm.
    pub struct Swarm {
        /// Takes services without the label `traefik.enable`. Default: true.
        pub exposed_by_default: bool = true,
        /// Expression over labels that services must meet.
        pub constraints: String,
        /// Keeps services without tasks. Default: false.
        pub allow_empty_services: bool,
        /// Network whose addresses are used.
        pub network: String,
        /// Uses the addresses of published ports. Default: false.
        #[serde(rename = "useBindPortIP")]
        pub use_bind_port_ip: bool,
        /// Polls. Default: true.
        pub watch: bool = true,
        /// Template of the rule of routers without one.
        pub default_rule: String = DEFAULT_RULE,
        /// User name.
        pub username: String,
        /// Password.
        pub password: String,
        /// Default: `unix:///var/run/docker.sock`.
        pub endpoint: String = "unix:///var/run/docker.sock",
        /// TLS towards the daemon.
        pub tls: Option<ClientTls>,
        /// Time of a request. 0 (default): no limit.
        #[serde(rename = "httpClientTimeout")]
        pub http_client_timeout: Duration,
        /// Time between two polls. Default: 15s.
        pub refresh_seconds: Duration = Duration::from_secs(15),
    }
}

section! {
    /// `PUT` of a configuration to the API.
    pub struct Rest {
        /// Serves it on the entry point `traefik`. Default: false.
        pub insecure: bool,
    }
}

section! {
    /// Services of the Consul catalogue.
    pub struct ConsulCatalog {
        /// Expression over tags that services must meet.
        pub constraints: String,
        /// The Consul agent.
        pub endpoint: Option<ConsulCatalogEndpoint>,
        /// Prefix of tags. Default: `traefik`.
        pub prefix: String = "traefik",
        /// Time between two polls. Default: 15s.
        pub refresh_interval: Duration = Duration::from_secs(15),
        /// Asks for consistent answers. Default: false.
        pub require_consistent: bool,
        /// Takes stale answers. Default: false.
        pub stale: bool,
        /// Takes cached answers. Default: false.
        pub cache: bool,
        /// Takes services without the tag `traefik.enable`. Default: true.
        pub exposed_by_default: bool = true,
        /// Template of the rule of routers without one.
        pub default_rule: String = DEFAULT_RULE,
        /// Speaks Consul Connect. Default: false.
        pub connect_aware: bool,
        /// Speaks it to every service. Default: false.
        pub connect_by_default: bool,
        /// Name of this service in Consul. Default: `traefik`.
        pub service_name: String = "traefik",
        /// Namespaces to look in.
        pub namespaces: Vec<String>,
        /// Health states that servers may have. Default: passing, warning.
        pub strict_checks: Vec<String> = ["passing", "warning"].map(str::to_owned),
        /// Follows changes instead of polling. Default: false.
        pub watch: bool,
    }
}

section! {
    /// The Consul agent.
    pub struct ConsulCatalogEndpoint {
        /// `host:port`.
        pub address: String,
        /// `http` or `https`.
        pub scheme: String,
        /// Data centre.
        pub datacenter: String,
        /// Access token.
        pub token: String,
        /// TLS towards it.
        pub tls: Option<ClientTls>,
        /// Basic authentication.
        pub http_auth: Option<HttpAuth>,
        /// Longest wait of a blocking query. Default: the agent's.
        pub endpoint_wait_time: Duration,
    }
}

section! {
    /// Basic authentication.
    pub struct HttpAuth {
        /// User name.
        pub username: String,
        /// Password.
        pub password: String,
    }
}

section! {
    /// Services of Nomad.
    pub struct Nomad {
        /// Template of the rule of routers without one.
        pub default_rule: String = DEFAULT_RULE,
        /// Expression over tags that services must meet.
        pub constraints: String,
        /// The Nomad agent.
        pub endpoint: Option<NomadEndpoint>,
        /// Prefix of tags. Default: `traefik`.
        pub prefix: String = "traefik",
        /// Takes stale answers. Default: false.
        pub stale: bool,
        /// Takes services without the tag `traefik.enable`. Default: true.
        pub exposed_by_default: bool = true,
        /// Time between two polls. Default: 15s.
        pub refresh_interval: Duration = Duration::from_secs(15),
        /// Keeps services without allocations. Default: false.
        pub allow_empty_services: bool,
        /// Namespaces to look in.
        pub namespaces: Vec<String>,
        /// Follows events instead of polling. Default: false.
        pub watch: bool,
        /// Least time between two updates when watching. Default: 0.
        pub throttle_duration: Duration,
    }
}

section! {
    /// The Nomad agent.
    pub struct NomadEndpoint {
        /// Default: `http://127.0.0.1:4646`.
        pub address: String = "http://127.0.0.1:4646",
        /// Region.
        pub region: String,
        /// Access token.
        pub token: String,
        /// TLS towards it.
        pub tls: Option<ClientTls>,
        /// Longest wait of a blocking query. Default: the agent's.
        pub endpoint_wait_time: Duration,
    }
}

section! {
    /// Tasks of Amazon ECS.
    pub struct Ecs {
        /// Expression over labels that tasks must meet.
        pub constraints: String,
        /// Takes tasks without the label `traefik.enable`. Default: true.
        pub exposed_by_default: bool = true,
        /// Seconds between two polls. Default: 15.
        pub refresh_seconds: i64 = 15,
        /// Template of the rule of routers without one.
        pub default_rule: String = DEFAULT_RULE,
        /// Clusters. Default: `default`.
        pub clusters: Vec<String> = ["default".to_owned()],
        /// Finds clusters. Default: false.
        pub auto_discover_clusters: bool,
        /// Takes healthy tasks only. Default: false.
        pub healthy_tasks_only: bool,
        /// Supports ECS Anywhere. Default: false.
        #[serde(rename = "ecsAnywhere")]
        pub ecs_anywhere: bool,
        /// Region.
        pub region: String,
        /// Access key.
        #[serde(rename = "accessKeyID")]
        pub access_key_id: String,
        /// Secret key.
        pub secret_access_key: String,
    }
}

section! {
    /// Keys of Consul.
    pub struct Consul {
        /// Root of the keys. Default: `traefik`.
        pub root_key: String = "traefik",
        /// Default: `127.0.0.1:8500`.
        pub endpoints: Vec<String> = ["127.0.0.1:8500".to_owned()],
        /// Access token.
        pub token: String,
        /// TLS towards it.
        pub tls: Option<ClientTls>,
        /// Namespaces to look in.
        pub namespaces: Vec<String>,
    }
}

section! {
    /// Keys of etcd.
    pub struct Etcd {
        /// Root of the keys. Default: `traefik`.
        pub root_key: String = "traefik",
        /// Default: `127.0.0.1:2379`.
        pub endpoints: Vec<String> = ["127.0.0.1:2379".to_owned()],
        /// TLS towards it.
        pub tls: Option<ClientTls>,
        /// User name.
        pub username: String,
        /// Password.
        pub password: String,
    }
}

section! {
    /// Keys of ZooKeeper.
    pub struct ZooKeeper {
        /// Root of the keys. Default: `traefik`.
        pub root_key: String = "traefik",
        /// Default: `127.0.0.1:2181`.
        pub endpoints: Vec<String> = ["127.0.0.1:2181".to_owned()],
        /// User name.
        pub username: String,
        /// Password.
        pub password: String,
    }
}

section! {
    /// Keys of Redis.
    pub struct Redis {
        /// Root of the keys. Default: `traefik`.
        pub root_key: String = "traefik",
        /// Default: `127.0.0.1:6379`.
        pub endpoints: Vec<String> = ["127.0.0.1:6379".to_owned()],
        /// TLS towards it.
        pub tls: Option<ClientTls>,
        /// User name.
        pub username: String,
        /// Password.
        pub password: String,
        /// Number of the database. Default: 0.
        pub db: i64,
        /// Finds the server through Sentinel.
        pub sentinel: Option<RedisSentinel>,
    }
}

section! {
    /// Redis Sentinel.
    pub struct RedisSentinel {
        /// Name of the master.
        pub master_name: String,
        /// User name.
        pub username: String,
        /// Password.
        pub password: String,
        /// Asks the nearest. Default: false.
        pub latency_strategy: bool,
        /// Asks any. Default: false.
        pub random_strategy: bool,
        /// Asks replicas only. Default: false.
        pub replica_strategy: bool,
        /// Asks disconnected replicas too. Default: false.
        pub use_disconnected_replicas: bool,
    }
}

section! {
    /// A URL that is polled.
    pub struct HttpProvider {
        /// The URL.
        pub endpoint: String,
        /// Time between two polls. Default: 5s.
        pub poll_interval: Duration = Duration::from_secs(5),
        /// Time of a poll. Default: 5s.
        pub poll_timeout: Duration = Duration::from_secs(5),
        /// Headers to send along.
        pub headers: Named<String>,
        /// TLS towards it.
        pub tls: Option<ClientTls>,
        /// Longest answer, bytes. -1 (default): no limit.
        pub max_response_body_size: i64 = -1,
    }
}

/// Traefik's template of the rule of routers without one.
const DEFAULT_RULE: &str = "Host(`{{ normalize .Name }}`)";
