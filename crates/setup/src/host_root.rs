//! The file system of a host, which may be mounted elsewhere than at `/`.

use crate::error::{SetupError, doing};
use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Symbolic links that are followed on one path, as by the kernel (path_resolution(7)).
const LINKS: usize = 40;

/// A host's file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRoot(PathBuf);

impl HostRoot {
    /// The host whose root directory is at `path` here. The path stays as it was given: what a link such as
    /// `/proc/1/root` reads is a path in another mount namespace, and only the kernel can follow it (proc(5)).
    ///
    /// # Errors
    /// If there is none.
    pub fn at(path: &Path) -> Result<Self, SetupError> {
        let found = fs::metadata(path).and_then(|_| std::path::absolute(path));
        found.map(Self).map_err(doing("find", path))
    }

    /// Whether it is this host's own.
    #[must_use]
    pub fn is_host(&self) -> bool {
        self.0 == Path::new("/")
    }

    /// The path from here of the file that is called `path` there. Links to directories lead where they lead on the
    /// host, and never out of it; the last component is not followed.
    #[must_use]
    pub fn locate(&self, path: &Path) -> PathBuf {
        self.walk(path, false)
    }

    /// The same, with the last component followed.
    #[must_use]
    pub fn follow(&self, path: &Path) -> PathBuf {
        self.walk(path, true)
    }

    /// The host's name for a path found from here.
    #[must_use]
    pub fn name_of(&self, found: &Path) -> PathBuf {
        Path::new("/").join(found.strip_prefix(&self.0).unwrap_or(found))
    }

    /// Whether there is something at `path`, even a dangling link.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        fs::symlink_metadata(self.locate(Path::new(path))).is_ok()
    }

    /// Whether `path`, or as much of it as exists, is on a file system that is mounted read-only.
    #[must_use]
    pub fn is_read_only(&self, path: &str) -> bool {
        let mut found = self.follow(Path::new(path));
        while fs::symlink_metadata(&found).is_err() && found.pop() {}
        access(&found, AccessFlags::W_OK) == Err(Errno::EROFS)
    }

    fn walk(&self, path: &Path, follow_last: bool) -> PathBuf {
        let names = |path: &Path| -> Vec<OsString> {
            let kept =
                path.components().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
            kept.rev().map(|part| part.as_os_str().to_owned()).collect()
        };
        let mut pending = names(path);
        let mut found = self.0.clone();
        let mut links = 0;
        while let Some(name) = pending.pop() {
            if name == ".." {
                if found != self.0 {
                    found.pop();
                }
                continue;
            }
            let here = found.join(&name);
            if (follow_last || !pending.is_empty())
                && links < LINKS
                && let Ok(target) = fs::read_link(&here)
            {
                links += 1;
                if target.is_absolute() {
                    found.clone_from(&self.0);
                }
                pending.extend(names(&target));
            } else {
                found = here;
            }
        }
        found
    }
}
