//! Any text as a dynamic file, in each format: never a panic.
#![no_main]

use config::decode_dynamic::decode_dynamic;
use config::parse::{Format, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for format in [Format::Yaml, Format::Toml] {
        if let Ok(node) = parse(text, "fuzz", format) {
            let _ = decode_dynamic(node);
        }
    }
});
