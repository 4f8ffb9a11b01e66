//! hot path
//!
//! What a client may cost without asking for anything: counted per connection, leaking with time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Frames in a burst that carry nothing (PING, SETTINGS, PRIORITY, RST_STREAM, empty DATA, unknown
/// types), and WINDOW_UPDATE beyond what was sent. Go lets as many replies wait.
const IDLE_FRAMES_BURST: u32 = 10_000;
/// Such frames a second for as long as the connection lives.
const IDLE_FRAMES_RATE: u32 = 500;
/// One WINDOW_UPDATE is free for so many bytes written: clients that answer every small DATA frame
/// with two of them are no flood.
const BYTES_PER_WINDOW_UPDATE: u64 = 32;
/// Streams in a burst that end without their response: the client resets them (CVE-2023-44487),
/// makes us reset them (CVE-2025-8671), or opens more than it may. A stream with its response makes
/// up for one without: of the many users behind another proxy some always go away.
const BROKEN_STREAMS_BURST: u32 = 500;
/// Such streams a second for as long as the connection lives.
const BROKEN_STREAMS_RATE: u32 = 20;

const FRAME_HEAD: usize = 9;
/// Length of the client's preface (RFC 9113, 3.4).
const PREFACE: usize = 24;
const END_STREAM: u8 = 0x1;

/// What was done against abuse, for all connections. Only grows.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Connections ended because of frames that carry nothing.
    pub(crate) frame_floods: AtomicU64,
    /// Connections ended because of streams that end without their response.
    pub(crate) stream_floods: AtomicU64,
    /// Connections ended by the protocol's own checks: header floods, DATA floods, framing errors.
    pub(crate) protocol_errors: AtomicU64,
    /// Requests refused for being malformed (RFC 9113, 8.1.1).
    pub(crate) malformed_requests: AtomicU64,
    /// Streams refused because the connection has too much under way.
    pub(crate) refused_streams: AtomicU64,
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// A bucket that events fill and time empties.
pub(crate) struct Bucket {
    level: u32,
    burst: u32,
    rate: u32,
    /// How far the leak was reckoned with.
    leaked_until: Instant,
}

impl Bucket {
    pub(crate) fn of_idle_frames(now: Instant) -> Self {
        Self { level: 0, burst: IDLE_FRAMES_BURST, rate: IDLE_FRAMES_RATE, leaked_until: now }
    }

    pub(crate) fn of_broken_streams(now: Instant) -> Self {
        Self { level: 0, burst: BROKEN_STREAMS_BURST, rate: BROKEN_STREAMS_RATE, leaked_until: now }
    }

    /// Takes one event back.
    pub(crate) fn give_back(&mut self) {
        self.level = self.level.saturating_sub(1);
    }

    /// Counts one event; `false`: that was one too many.
    pub(crate) fn add(&mut self, now: Instant) -> bool {
        self.level += 1;
        if self.level <= self.burst {
            return true;
        }
        // The leak matters only when the bucket is full.
        let passed = now.saturating_duration_since(self.leaked_until);
        let leaked = passed.as_millis().saturating_mul(u128::from(self.rate)) / 1000;
        let leaked = u32::try_from(leaked).unwrap_or(u32::MAX);
        if leaked > 0 {
            self.leaked_until = now;
            self.level = self.level.saturating_sub(leaked);
        }
        self.level <= self.burst || {
            self.level = self.burst + 1;
            false
        }
    }
}

/// Follows the frames of a connection as their bytes go by, whatever `h2` makes of them.
pub(crate) struct Meter {
    /// Bytes until the next frame's head.
    skip: usize,
    head: [u8; FRAME_HEAD],
    head_length: usize,
    idle_frames: Bucket,
    window_updates: u64,
}

