//! Ports for listeners that a program under test opens itself.
//!
//! Handing a program "port 0" hides the number, and closing a socket to free its port for the
//! program races with everything else on the machine. So: a range below the kernel's ephemeral
//! ports (no outgoing connection ever takes one), and one lock file for each port, held as long as
//! the [`ReservedPort`] lives, so that tests in other threads and processes keep off it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// A TCP port on loopback that nobody listens on and no other test uses.
#[derive(Debug)]
pub struct ReservedPort {
    port: u16,
    _claim: File,
}

impl ReservedPort {
    /// Claims a free port until the value is dropped.
    pub fn claim() -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);

        let directory = std::env::temp_dir().join("ferrovia-test-ports");
        fs::create_dir_all(&directory)?;
        let start = process::id().wrapping_mul(61);
        for _ in 0..PORT_COUNT {
            let offset = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORT_COUNT;
            let port = PORT_FIRST + u16::try_from(offset).expect("the range fits a port");
            let claim = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(directory.join(port.to_string()))?;
            if claim.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok() {
                return Ok(Self { port, _claim: claim });
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, "no free port for a test"))
    }

    /// The port number.
    pub fn number(&self) -> u16 {
        self.port
    }
}

/// Linux takes outgoing ports from 32768 on; five digits keep `Content-Length` stable.
const PORT_FIRST: u16 = 20_000;
const PORT_COUNT: u32 = 12_000;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn claimed_ports_differ_and_can_be_listened_on() {
        let ports: Vec<_> = (0..8).map(|_| ReservedPort::claim().expect("free ports")).collect();
        let numbers: BTreeSet<_> = ports.iter().map(ReservedPort::number).collect();
        assert_eq!(numbers.len(), ports.len());
        TcpListener::bind(("127.0.0.1", ports[0].number())).expect("the claimed port is free");
    }
}
