use crate::rule::{Rule, Syntax};

/// Checks the reasons of a whole table; see the head of the files.
fn check(table: &str, syntax: Syntax) {
    let lines: Vec<_> = table.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() > 40, "the table is there");
    for line in lines {
        let line = line.replace('␊', "\n").replace('␍', "\r").replace('␉', "\t").replace('␀', "\0");
        let (rule, outcome) = line.rsplit_once('\t').expect("a rule, a tab, an outcome");
        let found = match Rule::parse(rule, syntax) {
            Ok(parsed) => {
                assert_eq!(parsed.text(), rule);
                "ok".to_owned()
            }
            Err(message) => message,
        };
        let start = format!("error while parsing rule {rule}: ");
        let expected = match outcome.split_once(": ") {
            Some((step @ ("parsing" | "adding"), reason)) => {
                format!("{start}{step} rule {rule}: {reason}")
            }
            _ if outcome == "ok" => outcome.to_owned(),
            _ => format!("{start}{outcome}"),
        };
        assert_eq!(found, expected, "{rule}");
    }
}

#[test]
fn v3_rules_are_refused_in_the_words_of_traefik() {
    check(include_str!("v3.txt"), Syntax::V3);
}

#[test]
fn v2_rules_are_refused_in_the_words_of_traefik() {
    check(include_str!("v2.txt"), Syntax::V2);
}

fn refuses(rule: &str) -> String {
    Rule::parse(rule, Syntax::V3).expect_err("a bad rule")
}

#[test]
fn go_types_and_composite_literals_are_refused() {
    assert!(refuses("func(){}").ends_with("1:1: expected operand, found 'func'"));
    assert!(refuses("[]string{`a`}").ends_with("1:1: expected operand, found '['"));
    assert!(refuses("Host{`a`}").ends_with("1:5: expected 'EOF', found '{'"));
}

#[test]
fn depth_is_bounded_and_length_is_not() {
    let deep =
        |open: &str, close: &str| open.repeat(100_000) + "Host(`a`)" + &close.repeat(100_000);
    for rule in [deep("(", ")"), deep("!", ""), deep("", "()"), deep("", ".a"), deep("*", "")] {
        assert!(refuses(&rule).contains("exceeded max nesting depth"));
    }
    let long = vec!["Host(`a.example`)"; 20_000].join(" || ");
    let rule = Rule::parse(&long, Syntax::V3).expect("a good rule");
    assert_eq!(rule.hosts().len(), 20_000);
    assert_eq!(rule.keys().len(), 20_000);
    let mixed = vec!["Host(`a`) && !Path(`/a`)"; 5_000].join(" || ");
    assert_eq!(Rule::parse(&mixed, Syntax::V3).expect("a good rule").keys().len(), 5_000);
}

#[test]
fn a_rule_full_of_faults_is_refused_quickly() {
    let faults = refuses(&("Host(".to_owned() + &"`a` ".repeat(100_000)));
    assert!(
        faults.ends_with("1:10: missing ',' in argument list"),
        "{}",
        &faults[faults.len() - 90..]
    );
    assert!(
        refuses(&("Host(".to_owned() + &"`a`\n".repeat(1000))).ends_with("(and 10 more errors)")
    );
    assert!(refuses(&"@".repeat(1000)).ends_with("(and 999 more errors)"));
}
