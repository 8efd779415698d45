//! `key-dns probe-mount`, which `key-dns doctor --mounts` runs as a child process, because it may hang forever.

use super::subcommand::Subcommand;
use clap::builder::OsStringValueParser;
use clap::{Arg, ArgMatches, Command};
use doctor::mounts::probe::{self, touch_for_parent};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// The subcommand.
pub(super) const SUBCOMMAND: Subcommand = Subcommand { command, run };

fn command() -> Command {
    Command::new(probe::SUBCOMMAND)
        .hide(true)
        .arg(Arg::new("path").required(true).value_parser(OsStringValueParser::new()))
}

fn run(matches: &ArgMatches) -> ExitCode {
    let path = matches.get_one::<OsString>("path").map_or_else(|| Path::new("/"), Path::new);
    match touch_for_parent(path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
