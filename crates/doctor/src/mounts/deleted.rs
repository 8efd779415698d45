//! Bind mounts of something that was deleted.
//!
//! What is mounted stays, but it can't be mounted once more: mount(2) fails with ENOENT (seen), which a container runtime
//! tells as "mount through procfd".

use super::scene::{Scene, shown};
use super::table::Mount;
use crate::report::Finding;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// What the kernel puts after the path of something deleted (fs/d_path.c).
const MARK: &[u8] = b"//deleted";

/// The path within its file system, if what is mounted was deleted.
pub(super) fn root(mount: &Mount) -> Option<&[u8]> {
    mount.root.strip_suffix(MARK)
}

/// Where the same path is to be found now: by another mount of the file system, or of one that took its place.
pub(super) fn remade(mount: &Mount, scene: &Scene) -> Option<PathBuf> {
    let root = root(mount)?;
    let there = |other: &&Mount| self::root(other).is_none() && scene.is_reachable(other);
    let same = scene.mounts.iter().filter(|other| other.device == mount.device);
    let alike = scene.mounts.iter().filter(|other| {
        other.device != mount.device && other.fs_type == mount.fs_type && other.source == mount.source
    });
    let path = |other: &Mount| {
        let rest = match other.root.as_slice() {
            b"/" => root,
            above => root.strip_prefix(above).filter(|rest| rest.starts_with(b"/"))?,
        };
        Some(other.point.join(OsStr::from_bytes(rest.strip_prefix(b"/").unwrap_or(rest))))
    };
    same.chain(alike).filter(there).filter_map(path).find(|path| path != &mount.point)
}

/// What is wrong with it. `source` is where the same path was found again.
pub(super) fn finding(mount: &Mount, source: Option<&PathBuf>, scene: &Scene) -> Option<Finding> {
    let root = root(mount)?;
    let point = shown(&mount.point);
    let gone = String::from_utf8_lossy(root);
    let remedy = match source {
        Some(source) => format!(
            "{} && {}",
            scene.command(&["umount", "-l"], &[&mount.point]),
            scene.command(&["mount", "--bind"], &[source, &mount.point])
        ),
        None => scene.command(&["umount", "-l"], &[&mount.point]),
    };
    Some(Finding::broken(
        "bind-source-deleted",
        format!(
            "{point} is a bind mount of something that was deleted: it can't be bound anywhere else, so that a \
             container with it does not start (\"mount through procfd … no such file or directory\"), and shows \
             nothing of what took the place of the old one"
        ),
        format!("mountinfo has {gone}//deleted of {} ({}) on {point}", mount.source, mount.fs_type),
        remedy,
    ))
}
