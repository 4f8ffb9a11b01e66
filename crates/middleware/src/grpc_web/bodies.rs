//! Bodies of gRPC-Web: base64 taken off requests, trailers put into responses.

use std::task::{Context, Poll, ready};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};
use exchange::{Body, BodyError, BodyStream, Frame};
use http::HeaderMap;
use http::header::HeaderName;

/// A request's body of unknown length, taken out of base64 if it is text.
pub(super) struct Decoded {
    source: Body,
    is_text: bool,
    /// Letters of a group that is not complete yet: at most three between two polls.
    letters: Vec<u8>,
}

impl Decoded {
    pub(super) fn wrap(source: Body, is_text: bool) -> Body {
        Body::Stream(Box::new(Self { source, is_text, letters: Vec::new() }))
    }

    /// Decodes what is complete. A group with padding may be followed by others.
    fn decode(&mut self, data: &[u8]) -> Result<Bytes, BodyError> {
        let letters = data.iter().filter(|byte| !matches!(byte, b'\r' | b'\n'));
        self.letters.extend(letters);
        let mut decoded = Vec::with_capacity(self.letters.len() / 4 * 3);
        let complete = self.letters.len() / 4 * 4;
        let mut rest = &self.letters[..complete];
        while !rest.is_empty() {
            let padding = rest.iter().position(|byte| *byte == b'=');
            let end = padding.map_or(rest.len(), |at| (at / 4 + 1) * 4);
            let (part, after) = rest.split_at(end);
            STANDARD.decode_vec(part, &mut decoded).map_err(|_| BodyError::Malformed)?;
            rest = after;
        }
        self.letters.drain(..complete);
        Ok(decoded.into())
    }
}

impl BodyStream for Decoded {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        loop {
            let frame = ready!(self.source.poll_frame(context));
            return Poll::Ready(match frame {
                Some(Ok(Frame::Data(data))) if self.is_text => match self.decode(&data) {
                    Ok(decoded) if decoded.is_empty() => continue,
                    Ok(decoded) => Some(Ok(Frame::Data(decoded))),
                    Err(error) => Some(Err(error)),
                },
                Some(Ok(Frame::Trailers(_))) | None if !self.letters.is_empty() => {
                    self.letters.clear();
                    Some(Err(BodyError::Malformed))
                }
                frame => frame,
            });
        }
    }

    fn remaining(&self) -> Option<u64> {
        None
    }
}

/// A response's body that ends with its trailers as a frame, in base64 if the client wants text.
pub(super) struct Framed {
    source: Body,
    is_text: bool,
    /// Fields of the header; they are not trailers as well.
    known: Vec<HeaderName>,
    is_over: bool,
}

/// Marks a frame of trailers.
const TRAILERS: u8 = 0x80;

impl Framed {
    pub(super) fn new(source: Body, is_text: bool, known: Vec<HeaderName>) -> Self {
        Self { source, is_text, known, is_over: false }
    }

    fn data(&self, bytes: Bytes) -> Frame {
        // Every piece is padded by itself, so that the client has all of it at once.
        Frame::Data(if self.is_text { STANDARD.encode(&bytes).into() } else { bytes })
    }

    fn trailers(&self, fields: &HeaderMap) -> Bytes {
        let mut lines = Vec::new();
        for (name, value) in fields {
            if !self.known.contains(name) {
                lines.push([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
            }
        }
        lines.sort();
        let lines = lines.concat();
        let mut frame = BytesMut::with_capacity(5 + lines.len());
        frame.put_u8(TRAILERS);
        frame.put_u32(u32::try_from(lines.len()).unwrap_or(u32::MAX));
        frame.put_slice(&lines);
        frame.freeze()
    }
}

impl BodyStream for Framed {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let fields = match ready!(self.source.poll_frame(context)) {
            Some(Ok(Frame::Data(data))) => return Poll::Ready(Some(Ok(self.data(data)))),
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            Some(Ok(Frame::Trailers(fields))) => fields,
            None => HeaderMap::new(),
        };
        self.is_over = true;
        Poll::Ready(Some(Ok(self.data(self.trailers(&fields)))))
    }

    fn remaining(&self) -> Option<u64> {
        None
    }

    fn is_live(&self) -> bool {
        true
    }
}
