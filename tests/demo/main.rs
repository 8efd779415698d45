//! The README's demo: what it shows, how it ends, and that it leaves nothing behind.

#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

use nix::sys::signal::Signal;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use support::machine::Machine;
use support::world::{has_user, no_namespaces};
use support::{built_with_the_tests, copy_program, send, skip, usual_umask};

const RULE: &str = "/etc/request-key.d/key-dns-demo.conf";
const REQUEST_KEY: &str = "/sbin/request-key";

/// What the demo shows to anybody.
const ANSWERS: [&str; 10] = [
    "kernel gets  192.0.2.11 for 300 s",
    "kernel gets  2001:db8::13 for 120 s",
    "kernel gets  192.0.2.21 for 30 s",
    "kernel gets  192.0.2.31 for 1 s",
    "kernel gets  db1 192.0.2.51:7003, db2 [2001:db8::52]:7003 for 450 s",
    "(150 addresses) for 300 s",
    "kernel gets  #dnserror=61 (ENODATA) for 60 s",
    "kernel gets  #dnserror=11 (EAGAIN) for 1 s",
    "kernel gets  #dnserror=111 (ECONNREFUSED) for 10 s",
    "kernel gets  #dnserror=22 (EINVAL) for 1 s",
];

/// What it shows to root, of keys that the kernel made.
const KEYS: [&str; 5] = [
    "dns_resol mon1.key-dns-demo.test: 10",
    "reading it   192.0.2.11",
    "reading it   db1 192.0.2.51:7003, db2 [2001:db8::52]:7003",
    "dns_resol nosuch.key-dns-demo.test: -61",
    "reading it   fails with ENODATA (No data available)",
];

/// The demo as in the README, except for the profile, which is this test's.
fn by_cargo() -> Command {
    cargo(&["run", "--quiet", "--example", "demo"])
}

fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    let profile = match built_with_the_tests().file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev".to_owned(),
        Some(name) => name.to_owned(),
    };
    command.args(args).args(["--profile", &profile]).current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// The demo's executable, once it is built.
fn built() -> PathBuf {
    let build = cargo(&["build", "--example", "demo"]).output().unwrap();
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    built_with_the_tests().join("examples/demo")
}

/// A directory of its own for each test's temporary files, which must be empty at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("key-dns-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    #[track_caller]
    fn assert_empty(&self) {
        let left: Vec<_> = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        assert!(!Path::new(RULE).exists(), "{RULE} is left behind");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

#[track_caller]
fn assert_shown(output: &Output, lines: &[&str]) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    for line in lines {
        assert!(text.contains(line), "{line:?} is not in\n{text}\n{errors}");
    }
    assert!(!text.contains('\x1b'), "colour where there is no terminal");
}

#[test]
fn the_demo_gets_every_answer_and_leaves_nothing_behind() {
    if !skip::has_loopback() {
        return;
    }
    let machine = Machine::take();
    let scratch = Scratch::new("whole");
    let output = by_cargo().env("TMPDIR", &scratch.0).output().unwrap();
    assert_shown(&output, &ANSWERS);
    if machine.is_some() {
        assert_shown(&output, &KEYS);
        assert_shown(&output, &["with one more rule", "All 24 answers are as expected."]);
    }
    scratch.assert_empty();
    let keys = fs::read_to_string("/proc/keys").unwrap_or_default();
    for key in keys.lines().filter(|line| line.contains("key-dns-demo.test")) {
        let flags = key.split_whitespace().nth(1).unwrap();
        assert!(flags.contains('i'), "not invalidated: {key}");
    }
}

#[test]
fn the_demo_tells_an_unprivileged_user_what_is_skipped() {
    if !skip::has_loopback() {
        return;
    }
    if !is_root() || !has_user(65534) {
        return skip("it needs root, to become another user");
    }
    usual_umask();
    let folder = Scratch::new("copy");
    fs::create_dir(folder.0.join("examples")).unwrap();
    let demo = folder.0.join("examples/demo");
    copy_program(&built(), &demo);
    let output =
        Command::new(demo).env_remove("CARGO").env_remove("TMPDIR").uid(65534).gid(65534).output().unwrap();
    assert_shown(&output, &ANSWERS);
    assert_shown(&output, &["skipped: it takes root", "All 18 answers are as expected."]);
}

