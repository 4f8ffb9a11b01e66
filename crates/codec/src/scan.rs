//! hot path: finds the end of a section of lines, looking at every byte once.

use memchr::memchr_iter;

/// Why a section is refused before it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScanError {
    BareLineFeed,
    TooManyLines,
    TooLarge,
}

/// Looks for the empty line that ends a head or a trailer section.
///
/// It keeps its place between calls, so that a section which arrives byte by byte costs linear
/// time. Every line up to [`SectionScanner::line_start`] is known to end in CRLF.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SectionScanner {
    scanned: usize,
    line_start: usize,
    lines: usize,
    first_line_end: usize,
}

impl SectionScanner {
    /// Returns the length of the section with its empty line, or `None` if its end is not there.
    ///
    /// `section` is the same as in the last call with more bytes at its end. `lines_max` does not
    /// count the empty line.
    pub(crate) fn find_end(
        &mut self,
        section: &[u8],
        bytes_max: usize,
        lines_max: usize,
    ) -> Result<Option<usize>, ScanError> {
        debug_assert!(self.line_start <= self.scanned);
        let within = &section[..section.len().min(bytes_max)];
        let start = self.scanned.min(within.len());
        for offset in memchr_iter(b'\n', &within[start..]) {
            let line_feed = start + offset;
            let line_length = line_feed - self.line_start;
            if line_length == 0 || section[line_feed - 1] != b'\r' {
                return Err(ScanError::BareLineFeed);
            }
            let next = line_feed + 1;
            if line_length == 1 {
                return Ok(Some(next));
            }
            if self.lines == 0 {
                self.first_line_end = next;
            }
            self.lines += 1;
            if self.lines > lines_max {
                return Err(ScanError::TooManyLines);
            }
            self.line_start = next;
        }
        self.scanned = within.len();
        if section.len() > bytes_max {
            return Err(ScanError::TooLarge);
        }
        Ok(None)
    }

    /// Length of the first line with its CRLF, or 0 while it is not whole.
    pub(crate) fn first_line_end(&self) -> usize {
        self.first_line_end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(section: &[u8], expected: Result<Option<usize>, ScanError>) {
        let whole = SectionScanner::default().find_end(section, 20, 3);
        assert_eq!(whole, expected);

        let mut scanner = SectionScanner::default();
        let dripped = (0..=section.len())
            .map(|length| scanner.find_end(&section[..length], 20, 3))
            .find(|result| *result != Ok(None))
            .unwrap_or(Ok(None));
        assert_eq!(dripped, expected, "dripped");
    }

    #[test]
    fn the_empty_line_ends_the_section() {
        check(b"", Ok(None));
        check(b"\r", Ok(None));
        check(b"\r\n", Ok(Some(2)));
        check(b"a\r\n\r", Ok(None));
        check(b"a\r\n\r\n", Ok(Some(5)));
        check(b"a\r\n\r\nb\n", Ok(Some(5)));
        check(b"a\r\r\n", Ok(None));
        check(b"a\r\n\r\r\n\r\n", Ok(Some(8)));
    }

    #[test]
    fn bare_line_feeds_are_refused_at_once() {
        check(b"\n", Err(ScanError::BareLineFeed));
        check(b"a\n", Err(ScanError::BareLineFeed));
        check(b"a\r\n\n", Err(ScanError::BareLineFeed));
        check(b"a\r\nb\n\r\n", Err(ScanError::BareLineFeed));
    }

    #[test]
    fn both_limits_are_inclusive() {
        check(b"0123456789012345\r\n\r\n", Ok(Some(20)));
        check(b"01234567890123456\r\n\r\n", Err(ScanError::TooLarge));
        check(b"012345678901234567890", Err(ScanError::TooLarge));
        check(b"a\r\nb\r\nc\r\n\r\n", Ok(Some(11)));
        check(b"a\r\nb\r\nc\r\nd\r\n\r\n", Err(ScanError::TooManyLines));
    }
}
