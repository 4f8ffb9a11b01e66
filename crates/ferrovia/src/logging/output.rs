//! Where the log goes.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::event::{Format, Line};

/// Standard output or a file, shared by all threads that log.
pub(crate) struct Output(Mutex<Destination>);

struct Destination {
    format: Format,
    /// `None`: standard output.
    file: Option<(PathBuf, File)>,
}

impl Output {
    /// Opens the destination.
    pub(crate) fn open(format: Format, path: Option<&str>) -> io::Result<Self> {
        Ok(Self(Mutex::new(Destination::open(format, path.map(Path::new))?)))
    }

    /// Writes a line. What cannot be written is lost: there is nobody to tell.
    pub(crate) fn write(&self, line: &Line) {
        let mut destination = self.lock();
        let text = line.render(destination.format);
        let _ = match &mut destination.file {
            Some((_, file)) => file.write_all(text.as_bytes()),
            None => io::stdout().write_all(text.as_bytes()),
        };
    }

    /// Tells whether this is standard output.
    pub(crate) fn is_standard(&self) -> bool {
        self.lock().file.is_none()
    }

    /// Goes over to another destination; stays with the present one if that cannot be opened.
    pub(crate) fn change(&self, format: Format, path: Option<&str>) -> io::Result<()> {
        let destination = Destination::open(format, path.map(Path::new))?;
        *self.lock() = destination;
        Ok(())
    }

    /// Opens the file again by its name, if there is one.
    pub(crate) fn reopen(&self) -> io::Result<()> {
        let mut destination = self.lock();
        let Some((path, _)) = &destination.file else { return Ok(()) };
        let reopened = Destination::open(destination.format, Some(path))?;
        *destination = reopened;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Destination> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Destination {
    fn open(format: Format, path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Self { format, file: None }) };
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("log file {:?}: {error}", path.display().to_string()),
            )
        })?;
        Ok(Self { format, file: Some((path.to_owned(), file)) })
    }
}
