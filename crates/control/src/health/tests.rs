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
        tls,
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
