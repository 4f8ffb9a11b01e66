//! The functions compared with the real Traefik, and what can be said about the random ones.

use gtmpl_ng::Value;

use crate::functions::TABLES;
use crate::go_time::{Time, Zone};
use crate::{UNSUPPORTED, names, render, value};

/// Traefik v3.7 rendered each expression; `render` must give the same or fail as well.
#[test]
fn expressions_render_as_in_traefik() {
    let table = include_str!("../../tests/data/sprig.txt");
    let mut compared = 0;
    let mut differences = Vec::new();
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let names_zone =
            ["America/", "Asia/", "Australia/", "Europe/"].iter().any(|area| line.contains(area));
        if names_zone && Zone::load("America/New_York").is_none() {
            continue;
        }
        let (expression, expected) = line.split_once(" ⇒ ").expect("each line has an arrow");
        let rendered = render("table", expression);
        compared += 1;
        let is_same = match expected {
            "error" => rendered.is_err(),
            text => {
                let text: String = serde_json::from_str(text).expect("expected text is JSON");
                rendered.as_ref() == Ok(&text)
            }
        };
        if !is_same {
            differences
                .push(format!("{expression}\n  expected {expected}\n  got      {rendered:?}"));
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {compared}:\n{}",
        differences.len(),
        differences.join("\n")
    );
    assert!(compared >= 150);
}

#[test]
fn all_names_of_sprig_and_traefik_are_registered() {
    let expected = include_str!("../../tests/data/names.txt");
    let mut expected: Vec<&str> = expected.split_whitespace().collect();
    expected.sort_unstable();
    assert_eq!(names(), expected);
}

#[test]
fn the_unsupported_are_refused_by_name() {
    for (call, reason) in UNSUPPORTED {
        let error = render("test", &format!("{{{{ {call} }}}}")).expect_err(call);
        assert!(error.message.contains(reason), "{error}");
    }
}

fn check_random(expression: &str, length: usize, belongs: fn(char) -> bool) {
    let [first, second] = [0, 1].map(|_| render("test", expression).expect(expression));
    assert_eq!(first.chars().count(), length, "{expression}: {first}");
    assert!(first.chars().all(belongs), "{expression}: {first}");
    assert_ne!(first, second, "{expression}");
}

#[test]
fn random_texts_have_their_length_and_alphabet() {
    check_random("{{ randAlphaNum 40 }}", 40, |symbol| symbol.is_ascii_alphanumeric());
    check_random("{{ randAlpha 40 }}", 40, |symbol| symbol.is_ascii_alphabetic());
    check_random("{{ randNumeric 40 }}", 40, |symbol| symbol.is_ascii_digit());
    check_random("{{ randAscii 40 }}", 40, |symbol| (' '..='~').contains(&symbol));
    check_random("{{ randBytes 30 }}", 40, |symbol| !symbol.is_whitespace());
    check_random("{{ uuidv4 }}", 36, |symbol| symbol == '-' || symbol.is_ascii_hexdigit());
    check_random("{{ shuffle \"abcdefghijklmnopqrstuvwxyz\" }}", 26, |symbol| {
        symbol.is_ascii_lowercase()
    });
}

fn check(expression: &str, expected: &str) {
    assert_eq!(render("test", expression).as_deref(), Ok(expected), "{expression}");
}

#[test]
fn random_numbers_stay_within_their_bounds() {
    check(
        "{{ range until 50 }}{{ $n := randInt 3 5 }}{{ if or (lt $n 3) (ge $n 5) }}x{{ end }}{{ end }}",
        "",
    );
    check("{{ randInt 7 8 }}", "7");
}

#[test]
fn what_is_encrypted_can_be_decrypted() {
    check(
        "{{ encryptAES \"key\" \"some text of two blocks\" | decryptAES \"key\" }}",
        "some text of two blocks",
    );
    check("{{ encryptAES \"key\" \"\" }}", "");
    assert!(render("test", "{{ decryptAES \"key\" \"c2hvcnQ=\" }}").is_err());
}

#[test]
fn password_hashes_verify() {
    let line = render("test", "{{ htpasswd \"user\" \"secret\" }}").expect("a hash");
    let hash = line.strip_prefix("user:").expect("the user comes first");
    assert!(hash.starts_with("$2a$10$"));
    assert!(bcrypt::verify("secret", hash).expect("the hash parses"));
    check("{{ htpasswd \"us:er\" \"x\" }}", "invalid username: us:er");
}

#[test]
fn the_local_host_has_an_address() {
    check("{{ getHostByName \"127.0.0.1\" }}", "127.0.0.1");
}

#[test]
fn times_have_methods_and_a_printed_form() {
    check("{{ (toDate \"2006-01-02\" \"2024-02-29\").Year }}", "2024");
    check(
        "{{ $t := toDate \"2006-01-02\" \"2024-02-29\" }}{{ $t.Weekday }} {{ $t.YearDay }}",
        "Thursday 60",
    );
    assert!(render("test", "{{ now.Unix }}").is_ok_and(|unix| unix.parse::<i64>().is_ok()));
}

/// Every function that is quick, with everything that may be given to it.
#[test]
fn no_arguments_make_a_function_panic() {
    let slow = |name: &str| {
        ["gen", "bcrypt", "htpasswd", "derive", "getHost"]
            .iter()
            .any(|start| name.starts_with(start))
    };
    let mut palette = vec![
        Value::Nil,
        Value::from(true),
        Value::from(i64::MIN),
        Value::from(-1),
        Value::from(3),
        Value::from(i64::MAX),
        value::float64(-2.5),
        value::float64(f64::NAN),
        Value::from(""),
        Value::from("é-1.2 [x(~>%"),
        Value::from("2006-01-02T15:04:05.000Z07:00"),
        Value::Array(vec![Value::from("a"), Value::Nil, Value::from(1)]),
        Value::Map([("host".to_owned(), Value::from("a:b"))].into()),
    ];
    palette
        .push(Time::at(i64::MAX, 0, &Zone::load("Europe/Paris").unwrap_or(Zone::Utc)).into_value());
    for (name, function) in TABLES.iter().flat_map(|table| table.iter()) {
        if slow(name) {
            continue;
        }
        let _ = function(&[]);
        for first in &palette {
            let _ = function(std::slice::from_ref(first));
            for second in &palette {
                let _ = function(&[first.clone(), second.clone()]);
                for third in &palette {
                    let _ = function(&[first.clone(), second.clone(), third.clone()]);
                }
            }
        }
    }
}
