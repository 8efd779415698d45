//! `key-dns doctor --mounts`: breakages made for real, in mount namespaces of their own, and cured by what it says.

use crate::support::{copy_program, executable, in_chroot, run, skip, until, world};
use crate::{Run, key_dns};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Waits until this is so, but not forever.
#[track_caller]
fn wait_for(what: &str, so: impl Fn() -> bool) {
    assert!(until(Duration::from_secs(60), so), "waited for {what}");
}

/// A FUSE file system that shows a folder at another place.
pub struct Daemon(pub Child);

impl Daemon {
    /// `None` where there is no bindfs.
    pub fn start(folder: &str, point: &str) -> Option<Self> {
        Self::start_by(&["env"], folder, point)
    }

    pub fn start_by(prefix: &[&str], folder: &str, point: &str) -> Option<Self> {
        if !run("sh", &["-c", "command -v bindfs"]).status.success() || !Path::new("/dev/fuse").exists() {
            skip("it needs bindfs and /dev/fuse, for a file system whose daemon can be killed");
            return None;
        }
        let child = Command::new(prefix[0])
            .args(&prefix[1..])
            .args(["bindfs", "-f", "--no-allow-other", folder, point])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Self(child);
        wait_for("bindfs to mount", || {
            fs::read_to_string("/proc/self/mountinfo").unwrap().contains(&format!(" {point} "))
        });
        Some(daemon)
    }

