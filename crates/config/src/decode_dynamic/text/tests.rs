use proptest::prelude::*;

use super::*;

const TEXT: &str = "\
# a file
http:
  routers:
    # the first
    one:
      rule: Host(`a`)
      service: app
    two:
      rule: Host(`b`)
      middlewares: [m]
      service: app

    three:
      rul: Host(`c`)
      service: app
    four:
      rule: |
        Host(`d`)
      service: app
  services:
    app:
      loadBalancer:
        servers:
          - url: http://127.0.0.1:1
          - ulr: http://127.0.0.1:2
  middlewares:
    m:
      addPrefix: {prefix: /x}
tls:
  certificates:
    - {certFile: a, keyFile: b}
    - {certFil: a, keyFile: b}
  options:
    o: {minVersion: VersionTLS12}
";

fn decode(text: &str, before: Option<&DynamicDecoded>) -> Result<DynamicDecoded, Diagnostic> {
    decode_text(text.into(), "d.yml", Format::Yaml, before)
}

/// Expects that a text says the same with and without the help of another.
fn check_same(old: &str, new: &str) -> Option<DynamicDecoded> {
    let before = decode(old, None).ok()?;
    let (whole, helped) = match (decode(new, None), decode(new, Some(&before))) {
        (Ok(whole), Ok(helped)) => (whole, helped),
        (whole, helped) => {
            assert_eq!(whole.err(), helped.err(), "{new}");
            return None;
        }
    };
    assert_eq!(helped.configuration, whole.configuration, "{new}");
    assert_eq!(helped.rejected, whole.rejected, "{new}");
    assert_eq!(helped.diagnostics, whole.diagnostics, "{new}");
    assert_eq!(helped.outline.entries, whole.outline.entries, "{new}");
    assert_eq!(helped.certificate_places(), whole.certificate_places(), "{new}");
    for path in ["service", "rule", "middlewares[0]", "loadBalancer.servers[1]", "nothing"] {
        for (kind, name) in whole.outline.entries.iter().filter_map(Entry::object) {
            let place = whole.place(kind, name, path);
            assert_eq!(helped.place(kind, name, path), place, "{path} of {kind} {name}: {new}");
        }
    }
    Some(helped)
}

/// Expects that the change of the sample is decoded alone, and that what was not touched is the
/// same value in memory.
fn check_alone(from: &str, to: &str) -> DynamicDecoded {
    assert!(TEXT.contains(from));
    let new = TEXT.replacen(from, to, 1);
    check_same(TEXT, &new);
    let before = decode(TEXT, None).expect("a good sample");
    let helped =
        decode_change(&before, &new.into(), Format::Yaml).unwrap_or_else(|| panic!("{from}"));
    let app = |decoded: &DynamicDecoded| decoded.configuration.http.routers.get("one").cloned();
    let (old, new) = (app(&before).expect("a router"), app(&helped));
    assert!(new.is_none_or(|new| Arc::ptr_eq(&old, &new)));
    helped
}

fn line_of(decoded: &DynamicDecoded, name: &str, path: &str) -> Option<u32> {
    decoded.place(Kind::Router, name, path).map(|place| place.line)
}

#[test]
fn what_stands_below_a_change_is_found_where_it_moved() {
    let decoded = check_alone("      middlewares: [m]\n", "      middlewares:\n        - m\n");
    assert_eq!(line_of(&decoded, "two", "service"), Some(12));
    assert_eq!(line_of(&decoded, "three", ""), Some(14));
    assert_eq!(line_of(&decoded, "three", "service"), Some(16));
    let lines: Vec<_> = decoded.diagnostics.iter().map(ToString::to_string).collect();
    assert!(lines[0].starts_with("error: d.yml:15:7: router \"three\""), "{lines:?}");
    let place = &decoded.certificate_places()[0];
    assert_eq!(place.line, 32);
}

#[test]
fn objects_come_go_and_are_renamed() {
    check_alone("    three:", "    tree:");
    check_alone("      rul:", "      rule:");
    check_alone("    four:", "    new: {rule: Path(`/`)}\n    four:");
    check_alone("  services:", "    new: {rule: Path(`/`)}\n  services:");
    check_alone("    three:\n      rul: Host(`c`)\n      service: app\n", "");
    check_alone("    o: {minVersion: VersionTLS12}\n", "    o: {minVersion: VersionTLS13}\n");
    check_alone("          - ulr: http://127.0.0.1:2\n", "");
    let decoded = check_alone("    two:\n", "    two: {}\n    other:\n");
    assert!(decoded.mentions(Kind::Router, "other"));
}

#[test]
fn an_object_that_is_mended_is_not_rejected_any_more() {
    let decoded = check_alone("      rul:", "      rule:");
    let names: Vec<_> = decoded.rejected.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(names, ["app", "1"]);
    assert!(decoded.configuration.http.routers.contains_key("three"));
}

