//! A body that is compressed while it passes.

use std::io;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use exchange::{Body, BodyError, BodyStream, Frame};
use http::HeaderMap;

use super::encoder::Encoder;

pub(super) struct EncodedBody {
    source: Body,
    /// What the source gave and the encoder has not taken yet.
    pending: Bytes,
    /// `None` once the encoding has ended.
    encoder: Option<Encoder>,
    /// Whether the encoder may hold back what it took.
    holds_back: bool,
    has_taken_any: bool,
    /// Whether a pause of the source flushes at once.
    is_eager: bool,
    is_live: bool,
    flushed: Instant,
    trailers: Option<HeaderMap>,
}

/// Bytes encoded between two looks at the clock of the worker: about half a millisecond.
const STEP_BYTES_MAX: usize = 32 << 10;
/// Steps without output before the worker is given back. A step gives output at the latest when
/// the encoder's block is full.
const SILENT_STEPS_MAX: usize = 4;
/// Output below this is not worth a frame of its own.
const OUTPUT_BYTES_MIN: usize = 4 << 10;
/// How long a response of known length may hold back at a pause, as Traefik's flush interval.
const FLUSH_INTERVAL: Duration = Duration::from_millis(100);

impl EncodedBody {
    /// Compresses `source`. An eager body is flushed whenever its source pauses.
    pub(super) fn wrap(source: Body, encoder: Encoder, is_eager: bool) -> Body {
        let is_live = matches!(&source, Body::Stream(stream) if stream.is_live());
        Body::Stream(Box::new(Self {
            source,
            pending: Bytes::new(),
            encoder: Some(encoder),
            holds_back: false,
            has_taken_any: false,
            is_eager,
            is_live,
            flushed: Instant::now(),
            trailers: None,
        }))
    }

    /// Encodes the next step of what is pending.
    fn step(encoder: &mut Encoder, pending: &mut Bytes) -> io::Result<Vec<u8>> {
        let piece = pending.split_to(pending.len().min(STEP_BYTES_MAX));
        encoder.write(&piece)?;
        // Little output, such as a header alone, waits for more, a flush or the end.
        if encoder.output_length() < OUTPUT_BYTES_MIN {
            return Ok(Vec::new());
        }
        Ok(encoder.take_output())
    }

    fn flush(encoder: &mut Encoder) -> io::Result<Vec<u8>> {
        encoder.flush()?;
        Ok(encoder.take_output())
    }

    /// Ends the encoding. A body without a byte stays one.
    fn end(&mut self) -> io::Result<Vec<u8>> {
        match self.encoder.take() {
            Some(encoder) if self.has_taken_any => encoder.finish(),
            _ => Ok(Vec::new()),
        }
    }
}

impl BodyStream for EncodedBody {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let mut silent_steps = 0;
        loop {
            let Some(encoder) = &mut self.encoder else {
                return Poll::Ready(self.trailers.take().map(|map| Ok(Frame::Trailers(map))));
            };
            let output = if !self.pending.is_empty() {
                if silent_steps == SILENT_STEPS_MAX {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                silent_steps += 1;
                self.holds_back = true;
                self.has_taken_any = true;
                Self::step(encoder, &mut self.pending)
            } else {
                match self.source.poll_frame(context) {
                    Poll::Ready(Some(Ok(Frame::Data(data)))) => {
                        self.pending = data;
                        continue;
                    }
                    Poll::Ready(Some(Ok(Frame::Trailers(trailers)))) => {
                        self.trailers = Some(trailers);
                        self.end()
                    }
                    Poll::Ready(Some(Err(error))) => {
                        self.encoder = None;
                        return Poll::Ready(Some(Err(error)));
                    }
                    Poll::Ready(None) => self.end(),
                    Poll::Pending => {
                        let is_due = self.is_eager || self.flushed.elapsed() >= FLUSH_INTERVAL;
                        if !self.holds_back || !is_due {
                            return Poll::Pending;
                        }
                        self.holds_back = false;
                        self.flushed = Instant::now();
                        let flushed = Self::flush(encoder);
                        if matches!(&flushed, Ok(output) if output.is_empty()) {
                            return Poll::Pending;
                        }
                        flushed
                    }
                }
            };
            match output {
                Ok(output) if output.is_empty() => {}
                Ok(output) => return Poll::Ready(Some(Ok(Frame::Data(output.into())))),
                Err(_) => {
                    self.encoder = None;
                    return Poll::Ready(Some(Err(BodyError::Transform)));
                }
            }
        }
    }

    fn remaining(&self) -> Option<u64> {
        None
    }

    fn is_live(&self) -> bool {
        self.is_live
    }
}
