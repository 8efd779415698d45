//! `key-dns doctor --mounts`: breakages made for real, in mount namespaces of their own, and cured by what it says.

use crate::support::{run, skip, world};
use crate::{Run, key_dns};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A FUSE file system that shows a folder at another place.
struct Daemon(Child);

impl Daemon {
    /// `None` where there is no bindfs.
    fn start(folder: &str, point: &str) -> Option<Self> {
        Self::start_by(&["env"], folder, point)
    }

    fn start_by(prefix: &[&str], folder: &str, point: &str) -> Option<Self> {
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
        let start = Instant::now();
        while !fs::read_to_string("/proc/self/mountinfo").unwrap().contains(&format!(" {point} ")) {
            assert!(start.elapsed() < Duration::from_secs(60), "bindfs does not mount");
            sleep(Duration::from_millis(10));
        }
        Some(daemon)
    }

    fn signal(&self, signal: &str) {
        assert!(run("sh", &["-c", &format!("kill {signal} {}", self.0.id())]).status.success());
    }

    fn kill(&mut self) {
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

fn shell(command: &str) {
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

/// Fails the test unless the first finding is this one, and its remedy leaves none.
#[track_caller]
fn cured(breakage: &str, id: &str, more: &[&str]) -> Value {
    let (seen, findings) = look(more);
    let first = findings.first().unwrap_or_else(|| panic!("{breakage}: no finding in {}", seen.stdout));
    println!("{breakage:<55} {:<20} {}", first["id"].as_str().unwrap(), first["remedy"].as_str().unwrap());
    assert_eq!((first["id"].as_str(), seen.status), (Some(id), 1), "{breakage}: {}", seen.stdout);
    assert!(!first["evidence"].as_str().unwrap().is_empty());
    shell(first["remedy"].as_str().unwrap());
    let (seen, findings) = look(more);
    assert!(findings.is_empty() && seen.status == 0, "{breakage}, after its remedy: {}", seen.stdout);
    first.clone()
}

#[test]
fn where_nothing_is_broken_nothing_is_found() {
    if !world::inside("mounts::where_nothing_is_broken_nothing_is_found") {
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
fn a_bind_mount_of_a_deleted_folder_is_found_and_bound_anew() {
    if !world::inside("mounts::a_bind_mount_of_a_deleted_folder_is_found_and_bound_anew") {
        return;
    }
    shell(
        "cd /mnt && mkdir -p 'vol a' pod container && mount --bind 'vol a' pod && rmdir 'vol a' && mkdir 'vol a'",
    );
    // As runc would do it.
    assert!(fails("mount --bind /mnt/pod /mnt/container").contains("No such file or directory"));
    shell("touch '/mnt/vol a/data'");
    let finding = cured("bind source deleted and made anew", "bind-source-deleted", &[]);
    assert!(finding["problem"].as_str().unwrap().contains("mount through procfd"));
    assert_eq!(finding["remedy"], "umount -l /mnt/pod && mount --bind '/mnt/vol a' /mnt/pod");
    shell("mount --bind /mnt/pod /mnt/container && test -e /mnt/container/data");
}

#[test]
fn a_bind_mount_of_something_gone_is_found_and_taken_away() {
    if !world::inside("mounts::a_bind_mount_of_something_gone_is_found_and_taken_away") {
        return;
    }
    shell("cd /mnt && mkdir vol pod && mount --bind vol pod && rmdir vol");
    let finding = cured("bind source deleted", "bind-source-deleted", &[]);
    assert_eq!(finding["remedy"], "umount -l /mnt/pod");
    shell("cd /mnt && echo old >file && touch bound && mount --bind file bound && rm file");
    cured("bind source, a file, deleted", "bind-source-deleted", &[]);
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
    let finding = cured("FUSE daemon killed", "fuse-dead", &[]);
    assert_eq!(finding["remedy"], "umount -l /mnt/m /mnt/pod1 /mnt/pod2");
    assert!(finding["evidence"].as_str().unwrap().contains("ENOTCONN"), "{finding}");
}

#[test]
fn a_bind_mount_of_a_fuse_file_system_that_was_restarted_is_found() {
    if !world::inside("mounts::a_bind_mount_of_a_fuse_file_system_that_was_restarted_is_found") {
        return;
    }
    shell("cd /mnt && mkdir -p src/vol m pod container");
    let Some(mut daemon) = Daemon::start("/mnt/src", "/mnt/m") else { return };
    shell("mount --bind /mnt/m/vol /mnt/pod");
    daemon.kill();
    shell("umount -l /mnt/m");
    let Some(_daemon) = Daemon::start("/mnt/src", "/mnt/m") else { return };
    fails("mount --bind /mnt/pod /mnt/container && ls /mnt/container");
    shell("umount -l /mnt/container || true");
    let finding = cured("FUSE daemon restarted under a bind mount", "fuse-dead", &[]);
    assert_eq!(finding["remedy"], "umount -l /mnt/pod");
}

#[test]
fn a_mount_that_does_not_answer_is_found_without_hanging() {
    if !world::inside("mounts::a_mount_that_does_not_answer_is_found_without_hanging") {
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
    let finding = cured("server that does not answer (FUSE, daemon stopped)", "mount-silent", &[]);
    assert!(finding["problem"].as_str().unwrap().contains("hangs"), "{finding}");
    silent.signal("-CONT");
}

#[test]
fn the_mounts_of_another_process_are_seen_through_its_own_eyes() {
    if !world::inside("mounts::the_mounts_of_another_process_are_seen_through_its_own_eyes") {
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
    while !Path::new("/mnt/ready").exists() {
        sleep(Duration::from_millis(10));
    }
    let (seen, findings) = look(&[]);
    assert!(findings.is_empty() && seen.status == 0, "{}", seen.stdout);
    let pid = container.0.id().to_string();
    let finding = cured("bind source deleted, in a container", "bind-source-deleted", &["--pid", &pid]);
    let remedy = finding["remedy"].as_str().unwrap();
    let enter = format!("nsenter -t {pid} -m");
    assert_eq!(remedy, format!("{enter} umount -l /mnt/pod && {enter} mount --bind /mnt/vol /mnt/pod"));
}

#[test]
fn what_can_t_be_seen_is_said_to_be_so() {
    if !world::inside("mounts::what_can_t_be_seen_is_said_to_be_so") {
        return;
    }
    let seen = key_dns(&["doctor", "--mounts", "--pid", "4000000000"]);
    assert_eq!(seen.status, 2);
    assert!(seen.stdout.contains("not seen  /proc/4000000000/mountinfo: No such file"), "{}", seen.stdout);
    let copy = "/mnt/key-dns";
    fs::copy(crate::support::executable(), copy).unwrap();
    shell("chmod 755 /mnt /mnt/key-dns && mkdir /mnt/src /mnt/m");
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
    assert!(
        text.contains("not seen  /mnt/m: only root may look into the files of another process"),
        "{text}"
    );
    // FUSE keeps out all but its owner, who is root.
    let (status, text) = user(&[]);
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains("not seen  /mnt/m: only its owner may look into it"), "{text}");
}

#[test]
fn root_looks_into_the_fuse_file_system_of_a_user_as_that_user() {
    if !world::inside("mounts::root_looks_into_the_fuse_file_system_of_a_user_as_that_user") {
        return;
    }
    shell(
        "cd /mnt && mkdir src m && chmod 755 /mnt && chown 65534 src m && mknod fuse c 10 229 && chmod 666 fuse && \
         mount --bind fuse /dev/fuse",
    );
    if !run("sh", &["-c", "command -v fusermount3"]).status.success() {
        return skip("it needs fusermount3 (package fuse3), for users to mount with");
    }
    let user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let Some(mut daemon) = Daemon::start_by(&user, "/mnt/src", "/mnt/m") else { return };
    assert!(fails("ls /mnt/m").contains("Permission denied"));
    let (seen, findings) = look(&[]);
    assert!(findings.is_empty() && seen.status == 0, "{}", seen.stdout);
    daemon.kill();
    cured("FUSE daemon of a user killed", "fuse-dead", &[]);
}
