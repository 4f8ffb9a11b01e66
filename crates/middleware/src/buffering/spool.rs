//! A body kept whole: its beginning in memory, the rest in a temporary file without a name.
//!
//! Files are written and read on tokio's blocking threads, so that a slow disk holds up nobody
//! else. All files together are bounded.

use std::fs::File;
use std::future::Future;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use exchange::{Body, BodyError, BodyStream, Frame};
use http::HeaderMap;
use tokio::task::{JoinHandle, spawn_blocking};

/// How much is kept, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    memory_bytes_max: u64,
    /// `None`: as much as there is room for.
    bytes_max: Option<u64>,
}

/// Why a body could not be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the body is larger than its limit")]
    TooLarge,
    #[error("all temporary files together are as large as they may be")]
    NoRoom,
    #[error(transparent)]
    Body(BodyError),
    #[error("temporary file: {0}")]
    Disk(io::Error),
}

/// A body that was read to its end. It can be sent any number of times.
pub(super) struct Spooled {
    memory: Bytes,
    file: Option<Arc<Spool>>,
    length: u64,
    trailers: Option<HeaderMap>,
}

/// A temporary file and the room it takes.
struct Spool {
    file: File,
    length: AtomicU64,
}

/// What is kept in memory without a setting.
const MEMORY_BYTES_DEFAULT: u64 = 1 << 20;
/// What is written and read in one go.
const PIECE_BYTES: usize = 256 << 10;
/// Room for the temporary files of the whole process.
const FILES_BYTES_MAX: u64 = 8 << 30;

/// What the temporary files take.
static FILES_BYTES: AtomicU64 = AtomicU64::new(0);

impl Limits {
    /// Reads a pair of settings; zero is the default for memory, and no limit for all.
    ///
    /// # Errors
    /// With Traefik's words for what is below zero.
    pub(super) fn new(memory: i64, all: i64) -> Result<Self, String> {
        let memory =
            u64::try_from(memory).map_err(|_| format!("mem bytes should be >= 0 got {memory}"))?;
        let all = u64::try_from(all).map_err(|_| format!("max bytes should be >= 0 got {all}"))?;
        let bytes_max = (all > 0).then_some(all);
        let memory = if memory == 0 { MEMORY_BYTES_DEFAULT } else { memory };
        Ok(Self { memory_bytes_max: memory.min(bytes_max.unwrap_or(memory)), bytes_max })
    }
}

