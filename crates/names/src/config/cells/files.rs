//! Where the text of a cell database comes from.

use crate::file::{DeferredFile, Unreadable, read};
use std::fs;
use std::path::{Path, PathBuf};

/// Files, and what was wrong in them.
pub trait Files {
    /// The bytes of a file; `None` where it can't be read, which is warned of unless it may be `absent`.
    fn contents(&self, path: &Path, absent: bool) -> Option<Vec<u8>>;
    /// The files in a folder, sorted by name; none where it can't be read.
    fn folder(&self, path: &Path) -> Vec<PathBuf>;
    /// Notes a warning.
    fn warn(&self, message: String);
}

/// The files of this machine. Warnings go to the function.
pub struct Disk<F>(pub F);

impl<F: Fn(String)> Files for Disk<F> {
    fn contents(&self, path: &Path, absent: bool) -> Option<Vec<u8>> {
        bytes_of(read(path), absent, self)
    }

    fn folder(&self, path: &Path) -> Vec<PathBuf> {
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => {
                self.warn(format!("can't read {}: {error}", path.display()));
                return Vec::new();
            }
        };
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|file| file.is_file());
        files.sort();
        files
    }

    fn warn(&self, message: String) {
        (self.0)(message);
    }
}

/// Files that are open already, and no others. Warnings go to the function.
pub struct Opened<'a, F> {
    /// The files.
    pub files: &'a [DeferredFile],
    /// Who is warned.
    pub warn: F,
}

impl<F: Fn(String)> Files for Opened<'_, F> {
    fn contents(&self, path: &Path, absent: bool) -> Option<Vec<u8>> {
        let file = self.files.iter().find(|file| file.path() == path)?;
        bytes_of(file.read(), absent, self)
    }

    fn folder(&self, _: &Path) -> Vec<PathBuf> {
        Vec::new()
    }

    fn warn(&self, message: String) {
        (self.warn)(message);
    }
}

fn bytes_of(read: Result<Vec<u8>, Unreadable>, absent: bool, files: &impl Files) -> Option<Vec<u8>> {
    read.inspect_err(|unreadable| {
        if !(absent && unreadable.is_absent()) {
            files.warn(unreadable.to_string());
        }
    })
    .ok()
}
