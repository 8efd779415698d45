//! `request-key`: the command that the kernel runs when it needs a key, with keyutils' options.

use super::helper;
use super::subcommand::written;
use crate::face::{Face, PEOPLE};
use clap::builder::OsStringValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};
use key::{Description, KernelKeyring, KeySerial, Keyring, Request, key_of_this_upcall};
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::ExitCode;
use upcall::request_key::{
    self, Call, Context, Disposition, RuleFailure, RuleFiles, SECONDS, Upcall, explain,
};
use upcall::{DEFAULT_PATH, Guard, HelperRequest, Log};

pub use upcall::request_key::NAME;

/// The key that debug mode uses by default.
const SAMPLE: &str = "user;0;0;1f0000;debug:1234";

/// The arguments' names; the last is optional.
const ARGUMENTS: [&str; 8] =
    ["OPERATION", "KEY", "UID", "GID", "THREADRING", "PROCESSRING", "SESSIONRING", "CALLOUT"];

/// The command line.
#[must_use]
pub fn command() -> Command {
    Command::new(NAME)
        .about("Run the program that answers the key for which the kernel is waiting")
        .override_usage(
            "request-key OPERATION KEY UID GID THREADRING PROCESSRING SESSIONRING [CALLOUT]\n       \
             request-key -d [-D DESC] [-l] [-n] [-v]... OPERATION KEY UID GID THREADRING PROCESSRING \
             SESSIONRING [CALLOUT]",
        )
        .version(env!("CARGO_PKG_VERSION"))
        .disable_version_flag(true)
        .args_override_self(true)
        .allow_negative_numbers(true)
        .arg(
            Arg::new("arguments")
                .value_names(ARGUMENTS)
                .help("What the kernel passes for the key; without CALLOUT, it is read from the kernel")
                .num_args(0..=ARGUMENTS.len())
                .value_parser(OsStringValueParser::new()),
        )
        .arg(flag('d', "debug").help("Touch no key and run no program: show what would be run"))
        .arg(
            Arg::new("description")
                .short('D')
                .value_name("DESC")
                .help(format!("With -d, the key's description, TYPE;UID;GID;PERM;NAME, instead of {SAMPLE}"))
                .value_parser(OsStringValueParser::new()),
        )
        .arg(flag('l', "local").help("Read request-key.d and request-key.conf in the current directory"))
        .arg(flag('n', "no-log").help("Do not log to syslog"))
        .arg(
            flag('v', "verbose")
                .action(ArgAction::Count)
                .help("Show what is done; given twice, show which rules match"),
        )
        .arg(Arg::new("version").long("version").action(ArgAction::Version).help("Print the version"))
}

fn flag(short: char, name: &'static str) -> Arg {
    Arg::new(name).short(short).action(ArgAction::SetTrue)
}

/// The parsed command line.
struct Invocation {
    upcall: Upcall,
    debug: Option<Description>,
    local: bool,
    no_log: bool,
    verbosity: u8,
}

impl Invocation {
    fn parse(args: Vec<OsString>) -> Result<Self, clap::Error> {
        // The kernel's own command line: seven arguments and no option.
        if args.len() == 8
            && args.get(1).is_some_and(|first| !first.as_bytes().starts_with(b"-"))
            && args.get(3..).is_some_and(|ids| ids.iter().all(is_number))
        {
            let upcall = upcall(args.into_iter().skip(1)).ok_or_else(wrong_number)?;
            return Ok(Self { upcall, debug: None, local: false, no_log: false, verbosity: 0 });
        }
        let mut matches = command().try_get_matches_from(args)?;
        let upcall = upcall(matches.remove_many("arguments").into_iter().flatten());
        Ok(Self {
            upcall: upcall.ok_or_else(wrong_number)?,
            debug: debug(&matches)?,
            local: matches.get_flag("local"),
            no_log: matches.get_flag("no-log"),
            verbosity: matches.get_count("verbose"),
        })
    }
}

/// The description for debug mode, if it is on.
fn debug(matches: &ArgMatches) -> Result<Option<Description>, clap::Error> {
    if !matches.get_flag("debug") {
        return Ok(None);
    }
    let text = matches.get_one::<OsString>("description").map_or(OsStr::new(SAMPLE), |text| text);
    Description::parse(text.as_bytes())
        .map(Some)
        .map_err(|error| command().error(ErrorKind::InvalidValue, error))
}

