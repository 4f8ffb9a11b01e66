use routing::compile::Status;

use super::*;
use crate::testing::{internal, static_configuration, update};

/// Configurations that follow each other.
struct History {
    static_configuration: StaticConfiguration,
    internal: HashMap<String, Arc<dyn InternalService>>,
    evaluated: Option<Evaluated>,
}

impl History {
    fn new() -> Self {
        Self::with("entryPoints: {web: {address: ':80'}}")
    }

    fn with(static_text: &str) -> Self {
        Self {
            static_configuration: static_configuration(static_text),
            internal: internal_services(internal()),
            evaluated: None,
        }
    }

    /// Takes the next configuration of the provider `file`. Expects these routers, services and
    /// middlewares, as `name status`, and these diagnostics.
    fn check(&mut self, text: &str, objects: &[&str], diagnostics: &[&str]) -> &Evaluated {
        let update = update("file", text);
        let before = self.evaluated.take();
        let evaluated = evaluate_next(
            &self.static_configuration,
            &[&update],
            &self.internal,
            before.as_ref(),
            1,
        );
        let Runtime { routers, services, middlewares } = &*evaluated.runtime;
        let is_own = |name: &str| name.ends_with("@internal");
        let found: Vec<String> = routers
            .iter()
            .map(|(name, info)| (name, info.status))
            .chain(services.iter().map(|(name, info)| (name, info.status)))
            .chain(middlewares.iter().map(|(name, info)| (name, info.status)))
            .filter(|(name, _)| !is_own(name))
            .map(|(name, status)| format!("{name} {}", status.as_str()))
            .collect();
        assert_eq!(found, objects, "{text}");
        let rendered: Vec<_> = evaluated.diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(rendered, diagnostics, "{text}");
        self.evaluated.insert(evaluated)
    }

    /// The names of routers that serve requests.
    fn served(&self) -> Vec<String> {
        let evaluated = self.evaluated.as_ref().expect("a configuration");
        let routers = evaluated.compiled.runtime.routers.iter();
        let live = routers.filter(|(_, info)| info.status != Status::Disabled);
        live.map(|(name, _)| name.clone()).collect()
    }

    /// The rule of a router as it is in force.
    fn rule_in_force(&self, router: &str) -> &str {
        let evaluated = self.evaluated.as_ref().expect("a configuration");
        &evaluated.compiled.runtime.routers[router].router.rule
    }
}

const GOOD: &str = "
http:
  routers:
    r:
      rule: Path(`/a`)
      middlewares: [m]
      service: app
  services:
    app: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}
  middlewares:
    m: {addPrefix: {prefix: /x}}
";

const ALL_WELL: &[&str] = &["r@file enabled", "app@file enabled", "m@file enabled"];

#[test]
fn what_is_good_goes_live() {
    let mut history = History::new();
    history.check(GOOD, ALL_WELL, &[]);
    assert_eq!(history.served(), ["r@file"]);
}

#[test]
fn what_was_never_good_is_disabled() {
    History::new().check(
        &GOOD.replace("app\n", "ap\n").replace("[m]", "[m, mm]"),
        &["r@file disabled", "app@file enabled", "m@file enabled"],
        &["error: file.yml:7:16: router \"r@file\": the service \"ap@file\" does not exist (did you mean \"app\"?)"],
    );
    History::new().check(
        &GOOD.replace("[m]", "[m, mm]"),
        &["r@file disabled", "app@file enabled", "m@file enabled"],
        &["error: file.yml:6:24: router \"r@file\": middleware \"mm@file\" does not exist (did you mean \"m\"?)"],
    );
}

#[test]
fn a_broken_rule_leaves_the_last_good_router_in_service() {
    let mut history = History::new();
    history.check(GOOD, ALL_WELL, &[]);
    let broken = GOOD.replace("Path(`/a`)", "Paht(`/b`)");
    let expected = &["r@file warning", "app@file enabled", "m@file enabled"];
    let error = "error: file.yml:5:13: router \"r@file\": error while parsing rule Paht(`/b`): \
                 parsing rule Paht(`/b`): unsupported function: Paht \
                 (the last good version stays in service)";
    let evaluated = history.check(&broken, expected, &[error]);
    let info = &evaluated.runtime.routers["r@file"];
    assert_eq!(info.router.rule, "Paht(`/b`)", "shown as written");
    assert_eq!(info.errors.last().map(String::as_str), Some(kept::NOTE));
    assert_eq!(history.rule_in_force("r@file"), "Path(`/a`)");

    // And it lasts.
    history.check(&broken, expected, &[error]);
    assert_eq!(history.rule_in_force("r@file"), "Path(`/a`)");

    history.check(&GOOD.replace("/a", "/c"), ALL_WELL, &[]);
    assert_eq!(history.rule_in_force("r@file"), "Path(`/c`)");
}

