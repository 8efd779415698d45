//! The faces of the program: which of its commands it is, by the name it was called under.

use crate::cli;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// Runs the face that the first argument names.
///
/// Called as `key-dns`, the first argument proper may be the name of a face, so that every face can be
/// reached without a link.
#[must_use]
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let mut args: Vec<OsString> = args.collect();
    if base_name(args.first()) == Some(cli::operator::NAME)
        && matches!(base_name(args.get(1)), Some(cli::helper::NAME | cli::request_key::NAME))
    {
        args.remove(0);
    }
    match base_name(args.first()) {
        Some(cli::operator::NAME) => cli::operator::run(args),
        Some(cli::request_key::NAME) => cli::request_key::run(args),
        // Any other name is a link that an administrator made for the rule.
        _ => cli::helper::run(args),
    }
}

fn base_name(argument: Option<&OsString>) -> Option<&str> {
    Path::new(argument?).file_name()?.to_str()
}
