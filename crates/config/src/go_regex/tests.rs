use super::*;

/// Compiles `pattern` and expects it to match all of `yes` and none of `no`.
fn check(pattern: &str, yes: &[&str], no: &[&str]) {
    let regex = GoRegex::new(pattern).unwrap_or_else(|error| panic!("{pattern:?}: {error}"));
    let unmatched: Vec<_> = yes.iter().filter(|text| !regex.is_match(text)).collect();
    let matched: Vec<_> = no.iter().filter(|text| regex.is_match(text)).collect();
    let translated = translate(pattern);
    assert!(unmatched.is_empty(), "{pattern:?} as {translated:?} must match {unmatched:?}");
    assert!(matched.is_empty(), "{pattern:?} as {translated:?} must not match {matched:?}");
}

fn check_error(pattern: &str, expected: &str) {
    let error = GoRegex::new(pattern).err();
    assert_eq!(error.as_deref(), Some(expected), "pattern {pattern:?}");
}

fn check_replacement(pattern: &str, text: &str, template: &str, expected: &str) {
    let regex = GoRegex::new(pattern).unwrap_or_else(|error| panic!("{pattern:?}: {error}"));
    assert_eq!(regex.replace_all(text, template), expected, "{pattern:?} {template:?}");
}

#[test]
fn ordinary_patterns_match_as_written() {
    check(r"^/api/v[0-9]+/(.*)$", &["/api/v1/", "/api/v22/x"], &["/api/v/x", "x/api/v1/"]);
    check(
        r"^[a-z0-9-]+\.example\.com$",
        &["a-b.example.com"],
        &["a_b.example.com", "xexample.com"],
    );
    check("a|b(c|)", &["a", "bc", "b"], &["c"]);
    check("", &["", "x"], &[]);
    check("^(?:)*$|^x", &["", "x"], &["y"]);
}

#[test]
fn perl_classes_are_ascii() {
    check(r"^\d+$", &["0123"], &["\u{661}", "a"]);
    check(r"^\w$", &["a", "_", "9"], &["é", "-"]);
    check(r"^\W$", &["é", "-"], &["a"]);
    check(r"^\s$", &[" ", "\t", "\u{c}", "\r", "\n"], &["\u{b}", "\u{a0}"]);
    check(r"^[\s\d]$", &[" ", "5"], &["\u{b}", "x"]);
    check(r"^[^\S]$", &[" "], &["x"]);
    check(r"^[\D]$", &["x", "\u{661}"], &["5"]);
    check(r"\bé", &["xé"], &["é", " é"]);
    check(r"a\b", &["a", "aé", "a "], &["ab"]);
    check(r"a\B", &["ab"], &["a", "aé"]);
}

#[test]
fn set_operators_of_the_engine_are_plain_characters() {
    check("^[a&&b]$", &["a", "&", "b"], &["", "c"]);
    check("^[+--]$", &["+", ",", "-"], &["."]);
    check("^[a[b]$", &["a", "[", "b"], &["c"]);
    check("^[x~~y]$", &["x", "~", "y"], &["z"]);
    check("^[]a]$", &["]", "a"], &["b"]);
    check("^[^]a]$", &["b"], &["]", "a"]);
    check("^[a-]$", &["a", "-"], &["b"]);
    check("^[-a]$", &["a", "-"], &["b"]);
    check("^[#-&]$", &["#", "&", "$"], &["'"]);
    check(r"^[[:alpha:]\-]$", &["a", "-"], &["1"]);
    check(r"^[[:^alpha:]]$", &["1"], &["a"]);
    check("^[[:]$", &["[", ":"], &["a"]);
}

#[test]
fn negated_classes_match_line_ends() {
    check("^[^a]$", &["\n", "b"], &["a"]);
    check("^.$", &["b"], &["\n"]);
    check("(?s)^.$", &["\n"], &[]);
    check("^a$", &["a"], &["a\n"]);
    check("(?m)^a$", &["b\na\nc"], &["ba"]);
}

#[test]
fn a_brace_that_is_no_repetition_is_a_brace() {
    check("^a{,2}$", &["a{,2}"], &["aa"]);
    check("^{$", &["{"], &[]);
    check("^a{b}$", &["a{b}"], &[]);
    check("^a{01}$", &["a{01}"], &["a"]);
    check("^a{2}$", &["aa"], &["a"]);
    check("^a{2,}$", &["aa", "aaa"], &["a"]);
    check("^a{1,2}?$", &["a", "aa"], &["aaa"]);
    check("^a}$", &["a}"], &[]);
}

#[test]
fn escapes_are_go_escapes() {
    check(r"^\Qa.b\E.$", &["a.bx"], &["axbx"]);
    check(r"^\Qa+", &["a+"], &["aa"]);
    check(r"^\Qab\E+$", &["abb"], &["abab"]);
    check(r"^\101\x42\x{43}$", &["ABC"], &[]);
    check(r"^\0$", &["\0"], &[]);
    check(r"^\<\>\_\-\/$", &["<>_-/"], &["_-/"]);
    check(r"^\a\f\t\n\r\v$", &["\u{7}\u{c}\t\n\r\u{b}"], &[]);
    check(r"\Aa\z", &["a"], &["ba", "ab"]);
    check(r"^[\x{D800}]$|^x$", &["x"], &["y"]);
    check(r"^[^\x{D800}]$", &["x"], &[""]);
    check(r"^\x{D800}?x$", &["x"], &[]);
    check("^[\\x{D7FF}-\\x{E000}]$", &["\u{D7FF}", "\u{E000}"], &["x"]);
}

