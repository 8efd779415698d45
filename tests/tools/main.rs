//! The subcommands of `key-dns` for people: `resolve`, `cache` and `explain`.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../dns/mod.rs"]
mod dns;
#[path = "../support/mod.rs"]
mod support;

mod cache;
mod explain;
mod manners;
mod mounts;
mod resolve;
mod schemas;
mod watching;

use std::os::unix::process::CommandExt;
use std::process::Command;
use support::{Run, executable, finish};

/// Runs `key-dns` with these arguments.
fn key_dns(args: &[&str]) -> Run {
    let mut command = Command::new(executable());
    command.arg0("key-dns").args(args);
    finish(command)
}
