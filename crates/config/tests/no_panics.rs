//! Whatever a user writes, reading it ends with a value or a diagnostic.

use config::decode_dynamic::decode_dynamic;
use config::duration::Duration;
use config::go_regex::GoRegex;
use config::parse::{Format, parse};
use config::static_config::StaticConfiguration;
use config::{decode, flags};
use proptest::prelude::*;

/// Pieces that lead deep into the readers, mixed with anything.
fn pieces(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => proptest::sample::select(pieces).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

const REGEX: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "^",
    "$",
    "*",
    "+",
    "?",
    "{",
    "}",
    "2",
    ",",
    "0",
    "\\",
    "\\x",
    "\\Q",
    "\\E",
    "\\p",
    "\\pL",
    "{Greek}",
    "{^L}",
    "\\d",
    "\\W",
    "\\b",
    "\\101",
    "[:alpha:]",
    "[:^x:]",
    "(?",
    "(?P<",
    ">",
    "i",
    "-",
    ":",
    "|",
    "a",
    "é",
    "&&",
    "~~",
    "\\x{D800}",
    "^]",
    ".",
    "\\z",
    "(?U)",
];
const YAML: &[&str] = &[
    "http:",
    "routers:",
    "services",
    ": ",
    "\n",
    "  ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "a",
    "&x ",
    "*x",
    "<<: ",
    "'",
    "\"",
    "|",
    ">",
    "~",
    "12",
    "true",
    "#",
    "---\n",
    "...",
    "!!str ",
    "\t",
    "é",
    "entryPoints: {web: {address: ':80'}}\n",
    "tls: {certificates: [{certFile: x}]}\n",
    "\u{feff}",
];
const TOML: &[&str] = &[
    "[",
    "]",
    "[http.routers.a]\n",
    "[[tls.certificates]]\n",
    "a",
    ".",
    " = ",
    "\n",
    "'",
    "\"",
    "{",
    "}",
    ", ",
    "1",
    "true",
    "1979-05-27",
    "#",
    "é",
    "entryPoints",
    "rule = 'x'\n",
];
const FLAGS: &[&str] = &[
    "--",
    "-",
    "=",
    "entrypoints",
    ".",
    "web",
    "[0]",
    "[",
    "]",
    "api",
    "http.tls.domains",
    "main",
    ",",
    "true",
    "1",
    "é",
    " ",
    "providers.docker",
];
const DURATIONS: &[&str] =
    &["1", "9", ".", "-", "+", "h", "m", "s", "ms", "µs", "0", "99999999999999999999", "é"];

proptest! {
    #[test]
    fn patterns(pattern in pieces(REGEX), text in ".*", template in pieces(&["$", "1", "{", "}", "a", "é"])) {
        if let Ok(regex) = GoRegex::new(&pattern) {
            regex.replace_all(&text, &template);
        }
    }

    #[test]
    fn yaml(text in pieces(YAML)) {
        if let Ok(node) = parse(&text, "f", Format::Yaml) {
            decode_dynamic(node.clone());
            decode::decode::<StaticConfiguration>(&node, None, "");
        }
    }

    #[test]
    fn toml(text in pieces(TOML)) {
        if let Ok(node) = parse(&text, "f", Format::Toml) {
            decode_dynamic(node.clone());
            decode::decode::<StaticConfiguration>(&node, None, "");
        }
    }

    #[test]
    fn command_lines(args in proptest::collection::vec(pieces(FLAGS), 0..4)) {
        let options = decode::schema::options::<StaticConfiguration>();
        if let Ok(flags) = flags::parse(&args, &options) {
            decode::decode::<StaticConfiguration>(&flags.node, None, "");
        }
    }

    #[test]
    fn durations(text in pieces(DURATIONS)) {
        if let Ok(duration) = Duration::parse(&text) {
            // What is printed is read again as the same.
            prop_assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
        }
    }
}
