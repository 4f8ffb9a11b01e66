//! A server's end of an HTTP/2 connection, frame by frame: what a server may do wrong, or at the
//! wrong moment, no library does.

use super::{Peer, Server};

/// Frame types (RFC 9113, 6).
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;

/// Error codes (RFC 9113, 7).
pub(crate) const NO_ERROR: u32 = 0;
pub(crate) const INTERNAL_ERROR: u32 = 2;
pub(crate) const REFUSED_STREAM: u32 = 7;
pub(crate) const CANCEL: u32 = 8;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

/// Settings (RFC 9113, 6.5.2).
pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 3;
pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;

/// A server's end of a connection.
pub(crate) struct Frames {
    pub(crate) peer: Peer,
}

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn ends_stream(&self) -> bool {
        self.flags & END_STREAM != 0
    }

    /// The code of RST_STREAM.
    pub(crate) fn code(&self) -> u32 {
        u32::from_be_bytes(self.payload[..4].try_into().expect("a code"))
    }
}

impl Frames {
    /// Takes the next connection and sends these settings.
    pub(crate) fn accept(server: &Server, settings: &[(u16, u32)]) -> Self {
        let mut peer = server.accept();
        assert_eq!(peer.text(24), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let mut frames = Self { peer };
        let settings: Vec<u8> = settings
            .iter()
            .flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        frames.send(SETTINGS, 0, 0, &settings);
        frames
    }

    /// The next frame of these kinds; others are passed over, settings acknowledged.
    pub(crate) fn next(&mut self, kinds: &[u8]) -> Frame {
        self.try_next(kinds).expect("a frame before the end of the connection")
    }

    /// As [`Self::next`]; `None`: the connection ended.
    pub(crate) fn try_next(&mut self, kinds: &[u8]) -> Option<Frame> {
        loop {
            let frame = self.read()?;
            if frame.kind == SETTINGS && frame.flags & ACK == 0 {
                self.send(SETTINGS, ACK, 0, &[]);
            }
            if kinds.contains(&frame.kind) {
                return Some(frame);
            }
        }
    }

    fn read(&mut self) -> Option<Frame> {
        let head = self.peer.try_bytes(9)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let stream = u32::from_be_bytes(head[5..9].try_into().expect("four bytes"));
        let payload = self.peer.try_bytes(length as usize)?;
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// The next request's head; gives its stream.
    pub(crate) fn request(&mut self) -> u32 {
        self.next(&[HEADERS]).stream
    }

    /// Reads a request's body.
    pub(crate) fn body(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let frame = self.next(&[DATA, HEADERS]);
            if frame.kind == DATA {
                body.extend_from_slice(&frame.payload);
            }
            if frame.ends_stream() {
                return body;
            }
        }
    }

    pub(crate) fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.peer.send(encode(kind, flags, stream, payload));
    }

    /// Sends a head with this status and these fields.
    pub(crate) fn head(&mut self, stream: u32, status: u16, fields: &[(&str, &str)], ends: bool) {
        let flags = END_HEADERS | if ends { END_STREAM } else { 0 };
        let status = status.to_string();
        let block = block(&[&[(":status", status.as_str())], fields].concat());
        self.send(HEADERS, flags, stream, &block);
    }

    /// Sends 200 with this body.
    pub(crate) fn answer(&mut self, stream: u32, body: &str) {
        self.head(stream, 200, &[], false);
        self.data(stream, body.as_bytes(), true);
    }

    pub(crate) fn data(&mut self, stream: u32, data: &[u8], ends: bool) {
        self.send(DATA, if ends { END_STREAM } else { 0 }, stream, data);
    }

    pub(crate) fn trailers(&mut self, stream: u32, fields: &[(&str, &str)]) {
        self.send(HEADERS, END_HEADERS | END_STREAM, stream, &block(fields));
    }

    pub(crate) fn reset(&mut self, stream: u32, code: u32) {
        self.send(RST_STREAM, 0, stream, &code.to_be_bytes());
    }

    pub(crate) fn go_away(&mut self, last: u32, code: u32) {
        let payload = [last.to_be_bytes(), code.to_be_bytes()].concat();
        self.send(GOAWAY, 0, 0, &payload);
    }

    pub(crate) fn window(&mut self, stream: u32, more: u32) {
        self.send(WINDOW_UPDATE, 0, stream, &more.to_be_bytes());
    }

    pub(crate) fn pong(&mut self, ping: &Frame) {
        self.send(PING, ACK, 0, &ping.payload);
    }
}

/// A frame's bytes.
pub(crate) fn encode(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// Fields as literals that are in no table (RFC 7541, 6.2.2).
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).ok().filter(|l| *l < 127).expect("a short text"));
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}
