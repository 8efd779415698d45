//! A real `request_key(2)`, and how its result compares with the dry run.
//!
//! It waits without a time limit for whatever the rule runs, so a child process makes the call and can be abandoned.
//! Its session keyring is new: it finds no existing key, and leaves none.

use crate::answer::{self, DryRun};
use crate::cache::proc_keys::{self, State, What};
use crate::child::{self, Ended, Errors};
use crate::explain::name_of;
use crate::host_root::HostRoot;
use crate::remedy::Remedy;
use crate::report::{Finding, Step};
use crate::rule::Winner;
use crate::subject::{Consumer, KeyRequest};
use crate::{repair, request_key, shell};
use key::Payload;
use key::keyctl;
use nix::libc;
use std::ffi::CString;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;
use upcall::Settings;

/// The name of the step.
pub const NAME: &str = "live";
/// The subcommand that makes the request.
pub const ASK: &str = "ask-kernel";
/// Seconds that the call may take beyond the deadline of a lookup.
const GRACE: u64 = 3;

/// What the kernel returned.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Brought {
    /// A key with this payload.
    Payload(Vec<u8>),
    /// A key that can't be read, with this errno: the helper's own error.
    Error(u16),
    /// No key: `request_key(2)` itself failed.
    NoKey(u16),
}

/// Makes the request, and prints its result: `payload HEX`, `error ERRNO` or `no-key ERRNO`.
///
/// # Errors
/// If no session keyring can be created, or the names contain a NUL.
pub fn ask(description: &str, callout: &str) -> io::Result<String> {
    child::end_with_parent();
    keyctl::join_new_session()?;
    let key = match keyctl::request(&CString::new(description)?, &CString::new(callout)?) {
        Ok(key) => key,
        Err(error) => return Ok(format!("no-key {}", error.raw_os_error().unwrap_or_default())),
    };
    let read = keyctl::read(key);
    let _ = keyctl::invalidate(key);
    Ok(match read {
        Ok(payload) => payload.iter().fold("payload ".to_owned(), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        }),
        Err(error) => format!("error {}", error.raw_os_error().unwrap_or_default()),
    })
}

fn parse(output: &[u8]) -> Option<Brought> {
    let text = std::str::from_utf8(output).ok()?;
    let (word, value) = text.trim_end_matches('\n').split_once(' ')?;
    match word {
        "payload" => {
            let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
            let bytes: Option<Vec<u8>> = value.as_bytes().chunks(2).map(digits).collect();
            Some(Brought::Payload(bytes?))
        }
        "error" => Some(Brought::Error(value.parse().ok()?)),
        "no-key" => Some(Brought::NoKey(value.parse().ok()?)),
        _ => None,
    }
}

/// What is known from earlier steps.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// The request.
    pub question: &'a KeyRequest,
    /// The requester.
    pub consumer: Consumer,
    /// The settings in force.
    pub settings: &'a Settings,
    /// The dry run, if it was made.
    pub dry: Option<&'a DryRun>,
    /// The rule that wins, where it could be seen.
    pub winner: Option<&'a Winner>,
}

/// The step, and in short what came of it.
#[derive(Clone, Debug)]
pub struct Live {
    /// The step.
    pub step: Step,
    /// Whether there was an answer; `None` where the request could not be made.
    pub answered: Option<bool>,
    /// How long that took.
    pub took: Option<Duration>,
}

impl Live {
    /// Where the kernel was not asked.
    pub(crate) const fn unasked(step: Step) -> Self {
        Self { step, answered: None, took: None }
    }
}

/// Asks the kernel.
#[must_use]
pub fn check(look: &HostRoot, before: Before<'_>) -> Live {
    let mut step = Step::new(NAME);
    let limit = limit(before.settings);
    let (brought, took) = match call(before.question, limit, || {}) {
        Ok(Ended::Done { status, output, took }) => {
            let Some(brought) = parse(&output) else {
                step.sum("the request could not be made");
                step.unseen(
                    "the result of request_key(2)",
                    format!("the process that calls it ended with {status}"),
                );
                return Live::unasked(step);
            };
            (brought, took)
        }
        Ok(Ended::Abandoned { pid }) => {
            step.sum(format!("no answer within {} s", limit.as_secs()));
            step.find(hangs(look, before, limit, pid));
            return Live { step, answered: Some(false), took: Some(limit) };
        }
        Err(error) => {
            step.sum("the request could not be made");
            step.unseen("the result of request_key(2)", error.to_string());
            return Live::unasked(step);
        }
    };
    step.sum(format!("{} after {} ms", told(&brought), took.as_millis()));
    match &brought {
        Brought::NoKey(errno) => no_key(&mut step, look, before, *errno, took),
        Brought::Error(errno) => failed(&mut step, look, before, *errno),
        Brought::Payload(payload) => compare(&mut step, look, before, payload),
    }
    let good = matches!(brought, Brought::Payload(_)) && !step.is_broken();
    let answered = step.unseen.is_empty().then_some(good);
    Live { step, answered, took: Some(took) }
}

