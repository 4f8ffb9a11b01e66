//! Strategies, stickiness and health state: no I/O, no clock.
//!
//! Everything here is shared by all workers and changed without locks: a position that counts up,
//! a flag that flips. What is picked is an index; the caller knows what stands there.

mod health;
mod round_robin;
mod sticky;

pub use self::health::Health;
pub use self::round_robin::RoundRobin;
pub use self::sticky::{Found, Sticky, cookie_name};
