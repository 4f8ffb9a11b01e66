//! HTTP/2 frame by frame: a client that can send what no library would.

use std::net::SocketAddr;

use super::Peer;

pub(crate) const DATA: u8 = 0x0;
pub(crate) const HEADERS: u8 = 0x1;
pub(crate) const PRIORITY: u8 = 0x2;
pub(crate) const RST_STREAM: u8 = 0x3;
pub(crate) const SETTINGS: u8 = 0x4;
pub(crate) const PING: u8 = 0x6;
pub(crate) const GOAWAY: u8 = 0x7;
pub(crate) const WINDOW_UPDATE: u8 = 0x8;
pub(crate) const CONTINUATION: u8 = 0x9;

pub(crate) const END_STREAM: u8 = 0x1;
pub(crate) const ACK: u8 = 0x1;
pub(crate) const END_HEADERS: u8 = 0x4;

/// Error codes (RFC 9113, 7).
pub(crate) const NO_ERROR: u32 = 0x0;
pub(crate) const PROTOCOL_ERROR: u32 = 0x1;
pub(crate) const INTERNAL_ERROR: u32 = 0x2;
pub(crate) const CANCEL: u32 = 0x8;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 0xb;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// A client whose every frame the test writes.
pub(crate) struct Frames {
    pub(crate) peer: Peer,
}

/// What came back on a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Streamed {
    /// Of all its responses, interim ones too.
    pub(crate) statuses: Vec<u16>,
    pub(crate) body: Vec<u8>,
    /// Whether it came to its end.
    pub(crate) is_whole: bool,
    /// With which error it was reset.
    pub(crate) reset: Option<u32>,
}

/// A frame in bytes.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// A header block: every field a literal without indexing, as it stands (RFC 7541, 6.2.2).
pub(crate) fn block(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        put_string(&mut bytes, name);
        put_string(&mut bytes, value);
    }
    bytes
}

fn put_string(bytes: &mut Vec<u8>, text: &[u8]) {
    if text.len() < 127 {
        bytes.push(u8::try_from(text.len()).expect("short"));
    } else {
        bytes.push(127);
        let mut rest = text.len() - 127;
        while rest >= 128 {
            bytes.push(u8::try_from(rest % 128).expect("seven bits") | 128);
            rest /= 128;
        }
        bytes.push(u8::try_from(rest).expect("seven bits"));
    }
    bytes.extend_from_slice(text);
}

/// The fields of a GET, and some more.
pub(crate) fn get_block(path: &str, more: &[(&[u8], &[u8])]) -> Vec<u8> {
    method_block("GET", path, more)
}

pub(crate) fn method_block(method: &str, path: &str, more: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut fields: Vec<(&[u8], &[u8])> = vec![
        (b":method", method.as_bytes()),
        (b":scheme", b"http"),
        (b":authority", b"example.org"),
        (b":path", path.as_bytes()),
    ];
    fields.extend(more);
    block(&fields)
}

/// A whole GET.
pub(crate) fn get_frame(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &get_block(path, &[]))
}

/// The head of a POST whose body follows.
pub(crate) fn post_frame(stream: u32, path: &str, more: &[(&[u8], &[u8])]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &method_block("POST", path, more))
}

pub(crate) fn reset_frame(stream: u32, error: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &error.to_be_bytes())
}

pub(crate) fn window_frame(stream: u32, increment: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &increment.to_be_bytes())
}