#[test]
fn an_unreadable_router_keeps_its_last_good_version() {
    let mut history = History::new();
    history.check(GOOD, ALL_WELL, &[]);
    history.check(
        &GOOD.replace("service: app", "servcie: app"),
        &["r@file warning", "app@file enabled", "m@file enabled"],
        &["error: file.yml:7:7: router \"r@file\": unknown key \"servcie\" \
           (did you mean \"service\"?; the last good version stays in service)"],
    );
    assert_eq!(history.served(), ["r@file"]);
    history.check("http: {}", &[], &[]);
    assert!(history.served().is_empty(), "deleting removes");
}

#[test]
fn a_router_that_never_was_readable_is_listed() {
    let mut history = History::new();
    history.check(
        &GOOD.replace("service: app", "servcie: app"),
        &["r@file disabled", "app@file enabled", "m@file enabled"],
        &["error: file.yml:7:7: router \"r@file\": unknown key \"servcie\" (did you mean \"service\"?)"],
    );
    assert!(history.served().is_empty());
}

#[test]
fn a_router_whose_service_broke_gets_the_old_service_and_its_own_news() {
    let mut history = History::new();
    history.check(GOOD, ALL_WELL, &[]);
    let broken = GOOD.replace("http://127.0.0.1:1", "ftp://127.0.0.1:1").replace("/a", "/new");
    let evaluated = history.check(
        &broken,
        &["r@file enabled", "app@file warning", "m@file enabled"],
        &["error: file.yml:9:42: service \"app@file\": error parsing server URL ftp://127.0.0.1:1: \
           unsupported protocol scheme \"ftp\" (the last good version stays in service)"],
    );
    assert_eq!(evaluated.runtime.services["app@file"].servers.len(), 1);
    assert_eq!(history.rule_in_force("r@file"), "Path(`/new`)");
}

#[test]
fn a_dangling_reference_leaves_the_old_one_in_service() {
    let mut history = History::new();
    history.check(GOOD, ALL_WELL, &[]);
    history.check(
        &GOOD.replace("service: app", "service: other"),
        &["r@file warning", "app@file enabled", "m@file enabled"],
        &["error: file.yml:7:16: router \"r@file\": the service \"other@file\" does not exist \
           (the last good version stays in service)"],
    );
    assert_eq!(history.served(), ["r@file"]);
}

#[test]
fn a_deleted_object_that_is_still_referred_to_goes_with_its_last_user() {
    let mut history = History::new();
    history.check(GOOD, ALL_WELL, &[]);
    let without_middleware =
        GOOD.replace("    m: {addPrefix: {prefix: /x}}", "    n: {addPrefix: {prefix: /x}}");
    history.check(
        &without_middleware,
        &["r@file warning", "app@file enabled", "m@file warning", "n@file enabled"],
        &[
            "error: file.yml:6:21: router \"r@file\": middleware \"m@file\" does not exist \
             (the last good version stays in service)",
            "error: middleware \"m@file\": was deleted, but is still referred to \
             (the last good version stays in service)",
        ],
    );
    assert_eq!(history.served(), ["r@file"]);
    history.check(
        &without_middleware.replace("[m]", "[]"),
        &["r@file enabled", "app@file enabled", "n@file enabled"],
        &[],
    );
}

