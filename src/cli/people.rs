//! `key-dns`: the face for people.

use super::subcommand::Subcommand;
#[cfg(feature = "doctor")]
use super::{cache, doctor, explain, probe_mount};
use super::{helper, request_key, resolve};
use clap::Command;
use key::key_of_this_upcall;
use std::ffi::OsString;
use std::process::ExitCode;

pub use crate::face::PEOPLE as NAME;

/// The subcommands, each in its own file. The other faces are subcommands too, but `face.rs` handles them first.
const SUBCOMMANDS: &[Subcommand] = &[
    #[cfg(feature = "doctor")]
    doctor::SUBCOMMAND,
    resolve::SUBCOMMAND,
    #[cfg(feature = "doctor")]
    cache::SUBCOMMAND,
    #[cfg(feature = "doctor")]
    explain::SUBCOMMAND,
    #[cfg(feature = "setup")]
    super::setup::SUBCOMMAND,
];
/// Subcommands that this program runs itself, in child processes. They are not documented.
const INTERNAL: &[Subcommand] = &[
    #[cfg(feature = "doctor")]
    doctor::ASK,
    #[cfg(feature = "doctor")]
    probe_mount::SUBCOMMAND,
];

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
    // Output for people would leave the key without an answer.
    if let Some(key) = key_of_this_upcall() {
        return helper::refuse(key, "the rule runs a command for people: make it run key.dns_resolver");
    }
    upcall::let_signals_through();
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