/// How long the kernel may take.
fn limit(settings: &Settings) -> Duration {
    Duration::from_secs(u64::from(settings.lookup.deadline) + GRACE)
}

/// Has a process of its own ask, and calls `look` meanwhile.
fn call(question: &KeyRequest, limit: Duration, look: impl FnMut()) -> io::Result<Ended> {
    let command = child::this_program(&[ASK, "--", &question.description, question.callout]);
    child::run_watching(command, limit, Errors::Drop, look)
}

/// Makes the request again, and checks whether an answer can be seen that expires before the program has exited: the
/// caller then gets ENOKEY too (security/keys/request_key.c, `call_sbin_request_key()`).
fn expires_early(question: &KeyRequest, limit: Duration) -> Option<String> {
    let mut seen = None;
    let name = question.description.as_bytes();
    let look = || {
        let keys = std::fs::read("/proc/keys").map(|text| proc_keys::parse(&text)).unwrap_or_default();
        let line = keys.into_iter().find(|line| {
            matches!(&line.what, What::Dns(own, _) if own == name)
                && matches!(line.state, State::Positive | State::Expired)
        });
        if let Some(line) = line {
            seen = Some(match line.left {
                Some(left) => {
                    format!("/proc/keys showed the answer, for {left} more, while the program still ran")
                }
                None => "/proc/keys showed the answer, expired, while the program still ran".to_owned(),
            });
        }
    };
    match call(question, limit, look) {
        Ok(Ended::Done { output, .. })
            if parse(&output) == Some(Brought::NoKey(u16::try_from(libc::ENOKEY).unwrap_or_default())) =>
        {
            seen
        }
        _ => None,
    }
}

fn told(brought: &Brought) -> String {
    match brought {
        Brought::Payload(payload) => shown(payload),
        Brought::Error(errno) => name_of(*errno),
        Brought::NoKey(errno) => format!("no key: {}", name_of(*errno)),
    }
}

/// Text without its NUL; a server list by its length.
fn shown(payload: &[u8]) -> String {
    match payload.first() {
        Some(0) => format!("a list of servers of {} bytes", payload.len()),
        _ => payload.strip_suffix(b"\0").unwrap_or(payload).escape_ascii().to_string(),
    }
}

/// The rule and its program, for evidence.
fn rule(before: Before<'_>) -> String {
    match before.winner {
        Some(winner) => format!("{} runs {}", winner.at(), winner.program),
        None => "the rule could not be seen".to_owned(),
    }
}

/// What to do about a rule whose program does not do its job.
fn mend(look: &HostRoot, before: Before<'_>) -> Remedy {
    let name = shell::name(&before.question.description);
    match before.winner {
        Some(winner) if winner.place.is_none() => {
            Remedy::advice(format!("see what it tries: key-dns resolve --trace {name}"))
        }
        Some(winner) if winner.own_helper().is_some() => {
            Remedy::advice(format!("run it by hand: {} -D -v -- {name} ''", winner.program))
        }
        // There is no other.
        Some(winner) if winner.is_keyutils() && repair::helper(look) != Some(repair::HELPERS[0]) => {
            Remedy::advice(format!(
                "install key-dns, and a rule that names its helper {}",
                repair::HELPERS[0]
            ))
        }
        Some(winner) => winner.mend(look),
        None => {
            Remedy::advice("key-dns doctor on the host shows which program answers, and how to repair it")
        }
    }
}

/// What to do about a program that answers, but differently. Where somebody has written one, it may be meant so.
fn decide(look: &HostRoot, before: Before<'_>) -> Remedy {
    match before.winner {
        Some(winner) if !winner.ours && !winner.is_keyutils() => Remedy::advice(format!(
            "find out which answer is right: that of {}, which {} names, or that of key-dns (key-dns resolve --trace {})",
            winner.program,
            winner.at(),
            shell::name(&before.question.description)
        )),
        _ => mend(look, before),
    }
}

fn hangs(look: &HostRoot, before: Before<'_>, limit: Duration, pid: u32) -> Finding {
    Finding::broken(
        "live-hangs",
        "the program that should answer hangs, and every mount that needs the name hangs with it",
        format!(
            "request_key(2) in process {pid} has not returned within {} s; {}",
            limit.as_secs(),
            rule(before)
        ),
        mend(look, before),
    )
}

