//! `key-dns doctor --mounts`: mounts that are broken, or soon will be.
//!
//! Nothing of a mount is touched by this process itself, as that may take for ever: [`probe`] does it by processes that
//! can be left behind.

mod dead;
mod deleted;
mod names;
pub mod probe;
mod scene;
mod silent;
pub mod table;

use crate::host_root::HostRoot;
use crate::mount_table;
use crate::report::{Report, ReportKind, Step};
use nix::errno::Errno;
use nix::unistd::geteuid;
use probe::{ProbeOutcome, Target};
use scene::{Group, Scene, shown};
use std::path::{Path, PathBuf};
use table::Mount;
use upcall::Settings;

/// Looks at the mounts of this process, or of that with the number `pid`.
#[must_use]
pub fn report(pid: Option<u32>, look: &HostRoot, settings: &Settings) -> Report {
    let subject = pid.map(|pid| format!("--pid {pid}"));
    let mut overview = Step::new("mounts");
    let file = pid.map_or_else(|| "/proc/self/mountinfo".to_owned(), |pid| format!("/proc/{pid}/mountinfo"));
    let text = match std::fs::read(look.path(&file)) {
        Ok(text) => text,
        Err(error) => {
            "not to be seen".clone_into(&mut overview.summary);
            overview.unseen(file, error.to_string());
            return Report { kind: ReportKind::Mounts, subject, steps: vec![overview] };
        }
    };
    let fstab = mount_table::fstab(&look.text("/etc/fstab").unwrap_or_default());
    let scene = Scene {
        mounts: table::parse(&text),
        pid,
        fstab: fstab.into_iter().map(|entry| entry.mount_point).collect(),
    };
    let mut steps = look_at_groups(&scene, look, settings);
    steps.extend(look_at_deleted(&scene));
    let watched = scene.groups().len();
    overview.summary = format!(
        "{} mounts, {watched} file systems of network or FUSE, {} bind mounts of something deleted",
        scene.mounts.len(),
        scene.mounts.iter().filter(|mount| deleted::root(mount).is_some()).count(),
    );
    steps.insert(0, overview);
    Report { kind: ReportKind::Mounts, subject, steps }
}

/// Each file system that a server or a daemon is behind: whether it answers, and whether its name is still right.
fn look_at_groups(scene: &Scene, look: &HostRoot, settings: &Settings) -> Vec<Step> {
    let groups = scene.groups();
    let target = |group: &Group<'_>| Target { path: scene.path(&group.first.point), user: None };
    let mut outcomes = probe::probe(&groups.iter().map(target).collect::<Vec<_>>());
    // FUSE lets its owner in alone, where it was not mounted for others.
    for (group, outcome) in groups.iter().zip(&mut outcomes) {
        if let Some(user) = owner(group.first).filter(|_| barred(outcome) && geteuid().is_root()) {
            let target = Target { user: Some(user), ..target(group) };
            *outcome = probe::probe(&[target]).pop().unwrap_or_else(|| outcome.clone());
        }
    }
    let silent: Vec<&Path> = groups
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| matches!(outcome, ProbeOutcome::Silent { .. }))
        .map(|(group, _)| group.first.point.as_path())
        .collect();
    let mut steps = Vec::new();
    for (group, outcome) in groups.iter().zip(&outcomes) {
        let mut step = Step::new("mount").about(shown(&group.first.point));
        let Mount { fs_type, source, point, .. } = group.first;
        step.summary = format!("{source} ({fs_type}) {}", said(outcome));
        let above = silent.iter().find(|above| point.starts_with(above) && point != *above);
        match (outcome, above) {
            (ProbeOutcome::Silent { .. }, Some(above)) => {
                step.unseen(shown(point), format!("{} above it does not answer", shown(above)));
            }
            (ProbeOutcome::Untried(why), _) => step.unseen(shown(point), why.clone()),
            _ if barred(outcome) => step.unseen(shown(point), scene.why_barred()),
            _ => {
                let finding =
                    dead::finding(group, outcome, scene).or_else(|| silent::finding(group, outcome, scene));
                step.findings.extend(finding);
            }
        }
        names::check(group.first, scene, look, settings, &mut step);
        steps.push(step);
    }
    steps
}

