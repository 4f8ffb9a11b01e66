//! Servers that speak HTTP/2.

mod both;
mod broken;
mod choice;
mod connections;
mod messages;

use crate::support::{Rig, Server, Setup};

fn rig(server: &Server) -> Rig {
    Setup::h2c(server.address).start()
}
