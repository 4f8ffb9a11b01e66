//! `api@internal`.

use std::sync::Arc;

use config::Diagnostic;
use config::static_config::StaticConfiguration;
use exchange::{Exchange, InternalService, LocalFuture, Response, ready};
use http::{Method, StatusCode};
use routing::compile::Runtime;
use serde::Serialize;

use crate::answer;
use crate::list::Wish;
use crate::routes::Route;
use crate::views::entry_points::EntryPointView;
use crate::views::middlewares::MiddlewareView;
use crate::views::overview::Overview;
use crate::views::routers::RouterView;
use crate::views::services::ServiceView;
use crate::views::{RawData, entry_points, middlewares, routers, services};

/// Gives the runtime facts in force.
pub type RuntimeSource = Arc<dyn Fn() -> Arc<Runtime> + Send + Sync>;

/// Gives what is wrong with the configuration in force.
pub type DiagnosticsSource = Arc<dyn Fn() -> Arc<Vec<Diagnostic>> + Send + Sync>;

/// What `/api/version` says.
#[derive(Clone, Debug, Serialize)]
pub struct VersionInfo {
    #[serde(rename = "Version")]
    pub version: String,
    #[serde(rename = "Codename")]
    pub codename: String,
    /// RFC 3339.
    #[serde(rename = "startDate")]
    pub start_date: String,
    #[serde(rename = "dashboardName", skip_serializing_if = "String::is_empty")]
    pub dashboard_name: String,
}

/// Answers the API's requests.
pub struct ApiService {
    configuration: Arc<StaticConfiguration>,
    version: VersionInfo,
    runtime: RuntimeSource,
    diagnostics: DiagnosticsSource,
    /// Without the slash at its end.
    base_path: String,
}

impl ApiService {
    /// Makes the service for one static configuration.
    pub fn new(
        configuration: Arc<StaticConfiguration>,
        version: VersionInfo,
        runtime: RuntimeSource,
        diagnostics: DiagnosticsSource,
    ) -> Self {
        let base_path = configuration.api.as_ref().map_or("", |api| api.base_path.as_str());
        let base_path = base_path.trim_end_matches('/').to_owned();
        Self { configuration, version, runtime, diagnostics, base_path }
    }

    fn answer(&self, method: &Method, path: &str, query: Option<&str>) -> Response {
        let path = path.strip_prefix(&*self.base_path);
        let Some(route) = path.and_then(Route::find) else { return answer::not_found() };
        // HEAD is no GET to Traefik's API.
        if method != Method::GET {
            return Response::new(StatusCode::METHOD_NOT_ALLOWED);
        }
        let runtime = (self.runtime)();
        let wish = || Wish::new(query);
        match route {
            Route::RawData => answer::json(&RawData::new(&runtime)),
            Route::Overview => answer::json(&Overview::new(&runtime, &self.configuration)),
            Route::Version => answer::bare_json(&self.version),
            // Traefik: has no such page; it logs and forgets.
            Route::Diagnostics => answer::json(&*(self.diagnostics)()),
            Route::EntryPoints => {
                let wish = wish();
                page(&wish, entry_points::list(&self.configuration, &wish))
            }
            Route::EntryPoint(name) => {
                let found = self.configuration.entry_points.get_key_value(&*name);
                one("entry point", &name, found, |name, found| EntryPointView::new(name, found))
            }
            Route::Routers => {
                let wish = wish();
                page(&wish, routers::list(&runtime, &wish))
            }
            Route::Router(name) => {
                let found = runtime.routers.get_key_value(&*name);
                one("router", &name, found, |name, found| RouterView::new(name, found))
            }
            Route::Services => {
                let wish = wish();
                page(&wish, services::list(&runtime, &wish))
            }
            Route::Service(name) => {
                let found = runtime.services.get_key_value(&*name);
                one("service", &name, found, |name, found| ServiceView::new(name, found))
            }
            Route::Middlewares => {
                let wish = wish();
                page(&wish, middlewares::list(&runtime, &wish))
            }
            Route::Middleware(name) => {
                let found = runtime.middlewares.get_key_value(&*name);
                one("middleware", &name, found, |name, found| MiddlewareView::new(name, found))
            }
            Route::Nothing => page(&wish(), Vec::<()>::new()),
            Route::Unknown { kind, name } => unknown(kind, &name),
        }
    }
}

impl InternalService for ApiService {
    fn respond<'a>(&'a self, exchange: &'a mut Exchange) -> LocalFuture<'a, Response> {
        let request = &exchange.request;
        ready(self.answer(&request.method, request.path(), request.query()))
    }
}

/// Answers with the wanted page of a list.
fn page<T: Serialize>(wish: &Wish, items: Vec<T>) -> Response {
    match wish.page(items) {
        Ok(page) => answer::page(&page.items, page.next),
        Err(message) => answer::error(StatusCode::BAD_REQUEST, &message),
    }
}

/// Answers with one object.
fn one<'a, T, V: Serialize>(
    kind: &str,
    name: &str,
    found: Option<(&'a String, &'a T)>,
    view: impl Fn(&'a str, &'a T) -> V,
) -> Response {
    match found {
        Some((name, found)) => answer::json(&view(name, found)),
        None => unknown(kind, name),
    }
}

fn unknown(kind: &str, name: &str) -> Response {
    answer::error(StatusCode::NOT_FOUND, &format!("{kind} not found: {name}"))
}

#[cfg(test)]
mod tests;
