//! `key.dns_resolver`: the command that `request-key` runs, with keyutils' options.

use clap::builder::OsStringValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};
use key::{Description, Failure, KernelKeyring, KeySerial, Request, key_of_this_upcall};
use names::{Answer, Trace};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use upcall::{DEFAULT_PATH, Guard, HelperRequest, Log, Purpose, Reply, Settings, Unanswered, look_up};

use super::subcommand::written;
pub use upcall::HELPER_NAME as NAME;

/// What is wrong with a rule that has `-D` or `--dump-config`.
const ASKS_NO_ANSWER: &str = "the rule does not tell the helper which key to answer: give it %k";
/// The exit status for wrong usage.
const USAGE: u8 = 2;

/// The command line.
#[must_use]
pub fn command() -> Command {
    Command::new(NAME)
        .about("Answer a dns_resolver key that the kernel is waiting for")
        .override_usage(
            "key.dns_resolver [-v]... [-c FILE] KEY\n       \
             key.dns_resolver -D [-v]... [-c FILE] DESC CALLOUT\n       \
             key.dns_resolver --dump-config [-c FILE]",
        )
        .version(env!("CARGO_PKG_VERSION"))
        .disable_version_flag(true)
        .args_override_self(true)
        .arg(
            Arg::new("arguments")
                .value_names(["KEY|DESC", "CALLOUT"])
                .help("The key's serial number; with -D, a description and callout info instead")
                .num_args(0..=2)
                .value_parser(OsStringValueParser::new()),
        )
        .arg(flag("debug", 'D').help("Look DESC up without a key, and print payload and expiry"))
        .arg(
            Arg::new("config")
                .short('c')
                .long("config")
                .value_name("FILE")
                .help(format!("Read settings from FILE instead of {DEFAULT_PATH}"))
                .value_parser(OsStringValueParser::new()),
        )
        .arg(
            flag("verbose", 'v')
                .action(ArgAction::Count)
                .help("Log answers too; with -D, show every query and the source of each address"),
        )
        .arg(
            Arg::new("dump-config")
                .long("dump-config")
                .action(ArgAction::SetTrue)
                .help("Print the settings in force"),
        )
        .arg(flag("version", 'V').action(ArgAction::Version).help("Print the version"))
}

fn flag(name: &'static str, short: char) -> Arg {
    Arg::new(name).short(short).long(name).action(ArgAction::SetTrue)
}

/// What a command line asks for.
enum Task {
    Answer(KeySerial),
    Debug(Request),
    DumpConfig,
}

/// The parsed command line.
struct Invocation {
    task: Task,
    config: Option<PathBuf>,
    verbosity: u8,
}

impl Invocation {
    fn parse(args: Vec<OsString>) -> Result<Self, clap::Error> {
        // The usual rule passes the key and nothing else. Building and running the parser would take a third as long as
        // the rest of the upcall, and a single number means the same without it.
        if let [_, key] = args.as_slice()
            && let Some(key) = key.to_str().and_then(|key| key.parse().ok())
        {
            return Ok(Self { task: Task::Answer(key), config: None, verbosity: 0 });
        }
        let matches = command().try_get_matches_from(args)?;
        Ok(Self {
            task: task(&matches)?,
            config: matches.get_one::<OsString>("config").map(PathBuf::from),
            verbosity: matches.get_count("verbose"),
        })
    }
}

fn task(matches: &ArgMatches) -> Result<Task, clap::Error> {
    let arguments: Vec<&OsString> = matches.get_many("arguments").unwrap_or_default().collect();
    let wrong = |message: String| command().error(ErrorKind::WrongNumberOfValues, message);
    if matches.get_flag("dump-config") {
        return match arguments.as_slice() {
            [] => Ok(Task::DumpConfig),
            _ => Err(wrong("--dump-config takes no arguments".to_owned())),
        };
    }
    if matches.get_flag("debug") {
        return match arguments.as_slice() {
            [description, callout] => Ok(Task::Debug(Request {
                description: Description::from_argument(description.as_bytes()),
                callout: callout.as_bytes().to_vec(),
            })),
            _ => Err(wrong("-D takes two arguments: DESC and CALLOUT".to_owned())),
        };
    }
    match arguments.as_slice() {
        [key] => key.to_str().unwrap_or_default().parse().map(Task::Answer).map_err(|error| {
            let shown = key.as_bytes().escape_ascii();
            command().error(ErrorKind::InvalidValue, format!("KEY \"{shown}\" is {error}"))
        }),
        [] => Err(wrong("KEY is missing".to_owned())),
        _ => Err(wrong("only one KEY can be answered".to_owned())),
    }
}

