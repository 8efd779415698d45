//! Beside glibc: generated hosts files, configurations, names and servers, looked up by `getaddrinfo()` and by the
//! helper in debug mode. Both must give the same addresses in the same order, or the case is one of the
//! deliberate differences of `differences.rs`.
//!
//! All of it runs in mount and network namespaces of its own, where `/etc` is ours and no packet gets out.
//! `GLIBC_CASES` sets the number of cases and `GLIBC_SEED` where the generator begins.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../dns/mod.rs"]
mod dns;
#[path = "../support/mod.rs"]
mod support;

mod cases;
mod differences;
mod generate;
mod lookups;
mod world;

use std::io::Write;
use std::process::Command;

/// Set in the process that is in the namespaces.
const INSIDE: &str = "KEY_DNS_GLIBC_INSIDE";

/// Runs the test `name` again in namespaces of its own; `true` where it is there already.
fn inside(name: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        world::set_up();
        return true;
    }
    let unshare = |command: &mut Command| {
        command.args(["--mount", "--net", "--propagation", "private", "--"]);
    };
    let mut probe = Command::new("unshare");
    unshare(&mut probe);
    if !probe.arg("true").status().is_ok_and(|status| status.success()) {
        let reason = "it needs root, for mount and network namespaces";
        assert!(std::env::var_os("CI").is_none(), "this test can't run: {reason}");
        let _ = writeln!(std::io::stderr(), "skipped: {reason}");
        return false;
    }
    let mut command = Command::new("unshare");
    unshare(&mut command);
    let status = command
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .status()
        .unwrap();
    assert!(status.success(), "{name} failed in its namespaces");
    false
}
