//! `key-dns doctor`: says why a mount by name fails.

use super::operator::Subcommand;
use super::{helper, operator};
use crate::doctor::look::Look;
use crate::doctor::text::{self, Style};
use crate::doctor::{Report, json, mounts};
use crate::log::Log;
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand { command, run };

fn command() -> Command {
    Command::new("doctor")
        .about("Say why a mount by name fails: follow the lookup as the kernel would, step by step")
        .arg(
            Arg::new("subject")
                .value_name("NAME|afsdb:CELL|MOUNT-SOURCE|MOUNT-POINT")
                .help("What to follow; without it, what all lookups share"),
        )
        .arg(
            Arg::new("mounts")
                .long("mounts")
                .action(ArgAction::SetTrue)
                .conflicts_with("subject")
                .help("Look at what is mounted instead: bind mounts of deleted folders, dead FUSE daemons, silent servers"),
        )
        .arg(
            Arg::new("pid")
                .long("pid")
                .value_name("PID")
                .requires("mounts")
                .value_parser(clap::value_parser!(u32).range(1..))
                .help("The mounts of this process, as of a container"),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON"))
        .arg(
            Arg::new("verbose")
                .short('v')
                .long("verbose")
                .action(ArgAction::SetTrue)
                .help("Say all that was seen"),
        )
}

fn run(matches: &ArgMatches) -> ExitCode {
    if matches.get_flag("mounts") {
        let log = Log::new(operator::NAME, true);
        let settings = helper::load(None, &log).unwrap_or_default();
        return print(&mounts::report(matches.get_one("pid").copied(), &Look::host(), &settings), matches);
    }
    let report = Report {
        kind: crate::doctor::Kind::Lookup,
        subject: matches.get_one::<String>("subject").cloned(),
        steps: Vec::new(),
    };
    print(&report, matches)
}

/// Prints a report as the options say, and turns it into the exit status.
pub(super) fn print(report: &Report, matches: &ArgMatches) -> ExitCode {
    let mut out = io::stdout().lock();
    let text = if matches.get_flag("json") {
        json::render(report)
    } else {
        let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        text::render(report, Style { colour, verbose: matches.get_flag("verbose") })
    };
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => report.exit_code(),
        Err(_) => ExitCode::from(crate::doctor::exit::UNSEEN),
    }
}
