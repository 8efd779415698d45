//! Bind mounts whose source was deleted.
//!
//! The mount itself stays, but can't be mounted again: mount(2) fails with ENOENT (seen), which a container runtime
//! reports as "mount through procfd". Nothing can be mounted over it either, so it has to be unmounted first: every
//! command would expose the directory underneath for a moment, and for good if its second half fails.

use super::scene::{Scene, shown, word};
use super::table::Mount;
use crate::remedy::Remedy;
use crate::report::Finding;
use std::path::PathBuf;

/// Where the same path is now, through another mount of the file system.
pub(super) fn remade(mount: &Mount, scene: &Scene) -> Option<PathBuf> {
    let root = mount.deleted()?;
    let mut others =
        scene.mounts.iter().filter(|other| other.device == mount.device && scene.is_reachable(other));
    others.find_map(|other| other.within(root).filter(|path| path != &mount.point))
}

/// What is wrong with it. `source` is where the same path was found again.
pub(super) fn finding(mount: &Mount, source: Option<&PathBuf>, scene: &Scene) -> Option<Finding> {
    let root = mount.deleted()?;
    let point = shown(&mount.point);
    let gone = String::from_utf8_lossy(root);
    let bare = word(&mount.point);
    let advice = match (source, scene.pid) {
        (_, Some(_)) => scene.remount(&[]),
        (Some(source), None) => format!(
            "stop what uses it; umount -l {bare}; mount --bind {} {bare}; start it again",
            word(source)
        ),
        (None, None) => {
            format!("restore what it showed, and bind it again; or umount -l {bare}, if nothing needs it")
        }
    };
    Some(Finding::broken(
        "bind-source-deleted",
        format!(
            "{point} is a bind mount of something that was deleted: it can't be bound anywhere else, so a container \
             that has it does not start (\"mount through procfd … no such file or directory\"), and it does not show \
             what has replaced it"
        ),
        format!("mountinfo has {gone}//deleted of {} ({}) on {point}", mount.source, mount.fs_type),
        Remedy::advice(advice),
    ))
}
