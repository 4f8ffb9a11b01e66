use super::*;
use crate::testing::{internal, static_configuration, update};

/// Expects these routers, as `name [entry points] [middlewares] priority` with `tls` and the
/// parents where there are any.
fn check(static_text: &str, providers: &[(&str, &str)], expected: &[&str]) -> Merged {
    let static_configuration = static_configuration(static_text);
    let internal = internal_services(internal());
    let frame = Frame::new(&static_configuration, &internal);
    let updates: Vec<_> = providers.iter().map(|(name, text)| update(name, text)).collect();
    let merged = merge(&frame, &updates.iter().collect::<Vec<_>>(), None);
    let routers: Vec<String> = merged
        .configuration
        .http
        .routers
        .iter()
        .map(|(name, router)| {
            let mut line = format!(
                "{name} [{}] [{}] {}",
                router.entry_points.join(" "),
                router.middlewares.join(" "),
                router.priority
            );
            if router.tls.is_some() {
                line.push_str(" tls");
            }
            if !router.parent_refs.is_empty() {
                line.push_str(&format!(" below {}", router.parent_refs.join(" ")));
            }
            line
        })
        .collect();
    assert_eq!(routers, expected);
    merged
}

const TWO_ENTRY_POINTS: &str = "entryPoints: {a: {address: ':1'}, b: {address: ':2'}}";

#[test]
fn names_are_qualified_and_default_entry_points_set() {
    let merged = check(
        TWO_ENTRY_POINTS,
        &[
            (
                "file",
                "http: {routers: {r: {rule: x, service: s}, one: {rule: y, entryPoints: [b]}}}",
            ),
            (
                "docker",
                "http: {routers: {r: {rule: z}}, services: {s: {loadBalancer: {servers: [{url: 'http://a'}]}}}}",
            ),
        ],
        &["one@file [b] [] 0", "r@docker [a b] [] 0", "r@file [a b] [] 0"],
    );
    let services: Vec<_> = merged.configuration.http.services.keys().collect();
    assert_eq!(services, ["noop@internal", "s@docker"]);
}

#[test]
fn marked_entry_points_are_the_default_ones() {
    check(
        "entryPoints: {a: {address: ':1'}, b: {address: ':2', asDefault: true}}",
        &[("file", "http: {routers: {r: {rule: x}}}")],
        &["r@file [b] [] 0"],
    );
}

#[test]
fn routers_are_split_for_entry_points_with_models() {
    check(
        "entryPoints: {a: {address: ':1'}, b: {address: ':2'}, c: {address: ':3', http: {tls: {}, middlewares: [m@file]}}}",
        &[(
            "file",
            "
http:
  routers:
    many: {rule: x, middlewares: [own]}
    one: {rule: x, entryPoints: [c]}
    none: {rule: x, entryPoints: [a, b]}
",
        )],
        &[
            "c-many@file [c] [m@file own] 0 tls",
            "many@file [a b] [own] 0",
            "none@file [a b] [] 0",
            "one@file [c] [m@file] 0 tls",
        ],
    );
}

#[test]
fn encoded_characters_and_core_make_models_too() {
    check(
        "entryPoints: {a: {address: ':1', http: {encodedCharacters: {allowEncodedSlash: false}}}, b: {address: ':2'}}",
        &[("file", "http: {routers: {r: {rule: x}}}")],
        &["a-r@file [a] [] 0", "r@file [b] [] 0"],
    );
    let merged = check(
        "{core: {defaultRuleSyntax: v2}, entryPoints: {a: {address: ':1'}, b: {address: ':2'}}}",
        &[("file", "http: {routers: {r: {rule: x}}}")],
        &["a-r@file [a] [] 0", "b-r@file [b] [] 0"],
    );
    assert_eq!(merged.configuration.http.routers["a-r@file"].rule_syntax, "v2");
}