#[test]
fn an_equal_object_is_the_same_value() {
    let before = decode(TEXT, None).expect("a good sample");
    // The whole text moves by a space, and nothing of it can be read alone.
    let shifted = TEXT.replace("\n", "\n ");
    let decoded = decode(&format!(" {shifted}"), Some(&before)).expect("a good text");
    let router = |decoded: &DynamicDecoded| Arc::clone(&decoded.configuration.http.routers["one"]);
    assert!(Arc::ptr_eq(&router(&before), &router(&decoded)));
}

#[test]
fn changes_that_reach_beyond_objects_are_seen() {
    let changes = [
        ("    three:", "    two:"),
        ("      middlewares: [m]", "      middlewares: ["),
        ("      middlewares: [m]", "      middlewares: 'm"),
        ("      middlewares: [m]", "      middlewares: &a [m]"),
        ("      middlewares: [m]", "      middlewares: *a"),
        ("      middlewares: [m]", "---"),
        ("      middlewares: [m]", "..."),
        ("      middlewares: [m]", "  x: y"),
        ("      middlewares: [m]", "     x: y"),
        ("      middlewares: [m]", "\tx: y"),
        ("    two:", "   two:"),
        ("    two:", "     two:"),
        ("    two:", "  Routers:\n    one:"),
        ("    two:", "    <<: {x: {rule: y}}\n    two:"),
        ("    one:", "    zero:"),
        ("    one:", "    one: {}\n    uno:"),
        ("    # the first\n", "    {\n"),
        ("  services:\n    app:", "    app:"),
        ("    m:\n", "    ? m\n    :\n"),
        ("options:", "stores:"),
        ("tls:", "lts:"),
    ];
    for (from, to) in changes {
        assert!(TEXT.contains(from), "{from}");
        let new = TEXT.replacen(from, to, 1);
        check_same(TEXT, &new);
        check_same(&new, TEXT);
    }
}

#[test]
fn what_an_anchor_stands_for_may_change_elsewhere() {
    let old = "http:\n  routers:\n    a: &a\n      rule: x\n    b: *a\n    c:\n      <<: *a\n";
    let new = old.replace("rule: x", "rule: longer");
    let decoded = check_same(old, &new).expect("a good text");
    assert_eq!(decoded.configuration.http.routers["b"].rule, "longer");
    assert_eq!(decoded.configuration.http.routers["c"].rule, "longer");
}

#[test]
fn other_formats_are_read_as_a_whole() {
    let json = "{\n  \"http\": {\n    \"routers\": {\n      \"a\": {\"rule\": \"x\"},\n      \"b\": \
                {\"rule\": \"y\"}\n    }\n  }\n}\n";
    check_same(json, &json.replace("\"x\"", "\"z\""));
    check_same(json, &json.replace("{\"rule\": \"x\"}", "{\"rul\": \"x\"}"));
    let toml = "[http.routers.b]\nrule = \"x\"\n[http.routers.a]\nrul = \"y\"\nservice = \"s\"\n";
    let before = decode_text(toml.into(), "d.toml", Format::Toml, None).expect("a good text");
    let new = format!("\n{toml}");
    let decoded =
        decode_text(new.into(), "d.toml", Format::Toml, Some(&before)).expect("a good text");
    assert_eq!(line_of(&decoded, "b", "rule"), Some(3));
    assert_eq!(line_of(&decoded, "a", "service"), Some(6));
}

const LINES: &[&str] = &[
    "",
    "# x",
    "http:",
    "tls:",
    "  routers:",
    "  services:",
    "  Routers: {}",
    "    one:",
    "    'five':",
    "    six: {rule: x, service: s}",
    "    seven: ~",
    "    eight",
    "    - x",
    "      rule: Host(`z`)",
    "      rule: 'Host(`z`)",
    "      rule: >-",
    "        Host(`y`)",
    "      rule: {",
    "      }",
    "    }",
    "      service: [",
    "      ]",
    "      service: &anchor app",
    "      service: *anchor",
    "      <<: {priority: 1}",
    "      priority: high",
    "        continued",
    "---",
    "...",
    "%YAML 1.2",
    "\r",
    "   ",
];

proptest! {
    #[test]
    fn any_change_means_what_it_says(
        edits in proptest::collection::vec(
            (0..38_usize, 0..4_usize, proptest::collection::vec(0..LINES.len(), 0..4)),
            1..4,
        ),
    ) {
        let mut old = TEXT.to_owned();
        for (at, removed, inserted) in edits {
            let mut lines: Vec<&str> = old.split_inclusive('\n').collect();
            let at = at.min(lines.len());
            let end = (at + removed).min(lines.len());
            let inserted: Vec<String> =
                inserted.iter().map(|line| format!("{}\n", LINES[*line])).collect();
            lines.splice(at..end, inserted.iter().map(String::as_str));
            let new = lines.concat();
            check_same(&old, &new);
            old = new;
        }
    }
}
