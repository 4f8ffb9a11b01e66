use std::net::SocketAddr;

use arc_swap::ArcSwap;
use config::dynamic::{HealthCheckExpect, ServersTransport};
use http::HeaderValue;
use routing::{LoadBalancer, Scheme, ServiceKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;

/// A server that answers each connection's request with the next of these responses and tells
/// the request's head.
async fn serve(responses: Vec<String>) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    let (heads, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for response in responses {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.expect("a whole head"));
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let length = head
                .split_once("content-length: ")
                .and_then(|(_, after)| after.split("\r\n").next()?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            stream.read_exact(&mut body).await.expect("a whole body");
            let _ = heads.send(head);
            stream.write_all(response.as_bytes()).await.expect("a client that reads");
        }
    });
    (address, received)
}

fn response(status: u16, more: &str) -> String {
    format!("HTTP/1.1 {status} x\r\n{more}Content-Length: 0\r\n\r\n")
}

fn server(url: &str) -> Arc<Server> {
    let url = reference::Url::parse(url).expect("a URL");
    let address = url.host.parse().map(|ip| SocketAddr::new(ip, url.effective_port()));
    Arc::new(Server {
        url: format!("{}://{}{}", url.scheme, url.authority(), url.path_and_query).into(),
        scheme: Scheme::Http,
        host: url.host.as_str().into(),
        port: url.effective_port(),
        host_header: HeaderValue::from_static("x"),
        base_path: None,
        health: balance::Health::default(),
        load: balance::Load::default(),
        addresses: ArcSwap::from_pointee(address.into_iter().collect()),
        id: u64::from(url.effective_port()),
    })
}

fn transport() -> Arc<Transport> {
    let settings = ServersTransport { insecure_skip_verify: true, ..ServersTransport::default() };
    let client = tls::ClientSettings::try_from(&settings).expect("valid settings");
    let (tls, _) = tls::client_config(&client).expect("valid settings");
    Arc::new(Transport {
        name: "default@internal".into(),
        http1_tls: tls::offering(&tls, &["http/1.1"]),
        tls,
        is_http2_disabled: false,
        read_idle_timeout: None,
        ping_timeout: Duration::from_secs(15),
        server_name: None,
        dial_timeout: None,
        response_header_timeout: None,
        idle_timeout: None,
        idle_max: 2,
        id: 1,
    })
}

/// Asks a server that gives these responses; expects this finding and gives the heads it saw.
async fn check(
    settings: ServerHealthCheck,
    responses: Vec<String>,
    expected: Result<(), &str>,
) -> Vec<String> {
    let (address, mut received) = serve(responses).await;
    let server = server(&format!("http://{address}/base"));
    let transport = transport();
    let check = HealthCheck::new(&settings).expect("valid settings");
    let check = Check { check: &check, transport: &transport, server: &server };
    let found = check.run().await;
    assert_eq!(found.as_ref().copied().map_err(String::as_str), expected);
    let mut heads = Vec::new();
    while let Ok(head) = received.try_recv() {
        heads.push(head);
    }
    heads
}

fn settings(path: &str) -> ServerHealthCheck {
    ServerHealthCheck { path: path.to_owned(), ..ServerHealthCheck::default() }
}

#[tokio::test]
async fn statuses_below_400_are_well() {
    check(settings("/h"), vec![response(204, "")], Ok(())).await;
    check(settings("/h"), vec![response(404, "")], Err("received error status code: 404")).await;
    let expecting = ServerHealthCheck { status: 500, ..settings("/h") };
    check(expecting.clone(), vec![response(500, "")], Ok(())).await;
    let error = "received error status code: 200 expected status code: 500";
    check(expecting, vec![response(200, "")], Err(error)).await;
}

