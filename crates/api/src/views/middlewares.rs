//! Middlewares.

use std::cmp::Ordering;

use config::dynamic::Middleware;
use routing::compile::{MiddlewareInfo, Runtime};
use serde::Serialize;

use super::{names, provider, sort};
use crate::list::Wish;

/// A middleware as `/api/rawdata` shows it.
#[derive(Serialize)]
pub(crate) struct MiddlewareFacts<'a> {
    #[serde(flatten)]
    middleware: &'a Middleware,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    error: &'a [String],
    status: &'static str,
    #[serde(rename = "usedBy", skip_serializing_if = "Vec::is_empty")]
    used_by: Vec<&'a str>,
}

/// A middleware as `/api/http/middlewares` shows it.
#[derive(Serialize)]
pub(crate) struct MiddlewareView<'a> {
    #[serde(flatten)]
    facts: MiddlewareFacts<'a>,
    name: &'a str,
    provider: &'a str,
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    kind: String,
}

impl<'a> MiddlewareFacts<'a> {
    pub(crate) fn new(info: &'a MiddlewareInfo) -> Self {
        Self {
            middleware: &info.middleware,
            error: &info.errors,
            status: info.status.as_str(),
            used_by: names(&info.used_by),
        }
    }
}

impl<'a> MiddlewareView<'a> {
    pub(crate) fn new(name: &'a str, info: &'a MiddlewareInfo) -> Self {
        Self {
            facts: MiddlewareFacts::new(info),
            name,
            provider: provider(name),
            kind: kind(&info.middleware),
        }
    }
}

/// The wanted middlewares in the wanted order.
pub(crate) fn list<'a>(runtime: &'a Runtime, wish: &Wish) -> Vec<MiddlewareView<'a>> {
    let mut views: Vec<_> = runtime
        .middlewares
        .iter()
        .filter(|(name, info)| wish.wants_status(info.status.as_str()) && wish.finds(&[name]))
        .map(|(name, info)| MiddlewareView::new(name, info))
        .collect();
    sort(&mut views, wish, |view| view.name, |a, b| compare(&wish.sort_by, a, b));
    views
}

fn compare(column: &str, a: &MiddlewareView<'_>, b: &MiddlewareView<'_>) -> Ordering {
    match column {
        "type" => a.kind.cmp(&b.kind),
        "provider" => a.provider.cmp(b.provider),
        "status" => a.facts.status.cmp(b.facts.status),
        _ => Ordering::Equal,
    }
}

/// The kind of a middleware in lower case; the name of the plug-in if it is one.
fn kind(middleware: &Middleware) -> String {
    if let Some(name) = middleware.plugin.keys().next() {
        return name.clone();
    }
    // Only the kinds that are set are written, so the first key is the kind.
    let json = serde_json::to_string(middleware).unwrap_or_default();
    json.split('"').nth(1).unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use config::dynamic::{AddPrefix, Middleware, PassTlsClientCert};

    use super::*;

    fn check(middleware: Middleware, expected: &str) {
        assert_eq!(kind(&middleware), expected);
    }

    #[test]
    fn kinds_are_keys_in_lower_case() {
        let add_prefix = Some(AddPrefix { prefix: "\"".to_owned() });
        check(Middleware { add_prefix, ..Middleware::default() }, "addprefix");
        let pass_tls_client_cert = Some(PassTlsClientCert::default());
        check(Middleware { pass_tls_client_cert, ..Middleware::default() }, "passtlsclientcert");
        let plugin = [("demo".to_owned(), serde_json::Value::Null)].into();
        check(Middleware { plugin, ..Middleware::default() }, "demo");
        check(Middleware::default(), "");
    }
}