    pub fn signal(&self, signal: &str) {
        assert!(run("sh", &["-c", &format!("kill {signal} {}", self.0.id())]).status.success());
    }

    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn shell(command: &str) {
    let done = run("sh", &["-c", command]);
    assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
}

fn fails(command: &str) -> String {
    let done = run("sh", &["-c", command]);
    assert!(!done.status.success(), "{command} works");
    String::from_utf8_lossy(&done.stderr).into_owned()
}

fn look(more: &[&str]) -> (Run, Vec<Value>) {
    let seen = key_dns(&[&["doctor", "--mounts", "--json"], more].concat());
    let steps = seen.json()["steps"].as_array().unwrap().clone();
    let findings = steps.iter().flat_map(|step| step["findings"].as_array().unwrap().clone()).collect();
    (seen, findings)
}

/// Fails the test unless there is this one finding, with this advice, and nothing is left after `by_hand`, which follows it.
#[track_caller]
fn cured(breakage: &str, id: &str, more: &[&str], advice: &str, by_hand: &str) -> Value {
    let (seen, findings) = look(more);
    let first = findings.first().unwrap_or_else(|| panic!("{breakage}: no finding in {}", seen.stdout));
    let words = first["advice"].as_str().unwrap_or_else(|| panic!("{breakage}: {first}"));
    println!("{breakage:<55} {:<20} {words}", first["id"].as_str().unwrap());
    assert_eq!((first["id"].as_str(), seen.status), (Some(id), 1), "{breakage}: {}", seen.stdout);
    assert_eq!(findings.len(), 1, "{breakage}: {}", seen.stdout);
    assert!(!first["evidence"].as_str().unwrap().is_empty());
    assert!(words.contains(advice), "{breakage}: {words}");
    shell(by_hand);
    let (seen, findings) = look(more);
    assert!(findings.is_empty() && seen.status == 0, "{breakage}, after its remedy: {}", seen.stdout);
    first.clone()
}

#[test]
fn healthy_mounts_have_no_findings() {
    if !world::inside("mounts::healthy_mounts_have_no_findings") {
        return;
    }
    shell("mkdir -p /mnt/a /mnt/b /mnt/m && mount --bind /mnt/a /mnt/b");
    let (seen, findings) = look(&[]);
    assert!(findings.is_empty() && seen.status == 0, "{}", seen.stdout);
    let Some(_daemon) = Daemon::start("/mnt/a", "/mnt/m") else { return };
    let seen = key_dns(&["doctor", "--mounts"]);
    assert_eq!(seen.status, 0, "{}", seen.stdout);
    assert!(
        seen.stdout.lines().any(|line| line.starts_with("ok       mount         /mnt/m: ")),
        "{}",
        seen.stdout
    );
}

#[test]
fn a_bind_mount_of_a_deleted_directory_is_found_and_bound_again() {
    if !world::inside("mounts::a_bind_mount_of_a_deleted_directory_is_found_and_bound_again") {
        return;
    }
    shell(
        "cd /mnt && mkdir -p 'vol a' pod container && mount --bind 'vol a' pod && rmdir 'vol a' && mkdir 'vol a'",
    );
    // As runc would do it.
    assert!(fails("mount --bind /mnt/pod /mnt/container").contains("No such file or directory"));
    shell("touch '/mnt/vol a/data'");
    let finding = cured(
        "bind source deleted and made anew",
        "bind-source-deleted",
        &[],
        "umount -l /mnt/pod; mount --bind '/mnt/vol a' /mnt/pod",
        "umount -l /mnt/pod; mount --bind '/mnt/vol a' /mnt/pod",
    );
    assert!(finding["problem"].as_str().unwrap().contains("mount through procfd"));
    shell("mount --bind /mnt/pod /mnt/container && test -e /mnt/container/data");
}

#[test]
fn a_bind_mount_whose_source_is_gone_is_found_and_unmounted() {
    if !world::inside("mounts::a_bind_mount_whose_source_is_gone_is_found_and_unmounted") {
        return;
    }
    shell("cd /mnt && mkdir vol pod && mount --bind vol pod && rmdir vol");
    let gone = "or umount -l /mnt/pod, if nothing needs it";
    cured("bind source deleted", "bind-source-deleted", &[], gone, "umount -l /mnt/pod");
    shell("cd /mnt && echo old >file && touch bound && mount --bind file bound && rm file");
    let gone = "or umount -l /mnt/bound, if nothing needs it";
    cured("bind source, a file, deleted", "bind-source-deleted", &[], gone, "umount -l /mnt/bound");
}

#[test]
fn a_dead_fuse_daemon_is_found_with_all_its_mounts() {
    if !world::inside("mounts::a_dead_fuse_daemon_is_found_with_all_its_mounts") {
        return;
    }
    shell("cd /mnt && mkdir -p src/vol m pod1 pod2");
    let Some(mut daemon) = Daemon::start("/mnt/src", "/mnt/m") else { return };
    shell("mount --bind /mnt/m /mnt/pod1 && mount --bind /mnt/m/vol /mnt/pod2");
    assert_eq!(look(&[]).0.status, 0);
    daemon.kill();
    let finding = cured(
        "FUSE daemon killed",
        "fuse-dead",
        &[],
        "start its daemon again: stop what uses it; umount -l /mnt/m; then mount it as before",
        "umount -l /mnt/m /mnt/pod1 /mnt/pod2",
    );
    assert!(finding["evidence"].as_str().unwrap().contains("ENOTCONN"), "{finding}");
}

/// The mount table, without what only numbers mounts, and without what other tests mount over files of the host: where
/// they remove those, the mounts are gone here too.
fn table() -> Vec<String> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let line = |line: &str| line.split(' ').skip(2).collect::<Vec<_>>().join(" ");
    text.lines().map(line).filter(|line| !line.contains(" /run/key-dns-tests/")).collect()
}

/// All commands that are printed.
fn commands(findings: &[Value]) -> Vec<String> {
    findings.iter().filter_map(|finding| Some(finding["remedy"].as_str()?.to_owned())).collect()
}

