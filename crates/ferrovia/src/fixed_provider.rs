//! A provider whose configuration is made of the command line.

use std::sync::Arc;

use config::dynamic::{
    Configuration, HttpConfiguration, Router, Server, ServersLoadBalancer, Service,
};
use control::{BoxFuture, Provider, Signals, Update};
use tokio::sync::mpsc;

/// Delivers one configuration, once.
pub(crate) struct FixedProvider {
    configuration: Configuration,
}

impl FixedProvider {
    /// Makes a provider that sends everything to some servers in turn.
    pub(crate) fn to_servers(urls: &[String]) -> Self {
        let servers = urls.iter().map(|url| Server { url: url.clone(), ..Server::default() });
        let balancer =
            ServersLoadBalancer { servers: servers.collect(), ..ServersLoadBalancer::default() };
        let service = Service { load_balancer: Some(balancer), ..Service::default() };
        let router = Router {
            rule: "PathPrefix(`/`)".to_owned(),
            service: SERVICE.to_owned(),
            ..Router::default()
        };
        let http = HttpConfiguration {
            routers: [("all".to_owned(), router.into())].into(),
            services: [(SERVICE.to_owned(), service.into())].into(),
            ..HttpConfiguration::default()
        };
        Self { configuration: Configuration { http, ..Configuration::default() } }
    }
}

impl Provider for FixedProvider {
    fn name(&self) -> Arc<str> {
        "command".into()
    }

    fn run(
        mut self: Box<Self>,
        updates: mpsc::Sender<Update>,
        mut signals: Signals,
    ) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            if updates.send(self.read_once()).await.is_ok() {
                signals.stopped().await;
            }
        })
    }

    fn read_once(&mut self) -> Update {
        let mut update = Update::new(self.name());
        update.configuration = self.configuration.clone();
        update
    }
}

const SERVICE: &str = "servers";
