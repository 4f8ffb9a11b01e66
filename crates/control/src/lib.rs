//! The control plane: what providers say becomes what the data plane serves.
//!
//! [`Control`] takes whole configurations from [`Provider`]s, throttles them, gives every object
//! its qualified name, applies what entry points add, keeps the last good version of what is
//! broken, compiles, and publishes a snapshot to the [`DataPlane`]. It also does what needs a
//! clock or the network off the request path: names of servers become addresses, servers are asked
//! for their health, certificate files are watched. It knows neither the data plane nor any
//! provider. [`evaluate`] does the same for configurations at rest, starting nothing.

mod aggregate;
mod control;
mod evaluate;
pub mod files;
mod health;
mod provider;
mod report;
mod resolve;
mod state;
#[cfg(test)]
mod testing;
mod throttle;

pub use self::control::{Control, DataPlane};
pub use self::evaluate::{Evaluated, evaluate};
pub use self::provider::{BoxFuture, Places, Provider, Signal, Signals, Update};
pub use self::state::{ProviderState, State};