/// The story of pods whose volume shows `//deleted`: a daemon is killed and started again, and bind mounts of it, and bind
/// mounts of those, show the dead one. Whether somebody touched them since, and whether fstab has the mount, is no matter.
fn story(touched: bool, in_fstab: bool) {
    let what = format!("touched {touched}, in fstab {in_fstab}");
    shell("cd /mnt && mkdir -p src/vol/deep m 'pod 1' pod2 pod3 other && echo data >src/vol/data");
    if in_fstab {
        shell("printf '/mnt/src /mnt/m fuse.bindfs defaults 0 0\\n' >>/etc/fstab");
    }
    let Some(mut daemon) = Daemon::start("/mnt/src", "/mnt/m") else { return };
    shell("cd /mnt && mount --bind m/vol 'pod 1' && mount --bind 'pod 1/deep' pod2 && mount --bind m pod3");
    daemon.kill();
    // Nobody can start it over the dead one.
    shell("umount -l /mnt/m");
    let Some(_again) = Daemon::start("/mnt/src", "/mnt/m") else { return };
    if touched {
        fails("ls '/mnt/pod 1/data'");
        fails("ls /mnt/pod2/x");
        fails("ls /mnt/pod3/vol");
    }
    let before = table();
    let (seen, findings) = look(&[]);
    assert_eq!((seen.status, findings.len()), (1, 1), "{what}: {}", seen.stdout);
    assert_eq!(findings[0]["id"], "fuse-dead");
    let all = commands(&findings);
    assert_eq!(all.len(), 1, "{what}: {}", seen.stdout);
    println!("{what}: {}", all[0]);
    // Half of it leaves the other half as it was: while the source is away, nothing happens, and nobody writes to the folder
    // below.
    shell("mv /mnt/src/vol /mnt/src/away");
    let _ = run("sh", &["-c", &all[0]]);
    fails("touch '/mnt/pod 1/lost'");
    fails("touch /mnt/pod2/lost");
    shell("mv /mnt/src/away /mnt/src/vol");
    // In pieces, in any order, each of them twice.
    let pieces: Vec<&str> =
        all[0].split_inclusive("; fi").map(|piece| piece.trim_start_matches("; ")).collect();
    assert_eq!(pieces.len(), 3);
    for piece in pieces.iter().rev().chain(&pieces).chain(&[all[0].as_str()]) {
        shell(piece);
    }
    let (seen, findings) = look(&[]);
    assert!(findings.is_empty() && seen.status == 0, "{what}: {}", seen.stdout);
    shell(
        "cd /mnt && grep -q data 'pod 1/data' && touch pod2/new pod3/top && test -e src/vol/deep/new && test -e src/top",
    );
    // What is below was not touched, and nothing else was mounted.
    let after = table();
    let new: Vec<&String> = after.iter().filter(|line| !before.contains(line)).collect();
    let mut points: Vec<&str> = new.iter().map(|line| line.split(' ').nth(2).unwrap()).collect();
    points.sort_unstable();
    assert_eq!(points, ["/mnt/pod2", "/mnt/pod3", "/mnt/pod\\0401"], "{what}");
    assert!(before.iter().all(|line| after.contains(line)) && after.len() == before.len() + 3, "{what}");
    shell(
        "for pod in 'pod 1' pod2 pod3; do umount -l \"/mnt/$pod\"; umount -l \"/mnt/$pod\"; done; test -z \"$(ls '/mnt/pod 1' /mnt/pod2 | grep -v : | grep .)\"",
    );
}

#[test]
fn bind_mounts_of_a_restarted_fuse_file_system_are_repaired_in_any_order() {
    let own = "mounts::bind_mounts_of_a_restarted_fuse_file_system_are_repaired_in_any_order";
    if !world::inside(own) {
        return;
    }
    for (touched, in_fstab) in [(false, false), (false, true), (true, false), (true, true)] {
        story(touched, in_fstab);
        shell(
            "sed -i /fuse.bindfs/d /etc/fstab; while umount -l /mnt/m 2>/dev/null; do :; done; rm -rf /mnt/src",
        );
    }
}

#[test]
fn no_remedy_binds_to_a_different_file_system() {
    if !world::inside("mounts::no_remedy_binds_to_a_different_file_system") {
        return;
    }
    shell("cd /mnt && mkdir -p src/vol src2/vol m pod");
    let Some(mut daemon) = Daemon::start("/mnt/src", "/mnt/m") else { return };
    shell("mount --bind /mnt/m/vol /mnt/pod");
    daemon.kill();
    shell("umount -l /mnt/m");
    let Some(_other) = Daemon::start("/mnt/src2", "/mnt/m") else { return };
    let (_, findings) = look(&[]);
    assert_eq!(commands(&findings), [] as [&str; 0], "{findings:?}");
    assert!(findings[0]["advice"].as_str().unwrap().starts_with("start its daemon again"), "{findings:?}");
}

