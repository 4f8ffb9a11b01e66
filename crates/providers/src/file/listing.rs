//! Which files a directory has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use config::Diagnostic;
use config::parse::Format;

/// The files below a directory, and the directories that were looked into.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) files: BTreeSet<PathBuf>,
    pub(super) directories: BTreeSet<PathBuf>,
    /// What is in there is not known, and so stays as it was.
    pub(super) unreadable: BTreeSet<PathBuf>,
}

impl Listing {
    /// One file, there or not.
    pub(super) fn of_file(path: &Path) -> Self {
        Self { files: [path.to_owned()].into(), ..Self::default() }
    }

    /// Tells whether it cannot be known if a file is still there.
    pub(super) fn is_in_unreadable_directory(&self, path: &Path) -> bool {
        self.unreadable.iter().any(|directory| path.starts_with(directory))
    }
}

/// Lists a directory and those below it. `None`: there is no such directory now.
pub(super) fn list(directory: &Path) -> (Option<Listing>, Vec<Diagnostic>) {
    let mut listing = Listing::default();
    if let Err(error) = look_into(directory, &mut listing, 0) {
        return (None, vec![unreadable(directory, &error)]);
    }
    let mut problems = Vec::new();
    let mut next: Vec<(PathBuf, usize)> = below(&listing, directory, 0);
    while let Some((directory, depth)) = next.pop() {
        match look_into(&directory, &mut listing, depth) {
            Ok(()) => next.extend(below(&listing, &directory, depth)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                listing.directories.remove(&directory);
            }
            Err(error) => {
                problems.push(unreadable(&directory, &error));
                listing.unreadable.insert(directory);
            }
        }
    }
    problems.sort_by(|left, right| left.message.cmp(&right.message));
    (Some(listing), problems)
}

/// The directories right below one that was looked into.
fn below(listing: &Listing, directory: &Path, depth: usize) -> Vec<(PathBuf, usize)> {
    let children = listing.directories.iter().filter(|child| child.parent() == Some(directory));
    children.map(|child| (child.clone(), depth + 1)).collect()
}

fn look_into(directory: &Path, listing: &mut Listing, depth: usize) -> std::io::Result<()> {
    let entries = fs::read_dir(directory)?;
    listing.directories.insert(directory.to_owned());
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Traefik: reads these, too. `..2026_01_01` is where Kubernetes keeps what the links in
        // the directory lead to, `.#a.yml` marks a file that an editor has open.
        if name.starts_with("..") || name.starts_with(".#") {
            continue;
        }
        // As in Traefik, symbolic links to directories are not followed.
        if entry.file_type()?.is_dir() {
            if depth < DEPTH_MAX {
                listing.directories.insert(entry.path());
            }
        } else if Format::of_file(&name).is_some() && !entry.path().is_dir() {
            listing.files.insert(entry.path());
        }
    }
    Ok(())
}

fn unreadable(directory: &Path, error: &std::io::Error) -> Diagnostic {
    let message = format!("directory {:?}: {error}", directory.display().to_string());
    Diagnostic::error("unreadable-directory", message)
        .hint("what was read from it before stays; it is read once that works again")
}

/// Deeper than anybody's files.
const DEPTH_MAX: usize = 32;
