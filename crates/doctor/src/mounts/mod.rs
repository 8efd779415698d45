//! `key-dns doctor --mounts`: mounts that are broken, or soon will be.
//!
//! This process touches no mount itself, because that may hang forever: [`probe`] does it in child processes that can
//! be abandoned.

mod ceph;
mod dead;
mod deleted;
mod left_behind;
mod names;
pub mod probe;
mod scene;
mod silent;
pub mod table;

use crate::host_root::HostRoot;
use crate::kernel::place;
use crate::mount_table;
use crate::report::{MountState, Report, ReportKind, Step, WatchedMount};
use left_behind::LeftBehind;
use nix::errno::Errno;
use nix::unistd::geteuid;
use probe::{ProbeOutcome, Probed, Target};
use scene::{Group, Scene, shown};
use std::path::{Path, PathBuf};
use std::thread::{self, sleep};
use std::time::Instant;
use table::Mount;
use upcall::Settings;

/// How many are looked at at once, once they were touched.
const AT_ONCE: usize = 32;

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
            return Report::new(ReportKind::Mounts, subject, vec![overview]);
        }
    };
    let fstab = mount_table::fstab(&look.text("/etc/fstab").unwrap_or_default());
    let scene = Scene {
        mounts: table::parse(&text),
        pid,
        fstab: fstab.into_iter().map(|entry| entry.mount_point).collect(),
        elsewhere: look.is_host() && place(look).is_elsewhere(),
    };
    let groups = scene.groups();
    let touched = touch(&groups, &scene, look);
    let (mut steps, mut mounts) = look_at_groups(&groups, &touched, &scene, look, settings);
    let (deleted, deleted_mounts) = look_at_deleted(&groups, &touched, &scene);
    steps.extend(deleted);
    mounts.extend(deleted_mounts);
    overview.summary = format!(
        "{} mounts, {} network or FUSE file systems, {} bind mounts of something deleted",
        scene.mounts.len(),
        groups.len(),
        scene.mounts.iter().filter(|mount| mount.deleted().is_some()).count(),
    );
    steps.insert(0, overview);
    Report { mounts, ..Report::new(ReportKind::Mounts, subject, steps) }
}

/// What came of touching the file systems.
struct Touched {
    /// For each group, in order.
    outcomes: Vec<ProbeOutcome>,
    ceph: ceph::Seen,
}

