//! The command `key.dns_resolver` as a person runs it: no key, no root, no settings of this machine.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing, clippy::format_push_string)]

#[path = "../dns/mod.rs"]
mod dns;
#[path = "../support/mod.rs"]
mod support;

mod debug;
mod options;
mod start;

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::{Run, executable, finish, scratch};

/// The command, under the name that makes it the helper.
fn command(args: &[&str]) -> Command {
    let mut command = Command::new(executable());
    command.arg0("key.dns_resolver").args(args);
    command
}

fn run(args: &[&str]) -> Run {
    finish(command(args))
}

/// A file of settings with these lines.
fn settings(text: impl AsRef<[u8]>) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let path: PathBuf = scratch(&format!("settings{}.conf", NEXT.fetch_add(1, Ordering::Relaxed)));
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
