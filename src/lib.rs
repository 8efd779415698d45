//! The faces of `key-dns`, which answers the Linux kernel's `dns_resolver` keys: command lines and output.
//!
//! The work is done in the crates below: the life of a request in `upcall`, lookups in `names`, the kernel's side in
//! `key`, explanations for administrators in `doctor`. `docs/architecture.md` has the map.

pub mod cli;
mod face;

use face::Face;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the face that the first argument names.
#[must_use]
pub fn run(args: Vec<OsString>) -> ExitCode {
    match Face::of(args) {
        Face::Helper(args) => cli::helper::run(args),
        Face::RequestKey(args) => cli::request_key::run(args),
        Face::People(args) => cli::people::run(args),
    }
}
