//! Strategies, stickiness and health state: no I/O, no clock.
//!
//! Everything here is shared by all workers and changed without locks: a position that counts up,
//! a moment that is moved. What is picked is an index; the caller knows what stands there, and
//! tells what time it is.

mod failures;
mod health;
mod least;
mod load;
mod mirrored;
mod moment;
mod power_of_two;
mod rendezvous;
mod round_robin;
mod sticky;
mod strategy;
mod streak;

pub use self::failures::Failures;
pub use self::health::Health;
pub use self::least::{LeastConnections, LeastTime};
pub use self::load::Load;
pub use self::mirrored::is_mirrored;
pub use self::moment::Moment;
pub use self::power_of_two::PowerOfTwo;
pub use self::rendezvous::Rendezvous;
pub use self::round_robin::RoundRobin;
pub use self::sticky::{Found, Sticky, cookie_name};
pub use self::strategy::{Members, Strategy};
pub use self::streak::Streak;
