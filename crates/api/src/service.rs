//! `api@internal`.

use std::sync::Arc;

use config::Diagnostic;
use config::static_config::StaticConfiguration;
use exchange::{Exchange, InternalService, LocalFuture, Response, ready};
use http::{Method, StatusCode};
use routing::compile::Runtime;
use serde::Serialize;

use crate::answer;
use crate::built::as_built;
use crate::list::Wish;
use crate::routes::Route;
use crate::views::entry_points::EntryPointView;
use crate::views::middlewares::MiddlewareView;
use crate::views::overview::Overview;
use crate::views::routers::RouterView;
use crate::views::services::ServiceView;
use crate::views::{RawData, entry_points, middlewares, routers, services};

/// What the API tells about.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub configuration: Arc<StaticConfiguration>,
    pub runtime: Arc<Runtime>,
    /// What is wrong with the configuration in force.
    pub diagnostics: Arc<[Diagnostic]>,
}

/// Gives the facts of the moment.
pub type Source = Arc<dyn Fn() -> Facts + Send + Sync>;

/// What does not change while the process lives.
#[derive(Clone, Debug)]
pub struct VersionInfo {
    pub version: String,
    pub codename: String,
    /// RFC 3339.
    pub start_date: String,
}

/// `/api/version`.
#[derive(Serialize)]
struct VersionView<'a> {
    #[serde(rename = "Version")]
    version: &'a str,
    #[serde(rename = "Codename")]
    codename: &'a str,
    #[serde(rename = "startDate")]
    start_date: &'a str,
    #[serde(rename = "disableDashboardAd", skip_serializing_if = "std::ops::Not::not")]
    disable_dashboard_ad: bool,
    #[serde(rename = "dashboardName", skip_serializing_if = "str::is_empty")]
    dashboard_name: &'a str,
}

impl<'a> VersionView<'a> {
    fn new(version: &'a VersionInfo, configuration: &'a StaticConfiguration) -> Self {
        let VersionInfo { version, codename, start_date } = version;
        let api = configuration.api.as_ref();
        Self {
            version,
            codename,
            start_date,
            disable_dashboard_ad: api.is_some_and(|api| api.disable_dashboard_ad),
            dashboard_name: api.map_or("", |api| api.dashboard_name.as_str()),
        }
    }
}

/// Answers the API's requests.
pub struct ApiService {
    version: VersionInfo,
    source: Source,
}

impl ApiService {
    /// Makes the service.
    pub fn new(version: VersionInfo, source: Source) -> Self {
        Self { version, source }
    }

    fn answer(&self, method: &Method, path: &str, query: Option<&str>) -> Response {
        let Facts { configuration, runtime, diagnostics } = (self.source)();
        let base_path = configuration.api.as_ref().map_or("", |api| api.base_path.as_str());
        let path = path.strip_prefix(base_path.trim_end_matches('/'));
        let Some(route) = path.and_then(Route::find) else { return answer::not_found() };
        // HEAD is no GET to Traefik's API.
        if method != Method::GET {
            return Response::new(StatusCode::METHOD_NOT_ALLOWED);
        }
        let wish = || Wish::new(query);
        let built = || as_built(&runtime);
        match route {
            Route::RawData => answer::json(&RawData::new(&built())),
            Route::Overview => answer::json(&Overview::new(&runtime, &configuration)),
            Route::Version => answer::bare_json(&VersionView::new(&self.version, &configuration)),
            // Traefik: has no such page; it logs and forgets.
            Route::Diagnostics => answer::json(&diagnostics),
            Route::EntryPoints => page(&wish(), entry_points::list(&configuration)),
            Route::EntryPoint(name) => {
                let found = configuration.entry_points.get_key_value(&*name);
                one("entry point", &name, found, EntryPointView::new)
            }
            Route::Routers => {
                let wish = wish();
                page(&wish, routers::list(&built(), &wish))
            }
            Route::Router(name) => {
                let runtime = built();
                let found = runtime.routers.get_key_value(&*name);
                one("router", &name, found, RouterView::new)
            }
            Route::Services => {
                let wish = wish();
                page(&wish, services::list(&built(), &wish))
            }
            Route::Service(name) => {
                let runtime = built();
                let found = runtime.services.get_key_value(&*name);
                one("service", &name, found, ServiceView::new)
            }
            Route::Middlewares => {
                let wish = wish();
                page(&wish, middlewares::list(&built(), &wish))
            }
            Route::Middleware(name) => {
                let runtime = built();
                let found = runtime.middlewares.get_key_value(&*name);
                one("middleware", &name, found, MiddlewareView::new)
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
