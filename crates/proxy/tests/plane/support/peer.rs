//! One end of a connection, blocking, with everything read kept until it is asked for.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use super::LIMIT;
use super::message::{self, Answer, BodyEnd, Received};

/// One end of a connection.
pub(crate) struct Peer {
    stream: TcpStream,
    read: Vec<u8>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The other side said that it is done.
    Closed,
    Reset,
}

impl Peer {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(LIMIT)).expect("a read timeout");
        stream.set_write_timeout(Some(LIMIT)).expect("a write timeout");
        stream.set_nodelay(true).expect("no delay");
        Self { stream, read: Vec::new() }
    }

    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).expect("a connection"))
    }

    /// Sends bytes that the other side is sure to take.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the other side takes bytes");
    }

    /// Sends bytes to a side that may have gone; tells whether it took them.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Sends bytes to a side that may have gone; `false`, since nothing follows them.
    pub(crate) fn sends_last(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let _ = self.try_send(bytes);
        false
    }

    /// Sends up to so many bytes, until the other side takes no more for a while; tells how many it
    /// took.
    pub(crate) fn send_until_blocked(&mut self, bytes_max: usize) -> usize {
        self.repeat_until_blocked(&[b'x'; 64 * 1024], bytes_max)
    }

    /// Sends a piece again and again; otherwise as [`Self::send_until_blocked`].
    pub(crate) fn repeat_until_blocked(&mut self, piece: &[u8], bytes_max: usize) -> usize {
        self.stream.set_write_timeout(Some(Duration::from_millis(500))).expect("a timeout");
        let mut sent = 0;
        while sent < bytes_max {
            let start = sent % piece.len();
            let end = piece.len().min(start + bytes_max - sent);
            match self.stream.write(&piece[start..end]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("sending: {error}"),
            }
        }
        self.stream.set_write_timeout(Some(LIMIT)).expect("a timeout");
        sent
    }

    /// Says that no more bytes will be sent.
    pub(crate) fn end_sending(&self) {
        self.stream.shutdown(Shutdown::Write).expect("a shutdown");
    }

    /// Ends the connection so that the other side sees a reset.
    pub(crate) fn reset(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).expect("linger");
    }

    /// A second handle of the same connection, which has read nothing yet.
    pub(crate) fn clone_stream(&self) -> Self {
        Self::new(self.stream.try_clone().expect("a second handle"))
    }

    /// Reads a request, and its body whatever its length.
    pub(crate) fn request(&mut self) -> Received {
        self.try_request().expect("a request")
    }

    /// Reads a request; `None`: the connection ended before it began.
    pub(crate) fn try_request(&mut self) -> Option<Received> {
        let head = self.try_head()?;
        let (body, trailers) = self.body(message::request_body_end(&head));
        Some(Received { head, body, trailers })
    }

    /// Reads a response to GET.
    pub(crate) fn answer(&mut self) -> Answer {
        self.answer_to("GET")
    }

    /// Reads a response, interim ones too.
    pub(crate) fn answer_to(&mut self, method: &str) -> Answer {
        let head = self.head();
        let (body, trailers) = self.body(message::response_body_end(&head, method));
        let body = body.expect("a whole response body");
        Answer { status: message::status(&head), head, body, trailers }
    }

    /// Reads a response to GET; `None`: it was cut off, or there was none.
    pub(crate) fn try_answer(&mut self) -> Option<Answer> {
        let head = self.try_head()?;
        let (body, trailers) = self.body(message::response_body_end(&head, "GET"));
        Some(Answer { status: message::status(&head), head, body: body?, trailers })
    }

    /// Reads up to the first empty line, which is included.
    pub(crate) fn head(&mut self) -> String {
        self.try_head().expect("a head before the end of the connection")
    }

    fn try_head(&mut self) -> Option<String> {
        let end = loop {
            match find(&self.read, b"\r\n\r\n") {
                Some(at) => break at + 4,
                None => self.fill().ok()?,
            }
        };
        let head = self.read.drain(..end).collect();
        Some(String::from_utf8(head).expect("a head in text"))
    }

    /// Reads that many bytes.
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        self.try_bytes(count).expect("bytes before the end of the connection")
    }

    /// Reads that many bytes, as text.
    pub(crate) fn text(&mut self, count: usize) -> String {
        String::from_utf8(self.bytes(count)).expect("text")
    }

    /// Reads that many bytes; `None`: the connection ended before.
    pub(crate) fn try_bytes(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.read.len() < count {
            self.fill().ok()?;
        }
        Some(self.read.drain(..count).collect())
    }

    fn line(&mut self) -> Option<String> {
        let end = loop {
            match find(&self.read, b"\r\n") {
                Some(at) => break at + 2,
                None => self.fill().ok()?,
            }
        };
        Some(String::from_utf8(self.read.drain(..end).collect()).expect("a line of text"))
    }

    /// Reads a body and its trailers; `None`: cut off.
    fn body(&mut self, end: BodyEnd) -> (Option<Vec<u8>>, String) {
        match end {
            BodyEnd::After(length) => (self.try_bytes(length), String::new()),
            BodyEnd::WithConnection => {
                let (bytes, end) = self.rest();
                ((end == End::Closed).then_some(bytes), String::new())
            }
            BodyEnd::Chunked => match self.chunks() {
                Some((body, trailers)) => (Some(body), trailers),
                None => (None, String::new()),
            },
        }
    }

    fn chunks(&mut self) -> Option<(Vec<u8>, String)> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = usize::from_str_radix(line.trim_end(), 16).expect("a chunk size");
            if size == 0 {
                break;
            }
            body.extend(self.try_bytes(size)?);
            assert_eq!(self.try_bytes(2)?, b"\r\n", "the end of a chunk");
        }
        let mut trailers = String::new();
        loop {
            let line = self.line()?;
            if line == "\r\n" {
                return Some((body, trailers));
            }
            trailers.push_str(&line);
        }
    }

    /// Reads everything up to the end of the connection.
    pub(crate) fn rest(&mut self) -> (Vec<u8>, End) {
        loop {
            if let Err(end) = self.fill() {
                return (std::mem::take(&mut self.read), end);
            }
        }
    }

    /// Waits for the end of a connection on which nothing more comes.
    pub(crate) fn end(&mut self) -> End {
        let (rest, end) = self.rest();
        assert_eq!(String::from_utf8_lossy(&rest), "", "bytes before the end");
        end
    }

    /// Reads and forgets up to the end of the connection.
    pub(crate) fn discard(mut self) {
        while self.fill().is_ok() {
            self.read.clear();
        }
    }

    /// Ends both directions, for all handles.
    pub(crate) fn shut_down(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Tells whether the connection has ended by now.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.stream.set_nonblocking(true).expect("a mode");
        let read = self.stream.peek(&mut [0; 1]);
        self.stream.set_nonblocking(false).expect("a mode");
        match read {
            Ok(count) => count == 0,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    /// Tells whether nothing comes for that long.
    pub(crate) fn is_silent_for(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).expect("a read timeout");
        let peeked = self.stream.peek(&mut [0; 1]);
        self.stream.set_read_timeout(Some(LIMIT)).expect("a read timeout");
        self.read.is_empty() && peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    /// Reads more; an error is the end.
    fn fill(&mut self) -> Result<(), End> {
        let mut piece = [0; 64 * 1024];
        match self.stream.read(&mut piece) {
            Ok(0) => Err(End::Closed),
            Ok(count) => {
                self.read.extend_from_slice(&piece[..count]);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                panic!("nothing came within {LIMIT:?}; so far: {}", self.read.escape_ascii())
            }
            Err(_) => Err(End::Reset),
        }
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}