fn touch(groups: &[Group<'_>], scene: &Scene, look: &HostRoot) -> Touched {
    let start = Instant::now();
    let has_ceph = groups.iter().any(|group| group.first.fs_type == "ceph");
    let before = if has_ceph { ceph::clients(look) } else { Vec::new() };
    let target = |group: &Group<'_>| Target { path: scene.path(&group.first.point), user: None };
    let probed = touch_all(&groups.iter().map(target).collect::<Vec<_>>());
    let mut outcomes: Vec<ProbeOutcome> = probed.into_iter().map(|probed| probed.outcome).collect();
    // FUSE lets its owner in alone, where it was not mounted for others.
    let (mut again, mut targets) = (Vec::new(), Vec::new());
    for (group, outcome) in groups.iter().zip(&mut outcomes) {
        if let Some(user) = owner(group.first).filter(|_| barred(outcome) && geteuid().is_root()) {
            targets.push(Target { user: Some(user), ..target(group) });
            again.push(outcome);
        }
    }
    for (outcome, probed) in again.into_iter().zip(touch_all(&targets)) {
        *outcome = probed.outcome;
    }
    let silent = |(group, outcome): (&Group<'_>, &ProbeOutcome)| {
        group.first.fs_type == "ceph" && matches!(outcome, ProbeOutcome::Silent { .. })
    };
    let hangs = groups.iter().zip(&outcomes).any(silent);
    let mut ceph = ceph::Seen { after: if has_ceph { ceph::clients(look) } else { Vec::new() }, before };
    if hangs {
        // What the probe itself waits for has waited long enough.
        ceph.before.clone_from(&ceph.after);
    } else if ceph.before.iter().any(ceph::Client::waits) {
        sleep(ceph::APART.saturating_sub(start.elapsed()));
        ceph.after = ceph::clients(look);
    }
    Touched { outcomes, ceph }
}

/// Each network or FUSE file system: whether it answers, and whether its name is still correct.
fn look_at_groups(
    groups: &[Group<'_>],
    touched: &Touched,
    scene: &Scene,
    look: &HostRoot,
    settings: &Settings,
) -> (Vec<Step>, Vec<WatchedMount>) {
    let each = || groups.iter().zip(&touched.outcomes);
    let silent: Vec<&Path> = each()
        .filter(|(_, outcome)| matches!(outcome, ProbeOutcome::Silent { .. }))
        .map(|(group, _)| group.first.point.as_path())
        .collect();
    let alive: Vec<&Group<'_>> = each()
        .filter(|(_, outcome)| matches!(outcome, ProbeOutcome::Answers(_)))
        .map(|(group, _)| group)
        .collect();
    let context = GroupContext { silent, alive, ceph: &touched.ceph, scene, look, settings };
    let all: Vec<_> = each().collect();
    let mut seen = Vec::new();
    // Servers and names that are silent take their time, which is the same for one as for many.
    for some in all.chunks(AT_ONCE) {
        seen.extend(thread::scope(|scope| {
            let context = &context;
            let start = |&(group, outcome)| scope.spawn(move || look_at_group(group, outcome, context));
            let started: Vec<_> = some.iter().map(start).collect();
            started.into_iter().filter_map(|thread| thread.join().ok()).collect::<Vec<_>>()
        }));
    }
    let (steps, mounts): (Vec<Step>, Vec<WatchedMount>) = seen.into_iter().unzip();
    (steps, mounts.into_iter().filter(|mount| mount.mounts > 0).collect())
}

/// What is known of all file systems when one is looked at.
struct GroupContext<'a> {
    silent: Vec<&'a Path>,
    alive: Vec<&'a Group<'a>>,
    ceph: &'a ceph::Seen,
    scene: &'a Scene,
    look: &'a HostRoot,
    settings: &'a Settings,
}

fn look_at_group(
    group: &Group<'_>,
    outcome: &ProbeOutcome,
    context: &GroupContext<'_>,
) -> (Step, WatchedMount) {
    let GroupContext { scene, look, settings, .. } = *context;
    let mut step = Step::new("mount").about(shown(&group.first.point));
    let Mount { fs_type, source, point, .. } = group.first;
    step.summary = format!("{source} ({fs_type}) {}", said(outcome));
    let above = context.silent.iter().find(|above| point.starts_with(above) && point != *above);
    let ceph = ceph::finding(group, outcome, context.ceph, &mut step);
    let unseen = match (outcome, above) {
        (ProbeOutcome::Silent { .. }, Some(above)) => {
            Some(format!("{} above it does not answer", shown(above)))
        }
        (ProbeOutcome::Untried(why), _) => Some(why.clone()),
        _ if ceph.is_none() && barred(outcome) => Some(scene.why_barred().to_owned()),
        _ => None,
    };
    let seen = unseen.is_none();
    match unseen {
        Some(why) => step.unseen(shown(point), why),
        None if ceph.is_some() => step.findings.extend(ceph),
        None if dead::is_dead(group, outcome) => {
            let cures = cures(group, &context.alive, scene);
            step.findings = dead::findings(group, outcome, &cures, scene);
        }
        None => step.findings.extend(silent::finding(group, outcome, scene)),
    }
    let state = if seen { MountState::of(&step) } else { MountState::Unknown };
    // Those of something deleted are told of by themselves, unless all are dead.
    let counts = |mount: &&&Mount| state == MountState::Dead || mount.deleted().is_none();
    let mounts = group.mounts.iter().filter(counts).count();
    if scene.elsewhere {
        step.fact("only on the host can be checked whether the names in its source have moved: the kernel looks them up there");
    } else {
        names::check(group.first, scene, look, settings, &mut step);
    }
    (step, WatchedMount { point: point.clone(), fs_type: fs_type.clone(), state, mounts })
}

/// Where what a dead daemon showed is now.
fn cures<'a>(group: &Group<'a>, alive: &[&Group<'a>], scene: &'a Scene) -> Vec<dead::Successor<'a>> {
    let found = dead::successors(group, alive, scene);
    let targets = |path: fn(&dead::Successor<'_>) -> PathBuf| {
        found
            .iter()
            .map(|successor| Target { path: scene.path(&path(successor)), user: None })
            .collect::<Vec<_>>()
    };
    let new = touch_all(&targets(|successor| successor.source.clone()));
    let old = touch_all(&targets(|successor| successor.mount.point.clone()));
    let same = new.iter().zip(&old).map(|(new, old)| (new, old.inode));
    found
        .iter()
        .zip(same)
        .filter(|(found, (new, old))| dead::is_same(found, *old, new))
        .map(|(found, _)| found.clone())
        .collect()
}