#[test]
fn the_remedy_for_another_mount_namespace_changes_only_that_namespace() {
    let own = "mounts::the_remedy_for_another_mount_namespace_changes_only_that_namespace";
    if !world::inside(own) {
        return;
    }
    shell("mount --make-shared /mnt && cd /mnt && mkdir -p src/vol m pod again");
    let Some(mut daemon) = Daemon::start("/mnt/src", "/mnt/m") else { return };
    shell("mount --bind /mnt/m/vol /mnt/pod && mount --bind /mnt/pod /mnt/again");
    let script = "echo >/mnt/ready && exec sleep 1000";
    let second = Daemon(
        Command::new("unshare")
            .args(["--mount", "--propagation", "slave", "sh", "-c", script])
            .spawn()
            .unwrap(),
    );
    wait_for("the script", || Path::new("/mnt/ready").exists());
    daemon.kill();
    shell("umount -l /mnt/m");
    let Some(_again) = Daemon::start("/mnt/src", "/mnt/m") else { return };
    let pid = second.0.id().to_string();
    let program = crate::support::executable();
    let there = ["-t", &pid, "-m", program.to_str().unwrap(), "doctor", "--mounts", "--json"];
    let found = || {
        let seen: Value = serde_json::from_slice(&run("nsenter", &there).stdout).unwrap();
        let steps = seen["steps"].as_array().unwrap().clone();
        steps.iter().flat_map(|step| step["findings"].as_array().unwrap().clone()).collect::<Vec<Value>>()
    };
    let (all, before) = (commands(&found()), table());
    assert_eq!(all.len(), 1, "{:?}", found());
    for _ in 0..2 {
        let done = run("nsenter", &["-t", &pid, "-m", "sh", "-c", &all[0]]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    assert_eq!(found(), [] as [Value; 0]);
    assert_eq!(table(), before);
    // Here they are as dead as before, and the same command brings them back.
    fails("stat -f /mnt/pod");
    let (_, findings) = look(&[]);
    assert_eq!(commands(&findings), all);
    shell(&all[0]);
    assert_eq!(look(&[]).0.status, 0);
    shell("touch /mnt/again/data && test -e /mnt/src/vol/data");
}

#[test]
fn for_a_dead_mount_in_another_namespace_the_advice_is_a_container_restart() {
    if !world::inside("mounts::for_a_dead_mount_in_another_namespace_the_advice_is_a_container_restart") {
        return;
    }
    shell("cd /mnt && mkdir -p src/vol m pod");
    let Some(mut daemon) = Daemon::start("/mnt/src", "/mnt/m") else { return };
    shell("mount --bind /mnt/m/vol /mnt/pod");
    // Its root directory has nothing but the volume: no umount, no shell.
    let script = "mkdir /mnt/root /mnt/root/vol && mount --bind /mnt/root /mnt/root && mount --bind /mnt/pod /mnt/root/vol && \
                  cp /bin/busybox /mnt/root/ && exec chroot /mnt/root /busybox sleep 1000";
    let container = Daemon(
        Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c", script])
            .spawn()
            .unwrap(),
    );
    let command = format!("/proc/{}/comm", container.0.id());
    wait_for("chroot", || fs::read_to_string(&command).unwrap() == "busybox\n");
    daemon.kill();
    shell("umount -l /mnt/m");
    let Some(_again) = Daemon::start("/mnt/src", "/mnt/m") else { return };
    let pid = container.0.id().to_string();
    let (seen, findings) = look(&["--pid", &pid]);
    assert_eq!(findings.len(), 1, "{}", seen.stdout);
    assert_eq!(findings[0]["id"], "fuse-dead");
    let words = findings[0]["advice"].as_str().unwrap();
    assert_eq!(words, format!("restart the container of process {pid}: its runtime then mounts it again"));
}

#[test]
fn an_unresponsive_mount_is_found_without_hanging() {
    if !world::inside("mounts::an_unresponsive_mount_is_found_without_hanging") {
        return;
    }
    shell("cd /mnt && mkdir -p src m x y");
    let Some(silent) = Daemon::start("/mnt/src", "/mnt/m") else { return };
    let Some(_other) = Daemon::start("/mnt/x", "/mnt/y") else { return };
    // As a server that is gone: calls go out, and nothing comes back.
    silent.signal("-STOP");
    let seen = key_dns(&["doctor", "--mounts"]);
    let line = |start: &str| seen.stdout.lines().any(|line| line.starts_with(start));
    assert!(
        line("broken   mount         /mnt/m: ") && line("ok       mount         /mnt/y: "),
        "{}",
        seen.stdout
    );
    let finding = cured(
        "server that does not answer (FUSE, daemon stopped)",
        "mount-silent",
        &[],
        "waiting programs then resume. Only if it will not come back: stop what uses it; umount -l /mnt/m",
        &format!("kill -CONT {}", silent.0.id()),
    );
    assert!(finding["problem"].as_str().unwrap().contains("hangs"), "{finding}");
}

#[test]
fn the_mounts_of_another_process_are_checked_in_its_namespace() {
    if in_chroot() {
        return skip("in a chroot, nsenter finds other paths");
    }
    if !world::inside("mounts::the_mounts_of_another_process_are_checked_in_its_namespace") {
        return;
    }
    shell("cd /mnt && mkdir vol pod");
    // A container, in a word.
    let script = "mount --bind /mnt/vol /mnt/pod && rmdir /mnt/vol && mkdir /mnt/vol && echo >/mnt/ready && exec sleep 1000";
    let container = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", script])
        .spawn()
        .unwrap();
    let container = Daemon(container);
    wait_for("the script", || Path::new("/mnt/ready").exists());
    let (seen, findings) = look(&[]);
    assert!(findings.is_empty() && seen.status == 0, "{}", seen.stdout);
    let pid = container.0.id().to_string();
    let enter = format!("nsenter -t {pid} -m");
    cured(
        "bind source deleted, in a container",
        "bind-source-deleted",
        &["--pid", &pid],
        &format!("restart the container of process {pid}"),
        &format!("{enter} umount -l /mnt/pod && {enter} mount --bind /mnt/vol /mnt/pod"),
    );
}

#[test]
fn what_cannot_be_checked_is_reported_as_not_seen() {
    if !world::inside("mounts::what_cannot_be_checked_is_reported_as_not_seen") {
        return;
    }
    let seen = key_dns(&["doctor", "--mounts", "--pid", "4000000000"]);
    assert_eq!(seen.status, 2);
    assert!(seen.stdout.contains("not seen  /proc/4000000000/mountinfo: No such file"), "{}", seen.stdout);
    let copy = "/mnt/key-dns";
    copy_program(&executable(), Path::new(copy));
    shell("chmod 755 /mnt && mkdir /mnt/src /mnt/m");
    let Some(_daemon) = Daemon::start("/mnt/src", "/mnt/m") else { return };
    let user = |more: &[&str]| {
        let seen = run(
            "setpriv",
            &[&["--reuid", "65534", "--clear-groups", copy, "doctor", "--mounts"], more].concat(),
        );
        (seen.status.code(), String::from_utf8(seen.stdout).unwrap())
    };
    let (status, text) = user(&["--pid", &std::process::id().to_string()]);
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains("not seen  /mnt/m: only root can check the files of another process"), "{text}");
    // FUSE keeps out all but its owner, who is root.
    let (status, text) = user(&[]);
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains("not seen  /mnt/m: only its owner can access it"), "{text}");
}

#[test]
fn root_checks_the_fuse_file_system_of_a_user_as_that_user() {
    if !world::inside("mounts::root_checks_the_fuse_file_system_of_a_user_as_that_user") {
        return;
    }
    if !run("sh", &["-c", "command -v fusermount3"]).status.success() || !Path::new("/dev/fuse").exists() {
        return skip("it needs fusermount3 (package fuse3) and /dev/fuse, for users to mount with");
    }
    shell(
        "cd /mnt && mkdir src m && chmod 755 /mnt && chown 65534 src m && mknod fuse c 10 229 && chmod 666 fuse && \
         mount --bind fuse /dev/fuse",
    );
    let user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let Some(mut daemon) = Daemon::start_by(&user, "/mnt/src", "/mnt/m") else { return };
    assert!(fails("ls /mnt/m").contains("Permission denied"));
    let (seen, findings) = look(&[]);
    assert!(findings.is_empty() && seen.status == 0, "{}", seen.stdout);
    daemon.kill();
    cured("FUSE daemon of a user killed", "fuse-dead", &[], "start its daemon again", "umount -l /mnt/m");
}
