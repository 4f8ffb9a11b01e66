//! A connection that sends requests and tells exactly how one failed.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A connection to the proxy.
pub(crate) struct Client {
    stream: TcpStream,
    read: Vec<u8>,
    /// End of the last answer in `read`.
    used: usize,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    /// The status line and the fields.
    pub(crate) head: &'a str,
    pub(crate) body: &'a str,
    /// The server said that it closes the connection.
    pub(crate) closes: bool,
}

/// How a request failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody listens, or so it says.
    Refused,
    /// No connection for another reason.
    NotConnected(io::Error),
    /// The connection ended in order before the first byte of an answer.
    Ended,
    /// The connection was reset before the first byte of an answer: the server closed it although
    /// the request, or a part of it, lay there unread or came later.
    Reset,
    /// Nothing came in time.
    Silent,
    /// The answer ended early or cannot be read.
    Broken(String),
}

impl Client {
    /// Connects to the proxy.
    pub(crate) fn connect(address: SocketAddr) -> Result<Self, Failure> {
        let stream =
            TcpStream::connect_timeout(&address, PATIENCE).map_err(|error| match error.kind() {
                io::ErrorKind::ConnectionRefused => Failure::Refused,
                _ => Failure::NotConnected(error),
            })?;
        stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(Some(PATIENCE)))
            .and_then(|()| stream.set_write_timeout(Some(PATIENCE)))
            .map_err(Failure::NotConnected)?;
        Ok(Self { stream, read: Vec::with_capacity(1024), used: 0 })
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn get(&mut self, host: &str, path: &str) -> Result<Answer<'_>, Failure> {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
        self.answer()
    }

    /// Sends bytes. That the connection is gone shows when the answer is awaited.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Tells whether the server has closed the connection while it was idle.
    pub(crate) fn is_closed(&self) -> bool {
        let mut byte = [0];
        let peeked = self.stream.set_nonblocking(true).and_then(|()| self.stream.peek(&mut byte));
        let _ = self.stream.set_nonblocking(false);
        let is_open = |error: &io::Error| {
            matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
        };
        !peeked.as_ref().is_err_and(is_open)
    }

    /// Reads one answer; bytes after it stay for the next call.
    pub(crate) fn answer(&mut self) -> Result<Answer<'_>, Failure> {
        self.read.drain(..self.used);
        self.used = 0;
        let head_length = loop {
            if let Some(end) = find(&self.read, b"\r\n\r\n") {
                break end + 4;
            }
            self.fill()?;
        };
        let head = Head::parse(&self.read[..head_length]).ok_or_else(|| {
            Failure::Broken(String::from_utf8_lossy(&self.read[..head_length]).into_owned())
        })?;
        self.used = head_length + head.content_length;
        while self.read.len() < self.used {
            self.fill()?;
        }
        let (head_text, body) = self.read[..self.used].split_at(head_length);
        let text = |bytes| {
            std::str::from_utf8(bytes)
                .map_err(|_| Failure::Broken("the answer is no text".to_owned()))
        };
        let (status, closes) = (head.status, head.closes);
        Ok(Answer { status, head: text(head_text)?, body: text(body)?, closes })
    }

    fn fill(&mut self) -> Result<(), Failure> {
        let mut piece = [0; 4096];
        let has_begun = !self.read.is_empty();
        match self.stream.read(&mut piece) {
            Ok(0) if has_begun => Err(Failure::Broken("the answer ended early".to_owned())),
            Ok(0) => Err(Failure::Ended),
            Ok(count) => {
                self.read.extend_from_slice(&piece[..count]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(Failure::Silent),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) if has_begun => Err(Failure::Broken(format!("within the answer: {error}"))),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Err(Failure::Reset),
            Err(error) => Err(Failure::Broken(format!("before the answer: {error}"))),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("connection refused"),
            Self::NotConnected(error) => write!(f, "no connection: {error}"),
            Self::Ended => f.write_str("closed without an answer"),
            Self::Reset => f.write_str("reset without an answer"),
            Self::Silent => write!(f, "no answer within {PATIENCE:?}"),
            Self::Broken(what) => write!(f, "broken answer: {what}"),
        }
    }
}

struct Head {
    status: u16,
    content_length: usize,
    closes: bool,
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let mut content_length = None;
        let mut closes = false;
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                content_length = value.trim().parse().ok();
            } else if name.eq_ignore_ascii_case("connection") {
                closes = value.trim().eq_ignore_ascii_case("close");
            }
        }
        // Every answer of the soak has a length; chunks would be an answer nobody gave.
        Some(Self { status, content_length: content_length?, closes })
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// Far beyond what any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);
