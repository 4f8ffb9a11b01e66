use super::*;
use crate::node::Value;

/// Prints a tree on one line, each key and leaf followed by `@line:column`.
fn render(node: &Node) -> String {
    let at = |place: &Place| format!("@{}:{}", place.line, place.column);
    match &node.value {
        Value::Null => "~".to_owned(),
        Value::Scalar(scalar) => format!("{}({:?}){}", scalar.text, scalar.kind, at(&node.place)),
        Value::Sequence(nodes) => {
            format!("[{}]", nodes.iter().map(render).collect::<Vec<_>>().join(", "))
        }
        Value::Mapping(entries) => {
            let entry = |(key, node): &(_, _)| -> String {
                let key: &crate::node::Key = key;
                format!("{}{}={}", key.text, at(&key.place), render(node))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

fn check_with(format: Format, text: &str, expected: &str) {
    let result = match parse(text, "f", format) {
        Ok(node) => render(&node),
        Err(error) => error.to_string(),
    };
    assert_eq!(result, expected, "text:\n{text}");
}

fn check(text: &str, expected: &str) {
    check_with(Format::Yaml, text, expected);
}

fn check_toml(text: &str, expected: &str) {
    check_with(Format::Toml, text, expected);
}

#[test]
fn yaml_keeps_lines_and_columns() {
    check(
        "a:\n  b: c\n  d:\n    - e\n    - f: g\n",
        "{a@1:1={b@2:3=c(Text)@2:6, d@3:3=[e(Text)@4:7, {f@5:7=g(Text)@5:10}]}}",
    );
    check("{a: [1, true], b: ~}", "{a@1:2=[1(Integer)@1:6, true(Boolean)@1:9], b@1:16=~}");
    check("é: ü", "{é@1:1=ü(Text)@1:4}");
    check("a: 1\r\nb: 2\r\n", "{a@1:1=1(Integer)@1:4, b@2:1=2(Integer)@2:4}");
}

#[test]
fn files_without_content_are_null() {
    check("", "~");
    check("\n\n# only a comment\n", "~");
    check("---\n", "~");
    check("\u{feff}", "~");
    check_toml("", "~");
    check_toml("# only a comment\n", "~");
}

#[test]
fn of_several_documents_the_first_is_read() {
    check("a: 1\n---\nb: 2\n", "{a@1:1=1(Integer)@1:4}");
    check("---\na: 1\n...\nrubbish: [", "{a@2:1=1(Integer)@2:4}");
}

#[test]
fn plain_scalars_follow_go_yaml() {
    check(
        "[yes, on, y, True, 'true', 017, 0o17, 0x1F, 1_000]",
        "[yes(Text)@1:2, on(Text)@1:7, y(Text)@1:11, true(Boolean)@1:14, true(Text)@1:20, 017(Integer)@1:28, 0o17(Integer)@1:33, 0x1F(Integer)@1:39, 1_000(Integer)@1:45]",
    );
    check(
        "[1.10, 1e3, .5, .inf, 1.2.3, 10s, 2020-01-01, -5, 1-2]",
        "[1.10(Float)@1:2, 1e3(Float)@1:8, .5(Float)@1:13, .inf(Float)@1:17, 1.2.3(Text)@1:23, 10s(Text)@1:30, 2020-01-01(Text)@1:35, -5(Integer)@1:47, 1-2(Text)@1:51]",
    );
    check("[null, Null, ~, '', \"~\"]", "[~, ~, ~, (Text)@1:17, ~(Text)@1:21]");
    check("a: !!str 12", "{a@1:1=12(Text)@1:10}");
    check(
        "a: :80\nb: a:b\nc: http://x",
        "{a@1:1=:80(Text)@1:4, b@2:1=a:b(Text)@2:4, c@3:1=http://x(Text)@3:4}",
    );
}

#[test]
fn block_scalars_are_text() {
    check("a: |\n  1\n  2\nb: >-\n  x\n  y\n", "{a@1:1=1\n2\n(Text)@2:3, b@4:1=x y(Text)@5:3}");
}

#[test]
fn anchors_and_merge_keys() {
    check("a: &x {k: 1}\nb: *x", "{a@1:1={k@1:8=1(Integer)@1:11}, b@2:1={k@1:8=1(Integer)@1:11}}");
    check(
        "a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  k: 3",
        "{a@1:1={k@1:8=1(Integer)@1:11, l@1:14=2(Integer)@1:17}, b@2:1={k@4:3=3(Integer)@4:6, l@1:14=2(Integer)@1:17}}",
    );
    check(
        "a: &x {k: 1}\nb: &y {k: 2, m: 3}\nc: {<<: [*x, *y]}",
        "{a@1:1={k@1:8=1(Integer)@1:11}, b@2:1={k@2:8=2(Integer)@2:11, m@2:14=3(Integer)@2:17}, c@3:1={k@1:8=1(Integer)@1:11, m@2:14=3(Integer)@2:17}}",
    );
    check("a: {'<<': 1}", "{a@1:1={<<@1:5=1(Integer)@1:11}}");
    check("a: {<<: 1}", "f:1:9: << takes a mapping or a list of mappings");
}

#[test]
fn duplicate_keys_are_errors() {
    check("a: 1\nb: 2\na: 3", "f:3:1: key \"a\" is already defined at line 1");
    check("x:\n  - {b: 1, b: 2}", "f:2:12: key \"b\" is already defined at line 2");
}

#[test]
fn errors_have_places() {
    let place = |text, format| {
        parse(text, "f", format).map_err(|error| (error.place.line, error.place.column))
    };
    assert_eq!(place("a: [1, 2\nb: 3", Format::Yaml).err().map(|(line, _)| line), Some(2));
    assert_eq!(place("a:\n\t- b", Format::Yaml).err().map(|(line, _)| line), Some(2));
    assert_eq!(place("a: *nowhere", Format::Yaml).err(), Some((1, 4)));
    assert_eq!(place("a = 1\nb = [", Format::Toml).err().map(|(line, _)| line), Some(2));
    assert_eq!(place("a = 1\na = 2", Format::Toml).err(), Some((2, 1)));
}

#[test]
fn errors_say_what_is_wrong() {
    check("a: *nowhere", "f:1:4: while parsing node, found unknown anchor");
    check_toml("a = 1\na = 2", "f:2:1: duplicate key");
}

#[test]
fn alias_bombs_are_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let alias = format!("*a{}, ", level - 1).repeat(10);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", alias.trim_end_matches(", ")));
    }
    let error = parse(&text, "f", Format::Yaml).expect_err("must be refused");
    assert_eq!(error.message, "aliases expand to too many values");
    assert_eq!(error.place.line, 6);
}

#[test]
fn nesting_has_a_limit() {
    let text = "[".repeat(5000);
    assert!(parse(&text, "f", Format::Yaml).is_err());
    let text = format!("a = {}{}", "[".repeat(150), "]".repeat(150));
    assert!(parse(&text, "f", Format::Toml).is_err());
    let mut text = String::from("a0: &a0 [x]\n");
    for level in 1..200 {
        text.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    let error = parse(&text, "f", Format::Yaml).expect_err("must be refused");
    assert_eq!(error.message, "nested more than 100 levels deep");
}

#[test]
fn an_anchor_cannot_contain_itself() {
    check("a: &x [*x]", "f:1:8: an anchor cannot contain an alias to itself");
}

#[test]
fn json_is_yaml() {
    check(
        "{\n\t\"a\": {\"b\": [1, \"2\", null, true]}\n}",
        "{a@2:2={b@2:8=[1(Integer)@2:14, 2(Text)@2:17, ~, true(Boolean)@2:28]}}",
    );
}

#[test]
fn toml_keeps_lines_and_columns() {
    check_toml(
        "a = 1\n[b.c]\nd = \"x\"\ne = [true, 1.5]\n",
        "{a@1:1=1(Integer)@1:5, b@2:2={c@2:4={d@3:1=x(Text)@3:5, e@4:1=[true(Boolean)@4:6, 1.5(Float)@4:12]}}}",
    );
    check_toml(
        "[[s]]\nu = 0x1F\n[[s]]\nu = 1_000\n",
        "{s@1:3=[{u@2:1=0x1F(Integer)@2:5}, {u@4:1=1000(Integer)@4:5}]}",
    );
}

#[test]
fn formats_go_by_extension() {
    assert_eq!(Format::of_file("a/b.YML"), Some(Format::Yaml));
    assert_eq!(Format::of_file("b.json"), Some(Format::Yaml));
    assert_eq!(Format::of_file("b.toml"), Some(Format::Toml));
    assert_eq!(Format::of_file("b.ini"), None);
    assert_eq!(Format::of_file("toml"), None);
}
