//! The mounts of one process.

use super::probe;
use super::table::{self, Mount};
use crate::shell::quoted;
use nix::unistd::geteuid;
use std::path::{Path, PathBuf};

/// The mounts of one process, and what applies to all of them.
#[derive(Debug, Default)]
pub(super) struct Scene {
    pub(super) mounts: Vec<Mount>,
    /// Whose mounts they are, if not our own.
    pub(super) pid: Option<u32>,
    /// Mount points in fstab.
    pub(super) fstab: Vec<String>,
    /// Whether this is known to be a container, or similar.
    pub(super) elsewhere: bool,
}

/// The reachable mounts of one file system.
pub(super) struct Group<'a> {
    pub(super) first: &'a Mount,
    pub(super) mounts: Vec<&'a Mount>,
}

impl Scene {
    /// The network and FUSE file systems. Those that make the kernel mount something, as automounters do, are not
    /// touched.
    pub(super) fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for mount in self.mounts.iter().filter(|mount| mount.is_network() || mount.is_fuse()) {
            if !self.is_reachable(mount) {
                continue;
            }
            match groups.iter_mut().find(|group| group.first.device == mount.device) {
                Some(group) => group.mounts.push(mount),
                None => groups.push(Group { first: mount, mounts: vec![mount] }),
            }
        }
        groups
    }

    pub(super) fn is_reachable(&self, mount: &Mount) -> bool {
        table::is_reachable(mount, &self.mounts)
    }

    /// The path from here of a path of that process.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        probe::path_of(self.pid, path)
    }

    pub(super) fn why_barred(&self) -> &'static str {
        match self.pid {
            Some(_) if !geteuid().is_root() => "only root can check the files of another process",
            _ => "only its owner can access it",
        }
    }

    pub(super) fn in_fstab(&self, point: &Path) -> bool {
        self.pid.is_none() && self.fstab.iter().any(|known| Path::new(known) == point)
    }

    /// What to do about a mount that is useless now, in words. Once it is unmounted, programs would write to the
    /// directory underneath, so no command does it.
    pub(super) fn remount(&self, points: &[&Path]) -> String {
        if let Some(pid) = self.pid {
            return format!("restart the container of process {pid}: its runtime then mounts it again");
        }
        let first = points.first().copied().unwrap_or_else(|| Path::new("/"));
        let again = if self.in_fstab(first) {
            format!("then mount {} (fstab has it)", word(first))
        } else {
            "then mount it as before".to_owned()
        };
        let points = points.iter().map(|point| word(point)).collect::<Vec<_>>().join(" ");
        let container = if self.elsewhere { " (of a container: restart it instead)" } else { "" };
        format!("stop what uses it; umount -l {points}; {again}{container}")
    }
}

impl Group<'_> {
    /// Its mount points.
    pub(super) fn points(&self) -> Vec<&Path> {
        self.mounts.iter().map(|mount| mount.point.as_path()).collect()
    }
}

/// A path in a command that is part of advice.
pub(super) fn word(path: &Path) -> String {
    quoted(path).unwrap_or_else(|| "PATH (it has characters that can't be shown)".to_owned())
}

/// A path for people.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}
