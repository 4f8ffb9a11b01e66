//! WebSocket (RFC 6455) with blocking sockets: a client, and an upstream that echoes.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// What a frame holds (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// One frame, unmasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) opcode: Opcode,
    pub(crate) is_final: bool,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// A message in one frame.
    pub(crate) fn new(opcode: Opcode, payload: &[u8]) -> Self {
        Self { opcode, is_final: true, payload: payload.to_vec() }
    }
}

/// The client's side of an open WebSocket.
pub(crate) struct Client(TcpStream);

impl Client {
    /// Connects and shakes hands; checks that the server knew the key.
    pub(crate) fn open(address: SocketAddr, host: &str, path: &str) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: keep-alive, Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
        )?;
        let head = head(&mut stream)?;
        let field = format!("sec-websocket-accept: {}", accept(KEY)).to_ascii_lowercase();
        let is_open = head.starts_with("HTTP/1.1 101 ")
            && head.to_ascii_lowercase().lines().any(|line| line == field);
        if is_open { Ok(Self(stream)) } else { Err(io::Error::other(head)) }
    }

    /// Sends a frame, masked as clients must.
    pub(crate) fn send(&mut self, frame: &Frame) -> io::Result<()> {
        write(&mut self.0, frame, Some([0x37, 0xfa, 0x21, 0x3d]))
    }

    /// Reads a frame.
    pub(crate) fn receive(&mut self) -> io::Result<Frame> {
        read(&mut self.0)
    }

    /// Says that nothing more will be sent, below WebSocket.
    pub(crate) fn half_close(&mut self) -> io::Result<()> {
        self.0.shutdown(Shutdown::Write)
    }

    /// Reads until the server has closed, too.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest)?;
        Ok(rest)
    }
}

/// Starts an upstream that echoes messages, answers pings, and says "bye" as a text when the peer
/// is done without a close frame. It serves until the program ends.
pub(crate) fn start_echo() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A peer that goes away ends its own connection only.
            thread::spawn(move || echo(stream));
        }
    });
    Ok(address)
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    let head = head(&mut stream)?;
    let key = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
    let Some((_, key)) = key else {
        return stream.write_all(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n");
    };
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept(key)
    )?;
    loop {
        let frame = match read(&mut stream) {
            Ok(frame) => frame,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return write(&mut stream, &Frame::new(Opcode::Text, b"bye"), None);
            }
            Err(error) => return Err(error),
        };
        match frame.opcode {
            Opcode::Pong => {}
            Opcode::Ping => write(&mut stream, &Frame { opcode: Opcode::Pong, ..frame }, None)?,
            Opcode::Close => return write(&mut stream, &frame, None),
            Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                write(&mut stream, &frame, None)?;
            }
        }
    }
}

fn head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        // Not one byte more: what follows is frames.
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn write(stream: &mut TcpStream, frame: &Frame, mask: Option<[u8; 4]>) -> io::Result<()> {
    let mut bytes = vec![u8::from(frame.is_final) << 7 | frame.opcode as u8];
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let length = frame.payload.len();
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => bytes.push(masked | short),
        (_, Ok(medium)) => {
            bytes.push(masked | 126);
            bytes.extend(medium.to_be_bytes());
        }
        _ => {
            bytes.push(masked | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    let mask_or_none = mask.unwrap_or_default();
    bytes.extend(&mask_or_none[..if mask.is_some() { 4 } else { 0 }]);
    bytes.extend(frame.payload.iter().zip(mask_or_none.iter().cycle()).map(|(byte, m)| byte ^ m));
    stream.write_all(&bytes)
}

fn read(stream: &mut TcpStream) -> io::Result<Frame> {
    let mut start = [0; 2];
    stream.read_exact(&mut start)?;
    let mut length = u64::from(start[1] & 0x7f);
    let width = match length {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    if width > 0 {
        let mut bytes = [0; 8];
        stream.read_exact(&mut bytes[8 - width..])?;
        length = u64::from_be_bytes(bytes);
    }
    let mut mask = [0; 4];
    if start[1] & 0x80 != 0 {
        stream.read_exact(&mut mask)?;
    }
    let mut payload = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    stream.read_exact(&mut payload)?;
    payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, m)| *byte ^= m);
    let opcode = match start[0] & 0x0f {
        0 => Opcode::Continuation,
        1 => Opcode::Text,
        2 => Opcode::Binary,
        8 => Opcode::Close,
        9 => Opcode::Ping,
        10 => Opcode::Pong,
        other => return Err(io::Error::other(format!("opcode {other}"))),
    };
    Ok(Frame { opcode, is_final: start[0] & 0x80 != 0, payload })
}

/// What a server answers to a key (RFC 6455 section 4.2.2).
fn accept(key: &str) -> String {
    base64(&sha1(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes()))
}

/// RFC 3174. WebSocket needs it; it protects nothing.
fn sha1(message: &[u8]) -> [u8; 20] {
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in padded.chunks_exact(64) {
        let mut words: Vec<u32> = block
            .chunks_exact(4)
            .map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]))
            .collect();
        for index in 16..80 {
            let mixed = words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16];
            words.push(mixed.rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (index, word) in words.iter().enumerate() {
            let (mixed, constant) = match index / 20 {
                0 => ((b & c) | (!b & d), 0x5a82_7999),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6_u32),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(mixed)
                .wrapping_add(e)
                .wrapping_add(constant)
                .wrapping_add(*word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (sum, value) in state.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(value);
        }
    }
    let mut digest = [0; 20];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * position) & 63) as usize];
            text.push(if position <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const PATIENCE: Duration = Duration::from_secs(15);

#[test]
fn the_accept_value_is_the_one_of_the_rfc() {
    assert_eq!(accept(KEY), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
