//! Whether a server is up.

use std::sync::atomic::{AtomicBool, Ordering};

/// Holds one server's health. Servers start up, as Traefik's do.
#[derive(Debug)]
pub struct Health {
    up: AtomicBool,
}

impl Default for Health {
    fn default() -> Self {
        Self { up: AtomicBool::new(true) }
    }
}

impl Health {
    /// Tells whether requests may go to the server.
    pub fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// Records what a check found; tells whether that is a change.
    pub fn record(&self, is_up: bool) -> bool {
        self.up.swap(is_up, Ordering::Relaxed) != is_up
    }
}
