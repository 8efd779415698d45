//! FUSE mounts whose daemon is dead, and what replaces them if it was restarted.

use super::probe::{ProbeOutcome, Probed};
use super::scene::{Group, Scene, shown, word};
use super::table::Mount;
use crate::remedy::Remedy;
use crate::report::Finding;
use crate::shell::quoted;
use nix::errno::Errno;
use std::path::PathBuf;

/// Whether this is how a dead daemon shows.
pub(super) fn is_dead(group: &Group<'_>, outcome: &ProbeOutcome) -> bool {
    // ECONNABORTED: the connection was aborted through /sys/fs/fuse/connections.
    group.first.is_fuse()
        && matches!(outcome, ProbeOutcome::Fails { errno: Errno::ENOTCONN | Errno::ECONNABORTED, .. })
}

/// A dead mount, and where its content is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Successor<'a> {
    /// The dead mount.
    pub(super) mount: &'a Mount,
    /// The restarted daemon's mount.
    pub(super) main: &'a Mount,
    /// The same path in it.
    pub(super) source: PathBuf,
    /// Whether only the inode number can show that it is the same.
    pub(super) by_inode: bool,
}

/// For each reachable mount of a dead daemon: where its content is now, if the daemon was restarted. `alive` are the
/// file systems that answer.
pub(super) fn successors<'a>(
    group: &Group<'a>,
    alive: &[&Group<'a>],
    scene: &'a Scene,
) -> Vec<Successor<'a>> {
    let first = group.first;
    let same_kind: Vec<&&Group<'_>> = alive
        .iter()
        .filter(|other| other.first.fs_type == first.fs_type && other.first.source == first.source)
        .collect();
    // Of two candidates, nothing says which one replaced it.
    let [live] = same_kind.as_slice() else { return Vec::new() };
    let mut found = Vec::new();
    for &mount in &group.mounts {
        let root = mount.deleted().unwrap_or(&mount.root);
        let place = live.mounts.iter().find_map(|main| {
            let path = main.within(root)?;
            (path != mount.point).then_some((*main, path))
        });
        let Some((main, source)) = place else { continue };
        // The old mount lies below the new one, or the source identifies it.
        let below = scene.mounts.iter().any(|old| old.device == first.device && old.point == main.point);
        let telling = first.source.contains(['/', ':', '@']);
        found.push(Successor { mount, main, source, by_inode: !(below || telling) });
    }
    found
}

/// Whether the candidate is what the dead mount showed: it answers, and if nothing else identifies it, has the same
/// inode number. The root of a file system has the same number everywhere.
pub(super) fn is_same(successor: &Successor<'_>, old: Option<u64>, new: &Probed) -> bool {
    const ROOT: u64 = 1;
    matches!(new.outcome, ProbeOutcome::Answers(_))
        && (!successor.by_inode || (old.is_some() && old == new.inode && old != Some(ROOT)))
}

/// What is wrong, reported once for all mounts of the daemon. `cures` are those whose successors are known.
pub(super) fn findings(
    group: &Group<'_>,
    outcome: &ProbeOutcome,
    cures: &[Successor<'_>],
    scene: &Scene,
) -> Vec<Finding> {
    let ProbeOutcome::Fails { call, errno } = outcome else { return Vec::new() };
    let point = shown(&group.first.point);
    let evidence =
        format!("{call}(2) of {point}, {} of type {}: {errno}", group.first.source, group.first.fs_type);
    let mut findings = Vec::new();
    if let Some(Successor { main, .. }) = cures.first() {
        let points: Vec<String> = cures.iter().map(|cure| shown(&cure.mount.point)).collect();
        let commands: Option<Vec<String>> = cures.iter().map(bind).collect();
        let advice = if scene.pid.is_some() {
            scene.remount(&[])
        } else {
            let bind = |cure: &Successor<'_>| {
                format!("mount --bind {} {}", word(&cure.source), word(&cure.mount.point))
            };
            format!(
                "bind the live mount over the dead one: {}",
                cures.iter().map(bind).collect::<Vec<_>>().join("; ")
            )
        };
        findings.push(Finding::broken(
            "fuse-dead",
            format!(
                "the daemon of a FUSE file system was restarted on {}, but {} still {} the dead mount: everything \
                 that touches it fails, and so do containers that use it",
                shown(&main.point),
                points.join(", "),
                if points.len() == 1 { "shows" } else { "show" },
            ),
            evidence.clone(),
            Remedy::command_or(commands.filter(|_| scene.pid.is_none()).map(|all| all.join("; ")), advice),
        ));
    }
    let left: Vec<&Mount> =
        group.mounts.iter().copied().filter(|mount| !cures.iter().any(|cure| cure.mount == *mount)).collect();
    let Some(first) = left.first() else { return findings };
    let others = match left.len() {
        1 => String::new(),
        number => format!(", with {} more mounts of it", number - 1),
    };
    // Its own mount, which is the oldest. Bind mounts of it stay until there is something to bind in their place.
    let own = left.iter().find(|mount| mount.root == b"/");
    let then = "its bind mounts stay dead until then; key-dns doctor --mounts then shows how to restore them";
    let advice = match (scene.pid, own) {
        (Some(_), _) => scene.remount(&[]),
        (None, Some(own)) => format!("start its daemon again: {}; {then}", scene.remount(&[&own.point])),
        (None, None) => format!("start its daemon again, at the same mount point; {then}"),
    };
    findings.push(Finding::broken(
        "fuse-dead",
        format!(
            "the daemon of the FUSE file system on {} is dead{others}: everything that touches it fails, and so do \
             bind mounts of it and containers that use it",
            shown(&first.point)
        ),
        evidence,
        Remedy::advice(advice),
    ));
    findings
}

/// The command that binds the live mount over the dead one, if that is still its state. It unmounts nothing, so the
/// directory underneath can't be written to at any time; the dead mount stays below.
fn bind(cure: &Successor<'_>) -> Option<String> {
    let (source, point, main) =
        (quoted(&cure.source)?, quoted(&cure.mount.point)?, quoted(&cure.main.point)?);
    Some(format!(
        "if LC_ALL=C stat -f {point} 2>&1 | grep -q -e 'not connected' -e 'connection abort' && mountpoint -q {main}; \
         then mount \
         --bind {source} {point}; fi"
    ))
}
