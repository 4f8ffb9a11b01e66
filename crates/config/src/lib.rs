//! Every type a user can write, and how files, flags and variables become one.
//!
//! Text of any kind (YAML, TOML, JSON, flags, environment) is read into one located tree
//! ([`node::Node`]); one decoder turns that tree into typed configuration and says file, line and
//! column of everything it could not read. Nothing here opens sockets, reads the clock or knows
//! what a setting does: that is for the crates that take these types.

pub mod decode;
pub mod decode_dynamic;
pub mod diagnostic;
pub mod duration;
pub mod dynamic;
pub mod env;
pub mod flags;
pub mod go_expression;
pub mod go_regex;
pub mod load;
pub mod node;
pub mod parse;
pub mod static_config;
pub mod suggest;
mod tree;

pub use diagnostic::{Diagnostic, Place, Severity};
pub use duration::Duration;
