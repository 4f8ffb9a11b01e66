//! The services that answer from inside the process: `api@internal`, `dashboard@internal`
//! and `ping@internal`.
//!
//! The API's JSON is Traefik's, byte for byte where the facts are the same, so that scripts and
//! dashboards written for it go on working. What it shows comes from [`routing::compile::Runtime`]
//! and the static configuration; nothing here knows where those came from, opens a socket or
//! changes anything.

mod answer;
mod built;
mod dashboard;
mod json;
mod list;
mod ping;
mod routes;
mod service;
mod views;

pub use self::dashboard::DashboardService;
pub use self::ping::{PingService, Terminating};
pub use self::service::{ApiService, Facts, Source, VersionInfo};
