use std::collections::HashMap;
use std::time::Instant;

use config::dynamic::{
    Configuration, Failover as FailoverSettings, HealthCheck as Propagation,
    HighestRandomWeight as HighestRandomWeightSettings, Mirroring as MirroringSettings,
    PassiveServerHealthCheck, Router, Server as ServerSettings, ServerHealthCheck,
    ServersLoadBalancer, ServersTransport, Service as ServiceSettings, StickyCookie,
    WeightedRoundRobin, WeightedService,
};
use http::header::COOKIE;

use super::*;
use crate::Next;
use crate::compile::{Compiled, EntryPointInput, Input, compile};
use crate::rule::Syntax;

fn balancer(urls: &[&str]) -> ServersLoadBalancer {
    let server = |url: &&str| ServerSettings { url: url.to_string(), ..Default::default() };
    ServersLoadBalancer { servers: urls.iter().map(server).collect(), ..Default::default() }
}

fn checked(urls: &[&str]) -> ServersLoadBalancer {
    ServersLoadBalancer { health_check: Some(ServerHealthCheck::default()), ..balancer(urls) }
}

fn settings(balancer: ServersLoadBalancer) -> ServiceSettings {
    ServiceSettings { load_balancer: Some(balancer), ..Default::default() }
}

/// Compiles a configuration whose one router leads to `app`.
fn compiled(services: &[(&str, ServiceSettings)], previous: Option<&Compiled>) -> Compiled {
    let mut configuration = Configuration::default();
    for (name, service) in services {
        configuration.http.services.insert(format!("{name}@test"), service.clone().into());
    }
    let router = Router {
        entry_points: vec!["web".to_owned()],
        rule: "PathPrefix(`/`)".to_owned(),
        service: "app".to_owned(),
        ..Router::default()
    };
    configuration.http.routers.insert("all@test".to_owned(), router.into());
    let entry_points =
        [EntryPointInput { name: "web".into(), denied_characters: Default::default() }];
    let input = Input {
        configuration: &configuration,
        entry_points: &entry_points,
        internal: &HashMap::new(),
        precedence: &[],
        default_transport: &ServersTransport::default(),
        strict_tls_options: false,
        default_rule_syntax: Syntax::V3,
    };
    compile(&input, previous, 1)
}

fn app(compiled: &Compiled) -> Arc<Service> {
    let entry = compiled.snapshot.entry_points["web"].plain.entries().next().expect("the router");
    match &entry.route.next {
        Next::Service(service) => Arc::clone(service),
        Next::Children(_) => panic!("a router with a service"),
    }
}

fn now() -> Moment {
    Moment::of(Instant::now())
}

/// The URL that a client with these cookies gets, and the cookie it is told.
fn pick(balancer: &LoadBalancer, cookie: &str, avoid: Option<u64>) -> Option<(String, String)> {
    let mut headers = HeaderMap::new();
    if !cookie.is_empty() {
        headers.insert(COOKIE, cookie.parse().expect("a header's value"));
    }
    let asking = Asking { headers: &headers, client: b"10.0.0.1", now: now() };
    let pick = balancer.pick(asking, avoid)?;
    let cookie = pick.set_cookie.map_or(String::new(), |cookie| {
        cookie.to_str().expect("text").split(';').next().unwrap_or_default().to_owned()
    });
    Some((pick.picked.url.to_string(), cookie))
}

#[test]
fn a_client_whose_server_is_down_moves_at_once_and_stays_there() {
    let cookie = StickyCookie { name: "s".to_owned(), ..Default::default() };
    let sticky = Some(config::dynamic::Sticky { cookie: Some(cookie) });
    let settings = settings(ServersLoadBalancer {
        sticky,
        ..balancer(&["http://10.0.0.1", "http://10.0.0.2"])
    });
    let service = app(&compiled(&[("app", settings)], None));
    let balancer = service.load_balancer().expect("a load balancer");
    let (first, cookie) = pick(balancer, "", None).expect("a server");
    assert_eq!(pick(balancer, &cookie, None), Some((first.clone(), String::new())));
    let server = balancer.servers.iter().find(|server| *server.url == first).expect("the server");
    server.health.set_down(now());
    let (second, other) = pick(balancer, &cookie, None).expect("a server");
    assert_ne!(first, second);
    server.health.set_up(now());
    assert_eq!(pick(balancer, &other, None), Some((second, String::new())));
}

