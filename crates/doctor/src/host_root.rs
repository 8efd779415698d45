//! Where a check looks: this host, or in tests a tree that was made up.

use names::file;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// The place that is looked at.
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

    /// Whether it is this host itself, so that system calls speak of the same thing as files.
    #[must_use]
    pub fn is_host(&self) -> bool {
        self.root == Path::new("/")
    }

    /// Where the file that is called `path` there is found from here.
    #[must_use]
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The text of a file of at most 1 MiB, whatever bytes are in it.
    ///
    /// # Errors
    /// As `open(2)` and `read(2)`.
    pub fn text(&self, path: impl AsRef<Path>) -> io::Result<String> {
        let bytes = file::read_bytes(&self.path(path))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The same without blanks at its ends; `None` where it can't be read.
    #[must_use]
    pub fn word(&self, path: impl AsRef<Path>) -> Option<String> {
        self.text(path).ok().map(|text| text.trim().to_owned())
    }

    /// What is known of a file. Links are followed, within the tree where they are relative.
    ///
    /// # Errors
    /// As `stat(2)`.
    pub fn metadata(&self, path: impl AsRef<Path>) -> io::Result<Metadata> {
        fs::metadata(self.path(path))
    }

    /// Whether there is such a file.
    #[must_use]
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).exists()
    }

    /// What a link says.
    ///
    /// # Errors
    /// As `readlink(2)`.
    pub fn link(&self, path: impl AsRef<Path>) -> io::Result<PathBuf> {
        fs::read_link(self.path(path))
    }

    /// The names in a folder, sorted; none where it can't be read.
    #[must_use]
    pub fn names(&self, folder: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_unstable();
        names
    }
}

/// A folder that is there as long as the thread of its test is.
#[cfg(test)]
struct Made(PathBuf);

#[cfg(test)]
impl Drop for Made {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A made-up tree with these files, in a folder of its own by this name.
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
