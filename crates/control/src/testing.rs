//! What tests share: configurations from text.

use std::collections::HashMap;
use std::sync::Arc;

use config::decode::decode;
use config::decode_dynamic::decode_dynamic;
use config::node::Node;
use config::parse::{Format, parse};
use config::static_config::StaticConfiguration;
use exchange::{Exchange, InternalService, LocalFuture, Response, ready};

use crate::{Places, Update};

fn node(text: &str, file: &str) -> Node {
    parse(text, file, Format::Yaml).expect("well-formed YAML")
}

/// Reads a static configuration.
pub(crate) fn static_configuration(text: &str) -> StaticConfiguration {
    let mut configuration: StaticConfiguration = decode(&node(text, "static.yml"), None, "")
        .clean()
        .unwrap_or_else(|| panic!("bad sample: {text}"));
    configuration.set_effective();
    configuration
}

/// Reads what a provider says, from a file of its name.
pub(crate) fn update(provider: &str, text: &str) -> Update {
    let decoded = Arc::new(decode_dynamic(node(text, &format!("{provider}.yml"))));
    let certificates = decoded.configuration.tls.certificates.len();
    Update {
        provider: provider.into(),
        configuration: decoded.configuration.clone(),
        rejected: decoded.rejected.clone(),
        diagnostics: decoded.diagnostics.clone(),
        places: Places { sources: vec![decoded], certificates: vec![None; certificates] },
    }
}

struct Silent;

impl InternalService for Silent {
    fn respond<'a>(&'a self, _: &'a mut Exchange) -> LocalFuture<'a, Response> {
        ready(Response::default())
    }
}

/// The internal services that a program has.
pub(crate) fn internal() -> HashMap<String, Arc<dyn InternalService>> {
    let names = ["api@internal", "dashboard@internal", "ping@internal"];
    names
        .into_iter()
        .map(|name| (name.to_owned(), Arc::new(Silent) as Arc<dyn InternalService>))
        .collect()
}