#[test]
fn who_is_avoided_is_picked_only_where_nobody_else_is_up() {
    for strategy in ["wrr", "p2c", "hrw", "leasttime", "leastconn", "source"] {
        let settings = settings(ServersLoadBalancer {
            strategy: strategy.to_owned(),
            ..balancer(&["http://10.0.0.1", "http://10.0.0.2"])
        });
        let service = app(&compiled(&[("app", settings)], None));
        let balancer = service.load_balancer().expect("a load balancer");
        let [first, second] = &*balancer.servers else { panic!("two servers") };
        for _ in 0..10 {
            let (picked, _) = pick(balancer, "", Some(first.id)).expect("a server");
            assert_eq!(picked, *second.url, "{strategy}");
        }
        second.health.set_down(now());
        let (picked, _) = pick(balancer, "", Some(first.id)).expect("a server");
        assert_eq!(picked, *first.url, "{strategy}");
    }
}

#[test]
fn servers_keep_what_is_known_of_them_when_others_come_and_go() {
    let passive = PassiveServerHealthCheck {
        failure_window: Duration::from_secs(60).into(),
        max_failed_attempts: 2,
    };
    let with = |urls: &[&str]| {
        settings(ServersLoadBalancer {
            passive_health_check: Some(passive.clone()),
            ..balancer(urls)
        })
    };
    let before = compiled(&[("app", with(&["http://10.0.0.1", "http://10.0.0.2"]))], None);
    let after = compiled(&[("app", with(&["http://10.0.0.3", "http://10.0.0.2"]))], Some(&before));
    let (before, after) = (app(&before), app(&after));
    let (before, after) = (before.load_balancer().unwrap(), after.load_balancer().unwrap());
    assert!(Arc::ptr_eq(&before.servers[1], &after.servers[1]));
    let note = |balancer: &LoadBalancer| {
        let check = balancer.passive_check.as_ref().expect("a passive check");
        check.note(1, &balancer.servers[1], false, now())
    };
    assert!(!note(before), "one failure is not enough");
    assert!(note(after), "the second is");
    assert!(!before.servers[1].health.is_up(now()));
    let slow_start = Duration::from_secs(60);
    assert!(after.servers[0].health.share(now(), slow_start) < 0.5, "it has joined");
    assert_eq!(before.servers[0].health.share(now(), slow_start), 1.0, "it began with all");
}

fn group(name: &str) -> ServiceSettings {
    let child = WeightedService { name: "child".to_owned(), weight: Some(1) };
    let health_check = Some(Propagation {});
    let mut settings = ServiceSettings::default();
    match name {
        "weighted" => {
            settings.weighted =
                Some(WeightedRoundRobin { services: vec![child], health_check, sticky: None });
        }
        "highestRandomWeight" => {
            settings.highest_random_weight =
                Some(HighestRandomWeightSettings { services: vec![child], health_check });
        }
        "mirroring" => {
            settings.mirroring = Some(MirroringSettings {
                service: "child".to_owned(),
                health_check,
                ..Default::default()
            });
        }
        _ => {
            settings.failover = Some(FailoverSettings {
                service: "child".to_owned(),
                fallback: "other".to_owned(),
                health_check,
                errors: None,
            });
        }
    }
    settings
}

#[test]
fn health_goes_up_through_every_kind_of_service() {
    for kind in ["weighted", "highestRandomWeight", "mirroring", "failover"] {
        let services = [
            ("app", group(kind)),
            ("child", settings(checked(&["http://10.0.0.1", "http://10.0.0.2"]))),
            ("other", settings(checked(&["http://10.0.0.3"]))),
        ];
        let compiled = compiled(&services, None);
        let app = app(&compiled);
        let mut servers = compiled.servers.clone();
        servers.sort_by(|a, b| a.url.cmp(&b.url));
        let last = servers.len() - 1;
        for server in &servers[..last] {
            server.health.set_down(now());
            assert!(app.is_up(now()), "{kind}");
        }
        servers[last].health.set_down(now());
        assert!(!app.is_up(now()), "{kind}");
        servers[0].health.set_up(now());
        assert!(app.is_up(now()), "{kind}");
    }
}

#[test]
fn a_parent_that_wants_to_know_needs_children_that_tell() {
    for (kind, word) in [("weighted", "WRR"), ("failover", "LeastConn")] {
        let silent = ServersLoadBalancer {
            strategy: if word == "WRR" { "wrr" } else { "leastconn" }.to_owned(),
            ..balancer(&["http://10.0.0.1"])
        };
        let services = [("app", group(kind)), ("child", settings(silent))];
        let compiled = compiled(&services, None);
        let expected = format!(
            "cannot register child as updater for app@test: healthCheck not enabled in config for \
             this {word} service"
        );
        assert_eq!(compiled.runtime.services["app@test"].errors, [expected]);
    }
}
