//! What an upstream answers.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;

/// One answer of an upstream. Without any setting: 200 with the upstream's name as body.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reply {
    /// Only for this path (the query does not count).
    pub path: Option<String>,
    /// Default 200.
    pub status: Option<u16>,
    /// Field lines.
    pub headers: Vec<String>,
    /// Default: the upstream's name.
    pub body: Option<String>,
    /// In place of `body`: so many bytes of text that compresses well.
    pub body_bytes: Option<usize>,
    /// Sends the body gzipped and says so.
    pub gzip: bool,
    /// How the body is delimited.
    pub framing: BodyFraming,
    /// Trailer field lines, with `framing = "chunked"`.
    pub trailers: Vec<String>,
    /// Interim answers before the final one: status line and field lines, without the version.
    pub interim: Vec<String>,
    /// Exactly these bytes in place of all the above.
    pub raw: Option<String>,
    /// Closes the connection afterwards.
    pub close: bool,
    /// Waits before answering.
    pub delay_ms: u64,
    /// In place of an answer.
    pub action: Option<Action>,
    /// Writes down when the proxy closes the connection; only with `action = "stall"`.
    pub report_close: bool,
    /// Does not write down the request.
    pub quiet: bool,
}

/// How an upstream delimits its body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyFraming {
    /// `Content-Length`.
    #[default]
    Length,
    /// Chunks of at most 1000 bytes.
    Chunked,
    /// The end of the connection.
    Close,
    /// Nothing at all: for 204, 304 and answers to HEAD.
    Absent,
}

/// What an upstream does instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Closes the connection.
    Close,
    /// Resets the connection.
    Reset,
    /// Never answers.
    Stall,
    /// Answers 101 and sends every byte back.
    Upgrade,
}

impl Reply {
    /// Writes the answer to a request of that method.
    pub(super) fn write(&self, to: &mut impl Write, name: &str, method: &str) -> io::Result<()> {
        if let Some(raw) = &self.raw {
            to.write_all(raw.as_bytes())?;
            return to.flush();
        }
        for interim in &self.interim {
            write!(to, "HTTP/1.1 {interim}\r\n\r\n")?;
            to.flush()?;
        }
        let body = self.content(name);
        let status = self.status.unwrap_or(200);
        write!(to, "HTTP/1.1 {status} {}\r\n", reason(status))?;
        for header in &self.headers {
            write!(to, "{header}\r\n")?;
        }
        if self.gzip {
            write!(to, "Content-Encoding: gzip\r\n")?;
        }
        match self.framing {
            BodyFraming::Length => write!(to, "Content-Length: {}\r\n", body.len())?,
            BodyFraming::Chunked => write!(to, "Transfer-Encoding: chunked\r\n")?,
            BodyFraming::Close => write!(to, "Connection: close\r\n")?,
            BodyFraming::Absent => {}
        }
        write!(to, "\r\n")?;
        if method != "HEAD" {
            self.write_body(to, &body)?;
        }
        to.flush()
    }

    fn write_body(&self, to: &mut impl Write, body: &[u8]) -> io::Result<()> {
        match self.framing {
            BodyFraming::Length | BodyFraming::Close => to.write_all(body),
            BodyFraming::Absent => Ok(()),
            BodyFraming::Chunked => {
                for piece in body.chunks(1000) {
                    write!(to, "{:x}\r\n", piece.len())?;
                    to.write_all(piece)?;
                    write!(to, "\r\n")?;
                }
                write!(to, "0\r\n")?;
                for trailer in &self.trailers {
                    write!(to, "{trailer}\r\n")?;
                }
                write!(to, "\r\n")
            }
        }
    }

    pub(super) fn content(&self, name: &str) -> Vec<u8> {
        let content = match (self.body_bytes, &self.body) {
            (Some(count), _) => {
                b"The iron road is long. ".iter().copied().cycle().take(count).collect()
            }
            (None, Some(body)) => body.clone().into_bytes(),
            (None, None) => name.as_bytes().to_vec(),
        };
        if !self.gzip {
            return content;
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&content).and_then(|()| encoder.finish()).unwrap_or_default()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        304 => "Not Modified",
        404 => "Not Found",
        503 => "Service Unavailable",
        _ => "Whatever",
    }
}
