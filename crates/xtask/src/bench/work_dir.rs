//! A folder for one run's configuration files, gone afterwards.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// A folder that is removed with everything in it when this value is dropped.
#[derive(Debug)]
pub(super) struct WorkDir(PathBuf);

impl WorkDir {
    /// Makes `<parent>/run/<pid>` and removes folders of runs that were ended before they could.
    pub(super) fn create(parent: &Path) -> anyhow::Result<Self> {
        let runs = parent.join("run");
        fs::create_dir_all(&runs).with_context(|| runs.display().to_string())?;
        for entry in fs::read_dir(&runs)?.flatten() {
            if !Path::new("/proc").join(entry.file_name()).exists() {
                // Another run may remove it at the same time: that is as good.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let path = runs.join(std::process::id().to_string());
        fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
