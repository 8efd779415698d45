//! `key-dns`: the face for people.

use super::{cache, doctor, explain, helper, probe_mount, request_key, resolve};
use crate::key::keyring::key_of_this_upcall;
use clap::{ArgMatches, Command};
use serde::Serialize;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

/// The name of this face.
pub const NAME: &str = "key-dns";

/// A subcommand: its command line, and what it does.
#[derive(Clone, Copy)]
pub struct Subcommand {
    /// Its command line, with its name.
    pub command: fn() -> Command,
    /// What it does with the arguments.
    pub run: fn(&ArgMatches) -> ExitCode,
}

/// The subcommands, each in a file of its own. The other faces are subcommands as well, but are taken out of the way
/// before (`face.rs`).
const SUBCOMMANDS: &[Subcommand] =
    &[doctor::SUBCOMMAND, resolve::SUBCOMMAND, cache::SUBCOMMAND, explain::SUBCOMMAND];
/// Those that this program runs itself, in processes of their own. No manual tells of them.
const INTERNAL: &[Subcommand] = &[doctor::ASK, probe_mount::SUBCOMMAND];

/// The command line.
#[must_use]
pub fn command() -> Command {
    Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .about("Answers the Linux kernel's dns_resolver keys")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(SUBCOMMANDS.iter().map(|subcommand| (subcommand.command)()))
        .subcommand(helper::command())
        .subcommand(request_key::command())
}

/// Runs it.
#[must_use]
pub fn run(args: Vec<OsString>) -> ExitCode {
    // What people read would leave the key without an answer.
    if let Some(key) = key_of_this_upcall() {
        return helper::refuse(key, "the rule runs a command for people: let it run key.dns_resolver");
    }
    let internal = INTERNAL.iter().map(|subcommand| (subcommand.command)());
    let matches = match command().subcommands(internal).try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => return helper::usage(&error),
    };
    let Some((name, matches)) = matches.subcommand() else {
        return ExitCode::FAILURE;
    };
    let mut all = SUBCOMMANDS.iter().chain(INTERNAL);
    let found = all.find(|subcommand| (subcommand.command)().get_name() == name);
    found.map_or(ExitCode::FAILURE, |subcommand| (subcommand.run)(matches))
}

/// Prints `text` and ends with `status`, or with 2 where it can't be written.
pub(super) fn put(text: &str, status: ExitCode) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => status,
        Err(_) => ExitCode::from(2),
    }
}

/// A document as JSON, on lines of its own.
pub(super) fn json(document: &impl Serialize) -> String {
    // Text and numbers alone, which always have a form in JSON.
    serde_json::to_string_pretty(document).map(|text| text + "\n").unwrap_or_default()
}