#[test]
fn a_broken_transport_keeps_its_last_good_version() {
    let good = GOOD.replace("{loadBalancer: {", "{loadBalancer: {serversTransport: t, ")
        + "\n  serversTransports:\n    t: {maxIdleConnsPerHost: 3}\n";
    let mut history = History::new();
    history.check(&good, ALL_WELL, &[]);
    let gone = good.replace("\n    t: {maxIdleConnsPerHost: 3}", " {}");
    history.check(
        &gone,
        &["r@file enabled", "app@file warning", "m@file enabled"],
        &["error: file.yml:9:44: service \"app@file\": error building proxy for server URL \
           http://127.0.0.1:1: getting RoundTripper: servers transport not found t@file \
           (the last good version stays in service)"],
    );
    assert_eq!(history.served(), ["r@file"]);
}

#[test]
fn an_unknown_entry_point_is_a_warning() {
    let text = GOOD.replace("rule:", "entryPoints: [web, wbe]\n      rule:");
    History::new().check(
        &text,
        &["r@file warning", "app@file enabled", "m@file enabled"],
        &["warning: file.yml:5:26: router \"r@file\": entryPoint \"wbe\" doesn't exist (did you mean \"web\"?)"],
    );
}

#[test]
fn copies_for_entry_points_are_found_where_the_router_is_written() {
    let static_text = "entryPoints: {a: {address: ':1', http: {tls: {}}}, b: {address: ':2'}}";
    let mut history = History::with(static_text);
    history.check(
        GOOD,
        &["a-r@file enabled", "r@file enabled", "app@file enabled", "m@file enabled"],
        &[],
    );
    history.check(
        &GOOD.replace("service: app", "service: ap"),
        &["a-r@file warning", "r@file warning", "app@file enabled", "m@file enabled"],
        &[
            "error: file.yml:7:16: router \"a-r@file\": the service \"ap@file\" does not exist \
             (did you mean \"app\"?; the last good version stays in service)",
            "error: file.yml:7:16: router \"r@file\": the service \"ap@file\" does not exist \
             (did you mean \"app\"?; the last good version stays in service)",
        ],
    );
    assert_eq!(history.served(), ["a-r@file", "r@file"]);
}

#[test]
fn the_same_name_at_another_provider_is_offered() {
    let static_configuration = static_configuration("entryPoints: {web: {address: ':80'}}");
    let updates = [
        update("file", "http: {routers: {r: {rule: Path(`/a`), service: app}}}"),
        update("docker", "http: {services: {app: {loadBalancer: {servers: [{url: 'http://a'}]}}}}"),
    ];
    let evaluated = evaluate(&static_configuration, &updates, &internal());
    let hints: Vec<_> = evaluated.diagnostics.iter().map(|found| found.hint.as_deref()).collect();
    assert_eq!(hints, [Some("did you mean \"app@docker\"?")]);
}