#[test]
fn children_follow_all_copies_of_their_parents() {
    check(
        "entryPoints: {a: {address: ':1', http: {middlewares: [m]}}, b: {address: ':2'}, c: {address: ':3', http: {middlewares: [m]}}}",
        &[(
            "file",
            "
http:
  routers:
    parent: {rule: x}
    alone: {rule: x, entryPoints: [a]}
    child: {rule: y, service: s, parentRefs: [parent, alone, missing]}
",
        )],
        &[
            "a-parent@file [a] [m] 0",
            "alone@file [a] [m] 0",
            "c-parent@file [c] [m] 0",
            "child@file [] [] 0 below parent@file a-parent@file c-parent@file alone@file missing@file",
            "parent@file [b] [] 0",
        ],
    );
}

#[test]
fn observability_is_filled_in() {
    let merged = check(
        "entryPoints: {a: {address: ':1', observability: {metrics: false, traceVerbosity: detailed}}}",
        &[(
            "file",
            "http: {routers: {r: {rule: x, observability: {tracing: false}}, s: {rule: y}}}",
        )],
        &["r@file [a] [] 0", "s@file [a] [] 0"],
    );
    let flags = |name: &str| {
        let router = &merged.configuration.http.routers[name];
        let found = router.observability.clone().expect("resolved fields");
        (found.access_logs, found.metrics, found.tracing)
    };
    assert_eq!(flags("r@file"), (Some(true), Some(false), Some(false)));
    assert_eq!(flags("s@file"), (Some(true), Some(false), Some(true)));
}

#[test]
fn the_program_has_routers_of_its_own() {
    let merged = check(
        "
api: {insecure: true, debug: true}
ping: {}
entryPoints:
  web: {address: ':80', allowACMEByPass: true, http: {redirections: {entryPoint: {to: websecure}}}}
  web8: {address: ':81', http: {redirections: {entryPoint: {to: ':8443', permanent: false, priority: 7}}}}
  websecure: {address: ':443'}
",
        &[],
        &[
            "api@internal [traefik] [] 9223372036854775806",
            "dashboard@internal [traefik] [dashboard_redirect@internal dashboard_stripprefix@internal] 9223372036854775805",
            "debug@internal [traefik] [] 9223372036854775806",
            "ping@internal [traefik] [] 9223372036854775807",
            "web-to-websecure@internal [web] [redirect-web-to-websecure@internal] 9223372036854775806",
            "web8-to-8443@internal [web8] [redirect-web8-to-8443@internal] 7",
        ],
    );
    let http = &merged.configuration.http;
    assert_eq!(
        http.routers["web-to-websecure@internal"].rule,
        "HostRegexp(`^.+$`) && !PathPrefix(`/.well-known/acme-challenge/`)"
    );
    let redirect = |name: &str| {
        let scheme = http.middlewares[name].redirect_scheme.clone().expect("a redirect");
        (scheme.scheme, scheme.port, scheme.permanent)
    };
    let https = "https".to_owned();
    let to_entry_point = redirect("redirect-web-to-websecure@internal");
    assert_eq!(to_entry_point, (https.clone(), "443".to_owned(), true));
    assert_eq!(redirect("redirect-web8-to-8443@internal"), (https, "8443".to_owned(), false));
}

#[test]
fn services_can_be_had_without_routers() {
    let merged = check("{api: {}, ping: {manualRouting: true}}", &[], &[]);
    let services: Vec<_> = merged.configuration.http.services.keys().collect();
    assert_eq!(services, ["api@internal", "dashboard@internal", "noop@internal", "ping@internal"]);
}

#[test]
fn default_tls_options_have_one_owner() {
    let text = "tls: {options: {default: {sniStrict: true}, mine: {}}, stores: {default: {}}}";
    let merged = check(TWO_ENTRY_POINTS, &[("file", text)], &[]);
    let options: Vec<_> = merged.configuration.tls.options.keys().collect();
    assert_eq!(options, ["default", "mine@file"]);
    assert!(merged.diagnostics.is_empty());

    let merged = check(TWO_ENTRY_POINTS, &[("file", text), ("docker", text)], &[]);
    let options: Vec<_> = merged.configuration.tls.options.keys().collect();
    assert_eq!(options, ["mine@docker", "mine@file"]);
    assert!(merged.configuration.tls.stores.is_empty());
    let objects: Vec<_> = merged.diagnostics.iter().map(|found| found.object.as_deref()).collect();
    assert_eq!(objects, [Some("TLS options \"default\""), Some("TLS store \"default\"")]);
}