#[test]
fn without_loopback_the_demo_fails_and_says_so() {
    if let Some(reason) = no_namespaces() {
        return skip(reason);
    }
    let output = Command::new("unshare").arg("--net").arg(built()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("The demo can't go on: its name servers need loopback"), "{text}");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn in_a_chroot_the_demo_requests_no_keys() {
    let Some(mut machine) = Machine::take() else { return };
    let folder = "/run/key-dns-demo-chroot";
    machine.command(&format!("mkdir -p {folder}"), &format!("rmdir {folder}"));
    machine.command(&format!("mount --bind / {folder}"), &format!("umount {folder}"));
    for inner in ["/proc", "/dev"] {
        machine.command(&format!("mount --bind {inner} {folder}{inner}"), &format!("umount {folder}{inner}"));
    }
    let own = "/key-dns-demo-chroot";
    machine.command(&format!("mkdir -p {own}/examples {own}/tmp"), &format!("rm -rf {own}"));
    let demo = format!("{own}/examples/demo");
    copy_program(&built(), Path::new(&demo));
    let output =
        Command::new("chroot").args([folder, &demo]).env("TMPDIR", format!("{own}/tmp")).output().unwrap();
    assert_shown(&output, &ANSWERS);
    assert_shown(
        &output,
        &["skipped: the kernel runs helpers from its own root directory", "All 18 answers are as expected."],
    );
    assert!(!fs::read_to_string("/proc/keys").unwrap().contains("key-dns-demo.test"));
}

#[test]
fn the_demo_installs_a_temporary_request_key_if_there_is_none() {
    let Some(mut machine) = Machine::take() else { return };
    let scratch = Scratch::new("bare");
    machine.hide(REQUEST_KEY);
    let output = by_cargo().env("TMPDIR", &scratch.0).output().unwrap();
    assert_shown(&output, &KEYS);
    assert_shown(&output, &["has no /sbin/request-key", "All 24 answers are as expected."]);
    assert!(!Path::new(REQUEST_KEY).exists());
    scratch.assert_empty();
}

#[test]
fn leftovers_of_a_killed_demo_are_replaced() {
    let Some(mut machine) = Machine::take() else { return };
    let scratch = Scratch::new("stale");
    let mark = "# There for a moment, for the demo of key-dns in process 4194305\n";
    fs::write(RULE, mark).unwrap();
    let output = by_cargo().env("TMPDIR", &scratch.0).output().unwrap();
    assert_shown(&output, &["with one more rule", "All 24 answers are as expected."]);
    machine.hide(REQUEST_KEY);
    fs::write(REQUEST_KEY, format!("#!/bin/sh\n{mark}")).unwrap();
    let output = by_cargo().env("TMPDIR", &scratch.0).output().unwrap();
    assert_shown(&output, &["has no /sbin/request-key", "All 24 answers are as expected."]);
    scratch.assert_empty();
}

#[test]
fn a_foreign_rule_is_left_untouched() {
    let Some(_machine) = Machine::take() else { return };
    let scratch = Scratch::new("foreign");
    fs::write(RULE, "# mine\n").unwrap();
    let output = by_cargo().env("TMPDIR", &scratch.0).output().unwrap();
    let found = fs::read_to_string(RULE);
    fs::remove_file(RULE).unwrap();
    assert_eq!(found.unwrap(), "# mine\n");
    assert_shown(&output, &["skipped: can't write /etc/request-key.d/key-dns-demo.conf"]);
    scratch.assert_empty();
}

#[test]
fn the_demo_restores_everything_when_terminated() {
    if !skip::has_loopback() {
        return;
    }
    let machine = Machine::take();
    let demo = built();
    // Once while a helper runs and, if possible, once while the kernel has its rule.
    let scratch = Scratch::new("early");
    let mut child = Command::new(&demo).env("TMPDIR", &scratch.0).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let waiting = lines.map_while(Result::ok).any(|line| line.contains("nas.silent."));
    assert!(waiting);
    send(Signal::SIGINT, child.id());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    scratch.assert_empty();

    if machine.is_none() {
        return;
    }
    let scratch = Scratch::new("late");
    let mut child = Command::new(&demo).env("TMPDIR", &scratch.0).stdout(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while !Path::new(RULE).exists() && start.elapsed() < Duration::from_secs(30) {
        sleep(Duration::from_millis(1));
    }
    send(Signal::SIGTERM, child.id());
    assert_eq!(child.wait().unwrap().code(), Some(143));
    scratch.assert_empty();
}
