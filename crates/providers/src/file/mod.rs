//! Dynamic configuration from one file or from all files below a directory.
//!
//! Every file stands alone. One that cannot be used now (unreadable, half written, an error in its
//! template or its syntax, emptied to nothing) keeps its last good content in service, with a
//! diagnostic; deleting it from the directory, or writing `{}` or nothing but comments, removes its
//! objects. If the configured path itself is gone, everything stays as it was.
//!
//! Traefik: an error in any file rejects the whole directory, an empty file removes all routers,
//! and only the directory itself is watched. Here directories below are watched, too.

mod listing;
mod merge;
mod source;
#[cfg(all(test, unix))]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use config::Diagnostic;
use config::static_config::FileProvider as Settings;
use control::files::{Watch, directories_of};
use control::{BoxFuture, Provider, Signal, Signals, Update};
use tokio::sync::mpsc;

use self::listing::{Listing, list};
use self::source::Source;

/// The provider `file`.
pub struct FileProvider {
    root: Root,
    is_watching: bool,
    logs_rendered: bool,
    /// By path, in the order in which they count.
    sources: BTreeMap<PathBuf, Source>,
    /// What is wrong with the directory or the path itself.
    problems: Vec<Diagnostic>,
    /// The directories whose events matter.
    directories: BTreeSet<PathBuf>,
}

/// What was configured.
#[derive(Clone, Debug)]
enum Root {
    File(PathBuf),
    Directory(PathBuf),
}

/// Whether files whose looks did not change are read nevertheless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    Changed,
    Everything,
}

impl FileProvider {
    /// Makes a provider; none if neither a directory nor a file is configured. The directory goes
    /// first, as in Traefik.
    pub fn new(settings: &Settings) -> Option<Self> {
        let root = if !settings.directory.is_empty() {
            Root::Directory(PathBuf::from(&settings.directory))
        } else if !settings.filename.is_empty() {
            Root::File(PathBuf::from(&settings.filename))
        } else {
            return None;
        };
        Some(Self {
            root,
            is_watching: settings.watch,
            logs_rendered: settings.debug_log_generated_template,
            sources: BTreeMap::new(),
            problems: Vec::new(),
            directories: BTreeSet::new(),
        })
    }

    /// Looks at all files. Tells whether anything is not as it was.
    fn refresh(&mut self, depth: Depth) -> bool {
        let (listing, problems) = match &self.root {
            Root::File(path) => (Some(Listing::of_file(path)), Vec::new()),
            Root::Directory(path) => list(path),
        };
        let mut has_changed = problems != self.problems;
        self.problems = problems;
        self.directories = self.watched_directories(listing.as_ref());
        if let Some(listing) = listing {
            let known = self.sources.len();
            self.sources.retain(|path, _| {
                listing.files.contains(path) || listing.is_in_unreadable_directory(path)
            });
            has_changed |= self.sources.len() != known;
            for path in &listing.files {
                let is_new = !self.sources.contains_key(path);
                let source = self.sources.entry(path.clone()).or_insert_with(|| Source::new(path));
                has_changed |= source.refresh(depth, self.logs_rendered) || is_new;
            }
        }
        has_changed
    }

    fn watched_directories(&self, listing: Option<&Listing>) -> BTreeSet<PathBuf> {
        let (Root::File(root) | Root::Directory(root)) = &self.root;
        let mut directories = directories_of(root);
        if let Some(listing) = listing {
            directories.extend(listing.directories.iter().cloned());
            // Files may be symbolic links to anywhere.
            let links = listing.files.iter().filter(|path| path.is_symlink());
            directories.extend(links.flat_map(|path| directories_of(path)));
        }
        directories
    }

    fn update(&self) -> Update {
        let mut update = merge::merge(NAME.into(), self.sources.values());
        update.diagnostics.splice(0..0, self.problems.iter().cloned());
        update
    }

    /// Refreshes away from the threads that wait for I/O: files may be slow, and templates too.
    async fn refreshed(mut self: Box<Self>, depth: Depth) -> Option<(Box<Self>, bool)> {
        let refresh = move || {
            let has_changed = self.refresh(depth);
            (self, has_changed)
        };
        match tokio::task::spawn_blocking(refresh).await {
            Ok(refreshed) => Some(refreshed),
            Err(error) => {
                tracing::error!(%error, "reading files failed");
                None
            }
        }
    }

    async fn serve(self: Box<Self>, updates: mpsc::Sender<Update>, mut signals: Signals) {
        let mut watch = self.is_watching.then(Watch::new);
        let mut provider = self;
        let mut depth = Depth::Everything;
        let mut is_first = true;
        loop {
            let Some((refreshed, mut has_changed)) = provider.refreshed(depth).await else {
                return;
            };
            provider = refreshed;
            // What happened between the look and the watch would go unnoticed.
            while let Some(watch) = &mut watch
                && watch.set_directories(&provider.directories)
            {
                let Some((refreshed, more)) = provider.refreshed(Depth::Changed).await else {
                    return;
                };
                provider = refreshed;
                has_changed |= more;
            }
            if has_changed || is_first || depth == Depth::Everything {
                is_first = false;
                if updates.send(provider.update()).await.is_err() {
                    return;
                }
            }
            depth = tokio::select! {
                signal = signals.next() => match signal {
                    Signal::Shutdown => return,
                    Signal::Reload => Depth::Everything,
                },
                () = looks_again(&mut watch) => Depth::Changed,
            };
        }
    }
}

async fn looks_again(watch: &mut Option<Watch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}

impl Provider for FileProvider {
    fn name(&self) -> Arc<str> {
        NAME.into()
    }

    fn run(
        self: Box<Self>,
        updates: mpsc::Sender<Update>,
        signals: Signals,
    ) -> BoxFuture<'static, ()> {
        Box::pin(self.serve(updates, signals))
    }

    fn read_once(&mut self) -> Update {
        self.refresh(Depth::Everything);
        self.update()
    }
}

const NAME: &str = "file";
