//! The host that checks examine: this one, or in tests a made-up tree.

use names::file;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// A host's root directory.
#[derive(Clone, Debug)]
pub struct HostRoot {
    root: PathBuf,
}

impl Default for HostRoot {
    fn default() -> Self {
        Self::host()
    }
}

impl HostRoot {
    /// This host.
    #[must_use]
    pub fn host() -> Self {
        Self::at("/")
    }

    /// The tree at `root`, with `proc` and `sys` in it.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Whether it is this host itself, so that system calls and files are about the same thing.
    #[must_use]
    pub fn is_host(&self) -> bool {
        self.root == Path::new("/")
    }

    /// The path from here of the file that is called `path` there.
    #[must_use]
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The text of a file of at most 1 MiB, whatever bytes are in it.
    ///
    /// # Errors
    /// As for `open(2)` and `read(2)`.
    pub fn text(&self, path: impl AsRef<Path>) -> io::Result<String> {
        let bytes = file::read_bytes(&self.path(path))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The same without leading and trailing blanks; `None` if it can't be read.
    #[must_use]
    pub fn word(&self, path: impl AsRef<Path>) -> Option<String> {
        self.text(path).ok().map(|text| text.trim().to_owned())
    }

    /// The metadata of a file. Links are followed, within the tree if they are relative.
    ///
    /// # Errors
    /// As for `stat(2)`.
    pub fn metadata(&self, path: impl AsRef<Path>) -> io::Result<Metadata> {
        fs::metadata(self.path(path))
    }

    /// Whether the file exists.
    #[must_use]
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).exists()
    }

    /// The target of a link.
    ///
    /// # Errors
    /// As for `readlink(2)`.
    pub fn link(&self, path: impl AsRef<Path>) -> io::Result<PathBuf> {
        fs::read_link(self.path(path))
    }

    /// The names in a directory, sorted; none if it can't be read.
    #[must_use]
    pub fn names(&self, folder: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_unstable();
        names
    }
}

/// A directory that exists as long as the thread of its test.
#[cfg(test)]
struct Made(PathBuf);

#[cfg(test)]
impl Drop for Made {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A made-up tree with these files, in a directory of its own with this name.
#[cfg(test)]
pub(crate) fn tree(name: &str, files: &[(&str, &str)]) -> HostRoot {
    thread_local! {
        static MADE: std::cell::RefCell<Vec<Made>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let root = std::env::temp_dir().join(format!("key-dns-look-{}-{number}-{name}", std::process::id()));
    MADE.with_borrow_mut(|made| made.push(Made(root.clone())));
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::create_dir_all(&root).unwrap();
    HostRoot::at(root)
}
