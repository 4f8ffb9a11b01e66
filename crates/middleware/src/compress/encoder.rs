//! The encoders behind one type, writing into memory.

use std::io::{self, Write};

use brotli::CompressorWriter;
use brotli::enc::BrotliEncoderParams;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Gzip,
    Brotli,
    Zstd,
}

impl Encoding {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Gzip, Self::Brotli, Self::Zstd].into_iter().find(|known| known.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// An encoder at work. Its memory is bounded by the window below: a few hundred KiB for gzip, about
/// one MiB for the others.
pub(super) enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

const GZIP_LEVEL: u32 = 5;
const BROTLI_QUALITY: i32 = 4;
/// 256 KiB; more costs every response memory and gains web pages nothing.
const WINDOW_BITS: u8 = 18;
const ZSTD_LEVEL: i32 = 3;
const BROTLI_BUFFER_LENGTH: usize = 4096;

impl Encoder {
    /// Starts an encoder; a known length saves memory.
    pub(super) fn new(encoding: Encoding, length: Option<usize>) -> io::Result<Self> {
        Ok(match encoding {
            Encoding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL))),
            Encoding::Brotli => {
                let parameters = BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: i32::from(WINDOW_BITS),
                    size_hint: length.unwrap_or(0),
                    ..BrotliEncoderParams::default()
                };
                let writer =
                    CompressorWriter::with_params(Vec::new(), BROTLI_BUFFER_LENGTH, &parameters);
                Self::Brotli(Box::new(writer))
            }
            Encoding::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
                encoder.window_log(u32::from(WINDOW_BITS))?;
                encoder.set_pledged_src_size(length.map(|length| length as u64))?;
                Self::Zstd(encoder)
            }
        })
    }

    /// Encodes a whole body. `None` when the encoder cannot be had.
    pub(super) fn encode(encoding: Encoding, bytes: &[u8]) -> Option<Bytes> {
        let mut encoder = Self::new(encoding, Some(bytes.len())).ok()?;
        encoder.write(bytes).ok()?;
        encoder.finish().ok().map(Bytes::from)
    }

    /// Takes bytes in; what comes out waits for [`Self::take_output`] or the end.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(writer) => writer.write_all(bytes),
            Self::Brotli(writer) => writer.write_all(bytes),
            Self::Zstd(writer) => writer.write_all(bytes),
        }
    }

    /// Puts out all that was taken in.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip(writer) => writer.flush(),
            Self::Brotli(writer) => writer.flush(),
            Self::Zstd(writer) => writer.flush(),
        }
    }

    pub(super) fn output_length(&self) -> usize {
        match self {
            Self::Gzip(writer) => writer.get_ref().len(),
            Self::Brotli(writer) => writer.get_ref().len(),
            Self::Zstd(writer) => writer.get_ref().len(),
        }
    }

    pub(super) fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(match self {
            Self::Gzip(writer) => writer.get_mut(),
            Self::Brotli(writer) => writer.get_mut(),
            Self::Zstd(writer) => writer.get_mut(),
        })
    }

    /// Ends the encoding and gives what is left to send.
    pub(super) fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(writer) => writer.finish(),
            Self::Brotli(writer) => Ok(writer.into_inner()),
            Self::Zstd(writer) => writer.finish(),
        }
    }
}
