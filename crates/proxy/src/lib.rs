//! The data plane: entry points, connections, the exchange loop, pools.
//!
//! One single-threaded runtime per core; a connection lives and dies on its worker. The control
//! plane hands over an immutable [`routing::Snapshot`] and nothing else; neither plane waits for
//! the other. Request handling takes no lock, resolves no name, reads no file.

mod clock;
mod http;
mod http2;
mod net;
mod plane;
mod settings;
mod spares;
mod worker;

pub use self::plane::{DataPlane, Http2Counts, OpenError};
pub use self::settings::{EntryPointSettings, ForwardedSettings, HeaderAliases, Http2Settings};
