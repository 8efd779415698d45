//! What the subcommands for people share.

use clap::builder::{OsStringValueParser, PossibleValue, TypedValueParser};
use clap::{Arg, ArgMatches, Command};
use serde::Serialize;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::process::ExitCode;

/// The output can't be written.
const UNWRITTEN: u8 = 2;

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
    match written(format_args!("{text}")) {
        Ok(()) => status,
        Err(_) => ExitCode::from(UNWRITTEN),
    }
}

/// Writes to standard output, and says on standard error what went wrong.
///
/// # Errors
/// Where it can't be written. Who reads a pipe and closes it has seen enough: that is none.
pub(super) fn written(text: std::fmt::Arguments<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_fmt(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            eprintln!("{}: can't write to standard output: {error}", crate::face::PEOPLE);
            Err(error)
        }
        Ok(()) => Ok(()),
    }
}

/// A value that may be anything, and these words above all, which completions propose.
#[derive(Clone)]
pub(super) struct Proposed(pub &'static [&'static str]);

impl TypedValueParser for Proposed {
    type Value = OsString;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<OsString, clap::Error> {
        OsStringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}

/// A document as JSON, on lines of its own.
pub(super) fn json(document: &impl Serialize) -> String {
    // Text and numbers alone, which always have a form in JSON.
    serde_json::to_string_pretty(document).map(|text| text + "\n").unwrap_or_default()
}
