//! Where dynamic configuration comes from: one folder each.
//!
//! A provider reads its source, turns it into whole configurations and says where things stand and
//! what is wrong with them. What becomes of them is for `control`: nothing here knows about
//! entry points, snapshots or other providers.

mod file;

use config::static_config::{Providers, StaticConfiguration};
use control::Provider;

pub use self::file::FileProvider;

/// Makes the providers that the static configuration asks for. Of those that are not supported yet
/// reading the static configuration has warned.
pub fn from_static(static_configuration: &StaticConfiguration) -> Vec<Box<dyn Provider>> {
    // Destructured in full, so that a provider that `config` gains does not compile without a word
    // here.
    let Providers {
        file,
        providers_throttle_duration: _,
        precedence: _,
        docker: _,
        swarm: _,
        kubernetes_ingress: _,
        kubernetes_ingress_nginx: _,
        kubernetes_crd: _,
        kubernetes_gateway: _,
        knative: _,
        rest: _,
        consul_catalog: _,
        nomad: _,
        ecs: _,
        consul: _,
        etcd: _,
        zookeeper: _,
        redis: _,
        http: _,
        plugin: _,
    } = &static_configuration.providers;
    let mut providers: Vec<Box<dyn Provider>> = Vec::new();
    if let Some(settings) = file
        && let Some(provider) = FileProvider::new(settings)
    {
        providers.push(Box::new(provider));
    }
    providers
}

#[cfg(test)]
mod tests {
    use config::static_config::FileProvider as Settings;

    use super::*;

    /// Expects these providers for the settings of files.
    fn check(file: Option<Settings>, expected: &[&str]) {
        let mut configuration = StaticConfiguration::default();
        configuration.providers.file = file;
        let names: Vec<_> =
            from_static(&configuration).iter().map(|provider| provider.name()).collect();
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn providers_are_those_that_are_configured() {
        check(None, &[]);
        check(Some(Settings::default()), &[]);
        check(Some(Settings { filename: "d.yml".to_owned(), ..Settings::default() }), &["file"]);
    }
}