/// Each bind mount of something deleted. Those of a daemon that is dead were told with it.
fn look_at_deleted(groups: &[Group<'_>], touched: &Touched, scene: &Scene) -> (Vec<Step>, Vec<WatchedMount>) {
    let is_dead = |mount: &Mount| {
        let mut each = groups.iter().zip(&touched.outcomes);
        each.any(|(group, outcome)| group.first.device == mount.device && dead::is_dead(group, outcome))
    };
    let mounts: Vec<&Mount> = scene
        .mounts
        .iter()
        .filter(|mount| mount.deleted().is_some() && scene.is_reachable(mount) && !is_dead(mount))
        .collect();
    // Finding out whether there is something to bind again may hang forever as well.
    let sources: Vec<Option<PathBuf>> = mounts.iter().map(|mount| deleted::remade(mount, scene)).collect();
    let targets: Vec<Target> =
        sources.iter().flatten().map(|path| Target { path: scene.path(path), user: None }).collect();
    let mut probed = touch_all(&targets).into_iter();
    let (mut steps, mut watched) = (Vec::new(), Vec::new());
    for (mount, source) in mounts.into_iter().zip(sources) {
        let there = source.as_ref().and_then(|_| probed.next());
        let answers = |probed: &Probed| matches!(probed.outcome, ProbeOutcome::Answers(_));
        let source = source.filter(|_| there.as_ref().is_some_and(answers));
        let mut step = Step::new("bind").about(shown(&mount.point));
        step.summary = format!("{} ({}) was deleted", String::from_utf8_lossy(&mount.root), mount.fs_type);
        step.findings.extend(deleted::finding(mount, source.as_ref(), scene));
        steps.push(step);
        watched.push(WatchedMount {
            point: mount.point.clone(),
            fs_type: mount.fs_type.clone(),
            state: MountState::Deleted,
            mounts: 1,
        });
    }
    (steps, watched)
}

/// Touches them, but for those that a process still waits for.
fn touch_all(targets: &[Target]) -> Vec<Probed> {
    if targets.is_empty() {
        return Vec::new();
    }
    let left_behind = LeftBehind::look();
    probe::probe(targets, |target| left_behind.has(target))
}

/// Whether the kernel let us in.
fn barred(outcome: &ProbeOutcome) -> bool {
    matches!(outcome, ProbeOutcome::Fails { errno: Errno::EACCES | Errno::EPERM, .. })
}

/// The user and group of a FUSE mount, if they are not root's.
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
        Scene {
            mounts: table::parse(text.as_bytes()),
            pid,
            fstab: vec!["/mnt/ceph".to_owned()],
            elsewhere: false,
        }
    }

    const TABLE: &str = "\
        20 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
        30 20 0:30 / /mnt/ceph rw - fuse.ceph-fuse ceph-fuse rw,user_id=0\n\
        31 20 0:30 /vol /var/pods/a\\040b rw - fuse.ceph-fuse ceph-fuse rw,user_id=0\n\
        32 20 0:29 /vol//deleted /var/pods/c rw - fuse.ceph-fuse ceph-fuse rw,user_id=0\n\
        33 20 8:1 /srv/x//deleted /srv/y rw - ext4 /dev/sda1 rw\n\
        34 20 0:40 /x//deleted /lonely rw - tmpfs t rw\n";

    #[test]
    fn all_mounts_of_one_file_system_are_one_group() {
        let scene = scene(TABLE, None);
        let groups = scene.groups();
        assert_eq!(groups.len(), 2);
        assert_eq!(
            scene.remount(&groups[0].points()),
            "stop what uses it; umount -l /mnt/ceph '/var/pods/a b'; then mount /mnt/ceph (fstab has it)"
        );
        assert_eq!(
            scene.remount(&groups[1].points()),
            "stop what uses it; umount -l /var/pods/c; then mount it as before"
        );
    }

    #[test]
    fn a_deleted_source_is_searched_for_in_other_mounts_of_its_file_system() {
        let scene = scene(TABLE, None);
        let remade = |number: usize| deleted::remade(&scene.mounts[number], &scene);
        assert_eq!(remade(4), Some(PathBuf::from("/srv/x")));
        assert_eq!(remade(5), None);
        let finding = deleted::finding(&scene.mounts[4], remade(4).as_ref(), &scene).unwrap();
        let words = finding.remedy.words().unwrap();
        assert!(words.contains("umount -l /srv/y; mount --bind /srv/x /srv/y"), "{words}");
    }

    /// The remedies for the second group of a table, whose daemon is dead, where the first is alive; of each mount its
    /// inode number.
    fn dead(table: &str, pid: Option<u32>, inodes: (u64, u64)) -> Vec<crate::Remedy> {
        let scene = Scene { mounts: table::parse(table.as_bytes()), pid, ..Scene::default() };
        let groups = scene.groups();
        let outcome = ProbeOutcome::Fails { call: "statfs".to_owned(), errno: Errno::ENOTCONN };
        assert!(dead::is_dead(&groups[1], &outcome));
        let new = Probed { outcome: ProbeOutcome::Answers(std::time::Duration::ZERO), inode: Some(inodes.1) };
        let mut cures = dead::successors(&groups[1], &[&groups[0]], &scene);
        cures.retain(|found| dead::is_same(found, Some(inodes.0), &new));
        dead::findings(&groups[1], &outcome, &cures, &scene)
            .into_iter()
            .map(|finding| finding.remedy)
            .collect()
    }

    #[test]
    fn a_dead_mount_is_bound_again_from_the_same_live_file_system() {
        // The daemon was restarted, so that the file system has another device. Whether somebody touched a bind mount
        // since, so that its folder counts as deleted, is no matter.
        let command = "if LC_ALL=C stat -f '/var/pods/c d' 2>&1 | grep -q -e 'not connected' -e 'connection abort' && \
                       mountpoint -q /mnt/ceph; then mount --bind /mnt/ceph/vol '/var/pods/c d'; fi";
        for root in ["/vol", "/vol//deleted"] {
            let table = TABLE.replace("/vol//deleted /var/pods/c", &format!("{root} /var/pods/c\\040d"));
            // The source does not tell of which cluster it is; a folder's number does.
            let remedies = dead(&table, None, (77, 77));
            assert_eq!(remedies, [crate::Remedy::Command(command.to_owned())], "{root}");
            for numbers in [(77, 78), (1, 1)] {
                let remedies = dead(&table, None, numbers);
                assert!(remedies[0].words().unwrap().starts_with("start its daemon again"), "{remedies:?}");
            }
            // The old one below the new one tells as well.
            let below = format!("29 20 0:29 / /mnt/ceph rw - fuse.ceph-fuse ceph-fuse rw,user_id=0\n{table}");
            let below = below.replace("30 20 0:30", "30 29 0:30");
            assert_eq!(dead(&below, None, (1, 2)), [crate::Remedy::Command(command.to_owned())], "{root}");
            // Of another process: its container has to be started again.
            let remedies = dead(&table, Some(42), (77, 77));
            assert!(
                remedies[0].words().unwrap().starts_with("restart the container of process 42"),
                "{remedies:?}"
            );
        }
        // A path that can't be shown.
        let odd = TABLE.replace("/var/pods/c", "/var/pods/c\\012d");
        let words =
            "bind the live mount over the dead one: mount --bind /mnt/ceph/vol PATH (it has characters";
        assert!(dead(&odd, None, (77, 77))[0].words().unwrap().starts_with(words));
    }

    #[test]
    fn paths_of_another_process_are_resolved_below_its_root() {
        let scene = scene(TABLE, Some(42));
        assert_eq!(scene.path(Path::new("/mnt/x")), PathBuf::from("/proc/42/root/mnt/x"));
    }

    #[test]
    fn the_mounts_of_a_missing_process_are_not_seen() {
        let report = report(Some(4_000_000_000), &HostRoot::host(), &Settings::default());
        assert_eq!((report.exit(), report.steps.len()), (super::super::exit::UNSEEN, 1));
    }
}