impl Meter {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            skip: PREFACE,
            head: [0; FRAME_HEAD],
            head_length: 0,
            idle_frames: Bucket::of_idle_frames(now),
            window_updates: 0,
        }
    }

    /// Looks at bytes that were read after `written` bytes went the other way; `false`: a flood.
    pub(crate) fn note(&mut self, mut bytes: &[u8], written: u64, now: Instant) -> bool {
        let mut is_bearable = true;
        while !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                self.skip -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let taken = (FRAME_HEAD - self.head_length).min(bytes.len());
            self.head[self.head_length..self.head_length + taken].copy_from_slice(&bytes[..taken]);
            self.head_length += taken;
            bytes = &bytes[taken..];
            if self.head_length == FRAME_HEAD {
                self.head_length = 0;
                is_bearable &= self.frame(written, now);
            }
        }
        is_bearable
    }

    fn frame(&mut self, written: u64, now: Instant) -> bool {
        let [high, middle, low, kind, flags, ..] = self.head;
        self.skip = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        let is_idle = match kind {
            0x0 => self.skip == 0 && flags & END_STREAM == 0,
            // HEADERS and CONTINUATION are what streams and `h2` are limited by.
            0x1 | 0x9 => false,
            0x8 => {
                self.window_updates += 1;
                self.window_updates > written / BYTES_PER_WINDOW_UPDATE
            }
            _ => true,
        };
        !is_idle || self.idle_frames.add(now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).expect("a short payload");
        let mut bytes = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        bytes.extend_from_slice(payload);
        bytes
    }

    /// Sends a frame that often, split after every `piece` bytes; tells after how many frames it
    /// was called a flood.
    fn check(bytes: &[u8], count: usize, piece: usize, written: u64, expected: Option<usize>) {
        let now = Instant::now();
        let mut meter = Meter::new(now);
        assert!(meter.note(&[b'P'; PREFACE], 0, now));
        let flooded = (1..=count).find(|_| {
            bytes.chunks(piece).map(|part| meter.note(part, written, now)).any(|fine| !fine)
        });
        assert_eq!(flooded, expected);
    }

    #[test]
    fn frames_that_carry_nothing_are_a_flood_however_they_are_cut() {
        let burst = IDLE_FRAMES_BURST as usize;
        check(&frame(0x6, 0, &[0; 8]), burst + 5, 100, 0, Some(burst + 1));
        check(&frame(0x6, 0, &[0; 8]), burst + 5, 4, 0, Some(burst + 1));
        check(&frame(0x2, 0, &[0; 5]), burst + 5, 1, 0, Some(burst + 1));
        check(&frame(0x0, 0, b""), burst + 5, 100, 0, Some(burst + 1));
        check(&frame(0x8, 0, &[0; 4]), burst + 5, 100, 0, Some(burst + 1));
        check(&frame(0xfa, 0, b"x"), burst + 5, 100, 0, Some(burst + 1));
    }

    #[test]
    fn frames_that_carry_something_are_none() {
        let many = 3 * IDLE_FRAMES_BURST as usize;
        check(&frame(0x0, 0, b"data"), many, 100, 0, None);
        check(&frame(0x0, END_STREAM, b""), many, 100, 0, None);
        check(&frame(0x1, 0, b"head"), many, 100, 0, None);
        check(&frame(0x8, 0, &[0; 4]), many, 100, 1 << 20, None);
    }

    #[test]
    fn what_goes_well_makes_up_for_what_does_not() {
        let now = Instant::now();
        let mut bucket = Bucket::of_broken_streams(now);
        for _ in 0..10 * BROKEN_STREAMS_BURST {
            bucket.give_back();
            assert!(bucket.add(now));
        }
        assert!((1..BROKEN_STREAMS_BURST).all(|_| bucket.add(now)));
        assert!(!bucket.add(now));
    }

    #[test]
    fn time_empties_a_bucket() {
        let start = Instant::now();
        let mut bucket = Bucket::of_broken_streams(start);
        assert!((0..BROKEN_STREAMS_BURST).all(|_| bucket.add(start)));
        assert!(!bucket.add(start));
        let later = start + Duration::from_secs(1);
        assert!((0..BROKEN_STREAMS_RATE - 1).all(|_| bucket.add(later)));
        assert!((0..2).any(|_| !bucket.add(later)));
        let much_later = start + Duration::from_secs(3600);
        assert!((0..BROKEN_STREAMS_BURST).all(|_| bucket.add(much_later)));
    }
}