/// Reads a body to its end.
pub(super) async fn spool(mut body: Body, limits: Limits) -> Result<Spooled, Fault> {
    let is_over = |length| limits.bytes_max.is_some_and(|max| length > max);
    if let Body::Full(bytes) = &body
        && bytes.len() as u64 <= limits.memory_bytes_max
    {
        let length = bytes.len() as u64;
        return Ok(Spooled { memory: bytes.clone(), file: None, length, trailers: None });
    }
    if body.length().is_some_and(is_over) {
        return Err(Fault::TooLarge);
    }
    let mut memory = BytesMut::new();
    let mut file: Option<Arc<Spool>> = None;
    let mut pending = BytesMut::new();
    let mut length = 0;
    let mut trailers = None;
    while let Some(frame) = body.frame().await {
        let mut data = match frame.map_err(Fault::Body)? {
            Frame::Data(data) => data,
            Frame::Trailers(fields) => {
                trailers = Some(fields);
                break;
            }
        };
        length += data.len() as u64;
        if is_over(length) {
            return Err(Fault::TooLarge);
        }
        let room = limits.memory_bytes_max.saturating_sub(memory.len() as u64);
        let kept = data.split_to(data.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
        memory.extend_from_slice(&kept);
        pending.extend_from_slice(&data);
        if pending.len() >= PIECE_BYTES {
            file = Some(write(file, pending.split().freeze()).await?);
        }
    }
    if !pending.is_empty() {
        file = Some(write(file, pending.freeze()).await?);
    }
    Ok(Spooled { memory: memory.freeze(), file, length, trailers })
}

/// Adds a piece to the end of a file, which is made if there is none.
async fn write(file: Option<Arc<Spool>>, piece: Bytes) -> Result<Arc<Spool>, Fault> {
    let written = spawn_blocking(move || {
        let file = match file {
            Some(file) => file,
            None => Arc::new(Spool::create().map_err(Fault::Disk)?),
        };
        let offset = file.reserve(piece.len() as u64, FILES_BYTES_MAX)?;
        file.file.write_all_at(&piece, offset).map_err(Fault::Disk)?;
        Ok(file)
    });
    written.await.map_err(|error| Fault::Disk(io::Error::other(error)))?
}

impl Spool {
    fn create() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!(
            "ferrovia-body-{}-{:016x}",
            std::process::id(),
            fastrand::u64(..)
        ));
        let file =
            File::options().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        // It lives as long as it is open, and no longer, whatever happens.
        std::fs::remove_file(&path)?;
        Ok(Self { file, length: AtomicU64::new(0) })
    }

    /// Takes room for so many more bytes; gives where they go.
    fn reserve(&self, bytes: u64, max: u64) -> Result<u64, Fault> {
        let taken = FILES_BYTES.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
            taken.checked_add(bytes).filter(|taken| *taken <= max)
        });
        if taken.is_err() {
            return Err(Fault::NoRoom);
        }
        Ok(self.length.fetch_add(bytes, Ordering::Relaxed))
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        FILES_BYTES.fetch_sub(*self.length.get_mut(), Ordering::Relaxed);
    }
}

impl Spooled {
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Gives the whole body.
    pub(super) fn body(&self) -> Body {
        if self.file.is_none() && self.trailers.is_none() {
            return Body::Full(self.memory.clone());
        }
        Body::Stream(Box::new(Replay {
            memory: self.memory.clone(),
            file: self.file.clone(),
            offset: 0,
            remaining: self.length,
            reading: None,
            // Trailers need a body of pieces, whose length is not announced.
            announces_length: self.trailers.is_none(),
            trailers: self.trailers.clone(),
        }))
    }
}

/// A spooled body on its way.
struct Replay {
    memory: Bytes,
    file: Option<Arc<Spool>>,
    /// In the file.
    offset: u64,
    remaining: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    announces_length: bool,
    trailers: Option<HeaderMap>,
}