#[test]
fn unchanged_objects_live_on() {
    let mut history = History::new();
    let server =
        |evaluated: &Evaluated| Arc::clone(&evaluated.runtime.services["app@file"].servers[0].0);
    let first = server(history.check(GOOD, ALL_WELL, &[]));
    let second = server(history.check(&GOOD.replace("/a", "/b"), ALL_WELL, &[]));
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn a_chain_with_a_missing_member_keeps_its_last_good_version() {
    let good = GOOD.replace("[m]", "[c]") + "    c: {chain: {middlewares: [m]}}\n";
    let mut history = History::new();
    let well = &["r@file enabled", "app@file enabled", "c@file enabled", "m@file enabled"];
    history.check(&good, well, &[]);
    let evaluated = history.check(
        &good.replace("middlewares: [m]", "middlewares: [m, nothere]"),
        &["r@file enabled", "app@file enabled", "c@file warning", "m@file enabled"],
        &["error: file.yml:12:34: middleware \"c@file\": middleware \"nothere@file\" does not \
           exist (the last good version stays in service)"],
    );
    let chain = evaluated.runtime.middlewares["c@file"].middleware.chain.clone();
    assert_eq!(chain.expect("a chain").middlewares, ["m@file", "nothere@file"], "as written");
    assert_eq!(history.served(), ["r@file"]);
}

#[test]
fn circles_go_back_as_a_whole() {
    let services = |first: &str| {
        format!(
            "
http:
  routers:
    r: {{rule: Path(`/a`), service: a}}
  services:
    a: {{weighted: {{services: [{{name: b}}]}}}}
    b: {{weighted: {{services: [{{name: {first}}}]}}}}
    c: {{loadBalancer: {{servers: [{{url: 'http://127.0.0.1:1'}}]}}}}
"
        )
    };
    let mut history = History::new();
    let well = &["r@file enabled", "a@file enabled", "b@file enabled", "c@file enabled"];
    history.check(&services("c"), well, &[]);
    let update = update("file", &services("a"));
    let before = history.evaluated.take();
    let settings = &history.static_configuration;
    let evaluated = evaluate_next(settings, &[&update], &history.internal, before.as_ref(), 2);
    assert_eq!(evaluated.compiled.runtime.routers["r@file"].status, Status::Enabled);
    assert!(evaluated.diagnostics.iter().any(|found| found.code == "circular-reference"));
}

#[test]
fn an_unreadable_certificate_keeps_those_of_before() {
    let certificate = "    - {certFile: /nowhere/a.crt, keyFile: /nowhere/a.key}\n";
    let text = format!("tls:\n  certificates:\n{certificate}");
    let settings = static_configuration("entryPoints: {web: {address: ':80'}}");
    let internal = internal_services(internal());
    let good = update("file", &text);
    let first = evaluate_next(&settings, &[&good], &internal, None, 1);
    let broken = update("file", &text.replace("certFile", "certFlie"));
    let second = evaluate_next(&settings, &[&broken], &internal, Some(&first), 2);
    assert_eq!(second.merged.configuration.tls.certificates, good.configuration.tls.certificates);
    let empty = update("file", "tls: {}");
    let third = evaluate_next(&settings, &[&empty], &internal, Some(&second), 3);
    assert!(third.merged.configuration.tls.certificates.is_empty());
}

/// The rule and the URL of the server of every router that an entry point serves.
fn served_by(evaluated: &Evaluated, entry_point: &str) -> Vec<String> {
    let routes = &evaluated.compiled.snapshot.entry_points[entry_point].plain;
    let describe = |entry: &routing::index::Entry| match &entry.route.next {
        routing::Next::Service(service) => match &service.kind {
            routing::ServiceKind::LoadBalancer(balancer) => {
                format!("{} {}", entry.rule.text(), balancer.servers[0].url)
            }
            _ => entry.rule.text().to_owned(),
        },
        routing::Next::Children(_) => entry.rule.text().to_owned(),
    };
    routes.entries().map(describe).collect()
}

#[test]
fn a_router_that_did_not_change_follows_what_it_refers_to() {
    let static_configuration = static_configuration("entryPoints: {web: {address: ':80'}}");
    let internal = internal_services(internal());
    let evaluate = |update: &Update, before: Option<&Evaluated>| {
        evaluate_next(&static_configuration, &[update], &internal, before, 1)
    };
    let first = update("file", GOOD);
    let before = evaluate(&first, None);
    assert_eq!(served_by(&before, "web"), ["Path(`/a`) http://127.0.0.1:1"]);

    let other = update("file", &GOOD.replace("127.0.0.1:1", "127.0.0.1:2").replace("/x", "/y"));
    let mut second = first.clone();
    second.configuration.http.services = other.configuration.http.services;
    second.configuration.http.middlewares = other.configuration.http.middlewares;
    let router = |update: &Update| Arc::clone(&update.configuration.http.routers["r"]);
    assert!(Arc::ptr_eq(&router(&first), &router(&second)), "the very same router");
    let after = evaluate(&second, Some(&before));
    assert_eq!(served_by(&after, "web"), ["Path(`/a`) http://127.0.0.1:2"]);
    let prefix = |evaluated: &Evaluated| {
        let middleware = &evaluated.runtime.middlewares["m@file"].middleware;
        middleware.add_prefix.as_ref().expect("a prefix").prefix.clone()
    };
    assert_eq!((prefix(&before), prefix(&after)), ("/x".to_owned(), "/y".to_owned()));
    let stage = |evaluated: &Evaluated| {
        let routes = &evaluated.compiled.snapshot.entry_points["web"].plain;
        let entry = routes.entries().next().expect("a router");
        match &entry.route.stages[0] {
            exchange::Stage::Sync { middleware, .. } => Arc::as_ptr(middleware).cast::<()>(),
            exchange::Stage::Async { middleware, .. } => Arc::as_ptr(middleware).cast::<()>(),
        }
    };
    assert_ne!(stage(&before), stage(&after), "another middleware");

    // What is gone is missed, though the router and its rule are taken over.
    let mut third = second.clone();
    third.configuration.http.services.clear();
    let alone = evaluate_next(&static_configuration, &[&third], &internal, None, 1);
    assert_eq!(alone.runtime.routers["r@file"].status, Status::Disabled);
}

#[test]
fn what_entry_points_add_changes_on_routers_that_did_not() {
    let one = static_configuration("entryPoints: {web: {address: ':80'}}");
    let other = static_configuration(
        "entryPoints: {web: {address: ':80', http: {middlewares: [m@file]}}, b: {address: ':81'}}",
    );
    let internal = internal_services(internal());
    let text = GOOD.replace("middlewares: [m]", "priority: 1");
    let update = update("file", &text);
    let before = evaluate_next(&one, &[&update], &internal, None, 1);
    assert!(before.runtime.routers["r@file"].router.middlewares.is_empty());
    let after = evaluate_next(&other, &[&update], &internal, Some(&before), 2);
    assert_eq!(after.runtime.routers["web-r@file"].router.middlewares, ["m@file"]);
    assert_eq!(*after.runtime.routers["r@file"].router.entry_points, ["b"]);
    let back = evaluate_next(&one, &[&update], &internal, Some(&after), 3);
    let router = &back.runtime.routers["r@file"].router;
    assert!(router.middlewares.is_empty());
    assert_eq!(*router.entry_points, ["web"]);
}

#[test]
fn a_copy_that_had_the_name_of_another_router_does_not_outlive_its_own() {
    let settings = static_configuration(
        "entryPoints: {a: {address: ':80', http: {middlewares: [m@file]}}, b: {address: ':81'}}",
    );
    let internal = internal_services(internal());
    let text = "
http:
  routers:
    a-r: {rule: Path(`/own`), service: app, entryPoints: [b]}
    r: {rule: Path(`/copy`), service: app, entryPoints: [a, b]}
  services:
    app: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}
  middlewares:
    m: {addPrefix: {prefix: /x}}
";
    let first = update("file", text);
    let before = evaluate_next(&settings, &[&first], &internal, None, 1);
    assert_eq!(before.runtime.routers["a-r@file"].router.rule, "Path(`/copy`)");
    let mut second = first.clone();
    second.configuration.http.routers.remove("r");
    let after = evaluate_next(&settings, &[&second], &internal, Some(&before), 2);
    assert_eq!(after.runtime.routers["a-r@file"].router.rule, "Path(`/own`)");
    let third = evaluate_next(&settings, &[&first], &internal, Some(&after), 3);
    assert_eq!(third.runtime.routers["a-r@file"].router.rule, "Path(`/copy`)");
}

