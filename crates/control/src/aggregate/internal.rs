//! The program's own provider: routers of the API, ping and redirections, as the static
//! configuration orders them.

use std::collections::HashMap;
use std::sync::Arc;

use config::Diagnostic;
use config::dynamic::{
    Configuration, Middleware, RedirectRegex, RedirectScheme, Router, StripPrefix,
};
use config::static_config::effective::INTERNAL_ENTRY_POINT;
use config::static_config::{EntryPoint, RedirectEntryPoint};
use exchange::{Exchange, InternalService, LocalFuture, Response, ready};
use http::StatusCode;

use super::Frame;

/// The name of the program's own provider.
pub(crate) const INTERNAL: &str = "internal";

/// The services that are always there, beside those that the program was given.
pub(crate) fn services(
    mut given: HashMap<String, Arc<dyn InternalService>>,
) -> HashMap<String, Arc<dyn InternalService>> {
    given.entry("noop@internal".to_owned()).or_insert_with(|| Arc::new(Noop));
    given
}

/// Says what the static configuration orders. Services that the program does not have are left
/// out together with their routers.
pub(super) fn configuration(frame: &Frame<'_>) -> (Configuration, Vec<Diagnostic>) {
    let mut own = Own { frame, configuration: Configuration::default(), diagnostics: Vec::new() };
    own.service("noop");
    own.api();
    own.ping();
    own.prometheus();
    own.rest();
    for (name, entry_point) in &frame.static_configuration.entry_points {
        let redirections = entry_point.http.redirections.as_ref();
        if let Some(redirect) =
            redirections.and_then(|redirections| redirections.entry_point.as_ref())
        {
            own.redirect(name, entry_point, redirect);
        }
    }
    (own.configuration, own.diagnostics)
}

struct Own<'b, 'a> {
    frame: &'b Frame<'a>,
    configuration: Configuration,
    diagnostics: Vec<Diagnostic>,
}

impl Own<'_, '_> {
    /// Lists a service, if the program has it.
    fn service(&mut self, name: &str) -> bool {
        let has_it = self.frame.internal.contains_key(&format!("{name}@{INTERNAL}"));
        if has_it {
            self.configuration.http.services.insert(name.to_owned(), Arc::default());
        }
        has_it
    }

    fn router(&mut self, name: &str, router: Router) {
        self.configuration.http.routers.insert(name.to_owned(), router.into());
    }

    fn middleware(&mut self, name: &str, middleware: Middleware) {
        self.configuration.http.middlewares.insert(name.to_owned(), middleware.into());
    }

    fn api(&mut self) {
        let Some(api) = &self.frame.static_configuration.api else { return };
        let has_api = self.service("api");
        let has_dashboard = api.dashboard && self.service("dashboard");
        if !api.insecure || !has_api {
            return;
        }
        self.router("api", below("/api", "api", INTERNAL_ENTRY_POINT, i64::MAX - 1));
        if api.debug {
            self.router("debug", below("/debug", "api", INTERNAL_ENTRY_POINT, i64::MAX - 1));
        }
        if !has_dashboard {
            return;
        }
        let (redirect, strip) = ("dashboard_redirect", "dashboard_stripprefix");
        let middlewares = [redirect, strip].map(|name| format!("{name}@{INTERNAL}")).to_vec();
        let router = below("/", "dashboard", INTERNAL_ENTRY_POINT, i64::MAX - 2);
        self.router("dashboard", Router { middlewares, ..router });
        let redirect_regex = RedirectRegex {
            regex: DASHBOARD_ROOT.to_owned(),
            replacement: "${1}/dashboard/".to_owned(),
            permanent: true,
        };
        let middleware =
            Middleware { redirect_regex: Some(redirect_regex), ..Middleware::default() };
        self.middleware(redirect, middleware);
        let strip_prefix = StripPrefix {
            prefixes: ["/dashboard/", "/dashboard"].map(str::to_owned).to_vec(),
            ..StripPrefix::default()
        };
        let middleware = Middleware { strip_prefix: Some(strip_prefix), ..Middleware::default() };
        self.middleware(strip, middleware);
    }

