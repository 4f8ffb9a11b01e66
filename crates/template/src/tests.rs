//! What a whole template does; the single functions are in `functions`.

use super::*;

fn check(source: &str, expected: &str) {
    assert_eq!(render("test", source).as_deref(), Ok(expected), "{source}");
}

fn check_error(source: &str, line: u32, column: u32, part: &str) {
    let error = render("test", source).expect_err(source);
    assert_eq!((error.line, error.column), (Some(line), Some(column)), "{source}: {error}");
    assert!(error.message.contains(part), "{source}: {error}");
}

#[test]
fn text_without_actions_stays_as_it_is() {
    check("http:\n  routers: {}\n", "http:\n  routers: {}\n");
    assert!(!needs_rendering("a: b"));
    assert!(needs_rendering("a: {{ b }}"));
}

#[test]
fn templates_defined_in_the_file_can_be_called_in_it() {
    check(
        "{{ define \"subdomain\" }}{{ . }}.example.org{{ end }}host: {{ template \"subdomain\" \"microgalaxy\" }}",
        "host: microgalaxy.example.org",
    );
}

#[test]
fn ranges_have_keys_values_else_break_and_continue() {
    check("{{ range $i, $e := until 3 }}{{ $i }}={{ $e }} {{ end }}", "0=0 1=1 2=2 ");
    check("{{ range list }}x{{ else }}none{{ end }}", "none");
    check("{{ range until 9 }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}", "012");
    check("{{ range until 5 }}{{ if eq . 3 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "0124");
    check("{{ range $k, $v := dict \"b\" 2 \"a\" 1 }}{{ $k }}{{ $v }}{{ end }}", "a1b2");
    check("{{ range 3 }}{{ . }}{{ end }}", "012");
}

#[test]
fn white_space_is_trimmed_where_marked() {
    check("a \n {{- \"b\" -}} \n c", "abc");
    check("a {{- /* comment */ -}} b", "ab");
}

#[test]
fn with_and_else_choose_and_set_the_dot() {
    check("{{ with \"x\" }}{{ . }}{{ else }}none{{ end }}", "x");
    check("{{ with \"\" }}{{ . }}{{ else with \"y\" }}{{ . }}{{ else }}none{{ end }}!", "y!");
    check("{{ with \"\" }}{{ else with \"\" }}{{ else }}none{{ end }}!", "none!");
    check("{{ if false }}a{{ else if true }}b{{ end }}", "b");
}

#[test]
fn a_dictionary_is_changed_in_place() {
    check(
        "{{ $d := dict \"a\" 1 }}{{ $_ := set $d \"b\" 2 }}{{ $d.b }}{{ toJson $d }}",
        "2{\"a\":1,\"b\":2}",
    );
    check(
        "{{ $d := dict }}{{ range until 3 }}{{ $_ := set $d (toString .) . }}{{ end }}{{ len $d }}",
        "3",
    );
    check("{{ $d := dict \"a\" 1 }}{{ $_ := unset $d \"a\" }}{{ len $d }}", "0");
    check("{{ $d := dict \"s\" (dict) }}{{ $_ := set $d.s \"k\" \"v\" }}{{ $d.s.k }}", "v");
    check(
        "{{ $d := dict \"a\" 1 }}{{ dict \"b\" 2 | merge $d | toJson }} {{ $d.b }}",
        "{\"a\":1,\"b\":2} 2",
    );
    check("{{ $d := dict }}{{ if (set $d \"a\" 1) }}{{ $d.a }}{{ end }}", "1");
}

#[test]
fn faults_are_located_in_the_source() {
    check_error("a: b\nc: {{ nonsense 1 }}\n", 2, 7, "nonsense");
    check_error("{{ $d := dict }}{{ $_ := set $d \"a\" 1.0 }}\n  é {{ fail \"no\" }}", 2, 8, "no");
    check_error("{{ .x }}", 1, 4, "field");
}

#[test]
fn what_never_ends_is_stopped() {
    check_error(
        "{{ define \"r\" }}{{ template \"r\" }}{{ end }}{{ template \"r\" }}",
        1,
        29,
        "nesting",
    );
    check_error("{{ range 1000000000 }}{{ end }}", 1, 10, "iterations");
    check_error("{{ until 1000000000 }}", 1, 4, "elements");
    check_error("{{ repeat 1000000000 \"xx\" }}", 1, 4, "allowed");
    check_error("{{ range 100 }}{{ repeat 1000000 \"x\" }}{{ end }}", 1, 10, "bytes");
}

#[test]
fn broken_templates_are_errors_and_not_panics() {
    let table = include_str!("../tests/data/sprig.txt");
    let expressions = table.lines().filter_map(|line| Some(line.split_once(" ⇒ ")?.0));
    for expression in expressions.filter(|text| !text.contains("gen") && !text.contains("derive")) {
        for (index, _) in expression.char_indices().step_by(7) {
            let _ = render("test", &expression[..index]);
            let _ = render("test", &expression[index..]);
        }
    }
    for part in
        ["(", "{{ if 1 }}", "{{ with 1 }}{{ else with 1 }}", "(add 1 ", "|", "{{ define \"a\" }}"]
    {
        let deep = part.repeat(20_000);
        assert!(render("test", &format!("{{{{ {deep}")).is_err());
        assert!(render("test", &format!("{{{{ {deep} }}}}")).is_err());
        assert!(render("test", &deep).is_err() || !deep.contains("{{"));
    }
}
