//! `key-dns resolve`: shows the helper's answer to people, without a key or the kernel.

mod json;
mod report;
mod text;

use super::subcommand::{Proposed, Subcommand, put};
use clap::builder::OsStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use key::{Description, Request};
use names::Trace;
use report::ResolveReport;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use upcall::{DEFAULT_PATH, Log, Purpose, Reply, Settings, look_up};

/// The subcommand.
pub(super) const SUBCOMMAND: Subcommand = Subcommand { command, run };

/// Callout infos that file systems and people use.
const CALLOUTS: [&str; 4] = ["ipv4", "ipv6", "list", "srv=1"];
/// There is no answer.
const FAILED: u8 = 1;
/// The lookup could not be made.
const USAGE: u8 = 2;

fn command() -> Command {
    Command::new("resolve")
        .about("Look a name up as for a file system, and show where the answer came from; uses no key and no kernel")
        .arg(
            Arg::new("description")
                .value_name("DESC")
                .required(true)
                .value_parser(OsStringValueParser::new())
                .help("NAME, a:NAME, aaaa:NAME or afsdb:CELL"),
        )
        .arg(
            Arg::new("callout")
                .value_name("CALLOUT")
                .value_parser(Proposed(&CALLOUTS))
                .hide_possible_values(true)
                .help("Options such as ipv4, ipv6, list, srv=1; most file systems use none"),
        )
        .arg(
            Arg::new("trace")
                .short('t')
                .long("trace")
                .action(ArgAction::SetTrue)
                .help("Show every query and every decision"),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON"))
        .arg(
            Arg::new("config")
                .short('c')
                .long("config")
                .value_name("FILE")
                .value_parser(OsStringValueParser::new())
                .help(format!("Read settings from FILE instead of {DEFAULT_PATH}")),
        )
        .after_help("Exit status: 0 answered, 1 no answer, 2 the lookup could not be made")
}

fn run(matches: &ArgMatches) -> ExitCode {
    let log = Log::new(crate::face::PEOPLE, true);
    let config = matches.get_one::<OsString>("config").map(PathBuf::from);
    let settings = match Settings::load(config.as_deref(), &log) {
        Ok(settings) => settings,
        Err(failure) => {
            log.error(failure);
            return ExitCode::from(USAGE);
        }
    };
    let argument = |name| matches.get_one::<OsString>(name).map_or(&b""[..], |text| text.as_bytes());
    let request = Request {
        description: Description::from_argument(argument("description")),
        callout: argument("callout").to_vec(),
    };
    let trace = matches.get_flag("trace");
    let start = Instant::now();
    let noted = if trace { Trace::detailed() } else { Trace::default() };
    let lookup = look_up(&request, &settings, noted, Purpose::Show, &log);
    let took = start.elapsed();
    let reply = Reply::new(&lookup.outcome, &settings);
    let status = if lookup.outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) };
    let told = ResolveReport { request: &request, settings: &settings, lookup, reply, start, took, trace };
    if matches.get_flag("json") {
        return put(&json::render(&told), status);
    }
    for warning in &told.lookup.warnings {
        log.warning(warning);
    }
    let (answer, failure) = text::render(&told);
    if let Some(failure) = failure {
        eprintln!("{failure}");
        if let Some(hint) = hint(&request.description) {
            eprintln!("{}: {hint}", crate::face::PEOPLE);
        }
    }
    put(&answer, status)
}

/// A hint for a description that looks like a mount source, or a name with a port.
fn hint(description: &Description) -> Option<String> {
    let text = std::str::from_utf8(&description.name).ok()?;
    let typed = ["a:", "aaaa:", "afsdb:"].iter().any(|own| text.starts_with(own));
    if typed || !cfg!(feature = "doctor") || !text.contains([':', '/', '@', '=', '\\', ',', '[']) {
        return None;
    }
    let quotes = text.contains(|letter: char| letter == '\'' || letter.is_control());
    let shown = if quotes { String::new() } else { format!(" '{text}'") };
    Some(format!("resolve takes a name alone; a mount's source, or HOST:PORT, is for: key-dns doctor{shown}"))
}