    fn ping(&mut self) {
        let Some(ping) = &self.frame.static_configuration.ping else { return };
        if self.service("ping") && !ping.manual_routing {
            self.router("ping", below("/ping", "ping", &ping.entry_point, i64::MAX));
        }
    }

    fn prometheus(&mut self) {
        let metrics = self.frame.static_configuration.metrics.as_ref();
        let Some(page) = metrics.and_then(|metrics| metrics.prometheus.as_ref()) else { return };
        if self.service("prometheus") && !page.manual_routing {
            let router = below("/metrics", "prometheus", &page.entry_point, i64::MAX);
            self.router("prometheus", router);
        }
    }

    fn rest(&mut self) {
        let Some(rest) = &self.frame.static_configuration.providers.rest else { return };
        if self.service("rest") && rest.insecure {
            let router = below("/api/providers", "rest", INTERNAL_ENTRY_POINT, i64::MAX);
            self.router("rest", router);
        }
    }

    fn redirect(&mut self, name: &str, entry_point: &EntryPoint, redirect: &RedirectEntryPoint) {
        let port = match self.redirect_port(redirect) {
            Ok(port) => port,
            Err(problem) => {
                let diagnostic = Diagnostic::error("invalid-redirection", problem);
                self.diagnostics.push(diagnostic.about(format!("entry point {name:?}")));
                return;
            }
        };
        let router_name = normalize(&format!("{name}-to-{}", redirect.to));
        let middleware_name = format!("redirect-{router_name}");
        let mut rule = "HostRegexp(`^.+$`)".to_owned();
        if entry_point.allow_acme_by_pass {
            rule.push_str(" && !PathPrefix(`/.well-known/acme-challenge/`)");
        }
        let router = Router {
            entry_points: vec![name.to_owned()],
            middlewares: vec![format!("{middleware_name}@{INTERNAL}")],
            service: format!("noop@{INTERNAL}"),
            rule,
            rule_syntax: RULE_SYNTAX.to_owned(),
            priority: redirect.priority,
            ..Router::default()
        };
        self.router(&router_name, router);
        let redirect_scheme =
            RedirectScheme { scheme: redirect.scheme.clone(), port, permanent: redirect.permanent };
        let middleware =
            Middleware { redirect_scheme: Some(redirect_scheme), ..Middleware::default() };
        self.middleware(&middleware_name, middleware);
    }

    /// The port to redirect to: that of an entry point, or one that was written `:443`.
    fn redirect_port(&self, redirect: &RedirectEntryPoint) -> Result<String, String> {
        if redirect.to.is_empty() {
            return Err("redirections.entryPoint.to is missing".to_owned());
        }
        let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if let Some(port) = redirect.to.strip_prefix(':').filter(is_number) {
            return Ok(port.to_owned());
        }
        let entry_points = &self.frame.static_configuration.entry_points;
        let Some(destination) = entry_points.get(&redirect.to) else {
            return Err(format!(
                "redirections.entryPoint.to names no entry point: {}",
                redirect.to
            ));
        };
        destination.listen_address().map(|address| address.port.to_string())
    }
}

/// A router for the paths below a prefix.
fn below(prefix: &str, service: &str, entry_point: &str, priority: i64) -> Router {
    Router {
        entry_points: vec![entry_point.to_owned()],
        service: format!("{service}@{INTERNAL}"),
        rule: format!("PathPrefix(`{prefix}`)"),
        rule_syntax: RULE_SYNTAX.to_owned(),
        priority,
        ..Router::default()
    }
}

/// Joins the runs of letters and digits with `-`, as Traefik does for names it makes.
fn normalize(name: &str) -> String {
    let words = name.split(|character: char| !character.is_alphanumeric());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// Answers what a middleware should have answered: 418, as Traefik does.
struct Noop;

impl InternalService for Noop {
    fn respond<'a>(&'a self, _: &'a mut Exchange) -> LocalFuture<'a, Response> {
        ready(Response::new(StatusCode::IM_A_TEAPOT))
    }
}

/// What the API shows for rules that the program itself wrote.
const RULE_SYNTAX: &str = "default";
const DASHBOARD_ROOT: &str = r"^(http:\/\/(\[[\w:.]+\]|[\w\._-]+)(:\d+)?)\/$";
