//! The mounts of one process, and the commands for them.

use super::probe;
use super::table::{self, Mount};
use nix::unistd::geteuid;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The mounts of one process, and what goes for all of them.
#[derive(Debug, Default)]
pub(super) struct Scene {
    pub(super) mounts: Vec<Mount>,
    /// Whose mounts they are, where not our own.
    pub(super) pid: Option<u32>,
    /// Mount points that fstab has.
    pub(super) fstab: Vec<String>,
}

/// The mounts of one file system that a path leads to.
pub(super) struct Group<'a> {
    pub(super) first: &'a Mount,
    pub(super) points: Vec<&'a Path>,
}

impl Scene {
    /// The file systems that a server or a daemon is behind. Those who ask the kernel to mount, as automounters do, are
    /// not touched.
    pub(super) fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for mount in self.mounts.iter().filter(|mount| mount.is_network() || mount.is_fuse()) {
            if !self.is_reachable(mount) {
                continue;
            }
            match groups.iter_mut().find(|group| group.first.device == mount.device) {
                Some(group) => group.points.push(&mount.point),
                None => groups.push(Group { first: mount, points: vec![&mount.point] }),
            }
        }
        groups
    }

    pub(super) fn is_reachable(&self, mount: &Mount) -> bool {
        table::is_reachable(mount, &self.mounts)
    }

    /// Where a path of that process is found by us.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        probe::path_of(self.pid, path)
    }

    pub(super) fn why_barred(&self) -> &'static str {
        match self.pid {
            Some(_) if !geteuid().is_root() => "only root may look into the files of another process",
            _ => "only its owner may look into it",
        }
    }

    pub(super) fn in_fstab(&self, point: &Path) -> bool {
        self.pid.is_none() && self.fstab.iter().any(|known| Path::new(known) == point)
    }

    /// A command for these paths, to be run where the mounts are.
    pub(super) fn command(&self, words: &[&str], paths: &[impl AsRef<Path>]) -> String {
        let mut command = String::new();
        if let Some(pid) = self.pid {
            let _ = write!(command, "nsenter -t {pid} -m ");
        }
        command += &words.join(" ");
        for path in paths {
            command.push(' ');
            command += &quoted(&path.as_ref().display().to_string());
        }
        command
    }
}

impl Group<'_> {
    /// The command that takes all its mounts away, and brings the first back where fstab has it.
    pub(super) fn unmount(&self, scene: &Scene) -> String {
        let unmount = scene.command(&["umount", "-l"], &self.points);
        if scene.in_fstab(&self.first.point) {
            return format!("{unmount} && {}", scene.command(&["mount"], &[&self.first.point]));
        }
        unmount
    }
}

/// A path for people.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@%,=".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_see_more_in_it() {
        for (word, expected) in [
            ("/mnt/a-b_c.d", "/mnt/a-b_c.d"),
            ("a b", "'a b'"),
            ("$(x)", "'$(x)'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
