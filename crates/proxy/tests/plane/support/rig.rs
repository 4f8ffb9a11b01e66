//! A data plane with one entry point and one service.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::dynamic::{
    Configuration, ForwardingTimeouts, Router, RouterTls, Server, ServersLoadBalancer,
    ServersTransport, Service,
};
use exchange::Stage;
use proxy::{DataPlane, EntryPointSettings};
use routing::compile::{EntryPointInput, Input};
use routing::index::Entry;
use routing::rule::{Rule, Syntax};
use routing::{EntryPointRoutes, Next, Route, RouterIndex, Snapshot};

use super::{LIMIT, Peer};

/// What a data plane is started with.
pub(crate) struct Setup {
    pub(crate) workers: usize,
    pub(crate) settings: EntryPointSettings,
    pub(crate) transport: ServersTransport,
    pub(crate) servers: Vec<SocketAddr>,
    /// Whether the router wants TLS; the certificate is a generated one.
    pub(crate) is_tls: bool,
    /// The router's middlewares.
    pub(crate) stages: Vec<Stage>,
    /// Services by name; without one named `app`, that is a load balancer over the servers.
    pub(crate) services: Vec<(&'static str, Service)>,
}

/// A running data plane.
pub(crate) struct Rig {
    pub(crate) plane: DataPlane,
    pub(crate) address: SocketAddr,
}

impl Setup {
    /// One worker, so that the server's connections are all in one pool.
    pub(crate) fn new(server: SocketAddr) -> Self {
        Self {
            workers: 1,
            settings: EntryPointSettings::new("web", ([127, 0, 0, 1], 0).into()),
            transport: ServersTransport { max_idle_conns_per_host: 16, ..Default::default() },
            servers: vec![server],
            is_tls: false,
            stages: Vec::new(),
            services: Vec::new(),
        }
    }

    /// Services of these names; the router leads to `app`.
    pub(crate) fn with_services(services: Vec<(&'static str, Service)>) -> Self {
        Self { services, ..Self::new(([127, 0, 0, 1], 0).into()) }
    }

    /// The servers speak HTTP/2 by prior knowledge.
    pub(crate) fn h2c(server: SocketAddr) -> Self {
        Self::with_url(&format!("h2c://{server}"))
    }

    /// One server of this URL.
    pub(crate) fn with_url(url: &str) -> Self {
        let servers = vec![Server { url: url.to_owned(), ..Server::default() }];
        let balancer = ServersLoadBalancer { servers, ..ServersLoadBalancer::default() };
        let app = Service { load_balancer: Some(balancer), ..Service::default() };
        Self::with_services(vec![("app", app)])
    }

    pub(crate) fn start(self) -> Rig {
        let workers = NonZeroUsize::new(self.workers).expect("workers");
        let plane = DataPlane::start(workers).expect("a data plane");
        plane.publish(self.snapshot());
        let address = plane.open(self.settings).expect("an entry point");
        Rig { plane, address }
    }

    /// Time for a response's head.
    pub(crate) fn response_header_timeout(mut self, timeout: Duration) -> Self {
        let timeouts = ForwardingTimeouts {
            response_header_timeout: timeout.into(),
            ..ForwardingTimeouts::default()
        };
        self.transport.forwarding_timeouts = Some(timeouts);
        self
    }

    /// Compiles the configuration, and puts the stages before its one service.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        let router = Router {
            entry_points: vec!["web".to_owned()],
            rule: "PathPrefix(`/`)".to_owned(),
            service: "app".to_owned(),
            tls: self.is_tls.then(RouterTls::default),
            ..Router::default()
        };
        let mut configuration = Configuration::default();
        let services = &mut configuration.http.services;
        services
            .insert("app@test".to_owned(), load_balancer(&self.servers, Default::default()).into());
        for (name, service) in &self.services {
            services.insert(format!("{name}@test"), service.clone().into());
        }
        configuration.http.routers.insert("all@test".to_owned(), router.into());
        if self.is_tls {
            configuration.tls.options.insert("default".to_owned(), Default::default());
        }
        let entry_points =
            [EntryPointInput { name: "web".into(), denied_characters: Default::default() }];
        let input = Input {
            configuration: &configuration,
            entry_points: &entry_points,
            internal: &HashMap::new(),
            precedence: &[],
            default_transport: &self.transport,
            strict_tls_options: false,
            default_rule_syntax: Syntax::V3,
        };
        let compiled = routing::compile::compile(&input, None, 1).snapshot;
        if self.stages.is_empty() {
            return compiled;
        }
        let routes = &compiled.entry_points["web"];
        let entry = routes.plain.entries().next().expect("the router");
        let Next::Service(service) = &entry.route.next else { panic!("a router with a service") };
        let route = Route {
            name: "all@test".into(),
            stages: self.stages.clone().into(),
            next: Next::Service(Arc::clone(service)),
            tls_options: None,
            denied_characters: Default::default(),
        };
        let rule = Rule::parse("PathPrefix(`/`)", Syntax::V3).expect("a rule");
        let entry = Entry {
            rule: Arc::new(rule),
            priority: 1,
            tie: (0, "all@test".into()),
            route: Arc::new(route),
        };
        let routes = EntryPointRoutes {
            plain: RouterIndex::build(vec![entry]),
            secure: RouterIndex::build(Vec::new()),
            tls: Arc::clone(&routes.tls),
        };
        Arc::new(Snapshot {
            generation: 1,
            entry_points: [("web".into(), Arc::new(routes))].into_iter().collect(),
        })
    }
}

/// A load balancer over these servers, otherwise as given.
pub(crate) fn load_balancer(servers: &[SocketAddr], settings: ServersLoadBalancer) -> Service {
    let servers = servers
        .iter()
        .map(|address| Server { url: format!("http://{address}"), ..Server::default() });
    let balancer = ServersLoadBalancer { servers: servers.collect(), ..settings };
    Service { load_balancer: Some(balancer), ..Service::default() }
}

impl Rig {
    /// A data plane in front of one server.
    pub(crate) fn new(server: SocketAddr) -> Self {
        Setup::new(server).start()
    }

    /// A new client.
    pub(crate) fn client(&self) -> Peer {
        Peer::connect(self.address)
    }

    /// A new client that has sent its first bytes.
    pub(crate) fn client_sending(&self, bytes: impl AsRef<[u8]>) -> Peer {
        let mut client = self.client();
        client.send(bytes);
        client
    }

    /// What was done against HTTP/2 clients, once no more than `connections` are served: a client
    /// sees the end of its connection before it is counted.
    pub(crate) fn http2_counts(&self, connections: usize) -> proxy::Http2Counts {
        let deadline = Instant::now() + LIMIT;
        while self.plane.connections() > connections {
            assert!(Instant::now() < deadline, "a connection is still served");
            std::thread::yield_now();
        }
        self.plane.http2_counts()
    }

    /// Drains, and tells how many connections were left.
    pub(crate) fn drain(&self, grace: Duration) -> usize {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let drained = async { tokio::time::timeout(LIMIT, self.plane.drain(grace)).await };
        runtime.expect("a runtime").block_on(drained).expect("an end of the drain")
    }
}