impl BodyStream for Replay {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        if !self.memory.is_empty() {
            let memory = std::mem::take(&mut self.memory);
            self.remaining -= memory.len() as u64;
            return Poll::Ready(Some(Ok(Frame::Data(memory))));
        }
        let Some(file) = self.file.as_ref().filter(|_| self.remaining > 0) else {
            return Poll::Ready(self.trailers.take().map(|fields| Ok(Frame::Trailers(fields))));
        };
        let (offset, remaining) = (self.offset, self.remaining);
        let reading = self.reading.get_or_insert_with(|| {
            let file = Arc::clone(file);
            spawn_blocking(move || {
                let length = usize::try_from(remaining).unwrap_or(usize::MAX).min(PIECE_BYTES);
                let mut piece = vec![0; length];
                file.file.read_exact_at(&mut piece, offset)?;
                Ok(piece.into())
            })
        });
        let read = ready!(Pin::new(reading).poll(context));
        self.reading = None;
        let Ok(Ok(piece)) = read else {
            tracing::error!("reading a temporary file failed");
            return Poll::Ready(Some(Err(BodyError::Cut)));
        };
        self.offset += piece.len() as u64;
        self.remaining -= piece.len() as u64;
        Poll::Ready(Some(Ok(Frame::Data(piece))))
    }

    fn remaining(&self) -> Option<u64> {
        self.announces_length.then_some(self.remaining)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, Script, Step};

    fn keep(limits: Limits, steps: Vec<Step>) -> Result<Spooled, Fault> {
        fixture::block_on(spool(Script::body(None, steps), limits))
    }

    /// Keeps a body in memory of so many bytes, and gives it twice.
    fn check(memory: i64, steps: Vec<Step>, expected: &str) {
        let limits = Limits::new(memory, 0).expect("valid limits");
        let spooled = keep(limits, steps).expect("room");
        assert_eq!(spooled.file.is_some(), expected.len() > memory as usize);
        for _ in 0..2 {
            let body = spooled.body();
            assert_eq!(body.length(), Some(expected.len() as u64));
            assert_eq!(fixture::read(body), expected.as_bytes());
        }
    }

    #[test]
    fn bodies_are_kept_in_memory_and_beyond() {
        use Step::{Data, Pending};
        check(5, vec![], "");
        check(5, vec![Data("12"), Pending, Data("345")], "12345");
        check(5, vec![Data("1234"), Pending, Data("567"), Data("8")], "12345678");
        check(1, vec![Data("1234")], "1234");
    }

    #[test]
    fn large_bodies_are_written_and_read_in_pieces() {
        static LARGE: &str = include_str!("spool.rs");
        let steps = |count| (0..count).map(|_| Step::Data(LARGE)).collect();
        let count = 3 * PIECE_BYTES / LARGE.len();
        check(1000, steps(count), &LARGE.repeat(count));
    }

    fn check_fault(memory: i64, all: i64, steps: Vec<Step>, expected: &str) {
        let fault = keep(Limits::new(memory, all).expect("valid limits"), steps).err();
        assert_eq!(fault.map(|fault| fault.to_string()).as_deref(), Some(expected));
    }

    #[test]
    fn what_is_too_large_or_broken_is_told() {
        let too_large = "the body is larger than its limit";
        check_fault(0, 5, vec![Step::Data("123"), Step::Data("456")], too_large);
        check_fault(1, 5, vec![Step::Data("123456")], too_large);
        let cut = "the peer closed or reset the connection inside the body";
        check_fault(0, 0, vec![Step::Data("1"), Step::Broken(BodyError::Cut)], cut);
        let limits = Limits::new(0, 5).expect("valid limits");
        let announced = fixture::block_on(spool(Script::body(Some(6), vec![]), limits));
        assert!(matches!(announced, Err(Fault::TooLarge)));
    }

    #[test]
    fn trailers_are_kept() {
        let fields = fixture::headers(&[("X-T", "1")]);
        let steps = vec![Step::Data("12"), Step::Trailers(fields)];
        let spooled = keep(Limits::new(0, 0).expect("valid limits"), steps).expect("room");
        let mut body = spooled.body();
        assert_eq!(body.length(), None);
        let frames = fixture::block_on(async { (body.frame().await, body.frame().await) });
        assert!(matches!(frames.0, Some(Ok(Frame::Data(_)))));
        assert!(matches!(frames.1, Some(Ok(Frame::Trailers(fields))) if fields.len() == 1));
    }

    #[test]
    fn files_have_room_that_is_given_back() {
        let spool = Spool::create().expect("a file");
        assert!(spool.reserve(10, u64::MAX).is_ok_and(|offset| offset == 0));
        assert!(spool.reserve(10, u64::MAX).is_ok_and(|offset| offset == 10));
        assert!(matches!(spool.reserve(10, 29), Err(Fault::NoRoom)));
        assert!(FILES_BYTES.load(Ordering::Relaxed) >= 20);
    }

    #[test]
    fn limits_below_zero_are_refused_with_traefiks_words() {
        let error = |memory, all| Limits::new(memory, all).err();
        assert_eq!(error(-1, 0).as_deref(), Some("mem bytes should be >= 0 got -1"));
        assert_eq!(error(0, -2).as_deref(), Some("max bytes should be >= 0 got -2"));
        assert_eq!(error(-1, -2).as_deref(), Some("mem bytes should be >= 0 got -1"));
    }
}