/// Whether it is a decimal number as the kernel prints it: an ID above 2³¹ appears as a negative number.
fn is_number(argument: &OsString) -> bool {
    let text = argument.as_bytes();
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

fn wrong_number() -> clap::Error {
    command().error(
        ErrorKind::WrongNumberOfValues,
        "seven arguments are required, OPERATION to SESSIONRING; an eighth, CALLOUT, is optional",
    )
}

fn upcall(arguments: impl Iterator<Item = OsString>) -> Option<Upcall> {
    let mut arguments = arguments.map(OsString::into_vec);
    Some(Upcall {
        operation: arguments.next()?,
        key: arguments.next()?,
        uid: arguments.next()?,
        gid: arguments.next()?,
        thread_keyring: arguments.next()?,
        process_keyring: arguments.next()?,
        session_keyring: arguments.next()?,
        callout: arguments.next(),
    })
}

/// Runs it.
#[must_use]
pub fn run(args: Vec<OsString>) -> ExitCode {
    let invocation = match Invocation::parse(args) {
        Ok(invocation) => invocation,
        Err(error) => return usage(&error),
    };
    let chatty = invocation.debug.is_some() || invocation.verbosity > 0 || io::stderr().is_terminal();
    let log = Log::of_request_key(NAME, !invocation.no_log, chatty);
    match &invocation.debug {
        Some(description) => show(description, &invocation, &log),
        None => answer(&invocation, &log),
    }
}

fn answer(Invocation { upcall, local, verbosity, .. }: &Invocation, log: &Log) -> ExitCode {
    let Some(key) = serial(&upcall.key) else {
        let failure = format!("KEY \"{}\" is not the serial number of a key", upcall.key.escape_ascii());
        return refuse(key_of_this_upcall(), failure, log);
    };
    let guard = Guard::arm_rejecting(key, SECONDS, log);
    let files = RuleFiles::read(*local);
    let context = Context {
        key,
        ring: &KernelKeyring,
        guard: &guard,
        log,
        settings: Path::new(DEFAULT_PATH),
        verbosity: *verbosity,
    };
    match request_key::answer(upcall, &files, as_helper, &context) {
        Ok(Disposition::Done) => ExitCode::SUCCESS,
        Ok(Disposition::Rejected) => ExitCode::FAILURE,
        Ok(Disposition::Helper(helper, request)) => helper::answer(&helper, request),
        Err(error) => {
            log.error(error);
            ExitCode::FAILURE
        }
    }
}

/// Interprets a rule whose program is this executable.
fn as_helper(args: &[OsString]) -> Result<HelperRequest, RuleFailure> {
    match Face::of(args.to_vec()) {
        Face::Helper(args) => helper::request_of(args).map_err(RuleFailure::Usage),
        Face::RequestKey(_) => Err(RuleFailure::Itself),
        Face::People(_) => Err(RuleFailure::Usage(format!(
            "the rule runs {PEOPLE}, which does not answer keys; {} does",
            helper::NAME
        ))),
    }
}

fn serial(text: &[u8]) -> Option<KeySerial> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Debug mode: shows what would be run.
fn show(description: &Description, invocation: &Invocation, log: &Log) -> ExitCode {
    let request = Request { description: description.clone(), callout: Vec::new() };
    let callout = invocation.upcall.callout.as_deref().unwrap_or_default();
    let values = invocation.upcall.values(&request, callout);
    let files = RuleFiles::read(invocation.local).with_shipped_for(&values.subject);
    for warning in files.rules().1 {
        log.warning(warning);
    }
    let (best, _) = files.best(&values.subject);
    if invocation.verbosity > 0 {
        explain(&values, &files, best.as_ref(), log, invocation.verbosity);
    }
    let Some((place, rule)) = &best else {
        log.error(RuleFailure::NoRule);
        return ExitCode::FAILURE;
    };
    let call = Call::unexpanded(&rule.program, &values);
    let verb = if rule.program.piped { "pipe through" } else { "run" };
    let mut text = format!("{place}: {verb} {}\n", call.path.as_bytes().escape_ascii());
    for (index, argument) in call.args.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "argv[{index}] = \"{}\"", argument.as_bytes().escape_ascii());
    }
    text.push_str("(not run: debug mode)\n");
    match written(format_args!("{text}")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Ends a run whose command line was wrong, or asked for help or the version. If the kernel started it, a key
/// is waiting all the same.
fn usage(error: &clap::Error) -> ExitCode {
    if let Some(key) = key_of_this_upcall() {
        return refuse(Some(key), helper::first_line(error), &Log::of_request_key(NAME, true, false));
    }
    helper::usage(error)
}

/// Rejects the key of an upcall whose command line is invalid.
fn refuse(key: Option<KeySerial>, reason: String, log: &Log) -> ExitCode {
    let failure = RuleFailure::Usage(reason);
    let Some(key) = key else {
        log.error(failure);
        return ExitCode::FAILURE;
    };
    let guard = Guard::arm_rejecting(key, SECONDS, log);
    let context = Context {
        key,
        ring: &KernelKeyring,
        guard: &guard,
        log,
        settings: Path::new(DEFAULT_PATH),
        verbosity: 0,
    };
    let taken = KernelKeyring.assume_authority(key).map_err(Into::into);
    if let Err(error) = taken.and_then(|()| request_key::reject(&context, None, &failure)) {
        log.error(error);
    }
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_of_a_rule_are_a_helper_request_or_an_error() {
        let read = |words: &[&str]| as_helper(&words.iter().map(OsString::from).collect::<Vec<_>>());
        let key = "5".parse().unwrap();
        let plain = HelperRequest { key, config: None, verbose: false };
        assert_eq!(read(&["key.dns_resolver", "5"]).unwrap(), plain);
        assert_eq!(read(&["key-dns", "key.dns_resolver", "5"]).unwrap(), plain);
        let more = HelperRequest { config: Some("/x".into()), verbose: true, ..plain };
        assert_eq!(read(&["a-link", "-v", "-c", "/x", "5"]).unwrap(), more);

        for words in [
            &["key.dns_resolver"][..],
            &["key.dns_resolver", "x"],
            &["key.dns_resolver", "-D", "a", "b"],
            &["key.dns_resolver", "--dump-config"],
            &["key-dns", "resolve", "mon1"],
        ] {
            assert!(matches!(read(words), Err(RuleFailure::Usage(_))), "{words:?}");
        }
        let kernel = ["create", "5", "0", "0", "0", "0", "0"];
        for face in [&["request-key"][..], &["/usr/libexec/key-dns/request-key"], &["key-dns", "request-key"]]
        {
            assert!(matches!(read(&[face, &kernel].concat()), Err(RuleFailure::Itself)), "{face:?}");
        }
    }
}