/// Runs the helper.
#[must_use]
pub fn run(args: Vec<OsString>) -> ExitCode {
    let invocation = match Invocation::parse(args) {
        Ok(invocation) => invocation,
        Err(error) => return usage(&error),
    };
    let Invocation { task, config, verbosity } = &invocation;
    if let Some(key) = key_of_this_upcall() {
        match task {
            Task::Answer(named) if *named == key => {}
            Task::Answer(_) => {
                return refuse(key, "the rule that runs the helper names another key: give it %k");
            }
            _ => {
                return refuse(key, ASKS_NO_ANSWER);
            }
        }
    }
    let log = Log::new(NAME, !matches!(task, Task::Answer(_)));
    match task {
        Task::Answer(key) => {
            let request = HelperRequest { key: *key, config: config.clone(), verbose: *verbosity > 0 };
            let guard = Guard::arm(Some(*key), &log);
            ended(upcall::answer(*key, &KernelKeyring, || request.settings(&log), &guard, &log), &log)
        }
        Task::Debug(request) => debug(request, config.as_deref(), *verbosity, &log),
        Task::DumpConfig => match Settings::load(config.as_deref(), &log) {
            Ok(settings) => print(format_args!("{settings}")),
            Err(failure) => {
                log.error(failure);
                ExitCode::FAILURE
            }
        },
    }
}

/// Reads a rule's arguments, its program's name first.
///
/// # Errors
/// What is wrong with them, if they do not name a key to answer.
pub(super) fn request_of(args: Vec<OsString>) -> Result<HelperRequest, String> {
    match Invocation::parse(args) {
        Ok(Invocation { task: Task::Answer(key), config, verbosity }) => {
            Ok(HelperRequest { key, config, verbose: verbosity > 0 })
        }
        Ok(_) => Err(ASKS_NO_ANSWER.to_owned()),
        Err(error) => Err(first_line(&error)),
    }
}

/// Answers a key that `request-key` has taken over.
pub(super) fn answer(helper: &HelperRequest, request: Request) -> ExitCode {
    let log = Log::new(NAME, false);
    let guard = Guard::arm(Some(helper.key), &log);
    let settings = || helper.settings(&log);
    ended(upcall::answer_request(helper.key, Ok(request), &KernelKeyring, settings, &guard, &log), &log)
}

fn ended(outcome: Result<(), Unanswered>, log: &Log) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log.error(error);
            ExitCode::FAILURE
        }
    }
}

fn debug(request: &Request, config: Option<&Path>, verbosity: u8, log: &Log) -> ExitCode {
    let guard = Guard::arm(None, log);
    let settings = match Settings::load(config, log) {
        Ok(settings) => settings,
        Err(failure) => {
            log.error(failure);
            return ExitCode::FAILURE;
        }
    };
    guard.set_deadline(settings.lookup.deadline);
    let lookup = look_up(request, &settings, Trace::default(), Purpose::Show, log);
    for warning in &lookup.warnings {
        log.warning(warning);
    }
    if verbosity > 0 {
        lookup.lacking.iter().for_each(|lacking| log.info(lacking));
        for step in lookup.trace.steps() {
            log.info(step);
        }
        for origin in lookup.outcome.iter().flat_map(Answer::origins) {
            log.info(origin);
        }
    }
    if let Err(failure) = &lookup.outcome {
        log.warning(failure);
    }
    let reply = Reply::new(&lookup.outcome, &settings);
    if let Some(shortcoming) = reply.shortcoming() {
        log.warning(shortcoming);
    }
    print(format_args!("{reply}\n"))
}

/// Ends a run whose command line was wrong, or asked for help or the version.
///
/// If the kernel started it, a key is waiting nevertheless, and is answered with EINVAL.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    if let Some(key) = key_of_this_upcall() {
        return refuse(key, &first_line(error));
    }
    if error.use_stderr() {
        // There is nowhere to report that standard error can't be written.
        let _ = error.print();
        return ExitCode::from(USAGE);
    }
    print(format_args!("{}", error.render()))
}

/// A usage error's message, without the help text that follows it.
pub(super) fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// Answers the key of an upcall whose rule is wrong.
pub(super) fn refuse(key: KeySerial, reason: &str) -> ExitCode {
    let log = Log::new(NAME, false);
    let guard = Guard::arm(Some(key), &log);
    if let Err(error) = upcall::refuse(key, &KernelKeyring, Failure::Usage(reason.to_owned()), &guard, &log) {
        log.error(error);
    }
    ExitCode::from(USAGE)
}

fn print(text: std::fmt::Arguments<'_>) -> ExitCode {
    match written(text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
