//! Go's expressions, as Traefik's rules and middlewares are written in them.
//!
//! A text is scanned and parsed as Go does it, faults in Go's words, because people search for
//! them. What names and operators mean is for who evaluates the tree; what every evaluation says
//! alike, as Traefik's library for predicates does, is in [`term()`].

mod parser;
mod scanner;
mod term;
pub mod text;

pub use self::parser::{Expression, parse};
pub use self::scanner::{Kind, Token};
pub use self::term::{Term, term};