#[test]
fn unicode_classes_work_with_and_without_braces() {
    check(r"^\pL$", &["é"], &["1"]);
    check(r"^\PL$", &["1"], &["é"]);
    check(r"^\p{Greek}$", &["α"], &["a"]);
    check(r"^\p{^Greek}$", &["a"], &["α"]);
    check(r"^\P{^Greek}$", &["α"], &["a"]);
    check(r"^[\p{Greek}1]$", &["α", "1"], &["a"]);
}

#[test]
fn flags_and_groups() {
    check("(?i)^ab$", &["AB", "aB"], &[]);
    check("^(?i:a)b$", &["Ab"], &["AB"]);
    check("(?i-i)^a$", &["a"], &["A"]);
    check("^(?)a$", &["a"], &[]);
    check("^(?U)a+$", &["aa"], &[]);
    check("^(?P<1a>x)(?<y>z)$", &["xz"], &[]);
    check("x y # z", &["x y # z"], &["xy"]);
}

#[test]
fn errors_read_like_go() {
    check_error("(", "error parsing regexp: missing closing ): `(`");
    check_error("a)b", "error parsing regexp: unexpected ): `a)b`");
    check_error("[a", "error parsing regexp: missing closing ]: `[a`");
    check_error("x[]a", "error parsing regexp: missing closing ]: `[]a`");
    check_error("*a", "error parsing regexp: missing argument to repetition operator: `*`");
    check_error("(|+)", "error parsing regexp: missing argument to repetition operator: `+`");
    check_error("a**", "error parsing regexp: invalid nested repetition operator: `**`");
    check_error("a+?{2}", "error parsing regexp: invalid nested repetition operator: `+?{2}`");
    check_error("a{1001}", "error parsing regexp: invalid repeat count: `{1001}`");
    check_error("a{2,1}", "error parsing regexp: invalid repeat count: `{2,1}`");
    check_error("a{99999999999}", "error parsing regexp: invalid repeat count: `{99999999999}`");
    check_error("[b-a]", "error parsing regexp: invalid character class range: `b-a`");
    check_error("[[:foo:]]", "error parsing regexp: invalid character class range: `[:foo:]`");
    check_error(r"\p{Foo}", "error parsing regexp: invalid character class range: `\\p{Foo}`");
    check_error(r"a\", "error parsing regexp: trailing backslash at end of expression: ``");
    check_error(r"\y", "error parsing regexp: invalid escape sequence: `\\y`");
    check_error(r"(a)\1", "error parsing regexp: invalid escape sequence: `\\1`");
    check_error(r"\Z", "error parsing regexp: invalid escape sequence: `\\Z`");
    check_error("(?=a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`");
    check_error("(?!a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?!`");
    check_error("(?x)a", "error parsing regexp: invalid or unsupported Perl syntax: `(?x`");
    check_error("(?i-)a", "error parsing regexp: invalid or unsupported Perl syntax: `(?i-)`");
    check_error("(?P<n-a>a)", "error parsing regexp: invalid named capture: `(?P<n-a>`");
    check_error("(?P<n", "error parsing regexp: invalid named capture: `(?P<n`");
}

#[test]
fn oversized_patterns_are_refused() {
    let nested = format!("{}a{}", "(?:".repeat(6), "{500})".repeat(6).replace("{500})", "){500}"));
    let error = GoRegex::new(&nested).expect_err("must be too large");
    assert!(error.starts_with("error parsing regexp: expression too large"), "{error}");
}

#[test]
fn replacement_expands_groups_as_go_does() {
    check_replacement("^http://(.*)$", "http://a/b", "https://$1", "https://a/b");
    check_replacement("(a)(b)", "ab", "$2$1", "ba");
    check_replacement("(a)", "a", "${1}x", "ax");
    check_replacement("(a)", "a", "$1x", "");
    check_replacement("(a)", "a", "$$1", "$1");
    check_replacement("(a)", "a", "$", "$");
    check_replacement("(a)", "a", "$-", "$-");
    check_replacement("(a)", "a", "${1", "${1");
    check_replacement("(a)", "a", "$9|$01|$0", "||a");
    check_replacement("(?P<n>a)|b", "ab", "[$n]", "[a][]");
    check_replacement("(?P<1a>x)", "x", "<${1a}>", "<x>");
    check_replacement("(?P<n>a)|(?P<n>b)", "ab", "[$n]", "[a][b]");
    check_replacement("a*", "baaac", "x", "xbxcx");
    check_replacement("", "é", "-", "-é-");
}

#[test]
fn equality_is_that_of_the_text() {
    let (first, second) = (GoRegex::new("a+"), GoRegex::new("a+"));
    assert_eq!(first, second);
    assert_ne!(first, GoRegex::new("a"));
    assert_eq!(first.map(|regex| regex.to_string()), Ok("a+".to_owned()));
}