/// `request_key(2)` failed: nobody answered, or the key was rejected.
fn no_key(step: &mut Step, look: &HostRoot, before: Before<'_>, errno: u16, took: Duration) {
    let expired = (i32::from(errno) == libc::ENOKEY)
        .then(|| expires_early(before.question, took * 2 + Duration::from_secs(1)))
        .flatten();
    let seen = expired.as_ref().map(|seen| format!("; {seen}")).unwrap_or_default();
    let evidence =
        format!("request_key(2): {} after {} ms{seen}; {}", name_of(errno), took.as_millis(), rule(before));
    let (id, problem, remedy) = match i32::from(errno) {
        libc::ENOSYS | libc::EPERM => {
            step.unseen(
                "the result of request_key(2)",
                format!("it is not permitted here ({}): a container's system call filter", name_of(errno)),
            );
            return;
        }
        libc::ENOKEY if expired.is_some() => (
            "answer-expired",
            "the answer expires before its requester sees it: the program lingers, or sets too short a lifetime"
                .to_owned(),
            mend(look, before),
        ),
        libc::ENOKEY => (
            "not-answered",
            "the program that the rule names exited without an answer".to_owned(),
            mend(look, before),
        ),
        libc::EKEYEXPIRED => (
            "answer-expired",
            "the answer expired before it could be read: the program sets too short a lifetime, or lingers"
                .to_owned(),
            mend(look, before),
        ),
        libc::EDQUOT => (
            "quota-full",
            "no more keys can be made for the requester".to_owned(),
            Remedy::advice(
                "find out who has so many keys (/proc/key-users), or allow more (kernel.keys.maxkeys, maxbytes)",
            ),
        ),
        libc::ENOENT | libc::EACCES | libc::ENOEXEC => (
            "not-started",
            "a program that is needed for the answer can't be executed".to_owned(),
            Remedy::advice(format!("run it by hand: {} --version", request_key::PATH)),
        ),
        libc::EINTR if before.winner.is_some_and(Winner::is_keyutils) => {
            let dry = before.dry.filter(|dry| dry.found).map(|dry| dry.reply.payload.to_string());
            let dry = dry.map(|found| format!(", where key-dns finds {found}")).unwrap_or_default();
            (
                "live-unknown-name",
                format!(
                    "keyutils' helper does not know the name{dry} (it says EINTR for a name without an IPv4 address, and \
                     for any failure of DNS)"
                ),
                mend(look, before),
            )
        }
        _ => ("rejected", "the program that the rule names rejected the key".to_owned(), mend(look, before)),
    };
    step.find(Finding::broken(id, problem, evidence, remedy));
}

/// The helper answered with an error.
fn failed(step: &mut Step, look: &HostRoot, before: Before<'_>, errno: u16) {
    let Some(dry) = before.dry else { return };
    if let Payload::Error(expected) = &dry.reply.payload
        && expected.number() == errno
    {
        return;
    }
    if i32::from(errno) == libc::EKEYEXPIRED {
        no_key(step, look, before, errno, Duration::ZERO);
        return;
    }
    step.find(Finding::broken(
        "live-fails",
        "the kernel gets a different answer than key-dns finds: another program answers, or it uses other files",
        format!("the key says {}; the dry run: {}; {}", name_of(errno), dry.reply.payload, rule(before)),
        mend(look, before),
    ));
}

fn compare(step: &mut Step, look: &HostRoot, before: Before<'_>, payload: &[u8]) {
    let single = !before.question.is_cell() && !before.question.callout.contains("list");
    if single && payload.contains(&b',') {
        step.find(Finding::broken(
            "address-list",
            "the answer has more than one address, which CephFS (EINVAL), CIFS and NFS can't read",
            format!("the key says {}; {}", shown(payload), rule(before)),
            mend(look, before),
        ));
        return;
    }
    let Some(dry) = before.dry else { return };
    let same = dry.reply.payload.encode() == payload
        || dry.reply.payload.encode().strip_suffix(b"\0") == Some(payload);
    if same {
        step.fact("the same as the dry run");
        return;
    }
    let among = || {
        let live = shown(payload).parse().ok();
        live.is_some_and(|live| answer::all_addresses(before.question, before.settings).contains(&live))
    };
    if single && among() {
        step.fact(format!("a different address of the name than in the dry run: {}", dry.reply.payload));
        return;
    }
    if before.question.is_cell() && payload.first() == Some(&0) {
        step.fact("a server list that differs from the dry run: its order is partly random");
        return;
    }
    step.find(Finding::warn(
        "live-differs",
        "the kernel gets a different answer than key-dns finds: another program answers, or it uses other files",
        format!("the key says {}; the dry run: {}; {}", shown(payload), dry.reply.payload, rule(before)),
        decide(look, before),
    ));
}

#[cfg(test)]
mod tests;
