//! `key-dns doctor`: finds out why a mount by name fails.

use super::helper;
use super::subcommand::{Subcommand, put};
use clap::builder::PathBufValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use doctor::monitor::node_problem::NodeCondition;
use doctor::monitor::{self, Check, CheckResult, MetricsContext};
use doctor::text::{self, Style};
use doctor::{HostRoot, Report, exit, json, live, lookup, mounts};
use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};
use upcall::{Log, Settings};

/// The subcommand.
pub(super) const SUBCOMMAND: Subcommand = Subcommand { command, run };
/// What its live step runs in a child process.
pub(super) const ASK: Subcommand = Subcommand { command: ask_command, run: ask };
/// Seconds that a look may take for those who watch many hosts: more than the longest lookup does.
const LIMIT: &str = "60";

fn command() -> Command {
    Command::new("doctor")
        .about("Find out why a mount by name fails: follow the lookup step by step, as the kernel would")
        .after_help(
            "Exit status: 0 everything works; 1 something breaks mounts; 2 nothing found, but not everything could be \
             checked, or wrong usage. With --prometheus: 0 the metrics are written; 2 not. With \
             --node-problem-detector: 0 the condition does not hold; 1 it holds; 2 unknown",
        )
        .arg(
            Arg::new("subject")
                .value_name("NAME|afsdb:CELL|MOUNT-SOURCE|MOUNT-POINT")
                .action(ArgAction::Append)
                .num_args(0..)
                .help("What to check; without it, only what all lookups share. With --prometheus and the like, several"),
        )
        .arg(
            Arg::new("mounts")
                .long("mounts")
                .action(ArgAction::SetTrue)
                .help("Check the current mounts instead: bind mounts of deleted directories, dead FUSE daemons, silent servers"),
        )
        .arg(
            Arg::new("pid")
                .long("pid")
                .value_name("PID")
                .requires("of-mounts")
                .value_parser(clap::value_parser!(u32).range(1..))
                .help("Check the mounts that this process sees, such as one in a container"),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .conflicts_with("watching")
                .help("Print JSON"),
        )
        .arg(
            Arg::new("verbose")
                .short('v')
                .long("verbose")
                .action(ArgAction::SetTrue)
                .conflicts_with("watching")
                .help("Show all observations"),
        )
        .arg(
            Arg::new("prometheus")
                .long("prometheus")
                .action(ArgAction::SetTrue)
                .help("Print metrics for Prometheus instead: of lookups, and with --mounts of mounts as well"),
        )
        .arg(
            Arg::new("output")
                .long("output")
                .value_name("FILE")
                .requires("prometheus")
                .value_parser(PathBufValueParser::new())
                .help("Write the metrics to this file, whole or not at all"),
        )
        .arg(
            Arg::new("node-problem-detector")
                .long("node-problem-detector")
                .value_name("CONDITION")
                .value_parser(NodeCondition::ALL.map(NodeCondition::word))
                .conflicts_with_all(["prometheus", "mounts"])
                .help("Judge this condition, as a custom plugin of node-problem-detector"),
        )
        .arg(
            Arg::new("timeout")
                .long("timeout")
                .value_name("SECONDS")
                .requires("watching")
                .value_parser(clap::value_parser!(u16).range(1..))
                .default_value(LIMIT)
                .help("How long the checks may take, for --prometheus and --node-problem-detector; 60 by default"),
        )
        .group(ArgGroup::new("watching").args(["prometheus", "node-problem-detector"]))
        .group(ArgGroup::new("of-mounts").args(["mounts", "node-problem-detector"]))
}

fn run(matches: &ArgMatches) -> ExitCode {
    if let Err(error) = check_usage(matches) {
        return helper::usage(&error);
    }
    let condition = matches.get_one::<String>("node-problem-detector").map(String::as_str);
    let condition = NodeCondition::ALL.into_iter().find(|known| Some(known.word()) == condition);
    if matches.get_flag("prometheus") || condition.is_some() {
        return match checks(matches, condition) {
            Ok(checks) => watch(checks, condition, matches),
            Err(error) => wrong(&error),
        };
    }
    if matches.get_flag("mounts") {
        return print(&mounts::report(pid(matches), &HostRoot::host(), &settings()), matches);
    }
    match lookup::report(&HostRoot::host(), subjects(matches).next()) {
        Ok(report) => print(&report, matches),
        Err(error) => wrong(&error),
    }
}

/// What can't be said by the arguments themselves.
fn check_usage(matches: &ArgMatches) -> Result<(), clap::Error> {
    let refused = |kind, message: &str| Err(command().bin_name("key-dns doctor").error(kind, message));
    let condition = matches.get_one::<String>("node-problem-detector").map(String::as_str);
    let of_mounts = condition == Some(NodeCondition::DeadMount.word());
    let plain = !matches.get_flag("prometheus") && condition.is_none();
    let number = subjects(matches).count();
    if number > 0 && (plain && matches.get_flag("mounts") || of_mounts) {
        return refused(ErrorKind::ArgumentConflict, "mounts are checked: nothing else can be asked about");
    }
    if number > 1 && plain {
        return refused(
            ErrorKind::TooManyValues,
            "only one thing can be asked about; in quotes, it may have blanks",
        );
    }
    if pid(matches).is_some() && condition.is_some() && !of_mounts {
        return refused(ErrorKind::ArgumentConflict, "--pid is for mounts");
    }
    Ok(())
}

fn subjects(matches: &ArgMatches) -> impl Iterator<Item = &str> {
    matches.get_many::<String>("subject").into_iter().flatten().map(String::as_str)
}

fn pid(matches: &ArgMatches) -> Option<u32> {
    matches.get_one("pid").copied()
}

fn settings() -> Settings {
    Settings::load(None, &Log::new(crate::face::PEOPLE, true)).unwrap_or_default()
}

fn wrong(error: &impl std::fmt::Display) -> ExitCode {
    eprintln!("key-dns doctor: {error}");
    ExitCode::from(exit::UNSEEN)
}

/// What metrics or a condition are of.
fn checks(
    matches: &ArgMatches,
    condition: Option<NodeCondition>,
) -> Result<Vec<Check>, doctor::subject::NoSubject> {
    let mut checks = Vec::new();
    if condition == Some(NodeCondition::DeadMount) || matches.get_flag("mounts") {
        checks.push(Check::Mounts(pid(matches), Box::new(settings())));
    }
    if condition != Some(NodeCondition::DeadMount) {
        checks.extend(Check::lookups(subjects(matches))?);
    }
    Ok(checks)
}

/// For those who watch many hosts.
fn watch(checks: Vec<Check>, condition: Option<NodeCondition>, matches: &ArgMatches) -> ExitCode {
    let limit = matches.get_one::<u16>("timeout").copied().unwrap_or(1);
    let seen: Vec<CheckResult> = monitor::run(checks, Duration::from_secs(limit.into()));
    if let Some(condition) = condition {
        let (status, line) = condition.judge(&seen);
        return put(&format!("{line}\n"), ExitCode::from(status));
    }
    let text = monitor::render(&seen, MetricsContext { now: SystemTime::now() });
    let Some(path) = matches.get_one::<PathBuf>("output") else { return put(&text, ExitCode::SUCCESS) };
    match monitor::file::write(path, text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => wrong(&format_args!("can't write {}: {error}", path.display())),
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
