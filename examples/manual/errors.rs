//! The tables of errnos, in mdoc(7): what each failure means to an admin, and the verdict that the program has
//! on it.

use super::mdoc::sentence;
use key::{Failure, KeyError, KeySerial, KeyringError, Lasting, RejectErrno, Ttl};
use upcall::NotForUsers;
use upcall::request_key::RuleFailure;

use std::fmt::Write;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

/// One of each failure of the helper. A new one is to be added here and in [`told`].
fn failures() -> Vec<Failure> {
    let text = String::new;
    vec![
        Failure::NoSuchName { ttl: None },
        Failure::NoAddress { ttl: None },
        Failure::NoServer { reason: "", ttl: None },
        Failure::Temporary(text()),
        Failure::Deadline(0),
        Failure::Internal(text()),
        Failure::Refused(text()),
        Failure::bad_name(b"", ""),
        Failure::UnknownType(text()),
        Failure::BadOption(text()),
        Failure::Usage(text()),
    ]
}

/// What happened.
fn told(failure: &Failure) -> &'static str {
    match failure {
        Failure::NoSuchName { .. } => "The name does not exist",
        Failure::NoAddress { .. } => "The name has no address of the requested family",
        Failure::NoServer { .. } => "The cell has no servers, or none of them has an address",
        Failure::Temporary(_) => "The name servers fail, are silent, send nonsense, or cannot be reached",
        Failure::Deadline(_) => "The lookup took longer than the deadline",
        Failure::Internal(_) => "An internal error in the helper",
        Failure::Refused(_) => {
            "The name servers refuse to answer this host, or nothing listens at their addresses"
        }
        Failure::BadName { .. } => "The name is not a valid host name",
        Failure::UnknownType(_) => "The query type before the colon in the description is unknown",
        Failure::BadOption(_) => "The value of an option in the callout info is invalid",
        Failure::Usage(_) => "The rule that runs the helper is wrong",
    }
}

/// The errors of `key.dns_resolver`.
pub(crate) fn of_helper() -> String {
    let rows = failures().into_iter().map(|failure| {
        let (errno, lasting) = failure.verdict();
        let remembered = match lasting {
            Lasting::For(ttl) => period(ttl),
            Lasting::Negative(_) => {
                "for as long as the zone says, but for\n.Cm negative_ttl\nat most".to_owned()
            }
        };
        ((errno.to_string(), errno.number()), remembered, told(&failure))
    });
    table(rows)
}

/// One of each failure of `request-key`, and more than one where its errno depends on more. A new one is to be
/// added here and in [`told_of_rule`].
fn rule_failures() -> Option<Vec<RuleFailure>> {
    let os = io::Error::from_raw_os_error;
    let key = KeySerial::new(1)?;
    let refused =
        |source| RuleFailure::Refused { length: 0, source: KeyringError::Key { doing: "", key, source } };
    let contents = |source| RuleFailure::Contents { name: String::new(), source };
    Some(vec![
        RuleFailure::NoRule,
        contents(os(126)),
        RuleFailure::RootOnly(NotForUsers::default()),
        RuleFailure::Start(os(2)),
        RuleFailure::Start(os(13)),
        contents(os(13)),
        RuleFailure::Start(os(8)),
        RuleFailure::Usage(String::new()),
        RuleFailure::Itself,
        RuleFailure::TooMuch(0),
        refused(KeyError::InvalidArguments),
        RuleFailure::NotPrintable(String::new()),
        RuleFailure::Unread,
        RuleFailure::Ended(ExitStatus::from_raw(0)),
        RuleFailure::TimedOut(Duration::ZERO),
        RuleFailure::HeldOpen(Duration::ZERO),
        RuleFailure::Start(os(12)),
        refused(KeyError::QuotaExceeded),
        RuleFailure::Keyring(KeyringError::Key { doing: "", key, source: KeyError::QuotaExceeded }),
        RuleFailure::Internal { doing: "", source: os(5) },
    ])
}

fn told_of_rule(failure: &RuleFailure) -> &'static str {
    let errno = failure.verdict().0;
    match failure {
        RuleFailure::NoRule => "No rule matches the key",
        RuleFailure::Unread => "No rule matches in the files that could be read",
        RuleFailure::Usage(_) => "The command line is invalid",
        RuleFailure::Itself => "The rule runs request-key again",
        RuleFailure::Contents { .. } if errno == RejectErrno::EACCES => {
            "The key of a %{TYPE:DESCRIPTION} may not be read"
        }
        RuleFailure::Contents { .. } => "The key of a %{TYPE:DESCRIPTION} does not exist",
        RuleFailure::NotPrintable(_) => "The content of the key of a %{TYPE:DESCRIPTION} is not printable",
        RuleFailure::Start(_) => match errno {
            RejectErrno::ENOENT => "The program, or its interpreter, is missing",
            RejectErrno::EACCES => "The program may not be executed",
            RejectErrno::ENOEXEC => "The program is not in an executable format",
            _ => "The program cannot be started because memory, processes or the like have run out",
        },
        RuleFailure::Ended(_) => "The program crashed, failed, or exited without an answer",
        RuleFailure::TimedOut(_) => "A program after a | was not done within 60 seconds",
        RuleFailure::HeldOpen(_) => {
            "A process that a program after a | started kept its output open for 60 seconds"
        }
        RuleFailure::RootOnly(_) => "Only root may request keys of this type",
        RuleFailure::TooMuch(_) => "The output of a program after a | is too long",
        RuleFailure::Refused { .. } if errno == RejectErrno::EINVAL => {
            "The output of a program after a | is not a valid payload for this key type"
        }
        RuleFailure::Refused { .. } => "The kernel did not accept the payload",
        RuleFailure::Keyring(_) => "The kernel did not return the description or the callout info",
        RuleFailure::Internal { .. } => "An internal error in request-key",
    }
}

/// The errors of `request-key`.
pub(crate) fn of_request_key() -> String {
    let rows = rule_failures().unwrap_or_default().into_iter().map(|failure| {
        let (errno, ttl) = failure.verdict();
        ((errno.to_string(), errno.number()), period(ttl), told_of_rule(&failure))
    });
    table(rows)
}

/// How long a failure is remembered. The kernel counts whole seconds of its clock, and the shortest timeout that a
/// key is given is two of them.
fn period(ttl: Ttl) -> String {
    if ttl == Ttl::MIN { "for 1 to 2 seconds".to_owned() } else { format!("for {ttl} seconds") }
}

/// A list with one item an errno and time, in the order of their first rows.
///
/// An errno is its name as it is logged, and its number.
fn table(rows: impl Iterator<Item = ((String, u16), String, &'static str)>) -> String {
    let mut items: Vec<((String, u16), String, Vec<&str>)> = Vec::new();
    for (errno, remembered, told) in rows {
        match items.iter_mut().find(|(found, lasts, _)| (found, lasts) == (&errno, &remembered)) {
            Some((.., all)) => all.push(told),
            None => items.push((errno, remembered, vec![told])),
        }
    }
    let mut text = String::from(".Bl -tag -width Ds\n");
    for ((name, number), remembered, told) in items {
        let name = name.split(' ').next().unwrap_or_default();
        let meaning = io::Error::from_raw_os_error(number.into()).to_string();
        let meaning = meaning.split(" (os error").next().unwrap_or_default();
        // Writing to a string does not fail.
        let _ = writeln!(text, ".It Bo Er {name} Bc \"{meaning}\" Pq {number}");
        for told in told {
            text.push_str(&sentence(told));
        }
        let _ = writeln!(text, "Cached {remembered}.");
    }
    text.push_str(".El\n");
    text
}
