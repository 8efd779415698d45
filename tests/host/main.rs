//! The host's name service in debug mode: sources, good and bad files, good and bad servers. In namespaces of their
//! own, where `/etc` and the network are the tests'.

#![allow(unreachable_pub, missing_docs, clippy::must_use_candidate, clippy::missing_panics_doc)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../dns/mod.rs"]
mod dns;
#[path = "../support/mod.rs"]
mod support;

mod files;
mod modules;
mod servers;
mod sources;

use std::process::Command;
use support::executable;

/// What debug mode printed.
#[derive(Debug)]
pub struct Printed {
    pub payload: String,
    pub expiry: u32,
    /// Standard error.
    pub log: String,
}

/// Looks a name up in debug mode, verbosely.
#[track_caller]
pub fn look_up(name: &str, callout: &str) -> Printed {
    let output = Command::new(executable())
        .args(["key.dns_resolver", "-D", "-v", "--", name, callout])
        .output()
        .unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |word| text.lines().find_map(|line| line.strip_prefix(word));
    match (line("payload "), line("expiry ")) {
        (Some(payload), Some(expiry)) => {
            Printed { payload: payload.to_owned(), expiry: expiry.parse().unwrap(), log }
        }
        _ => panic!("no reply: {text}{log}"),
    }
}
