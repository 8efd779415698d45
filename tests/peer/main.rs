//! keyutils' `key.dns_resolver` beside ours: the same keys of the same kernel, through both.

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

/// What the two helpers make of one request.
struct Pair {
    keyutils: Seen,
    ours: Seen,
}

/// Asks for the same through both, ours last.
fn ask(machine: &mut Machine, name: impl AsRef<[u8]>, callout: &str) -> Pair {
    machine.use_keyutils();
    let keyutils = machine.ask(&name, callout);
    machine.arguments("%k");
    let ours = machine.ask(&name, callout);
    Pair { keyutils, ours }
}

/// Says on stderr where keyutils has come to do as we do: a later release may, and no test is to fail for it.
fn flawed(still: bool, flaw: &str) {
    if !still {
        eprintln!("this keyutils no longer does it: {flaw}");
    }
}
