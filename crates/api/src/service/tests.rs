use config::dynamic::{
    AddPrefix, Middleware, Router, RouterObservability, RouterTls, Server, ServersLoadBalancer,
    Service, TraceVerbosity,
};
use config::static_config::{Api, EntryPoint};
use exchange::Body;
use routing::compile::{MiddlewareInfo, RouterInfo, ServiceInfo, Status};

use super::*;

fn api(base_path: &str) -> ApiService {
    let entry_point = EntryPoint { address: ":80".to_owned(), ..EntryPoint::default() };
    let configuration = StaticConfiguration {
        entry_points: [("web".to_owned(), entry_point)].into(),
        api: Some(Api { base_path: base_path.to_owned(), ..Api::default() }),
        ..StaticConfiguration::default()
    };
    let version = VersionInfo {
        version: "1.2.3".to_owned(),
        codename: "pass".to_owned(),
        start_date: "2026-01-02T03:04:05Z".to_owned(),
    };
    let diagnostic = Diagnostic::warning("code", "a < b").about("router \"a@file\"");
    let facts = Facts {
        configuration: Arc::new(configuration),
        runtime: Arc::new(runtime()),
        diagnostics: [diagnostic].into(),
    };
    ApiService::new(version, Arc::new(move || facts.clone()))
}

fn runtime() -> Runtime {
    let observability = RouterObservability {
        access_logs: Some(true),
        metrics: Some(true),
        tracing: Some(false),
        trace_verbosity: Some(TraceVerbosity::Minimal),
    };
    let good = RouterInfo {
        router: Router {
            entry_points: vec!["web".to_owned()],
            middlewares: vec!["prefix@file".to_owned()],
            service: "s".to_owned(),
            rule: "PathPrefix(`/a&<b>`)".to_owned(),
            priority: 20,
            tls: Some(RouterTls::default()),
            observability: Some(observability),
            ..Router::default()
        }
        .into(),
        using: vec!["web".into()],
        ..RouterInfo::default()
    };
    let bad = RouterInfo {
        router: Router { rule: "Foo(`x`)".to_owned(), priority: i64::MAX, ..Router::default() }
            .into(),
        status: Status::Disabled,
        errors: vec!["the service \"nope@file\" does not exist".to_owned()],
        ..RouterInfo::default()
    };
    let balancer = ServersLoadBalancer {
        servers: vec![Server { url: "http://127.0.0.1:1".to_owned(), ..Server::default() }],
        ..ServersLoadBalancer::default()
    };
    let service = ServiceInfo {
        service: Service { load_balancer: Some(balancer), ..Service::default() }.into(),
        used_by: ["good@file".to_owned()].into(),
        ..ServiceInfo::default()
    };
    let middleware = MiddlewareInfo {
        middleware: Middleware {
            add_prefix: Some(AddPrefix { prefix: "/x".to_owned() }),
            ..Middleware::default()
        }
        .into(),
        used_by: ["good@file".to_owned()].into(),
        ..MiddlewareInfo::default()
    };
    Runtime {
        routers: [("good@file".to_owned(), good), ("bad@file".to_owned(), bad)].into(),
        services: [
            ("s@file".to_owned(), service),
            ("noop@internal".to_owned(), ServiceInfo::default()),
        ]
        .into(),
        middlewares: [("prefix@file".to_owned(), middleware)].into(),
    }
}

fn ask(api: &ApiService, method: Method, target: &str) -> (u16, String, Response) {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let mut response = api.answer(&method, path, query);
    let Body::Full(body) = response.body.take() else { panic!("the answer is in memory") };
    (response.status.as_u16(), String::from_utf8_lossy(&body).into_owned(), response)
}

/// Expects this answer to a GET.
fn check(target: &str, status: u16, body: &str) {
    let (found_status, found_body, _) = ask(&api("/"), Method::GET, target);
    assert_eq!((found_status, found_body.as_str()), (status, body), "target {target}");
}

/// Expects a list with these names, and this next page.
fn check_list(target: &str, names: &[&str], next_page: &str) {
    let (status, body, response) = ask(&api("/"), Method::GET, target);
    assert_eq!(status, 200, "target {target}");
    let items: Vec<serde_json::Value> = serde_json::from_str(&body).expect("a list");
    let found: Vec<_> = items.iter().map(|item| item["name"].as_str().unwrap_or("")).collect();
    assert_eq!(found, names, "target {target}");
    assert_eq!(response.headers["x-next-page"], next_page, "target {target}");
}