/// Each bind mount of something deleted.
fn look_at_deleted(scene: &Scene) -> Vec<Step> {
    let mounts: Vec<&Mount> = scene
        .mounts
        .iter()
        .filter(|mount| deleted::root(mount).is_some() && scene.is_reachable(mount))
        .collect();
    // Whether there is something to bind again may take for ever to find out as well.
    let sources: Vec<Option<PathBuf>> = mounts.iter().map(|mount| deleted::remade(mount, scene)).collect();
    let targets: Vec<Target> =
        sources.iter().flatten().map(|path| Target { path: scene.path(path), user: None }).collect();
    let mut outcomes = probe::probe(&targets).into_iter();
    let mut steps = Vec::new();
    for (mount, source) in mounts.into_iter().zip(sources) {
        let there = source.as_ref().and_then(|_| outcomes.next());
        let source = source.filter(|_| matches!(there, Some(ProbeOutcome::Answers(_))));
        let mut step = Step::new("bind").about(shown(&mount.point));
        step.summary = format!("{} ({}) was deleted", String::from_utf8_lossy(&mount.root), mount.fs_type);
        step.findings.extend(deleted::finding(mount, source.as_ref(), scene));
        steps.push(step);
    }
    steps
}

/// Whether the kernel let us in.
fn barred(outcome: &ProbeOutcome) -> bool {
    matches!(outcome, ProbeOutcome::Fails { errno: Errno::EACCES | Errno::EPERM, .. })
}

/// The user and group of a FUSE mount, where it is not root's.
fn owner(mount: &Mount) -> Option<(u32, u32)> {
    let number = |name| mount.option(name).and_then(|number| number.parse().ok());
    let user = number("user_id").filter(|user| *user != 0 && mount.is_fuse())?;
    Some((user, number("group_id").unwrap_or(user)))
}

fn said(outcome: &ProbeOutcome) -> String {
    match outcome {
        ProbeOutcome::Answers(took) => format!("answers ({} ms)", took.as_millis()),
        ProbeOutcome::Fails { call, errno } => format!("{call}: {}", errno.desc()),
        ProbeOutcome::Silent { .. } => "does not answer".to_owned(),
        ProbeOutcome::Untried(_) => "was not tried".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(text: &str, pid: Option<u32>) -> Scene {
        Scene { mounts: table::parse(text.as_bytes()), pid, fstab: vec!["/mnt/ceph".to_owned()] }
    }

    const TABLE: &str = "\
        20 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
        30 20 0:30 / /mnt/ceph rw - fuse.ceph-fuse ceph-fuse rw,user_id=0\n\
        31 20 0:30 /vol /var/pods/a\\040b rw - fuse.ceph-fuse ceph-fuse rw,user_id=0\n\
        32 20 0:29 /vol//deleted /var/pods/c rw - fuse.ceph-fuse ceph-fuse rw,user_id=0\n\
        33 20 8:1 /srv/x//deleted /srv/y rw - ext4 /dev/sda1 rw\n\
        34 20 0:40 /x//deleted /lonely rw - tmpfs t rw\n";

    #[test]
    fn all_mounts_of_one_file_system_are_one_group_and_one_command() {
        let scene = scene(TABLE, None);
        let groups = scene.groups();
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].unmount(&scene), "umount -l /mnt/ceph '/var/pods/a b' && mount /mnt/ceph");
        assert_eq!(groups[1].unmount(&scene), "umount -l /var/pods/c");
    }

    #[test]
    fn what_was_deleted_is_looked_for_where_its_file_system_is_mounted_now() {
        let scene = scene(TABLE, None);
        let remade = |number: usize| deleted::remade(&scene.mounts[number], &scene);
        // The daemon was restarted, so that the file system has another device.
        assert_eq!(remade(3), Some(PathBuf::from("/mnt/ceph/vol")));
        assert_eq!(remade(4), Some(PathBuf::from("/srv/x")));
        assert_eq!(remade(5), None);
        let command = |number: usize, source: Option<PathBuf>| {
            deleted::finding(&scene.mounts[number], source.as_ref(), &scene).unwrap().remedy
        };
        assert_eq!(command(4, remade(4)), "umount -l /srv/y && mount --bind /srv/x /srv/y");
        assert_eq!(command(5, None), "umount -l /lonely");
    }

    #[test]
    fn commands_for_another_process_enter_its_mounts() {
        let scene = scene(TABLE, Some(42));
        assert_eq!(scene.groups()[0].unmount(&scene), "nsenter -t 42 -m umount -l /mnt/ceph '/var/pods/a b'");
        assert_eq!(scene.path(Path::new("/mnt/x")), PathBuf::from("/proc/42/root/mnt/x"));
    }

    #[test]
    fn a_process_that_is_not_there_has_no_mounts_to_be_seen() {
        let report = report(Some(4_000_000_000), &HostRoot::host(), &Settings::default());
        assert_eq!((report.exit(), report.steps.len()), (super::super::exit::UNSEEN, 1));
    }
}
