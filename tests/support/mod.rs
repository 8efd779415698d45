//! What the tests on a real machine share.

#![allow(dead_code, unused_imports, unreachable_pub, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
// Methods of the machine need it to be held, whether or not they use it.
#![allow(clippy::unused_self)]

pub mod asking;
pub mod debian;
pub mod fuse;
pub mod initial;
pub mod machine;
pub mod nss;
pub mod progress;
pub mod schema;
pub mod syslog;
pub mod world;

use nix::sys::signal::{self, Signal};
use nix::sys::stat::{Mode, umask};
use nix::unistd::Pid;
pub use skip::skip;
use std::ffi::OsStr;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Options of a dnsmasq that serves a test's own records, where it is told to listen, and takes nothing from the host.
pub const DNSMASQ: [&str; 8] = [
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--no-resolv",
    "--no-hosts",
    "--no-ping",
    "--pid-file=",
    "--user=root",
    "--bind-interfaces",
];

/// The executable under test: what `KEY_DNS_EXECUTABLE` names, or the one that cargo has built with the tests.
pub fn executable() -> PathBuf {
    match std::env::var_os("KEY_DNS_EXECUTABLE") {
        Some(path) => std::fs::canonicalize(path).unwrap(),
        None => built_with_the_tests().join("key-dns"),
    }
}

/// The folder of cargo's profile, which the tests are built in too.
pub fn built_with_the_tests() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().to_owned()
}

/// Whether the executable under test needs no dynamic loader: it names none (PT_INTERP).
pub fn is_static() -> bool {
    let bytes = std::fs::read(executable()).unwrap();
    !bytes.windows(8).any(|window| window == b"/ld-linu" || window == b"/ld-musl")
}

/// Whether there is this compiler.
pub fn has_compiler(compiler: &str) -> bool {
    Command::new(compiler).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Where the tests may write. For root, what another user's tests left there is removed first: a file that root
/// overwrites still belongs to its creator, and an ordinary user's rule file is refused.
pub fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let us = nix::unistd::geteuid();
    if us.is_root() && path.symlink_metadata().is_ok_and(|left| left.uid() != us.as_raw()) {
        let removed =
            if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        removed.unwrap();
    }
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

/// Whether the root directory is not that of this mount namespace, as after chroot(2), so that whoever enters a mount
/// namespace (setns(2)) finds other paths, and nobody can make a user namespace (kernel/user_namespace.c,
/// `create_user_ns()`). Only root can find out.
pub fn in_chroot() -> bool {
    let own =
        std::fs::metadata("/").map(|facts| format!("{} {}\n", facts.dev(), facts.ino())).unwrap_or_default();
    let entered =
        Command::new("nsenter").args(["--mount=/proc/self/ns/mnt", "stat", "-c", "%d %i", "/"]).output();
    entered.is_ok_and(|output| output.status.success() && output.stdout != own.as_bytes())
}

/// Why a test can't run that starts a program.
pub fn needs(program: &OsStr, error: &io::Error) -> String {
    let program = program.display();
    match error.kind() {
        io::ErrorKind::NotFound => format!("it needs {program}"),
        _ => format!("it needs {program}: {error}"),
    }
}

/// Has this process make files that other users can read, such as those that helpers become, whatever root's umask is.
pub fn usual_umask() {
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
}

/// Copies a program by a process of its own. A file that this process has open for writing is inherited by whatever
/// another test starts at that moment, and can't be executed before that one has been (ETXTBSY, execve(2)).
#[track_caller]
pub fn copy_program(from: &Path, to: &Path) {
    let done = Command::new("cp").args([from, to]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::set_permissions(to, Permissions::from_mode(0o755)).unwrap();
}

/// Waits until this is so, and says whether it is, after this time at the latest.
pub fn until(limit: Duration, mut so: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        let is_so = so();
        if is_so || start.elapsed() >= limit {
            return is_so;
        }
        sleep(Duration::from_millis(10));
    }
}

/// Sends a signal to a process.
#[track_caller]
pub fn send(signal: Signal, process: u32) {
    signal::kill(Pid::from_raw(process.try_into().unwrap()), signal).unwrap();
}

/// What a run of a program that prints text ended with.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Its output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs a command that prints text to its end.
pub fn finish(mut command: Command) -> Run {
    let output = command.output().unwrap();
    Run {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command until it exits.
pub fn run(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Output {
    let program = program.as_ref();
    let output = Command::new(program).args(args).output();
    output.unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}
