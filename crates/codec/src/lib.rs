//! HTTP/1.1 wire format: heads and bodies, no sockets and no clock.
