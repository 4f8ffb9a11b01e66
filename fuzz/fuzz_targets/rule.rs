//! Any text as a rule: never a panic, and a rule that is read keeps its text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use routing::rule::{Rule, Syntax};

fuzz_target!(|text: &str| {
    for syntax in [Syntax::V2, Syntax::V3] {
        if let Ok(rule) = Rule::parse(text, syntax) {
            assert_eq!(rule.text(), text);
        }
    }
});
