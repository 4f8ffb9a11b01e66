//! HTTP/1.1 messages as they lie on the wire, read without opinion.
//!
//! Both ends of a test use it: the client to write down an answer, the upstreams to write down a
//! request. Nothing is validated beyond what is needed to find the end of a message, because what
//! is wrong with a message is what the tests want to see.

use std::io::{self, Read};

/// The first line and the fields of a message, in order and in the case they were sent.
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// Request line or status line, without the line end.
    pub first_line: String,
    /// Field lines, the value trimmed.
    pub fields: Vec<(String, String)>,
}

impl Head {
    /// The first value of a field, whatever the case of its name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether a comma list field holds that token.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.fields
            .iter()
            .filter(|(field, _)| field.eq_ignore_ascii_case(name))
            .flat_map(|(_, value)| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(token))
    }

    /// How the body is delimited, not regarding the kind of message (RFC 9112 section 6.3).
    pub fn framing(&self, otherwise: Framing) -> Framing {
        if self.has_token("Transfer-Encoding", "chunked") {
            return Framing::Chunked;
        }
        match self.field("Content-Length").and_then(|value| value.parse().ok()) {
            Some(length) => Framing::Length(length),
            None => otherwise,
        }
    }
}

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    None,
    /// After so many bytes.
    Length(usize),
    /// With the last chunk.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// A body as far as it came.
#[derive(Debug, Clone, Default)]
pub struct Body {
    /// The content, chunks joined.
    pub bytes: Vec<u8>,
    /// Trailer field lines.
    pub trailers: Vec<(String, String)>,
    /// Whether it ended as its framing says, not with the connection.
    pub complete: bool,
}

/// A byte stream with what was read from it and not used yet.
pub struct Wire<S> {
    /// The stream underneath, for writing.
    pub stream: S,
    buffer: Vec<u8>,
}

impl<S: Read> Wire<S> {
    /// Wraps a fresh stream.
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// Reads a head. None if the stream ended before its first byte.
    pub fn head(&mut self) -> io::Result<Option<Head>> {
        let Some(first_line) = self.line_or_end()? else { return Ok(None) };
        Ok(Some(Head { first_line, fields: self.fields()? }))
    }

    /// Reads a body as far as it comes.
    pub fn body(&mut self, framing: Framing) -> Body {
        let mut body = Body::default();
        body.complete = match framing {
            Framing::None => true,
            Framing::Length(length) => self.exactly(length, &mut body.bytes).is_ok(),
            Framing::Chunked => self.chunks(&mut body).is_ok(),
            Framing::UntilClose => loop {
                body.bytes.append(&mut self.buffer);
                match self.fill() {
                    Ok(0) => break true,
                    Ok(_) => {}
                    Err(_) => break false,
                }
            },
        };
        body
    }

    /// Appends so many bytes to `into`; what came before an error stays there.
    pub fn exactly(&mut self, mut length: usize, into: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let taken = length.min(self.buffer.len());
            into.extend(self.buffer.drain(..taken));
            length -= taken;
            if length == 0 {
                return Ok(());
            }
            self.fill_some()?;
        }
    }

    /// Reads until the peer closes and gives what came; an error counts as closing.
    pub fn rest(&mut self) -> Vec<u8> {
        self.body(Framing::UntilClose).bytes
    }

    fn chunks(&mut self, body: &mut Body) -> io::Result<()> {
        loop {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "chunk size"))?;
            if size == 0 {
                body.trailers = self.fields()?;
                return Ok(());
            }
            self.exactly(size, &mut body.bytes)?;
            self.line()?;
        }
    }

    fn fields(&mut self) -> io::Result<Vec<(String, String)>> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            fields.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    fn line(&mut self) -> io::Result<String> {
        self.line_or_end()?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn line_or_end(&mut self) -> io::Result<Option<String>> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=searched + end).collect();
                let line = String::from_utf8_lossy(&line);
                return Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()));
            }
            searched = self.buffer.len();
            if searched > LINE_BYTES_LIMIT {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "line too long"));
            }
            if searched == 0 && self.fill()? == 0 {
                return Ok(None);
            }
            if searched > 0 {
                self.fill_some()?;
            }
        }
    }

    fn fill_some(&mut self) -> io::Result<()> {
        match self.fill()? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut piece = [0; 16 * 1024];
        let count = self.stream.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..count]);
        Ok(count)
    }
}

/// Far above any head a test sends, so that a runaway peer ends the test.
const LINE_BYTES_LIMIT: usize = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, fields: usize, body: &str, trailers: usize, complete: bool) {
        let mut wire = Wire::new(message.as_bytes());
        let head = wire.head().expect("reads").expect("has a head");
        assert_eq!(head.fields.len(), fields);
        let read = wire.body(head.framing(Framing::UntilClose));
        assert_eq!(String::from_utf8_lossy(&read.bytes), body);
        assert_eq!((read.trailers.len(), read.complete), (trailers, complete));
    }

    #[test]
    fn bodies_end_where_their_framing_says() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello", 1, "he", 0, true);
        check("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", 1, "hello", 0, false);
        check("HTTP/1.1 200 OK\r\n\r\nhello", 0, "hello", 0, true);
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        check(&format!("{chunked}2;a=b\r\nhe\r\n1\r\ny\r\n0\r\n\r\n"), 1, "hey", 0, true);
        check(&format!("{chunked}2\r\nhe\r\n0\r\nX: y\r\n\r\n"), 1, "he", 1, true);
        check(&format!("{chunked}4\r\nhe"), 1, "he", 0, false);
    }
}