#[test]
fn only_what_changed_is_made_anew() {
    let settings = static_configuration("entryPoints: {web: {address: ':80'}}");
    let internal = internal_services(internal());
    let router = |name: &str| format!("    {name}: {{rule: Path(`/{name}`), service: app}}\n");
    let text = |routers: &str| {
        format!(
            "http:\n  services:\n    app: {{loadBalancer: {{servers: [{{url: 'http://a'}}]}}}}\n  \
             routers:\n{routers}"
        )
    };
    let first = update("file", &text(&(router("x") + &router("y"))));
    let before = evaluate_next(&settings, &[&first], &internal, None, 1);
    let mut second = first.clone();
    let changed = update("file", &text(&router("y").replace("/y", "/z")));
    second.configuration.http.routers.extend(changed.configuration.http.routers);
    let after = evaluate_next(&settings, &[&second], &internal, Some(&before), 2);
    let is_same = |name: &str| {
        let (old, new) = (&before.runtime.routers[name], &after.runtime.routers[name]);
        let rules = old.rule.as_ref().zip(new.rule.as_ref()).expect("good rules");
        (Arc::ptr_eq(&old.router, &new.router), Arc::ptr_eq(rules.0, rules.1))
    };
    assert_eq!(is_same("x@file"), (true, true));
    assert_eq!(is_same("y@file"), (false, false));
    assert_eq!(served_by(&after, "web"), ["Path(`/x`) http://a", "Path(`/z`) http://a"]);
}
