//! Why a rule brought no answer, and what the kernel is told: the table of errnos of `request-key`.

use crate::settings::NotForUsers;
use key::{KeyError, KeyringError, RejectErrno, Ttl};
use nix::errno::Errno as Libc;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

/// The outcome of a request that no program answered.
#[derive(Debug, thiserror::Error)]
pub enum RuleFailure {
    /// No rule matches.
    #[error("no rule for this key")]
    NoRule,
    /// No rule matches among those that could be read.
    #[error("no rule for this key in the files that can be read")]
    Unread,
    /// The command line of `request-key` is wrong.
    #[error("wrong usage: {0}")]
    Usage(String),
    /// The rule runs this program as `request-key`.
    #[error("the program is request-key itself")]
    Itself,
    /// The key of a `%{TYPE:DESCRIPTION}` does not exist, or can't be read.
    #[error("%{{{name}}}: {source}")]
    Contents {
        /// TYPE:DESCRIPTION, escaped.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// That key's content can't be an argument.
    #[error("%{{{0}}}: the key's contents are not printable text")]
    NotPrintable(String),
    /// The program can't be started.
    #[error("can't be run: {0}")]
    Start(io::Error),
    /// The program failed, or exited without an answer.
    #[error("{0}, and did not answer the key")]
    Ended(ExitStatus),
    /// A piped program did not finish in time.
    #[error("not done within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// A piped program has exited, but its output is still open.
    #[error(
        "it has ended, but something that it started kept its output open for {} s, as a daemon does that has not \
         closed it",
        .0.as_secs_f32()
    )]
    HeldOpen(Duration),
    /// The requester is not permitted.
    #[error(transparent)]
    RootOnly(#[from] NotForUsers),
    /// A piped program wrote more than a key can hold.
    #[error("its output is longer than the {0} bytes that the key can hold")]
    TooMuch(usize),
    /// The kernel refused the payload.
    #[error("the kernel refuses its output of {length} bytes: {source}")]
    Refused {
        /// The payload's length.
        length: usize,
        /// The kernel's error.
        source: KeyringError,
    },
    /// The kernel did not return the description or the callout info.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// An internal error.
    #[error("{doing}: {source}")]
    Internal {
        /// What was being done.
        doing: &'static str,
        /// The error.
        source: io::Error,
    },
}

impl RuleFailure {
    /// The errno that `request_key()` should return, and for how long: a second for temporary failures, ten for what
    /// somebody has to repair first, and for a program that has had its turn.
    #[must_use]
    pub fn verdict(&self) -> (RejectErrno, Ttl) {
        let soon = Ttl::MIN;
        let later = Ttl::from_secs(10);
        match self {
            Self::NoRule | Self::Ended(_) | Self::TimedOut(_) | Self::HeldOpen(_) => {
                (RejectErrno::ENOKEY, later)
            }
            Self::RootOnly(refusal) => refusal.verdict(),
            Self::Contents { source, .. } => match source.raw_os_error().map(Libc::from_raw) {
                Some(Libc::EACCES) => (RejectErrno::EACCES, soon),
                _ => (RejectErrno::ENOKEY, soon),
            },
            Self::NotPrintable(_) => (RejectErrno::EINVAL, soon),
            Self::Usage(_)
            | Self::Itself
            | Self::TooMuch(_)
            | Self::Refused {
                source: KeyringError::Key { source: KeyError::InvalidArguments, .. }, ..
            } => (RejectErrno::EINVAL, later),
            Self::Start(error) => match error.raw_os_error().map(Libc::from_raw) {
                Some(Libc::ENOENT | Libc::ENOTDIR) => (RejectErrno::ENOENT, later),
                Some(Libc::EACCES | Libc::EPERM) => (RejectErrno::EACCES, later),
                Some(Libc::ENOEXEC) => (RejectErrno::ENOEXEC, later),
                _ => (RejectErrno::ENOKEY, soon),
            },
            Self::Refused { .. } | Self::Keyring(_) | Self::Unread | Self::Internal { .. } => {
                (RejectErrno::ENOKEY, soon)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use key::KeySerial;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn each_failure_has_the_errno_and_the_expiry_of_the_table() {
        let os = |errno: Libc| io::Error::from_raw_os_error(errno as i32);
        let refused = |source| {
            let key = KeySerial::new(1).unwrap();
            RuleFailure::Refused {
                length: 1,
                source: KeyringError::Key { doing: "instantiate", key, source },
            }
        };
        for (failure, errno, seconds) in [
            (RuleFailure::NoRule, RejectErrno::ENOKEY, 10),
            (RuleFailure::Unread, RejectErrno::ENOKEY, 1),
            (RuleFailure::Usage("x".into()), RejectErrno::EINVAL, 10),
            (RuleFailure::Itself, RejectErrno::EINVAL, 10),
            (
                RuleFailure::Contents { name: "user:x".into(), source: os(Libc::ENOKEY) },
                RejectErrno::ENOKEY,
                1,
            ),
            (
                RuleFailure::Contents { name: "user:x".into(), source: os(Libc::EACCES) },
                RejectErrno::EACCES,
                1,
            ),
            (RuleFailure::NotPrintable("user:x".into()), RejectErrno::EINVAL, 1),
            (RuleFailure::Start(os(Libc::ENOENT)), RejectErrno::ENOENT, 10),
            (RuleFailure::Start(os(Libc::EACCES)), RejectErrno::EACCES, 10),
            (RuleFailure::Start(os(Libc::ENOEXEC)), RejectErrno::ENOEXEC, 10),
            (RuleFailure::Start(os(Libc::ENOMEM)), RejectErrno::ENOKEY, 1),
            (RuleFailure::Ended(ExitStatus::from_raw(11)), RejectErrno::ENOKEY, 10),
            (RuleFailure::TimedOut(Duration::from_secs(60)), RejectErrno::ENOKEY, 10),
            (RuleFailure::HeldOpen(Duration::from_secs(60)), RejectErrno::ENOKEY, 10),
            (RuleFailure::RootOnly(NotForUsers::default()), RejectErrno::EPERM, 10),
            (RuleFailure::TooMuch(32767), RejectErrno::EINVAL, 10),
            (refused(KeyError::QuotaExceeded), RejectErrno::ENOKEY, 1),
            (refused(KeyError::InvalidArguments), RejectErrno::EINVAL, 10),
            (RuleFailure::Internal { doing: "waiting", source: os(Libc::EIO) }, RejectErrno::ENOKEY, 1),
        ] {
            let (found, ttl) = failure.verdict();
            assert_eq!((found, ttl.as_secs()), (errno, seconds), "{failure}");
        }
    }
}
