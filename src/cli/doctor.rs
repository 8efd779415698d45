//! `key-dns doctor`: finds out why a mount by name fails.

use super::subcommand::{Subcommand, put};
use clap::{Arg, ArgAction, ArgMatches, Command};
use doctor::text::{self, Style};
use doctor::{HostRoot, Report, exit, json, live, lookup, mounts};
use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use upcall::{Log, Settings};

/// The subcommand.
pub(super) const SUBCOMMAND: Subcommand = Subcommand { command, run };
/// What its live step runs in a child process.
pub(super) const ASK: Subcommand = Subcommand { command: ask_command, run: ask };

fn command() -> Command {
    Command::new("doctor")
        .about("Find out why a mount by name fails: follow the lookup step by step, as the kernel would")
        .after_help(
            "Exit status: 0 everything works; 1 something breaks mounts; 2 nothing found, but not everything could be checked, or wrong usage",
        )
        .arg(
            Arg::new("subject")
                .value_name("NAME|afsdb:CELL|MOUNT-SOURCE|MOUNT-POINT")
                .help("What to check; without it, only what all lookups share"),
        )
        .arg(
            Arg::new("mounts")
                .long("mounts")
                .action(ArgAction::SetTrue)
                .conflicts_with("subject")
                .help("Check the current mounts instead: bind mounts of deleted directories, dead FUSE daemons, silent servers"),
        )
        .arg(
            Arg::new("pid")
                .long("pid")
                .value_name("PID")
                .requires("mounts")
                .value_parser(clap::value_parser!(u32).range(1..))
                .help("Check the mounts that this process sees, such as one in a container"),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON"))
        .arg(
            Arg::new("verbose")
                .short('v')
                .long("verbose")
                .action(ArgAction::SetTrue)
                .help("Show all observations"),
        )
}

fn run(matches: &ArgMatches) -> ExitCode {
    if matches.get_flag("mounts") {
        let log = Log::new(crate::face::PEOPLE, true);
        let settings = Settings::load(None, &log).unwrap_or_default();
        return print(
            &mounts::report(matches.get_one("pid").copied(), &HostRoot::host(), &settings),
            matches,
        );
    }
    let subject = matches.get_one::<String>("subject").map(String::as_str);
    match lookup::report(&HostRoot::host(), subject) {
        Ok(report) => print(&report, matches),
        Err(error) => {
            eprintln!("key-dns doctor: {error}");
            ExitCode::from(exit::UNSEEN)
        }
    }
}

/// Prints a report in the format that the options select, and returns its exit status.
pub(super) fn print(report: &Report, matches: &ArgMatches) -> ExitCode {
    let text = if matches.get_flag("json") {
        json::render(report)
    } else {
        text::render(report, Style { colour: colours(), verbose: matches.get_flag("verbose") })
    };
    put(&text, report.exit_code())
}

/// Whether standard output supports colours.
fn colours() -> bool {
    let plain = |name, value: fn(&OsStr) -> bool| std::env::var_os(name).is_some_and(|found| value(&found));
    io::stdout().is_terminal()
        && !plain("NO_COLOR", |value| !value.is_empty())
        && !plain("TERM", |value| value == "dumb")
}

fn ask_command() -> Command {
    Command::new(live::ASK)
        .hide(true)
        .arg(Arg::new("description").required(true))
        .arg(Arg::new("callout").required(true))
}

fn ask(matches: &ArgMatches) -> ExitCode {
    let argument = |name: &str| matches.get_one::<String>(name).map(String::as_str).unwrap_or_default();
    match live::ask(argument("description"), argument("callout")) {
        Ok(line) => put(&format!("{line}\n"), ExitCode::SUCCESS),
        Err(_) => ExitCode::FAILURE,
    }
}