const GOOD: &str = r#""entryPoints":["web"],"middlewares":["prefix@file"],"service":"s","rule":"PathPrefix(`/a\u0026\u003cb\u003e`)","priority":20"#;
const OBSERVED: &str = r#""observability":{"accessLogs":true,"metrics":true,"tracing":false,"traceVerbosity":"minimal"},"status":"enabled","using":["web"]"#;
const BAD: &str = r#""rule":"Foo(`x`)","priority":9223372036854775807,"error":["the service \"nope@file\" does not exist"],"status":"disabled""#;
const BALANCER: &str = r#""loadBalancer":{"servers":[{"url":"http://127.0.0.1:1"}],"strategy":"wrr","passHostHeader":true,"responseForwarding":{"flushInterval":"100ms"}},"status":"enabled","usedBy":["good@file"]"#;
const PREFIX: &str = r#""addPrefix":{"prefix":"/x"},"status":"enabled","usedBy":["good@file"]"#;

#[test]
fn raw_data_is_everything_in_traefiks_order() {
    check(
        "/api/rawdata",
        200,
        &format!(
            "{{\"routers\":{{\"bad@file\":{{{BAD}}},\"good@file\":{{{GOOD},\"tls\":{{}},{OBSERVED}}}}},\
             \"middlewares\":{{\"prefix@file\":{{{PREFIX}}}}},\
             \"services\":{{\"noop@internal\":{{\"status\":\"enabled\"}},\"s@file\":{{{BALANCER}}}}}}}\n"
        ),
    );
}

#[test]
fn single_objects_say_name_provider_and_kind() {
    check(
        "/api/http/routers/good@file",
        200,
        &format!(
            "{{{GOOD},\"tls\":{{\"options\":\"default\"}},{OBSERVED},\"name\":\"good@file\",\
             \"provider\":\"file\",\"priorityStr\":\"20\"}}\n"
        ),
    );
    check(
        "/api/http/routers/bad%40file",
        200,
        &format!(
            "{{{BAD},\"name\":\"bad@file\",\"provider\":\"file\",\
             \"priorityStr\":\"9223372036854775807\"}}\n"
        ),
    );
    check(
        "/api/http/services/s@file",
        200,
        &format!(
            "{{{BALANCER},\"name\":\"s@file\",\"provider\":\"file\",\"type\":\"loadbalancer\"}}\n"
        ),
    );
    check(
        "/api/http/middlewares/prefix@file",
        200,
        &format!(
            "{{{PREFIX},\"name\":\"prefix@file\",\"provider\":\"file\",\"type\":\"addprefix\"}}\n"
        ),
    );
}

#[test]
fn version_has_no_newline() {
    check(
        "/api/version",
        200,
        r#"{"Version":"1.2.3","Codename":"pass","startDate":"2026-01-02T03:04:05Z"}"#,
    );
}

#[test]
fn diagnostics_are_listed() {
    check(
        "/api/diagnostics",
        200,
        "[{\"severity\":\"warning\",\"code\":\"code\",\"object\":\"router \\\"a@file\\\"\",\
         \"message\":\"a \\u003c b\"}]\n",
    );
}

#[test]
fn lists_are_filtered_and_sorted() {
    check_list("/api/http/routers", &["bad@file", "good@file"], "1");
    check_list("/api/http/routers?direction=desc", &["good@file", "bad@file"], "1");
    check_list("/api/http/routers?sortBy=priority", &["good@file", "bad@file"], "1");
    check_list("/api/http/routers?per_page=1", &["bad@file"], "2");
    check_list("/api/http/routers?status=disabled", &["bad@file"], "1");
    check_list("/api/http/routers?search=PREFIX", &["good@file"], "1");
    check_list("/api/http/routers?serviceName=s@file", &["good@file"], "1");
    check_list("/api/http/routers?middlewareName=prefix@file", &["good@file"], "1");
    check_list("/api/http/services?sortBy=servers", &["noop@internal", "s@file"], "1");
    check_list("/api/http/middlewares", &["prefix@file"], "1");
    check_list("/api/entrypoints", &["web"], "1");
    check_list("/api/tcp/routers", &[], "1");
}

#[test]
fn what_is_not_there_is_said() {
    check("/api/http/routers/zz", 404, "{\"message\":\"router not found: zz\"}\n");
    check("/api/entrypoints/zz", 404, "{\"message\":\"entry point not found: zz\"}\n");
    check("/api/certificates/zz", 404, "{\"message\":\"certificate not found: zz\"}\n");
    check("/api/nope", 404, "404 page not found\n");
    check("/api/http/routers?page=-1", 400, "{\"message\":\"invalid request: page: -1\"}\n");
}

#[test]
fn only_get_is_answered() {
    let api = api("/");
    let (status, body, _) = ask(&api, Method::POST, "/api/overview");
    assert_eq!((status, body.as_str()), (405, ""));
    let (status, ..) = ask(&api, Method::HEAD, "/api/version");
    assert_eq!(status, 405);
}

#[test]
fn a_base_path_goes_before_everything() {
    let api = api("/base/");
    let (status, ..) = ask(&api, Method::GET, "/base/api/version");
    assert_eq!(status, 200);
    let (status, ..) = ask(&api, Method::GET, "/api/version");
    assert_eq!(status, 404);
}
