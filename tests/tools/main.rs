//! The subcommands of `key-dns` for people: `resolve`, `cache` and `explain`.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../dns/mod.rs"]
mod dns;
#[path = "../support/mod.rs"]
mod support;

mod cache;
mod explain;
mod mounts;
mod resolve;

use std::os::unix::process::CommandExt;
use std::process::Command;
use support::executable;

/// What a run ended with.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    /// Its output as JSON.
    #[track_caller]
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs `key-dns` with these arguments.
fn key_dns(args: &[&str]) -> Run {
    let mut command = Command::new(executable());
    command.arg0("key-dns").args(args);
    finish(command)
}

fn finish(mut command: Command) -> Run {
    let output = command.output().unwrap();
    Run {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
