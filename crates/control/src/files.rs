//! Noticing that files changed.
//!
//! Directories are watched, never files: what replaces a file (a rename, a symbolic link that
//! points elsewhere, Kubernetes' `..data`) happens in a directory. The events' kinds do not
//! matter; whoever waits looks at the files again. Where the system sends no events (network file
//! systems, some containers' mounts, too many watches), looking regularly finds changes later.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Watches directories.
pub struct Watch {
    events: mpsc::Receiver<()>,
    /// Whether the last event ended something: a file was closed or has got its name.
    is_ended: Arc<AtomicBool>,
    watcher: Option<RecommendedWatcher>,
    /// The directories and which ones they were when the watch was set: another directory may
    /// have taken the place since.
    watched: BTreeMap<PathBuf, Option<Fingerprint>>,
    /// Whether events come from all of them.
    is_complete: bool,
    /// An event came whose end was not waited for yet.
    is_pending: bool,
    next_look: Instant,
}

/// Tells versions of a file apart without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    device: u64,
    inode: u64,
    length: u64,
    modified: Option<SystemTime>,
    /// Seconds and nanoseconds of the last change of anything about the file.
    changed: (i64, i64),
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

impl Watch {
    /// Starts without any directory.
    pub fn new() -> Self {
        let (sender, events) = mpsc::channel(1);
        let is_ended = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&is_ended);
        let on_event = move |event: notify::Result<Event>| {
            if event.as_ref().map_or(true, |event| is_change(event.kind)) {
                ended.store(event.is_ok_and(|event| is_end(event.kind)), Ordering::Release);
                // A full channel says it already.
                let _ = sender.try_send(());
            }
        };
        let watcher = match notify::recommended_watcher(on_event) {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                tracing::warn!(%error, "no file events, files are looked at every few seconds");
                None
            }
        };
        Self {
            events,
            is_ended,
            watcher,
            watched: BTreeMap::new(),
            is_complete: false,
            is_pending: false,
            next_look: Instant::now() + LOOK_INTERVAL,
        }
    }

    /// Watches these directories and no others. Tells whether any of them is new, in which case
    /// something may have changed there before.
    pub fn set_directories(&mut self, directories: &BTreeSet<PathBuf>) -> bool {
        // One directory may have several names, but only one watch.
        let wanted: BTreeSet<PathBuf> = directories
            .iter()
            .map(|directory| directory.canonicalize().unwrap_or_else(|_| directory.clone()))
            .collect();
        let Some(watcher) = &mut self.watcher else { return false };
        self.watched.retain(|directory, _| {
            let stays = wanted.contains(directory);
            if !stays {
                let _ = watcher.unwatch(directory);
            }
            stays
        });
        let mut has_new = false;
        self.is_complete = true;
        for directory in wanted {
            let identity = Fingerprint::of(&directory).map(Fingerprint::identity_only);
            if identity.is_some() && self.watched.get(&directory) == Some(&identity) {
                continue;
            }
            if self.watched.remove(&directory).is_some() {
                let _ = watcher.unwatch(&directory);
            }
            match watcher.watch(&directory, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(directory, identity);
                    has_new = true;
                }
                Err(error) => {
                    self.is_complete = false;
                    let directory = directory.display();
                    tracing::debug!(%directory, %error, "no events from this directory");
                }
            }
        }
        has_new
    }

    /// Waits until it is worth looking at the files again: after a burst of events, or because
    /// time has passed. Nothing is lost if the future is dropped.
    pub async fn changed(&mut self) {
        if !self.is_pending {
            tokio::select! {
                event = self.events.recv(), if self.watcher.is_some() => {
                    self.is_pending = event.is_some();
                    if event.is_none() {
                        self.watcher = None;
                        self.is_complete = false;
                    }
                }
                () = tokio::time::sleep_until(self.next_look) => {}
            }
        }
        if self.is_pending {
            let end = Instant::now() + BURST_MAX;
            loop {
                let is_ended = self.is_ended.load(Ordering::Acquire);
                let pause = if is_ended { QUIET_AFTER_END } else { QUIET };
                let quiet = (Instant::now() + pause).min(end);
                if tokio::time::timeout_at(quiet, self.events.recv()).await.is_err() {
                    break;
                }
            }
            self.is_pending = false;
        }
        let interval = if self.is_complete { LOOK_INTERVAL } else { LOOK_INTERVAL_BLIND };
        self.next_look = Instant::now() + interval;
    }
}

impl Fingerprint {
    /// Looks at a file or directory, through symbolic links; `None`: it is not there.
    pub fn of(path: &Path) -> Option<Self> {
        path.metadata().ok().map(|metadata| Self::of_metadata(&metadata))
    }

    fn of_metadata(metadata: &Metadata) -> Self {
        let (device, inode, changed) = system_identity(metadata);
        let modified = metadata.modified().ok();
        Self { device, inode, length: metadata.len(), modified, changed }
    }

    /// Tells whether the last change was long enough before `now` that another one would have
    /// another time. Clocks of file systems tick every few milliseconds, some every second or two.
    pub fn is_settled(&self, now: SystemTime) -> bool {
        let since_epoch = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).ok();
        let Some(now) = since_epoch(now) else { return false };
        let changed = Duration::from_secs(u64::try_from(self.changed.0).unwrap_or_default());
        let modified = self.modified.and_then(since_epoch).unwrap_or_default();
        let latest = changed.max(modified);
        now.checked_sub(latest).is_some_and(|age| age > SETTLED_AFTER)
    }

    /// What stays the same while the contents change.
    fn identity_only(self) -> Self {
        let Self { device, inode, .. } = self;
        Self { device, inode, length: 0, modified: None, changed: (0, 0) }
    }
}

