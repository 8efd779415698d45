//! What the subcommands for people share.

use clap::{ArgMatches, Command};
use serde::Serialize;
use std::io::{self, Write};
use std::process::ExitCode;

/// A subcommand: its command line, and what it does.
#[derive(Clone, Copy)]
pub(super) struct Subcommand {
    /// Its command line, with its name.
    pub command: fn() -> Command,
    /// What it does with the arguments.
    pub run: fn(&ArgMatches) -> ExitCode,
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