#[tokio::test]
async fn the_request_is_as_configured() {
    let settings = ServerHealthCheck {
        method: "HEAD".to_owned(),
        hostname: "app.example".to_owned(),
        headers: [("X-A".to_owned(), "b".to_owned())].into(),
        ..settings("health?deep=1")
    };
    let heads = check(settings, vec![response(200, "")], Ok(())).await;
    let head = &heads[0];
    assert!(head.starts_with("HEAD /health?deep=1 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("host: app.example\r\n"), "{head}");
    assert!(head.contains("x-a: b\r\n"), "{head}");
}

#[tokio::test]
async fn redirects_are_followed_unless_told_otherwise() {
    let redirect = || response(302, "Location: /other\r\n");
    let heads = check(
        settings("/h"),
        vec![redirect(), response(500, "")],
        Err("received error status code: 500"),
    )
    .await;
    assert!(heads[1].starts_with("GET /other "), "{heads:?}");
    let staying = ServerHealthCheck { follow_redirects: Some(false), ..settings("/h") };
    check(staying, vec![redirect()], Ok(())).await;
}

#[tokio::test]
async fn an_absolute_path_is_an_error() {
    let error =
        "create HTTP request: health check path must be a relative URL, got: \"http://x/y\"";
    check(settings("http://x/y"), Vec::new(), Err(error)).await;
}

fn strategy(servers: usize) -> balance::Strategy {
    let names = vec![""; servers];
    balance::Strategy::new("wrr", &names, &vec![1; servers], 0).expect("a strategy")
}

fn service(
    servers: &[Arc<Server>],
    transport: &Arc<Transport>,
    check: &ServerHealthCheck,
) -> Arc<Service> {
    let balancer = LoadBalancer {
        servers: servers.to_vec().into(),
        strategy: strategy(servers.len()),
        sticky: None,
        pass_host_header: true,
        flush_interval: None,
        slow_start: None,
        health_check: Some(Arc::new(HealthCheck::new(check).expect("valid settings"))),
        passive_check: None,
        transport: Arc::clone(transport),
    };
    let stages = Box::default();
    Arc::new(Service { name: "app@file".into(), stages, kind: ServiceKind::LoadBalancer(balancer) })
}

/// Asks a server that gives these responses again and again; expects it to be up (`U`) or down
/// (`D`) when each question comes.
async fn check_states(settings: ServerHealthCheck, statuses: &[u16], expected: &str) {
    let responses = statuses.iter().map(|status| response(*status, "")).collect();
    let (address, mut received) = serve(responses).await;
    let server = server(&format!("http://{address}"));
    let interval = Duration::from_millis(10).into();
    let settings = ServerHealthCheck { interval, ..settings };
    let mut checks = Checks::default();
    checks.set(&[service(&[Arc::clone(&server)], &transport(), &settings)]);
    let mut found = String::new();
    for _ in statuses {
        // A question comes only after what came of the one before is recorded.
        received.recv().await.expect("a question");
        found.push(if server.health.is_up(now()) { 'U' } else { 'D' });
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn servers_go_down_and_come_back() {
    check_states(settings("/h"), &[500, 200, 200], "UDU").await;
}

#[tokio::test]
async fn it_takes_as_many_answers_as_configured() {
    let patient = ServerHealthCheck { rise: 2, fall: 3, ..settings("/h") };
    check_states(patient, &[500, 500, 200, 500, 500, 500, 200, 200, 200], "UUUUUUDDU").await;
}

#[tokio::test]
async fn bodies_are_sent_and_expected() {
    let expect = HealthCheckExpect { body: "ready".to_owned(), ..HealthCheckExpect::default() };
    let settings = ServerHealthCheck {
        method: "POST".to_owned(),
        body: "are you well?".to_owned(),
        expect: Some(expect),
        ..settings("/h")
    };
    let ready = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nI am ready".to_owned();
    let heads = check(settings.clone(), vec![ready], Ok(())).await;
    assert!(heads[0].contains("content-length: 13\r\n"), "{heads:?}");
    let busy = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbusy".to_owned();
    let error = "the body does not contain \"ready\"";
    check(settings, vec![busy], Err(error)).await;
}

/// The tasks that ask, by server.
fn tasks(checks: &Checks) -> HashMap<u64, tokio::task::Id> {
    checks.running.iter().map(|((_, server), running)| (*server, running.task.id())).collect()
}

#[tokio::test]
async fn checks_live_on_whatever_becomes_of_the_neighbours() {
    let transport = transport();
    let (first, second) = (server("http://127.0.0.1:1"), server("http://127.0.0.1:2"));
    let service = |servers: &[Arc<Server>], path| service(servers, &transport, &settings(path));
    let mut checks = Checks::default();
    checks.set(&[service(&[Arc::clone(&first)], "/h")]);
    let before = tasks(&checks);
    first.health.set_down(now());
    checks.set(&[service(&[Arc::clone(&second), Arc::clone(&first)], "/h")]);
    let after = tasks(&checks);
    assert_eq!((after.len(), after[&first.id]), (2, before[&first.id]));
    assert!(!first.health.is_up(now()), "what was found stays known");
    checks.set(&[service(&[Arc::clone(&first)], "/other")]);
    assert_ne!(tasks(&checks)[&first.id], before[&first.id]);
    assert!(!first.health.is_up(now()), "what was found stays known");
    checks.set(&[]);
    assert!(checks.running.is_empty());
    assert!(first.health.is_up(now()), "nobody would ever find out otherwise");
}

/// A server that answers every request over HTTP/2 with these fields, body and trailers, and tells
/// the request's head.
async fn serve_http2(
    fields: &[(&'static str, &'static str)],
    body: &'static [u8],
    trailers: &[(&'static str, &'static str)],
) -> (SocketAddr, mpsc::UnboundedReceiver<http::Request<()>>) {
    let map = |fields: &[(&'static str, &'static str)]| -> http::HeaderMap {
        let pair =
            |&(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value));
        fields.iter().map(pair).collect()
    };
    let (fields, trailers) = (map(fields), map(trailers));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    let (heads, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
        while let Some(Ok((request, mut answer))) = connection.accept().await {
            let (head, _) = request.into_parts();
            let _ = heads.send(http::Request::from_parts(head, ()));
            let mut response = http::Response::new(());
            *response.headers_mut() = fields.clone();
            let is_all = body.is_empty() && trailers.is_empty();
            let mut stream = answer.send_response(response, is_all).expect("a response");
            if !is_all {
                let body = bytes::Bytes::from_static(body);
                stream.send_data(body, trailers.is_empty()).expect("a body");
            }
            if !trailers.is_empty() {
                stream.send_trailers(trailers.clone()).expect("trailers");
            }
        }
    });
    (address, received)
}

/// Asks a server over HTTP/2; expects this finding and gives the head it saw.
async fn check_http2(
    settings: &ServerHealthCheck,
    (address, mut received): (SocketAddr, mpsc::UnboundedReceiver<http::Request<()>>),
    expected: Result<(), &str>,
) -> http::Request<()> {
    let server = server(&format!("h2c://{address}"));
    let transport = transport();
    let check = HealthCheck::new(settings).expect("valid settings");
    let check = Check { check: &check, transport: &transport, server: &server };
    let found = check.run().await;
    assert_eq!(found.as_ref().copied().map_err(String::as_str), expected);
    received.recv().await.expect("a question")
}

fn grpc() -> ServerHealthCheck {
    ServerHealthCheck { mode: "grpc".to_owned(), ..ServerHealthCheck::default() }
}

#[tokio::test]
async fn grpc_servers_say_whether_they_serve() {
    let well = [("grpc-status", "0")];
    let answering = serve_http2(&[], &[0, 0, 0, 0, 2, 8, 1], &well).await;
    let asked = check_http2(&grpc(), answering, Ok(())).await;
    assert_eq!(asked.method(), "POST");
    assert_eq!(asked.uri().path(), "/grpc.health.v1.Health/Check");
    assert_eq!(asked.headers()["te"], "trailers");
    assert_eq!(asked.headers()["content-type"], "application/grpc");
    let answering = serve_http2(&[], &[0, 0, 0, 0, 2, 8, 2], &well).await;
    check_http2(&grpc(), answering, Err("received gRPC status code: NOT_SERVING")).await;
    let answering = serve_http2(&[("grpc-status", "12"), ("grpc-message", "no")], b"", &[]).await;
    let error = "gRPC server does not implement the health protocol: no";
    check_http2(&grpc(), answering, Err(error)).await;
    let answering = serve_http2(&[], b"hello", &[]).await;
    let error = "gRPC health check failed: the answer has no gRPC status";
    check_http2(&grpc(), answering, Err(error)).await;
}

#[tokio::test]
async fn h2c_servers_are_asked_over_http2() {
    let expect = HealthCheckExpect { body: "ready".to_owned(), ..HealthCheckExpect::default() };
    let settings = ServerHealthCheck { expect: Some(expect), ..settings("/h?x") };
    let asked = check_http2(&settings, serve_http2(&[], b"am ready", &[]).await, Ok(())).await;
    assert_eq!(asked.uri().path_and_query().map(|path| path.as_str()), Some("/h?x"));
}