#[cfg(unix)]
fn system_identity(metadata: &Metadata) -> (u64, u64, (i64, i64)) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino(), (metadata.ctime(), metadata.ctime_nsec()))
}

#[cfg(not(unix))]
fn system_identity(_: &Metadata) -> (u64, u64, (i64, i64)) {
    (0, 0, (0, 0))
}

/// The directories in which something happens when what `path` leads to changes: the one it is in,
/// itself if it is one, and those of all symbolic links on the way. For a path that does not exist,
/// the last directory on the way that does.
pub fn directories_of(path: &Path) -> BTreeSet<PathBuf> {
    let mut directories = BTreeSet::new();
    let Ok(absolute) = std::path::absolute(path) else { return directories };
    let mut current = PathBuf::new();
    let mut rest = segments(&absolute);
    let mut links = 0;
    while let Some(segment) = rest.pop_front() {
        if segment == ".." {
            current.pop();
            continue;
        }
        let next = current.join(&segment);
        match next.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() && links < LINKS_MAX => {
                links += 1;
                directories.insert(current.clone());
                let Ok(leads_to) = next.read_link() else { return directories };
                if leads_to.is_absolute() {
                    current = PathBuf::new();
                }
                let mut segments = segments(&leads_to);
                segments.append(&mut rest);
                rest = segments;
            }
            Ok(_) => {
                if rest.is_empty() {
                    directories.insert(current.clone());
                }
                current = next;
            }
            Err(_) => {
                directories.insert(current);
                return directories;
            }
        }
    }
    if current.is_dir() {
        directories.insert(current);
    }
    directories.remove(Path::new(""));
    directories
}

fn segments(path: &Path) -> VecDeque<OsString> {
    let components = path.components().filter(|component| *component != Component::CurDir);
    components.map(|component| component.as_os_str().to_owned()).collect()
}

/// Reading files makes events too; taking them for changes would never end.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

/// Whoever writes a file in one go has done so when it is closed or renamed.
fn is_end(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Both))
    )
}

/// A burst of events is over after this time without one.
const QUIET: Duration = Duration::from_millis(20);
/// The same, when nothing is known to be half done. Long enough for whoever writes the next file,
/// or the same one again, to begin.
const QUIET_AFTER_END: Duration = Duration::from_millis(5);
/// A burst that does not end is interrupted.
const BURST_MAX: Duration = Duration::from_millis(500);
/// How often to look although no event came.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);
/// How often to look where no events come from.
const LOOK_INTERVAL_BLIND: Duration = Duration::from_secs(2);
const SETTLED_AFTER: Duration = Duration::from_secs(3);
/// As Linux has it.
const LINKS_MAX: usize = 40;

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::sync::atomic::AtomicU32;

    use super::*;

    static NEXT: AtomicU32 = AtomicU32::new(0);

    /// A directory of this test's own, removed in the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("control-files-{}-{number}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir(&path).expect("a new directory");
            Self(path.canonicalize().expect("an existing directory"))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// Expects these directories, relative to the folder, for a path.
    fn check(folder: &Folder, path: &str, expected: &[&str]) {
        let expected: BTreeSet<PathBuf> = expected
            .iter()
            .map(|relative| folder.0.join(relative).components().collect())
            .collect();
        assert_eq!(directories_of(&folder.0.join(path)), expected, "{path}");
    }

    #[test]
    fn a_file_is_watched_through_its_directory() {
        let folder = Folder::new();
        fs::write(folder.0.join("a.yml"), "").expect("a written file");
        check(&folder, "a.yml", &[""]);
        check(&folder, "missing/deeper/a.yml", &[""]);
    }

    #[test]
    fn every_link_on_the_way_counts() {
        let folder = Folder::new();
        fs::create_dir(folder.0.join("v1")).expect("a new directory");
        fs::write(folder.0.join("v1/a.yml"), "").expect("a written file");
        symlink("v1", folder.0.join("current")).expect("a new link");
        fs::create_dir(folder.0.join("mount")).expect("a new directory");
        symlink("../current/a.yml", folder.0.join("mount/a.yml")).expect("a new link");
        check(&folder, "mount/a.yml", &["mount", "", "v1"]);
    }

    #[test]
    fn links_in_a_circle_end() {
        let folder = Folder::new();
        symlink("b", folder.0.join("a")).expect("a new link");
        symlink("a", folder.0.join("b")).expect("a new link");
        check(&folder, "a", &[""]);
    }

    #[tokio::test]
    async fn a_replaced_file_is_noticed() {
        let folder = Folder::new();
        let file = folder.0.join("a.yml");
        fs::write(&file, "a").expect("a written file");
        let before = Fingerprint::of(&file);
        let mut watch = Watch::new();
        assert!(watch.set_directories(&directories_of(&file)));
        fs::write(folder.0.join("new"), "b").expect("a written file");
        fs::rename(folder.0.join("new"), &file).expect("a renamed file");
        watch.changed().await;
        assert_ne!(Fingerprint::of(&file), before);
        assert!(!watch.set_directories(&directories_of(&file)), "the same directory");
    }

    #[test]
    fn a_file_that_just_changed_is_not_settled() {
        let folder = Folder::new();
        let file = folder.0.join("a.yml");
        fs::write(&file, "a").expect("a written file");
        let fingerprint = Fingerprint::of(&file).expect("an existing file");
        assert!(!fingerprint.is_settled(SystemTime::now()));
        assert!(fingerprint.is_settled(SystemTime::now() + Duration::from_secs(60)));
    }
}
