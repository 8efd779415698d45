//! keyutils' `key.dns_resolver` compared with ours: the same keys of the same kernel, through both.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../dns/mod.rs"]
mod dns;
#[path = "../support/serving.rs"]
mod serving;
#[path = "../support/mod.rs"]
mod support;

mod differences;
mod flaws;
mod same;
mod settings;

use support::asking::Seen;
use support::machine::Machine;

/// The results of the two helpers for one request.
struct Pair {
    keyutils: Seen,
    ours: Seen,
}

/// Makes the same request through both, ours last.
fn ask(machine: &mut Machine, name: impl AsRef<[u8]>, callout: &str) -> Pair {
    machine.use_keyutils();
    let keyutils = machine.ask(&name, callout);
    machine.arguments("%k");
    let ours = machine.ask(&name, callout);
    Pair { keyutils, ours }
}

/// Reports on stderr if keyutils has come to behave as we do: a later release may, and no test should fail for it.
fn flawed(still: bool, flaw: &str) {
    if !still {
        eprintln!("this keyutils no longer does it: {flaw}");
    }
}