/// A SETTINGS frame.
pub(crate) fn settings_frame(settings: &[(u16, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (id, value) in settings {
        payload.extend(id.to_be_bytes());
        payload.extend(value.to_be_bytes());
    }
    frame(SETTINGS, 0, 0, &payload)
}

impl Frames {
    /// Connects with prior knowledge. The server's encoder is told to refer to nothing.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::connect_with(address, &[])
    }

    /// Connects with prior knowledge and these settings.
    pub(crate) fn connect_with(address: SocketAddr, settings: &[(u16, u32)]) -> Self {
        let mut peer = Peer::connect(address);
        peer.send(PREFACE);
        let mut all = vec![(0x1, 0)];
        all.extend(settings);
        peer.send(settings_frame(&all));
        Self { peer }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.peer.send(bytes);
    }

    /// Sends a GET and reads what comes back.
    pub(crate) fn get(&mut self, stream: u32, path: &str) -> Streamed {
        self.send(get_frame(stream, path));
        self.streamed(stream)
    }

    /// Reads the next frame; `None`: the connection ended.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let head = self.peer.try_bytes(9)?;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let payload = self.peer.try_bytes(length)?;
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// Reads up to the next frame of that kind.
    pub(crate) fn until(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.next()?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }

    /// Reads up to the end of a stream, whose last frame may be a reset; other streams' frames are
    /// dropped. Answers what must be answered.
    pub(crate) fn streamed(&mut self, stream: u32) -> Streamed {
        let mut streamed = Streamed::default();
        while !streamed.is_whole && streamed.reset.is_none() {
            let Some(frame) = self.next() else { return streamed };
            self.answer(&frame);
            if frame.stream == stream {
                streamed.take(&frame);
            }
        }
        streamed
    }

    /// Acknowledges settings and pings.
    pub(crate) fn answer(&mut self, read: &Frame) {
        if matches!(read.kind, SETTINGS | PING) && read.flags & ACK == 0 {
            let payload: &[u8] = if read.kind == PING { &read.payload } else { b"" };
            self.peer.try_send(frame(read.kind, ACK, 0, payload));
        }
    }

    /// Reads to the end of the connection; tells the errors of all GOAWAYs.
    pub(crate) fn farewells(&mut self) -> Vec<u32> {
        let mut errors = Vec::new();
        while let Some(frame) = self.next() {
            self.answer(&frame);
            if frame.kind == GOAWAY {
                errors.push(error_code(&frame.payload[4..]));
            }
        }
        errors
    }
}

impl Streamed {
    /// The status of the last response.
    pub(crate) fn status(&self) -> u16 {
        *self.statuses.last().expect("a response")
    }

    pub(crate) fn text(&self) -> &str {
        assert!(self.is_whole, "a whole response in {self:?}");
        std::str::from_utf8(&self.body).expect("text")
    }

    pub(crate) fn take(&mut self, frame: &Frame) {
        match frame.kind {
            HEADERS => {
                self.statuses.extend(status(&frame.payload));
                self.is_whole |= frame.flags & END_STREAM != 0;
            }
            DATA => {
                self.body.extend_from_slice(&frame.payload);
                self.is_whole |= frame.flags & END_STREAM != 0;
            }
            RST_STREAM => self.reset = Some(error_code(&frame.payload)),
            _ => {}
        }
    }
}

fn error_code(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// The status at the start of a header block; `None`: the block holds trailers.
fn status(mut block: &[u8]) -> Option<u16> {
    // Table size updates come first.
    while let [0x20..=0x3f, rest @ ..] = block {
        block = rest;
    }
    match block {
        [0x88, ..] => Some(200),
        [0x89, ..] => Some(204),
        [0x8a, ..] => Some(206),
        [0x8b, ..] => Some(304),
        [0x8c, ..] => Some(400),
        [0x8d, ..] => Some(404),
        [0x8e, ..] => Some(500),
        // A literal whose name is that of entry 8 to 14.
        [0x08..=0x0e | 0x18..=0x1e | 0x48..=0x4e, length, text @ ..] => {
            let text = &text[..usize::from(length & 0x7f)];
            if length & 0x80 == 0 {
                return std::str::from_utf8(text).ok()?.parse().ok();
            }
            Some(digits(text))
        }
        _ => None,
    }
}

/// Three digits in Huffman's code (RFC 7541, appendix B).
fn digits(code: &[u8]) -> u16 {
    let bits: String = code.iter().map(|byte| format!("{byte:08b}")).collect();
    let mut bits = bits.as_str();
    let mut number = 0;
    for _ in 0..3 {
        let (digit, length) = match &bits[..5] {
            "00000" => (0, 5),
            "00001" => (1, 5),
            "00010" => (2, 5),
            _ => (u16::from_str_radix(&bits[..6], 2).expect("bits") - 0b011001 + 3, 6),
        };
        number = number * 10 + digit;
        bits = &bits[length..];
    }
    number
}
