//! FUSE mounts whose daemon is dead.

use super::probe::ProbeOutcome;
use super::scene::{Group, Scene, shown};
use crate::report::Finding;
use nix::errno::Errno;

/// What is wrong with it.
pub(super) fn finding(group: &Group<'_>, outcome: &ProbeOutcome, scene: &Scene) -> Option<Finding> {
    // ECONNABORTED: the connection was ended by way of /sys/fs/fuse/connections.
    let ProbeOutcome::Fails { call, errno: errno @ (Errno::ENOTCONN | Errno::ECONNABORTED) } = outcome else {
        return None;
    };
    if !group.first.is_fuse() {
        return None;
    }
    let point = shown(&group.first.point);
    let others = match group.points.len() {
        1 => String::new(),
        number => format!(", with {} more mounts of it", number - 1),
    };
    Some(Finding::broken(
        "fuse-dead",
        format!(
            "the daemon of the FUSE file system on {point} is dead{others}: whatever touches it fails, and so do bind \
             mounts and containers that have it"
        ),
        format!("{call}(2) of {point}, {} of type {}: {errno}", group.first.source, group.first.fs_type),
        group.unmount(scene),
    ))
}
