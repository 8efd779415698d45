//! `key-dns`: the face for people.

use super::{helper, request_key};
use clap::Command;
use std::ffi::OsString;
use std::process::ExitCode;

/// The name of this face.
pub const NAME: &str = "key-dns";

/// The command line.
#[must_use]
pub fn command() -> Command {
    Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .about("Answers the Linux kernel's dns_resolver keys")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(helper::command())
        .subcommand(request_key::command())
}

/// Runs it.
#[must_use]
pub fn run(args: Vec<OsString>) -> ExitCode {
    match command().try_get_matches_from(args) {
        // The subcommands are faces of their own and have been taken out of the way before.
        Ok(_) => ExitCode::FAILURE,
        Err(error) => helper::usage(&error),
    }
}
