//! What `request-key` does between the kernel's call and the program that answers: find the rule, fill in its
//! arguments, run it, and see that the key is answered whatever comes of that.

pub mod failure;
pub mod files;
pub mod macros;
pub mod rules;
pub mod run;

use crate::key::KeySerial;
use crate::key::keyring::{Keyring, Request, Unanswered};
use crate::log::Log;
use crate::sys::{keyctl, rescue};
use failure::Failure;
use files::{Place, RuleFiles, Rules};
use macros::Values;
use rules::{Rule, Subject};
use run::Call;
use std::ffi::{CString, OsString};
use std::io;

/// The operation that rules answer.
pub const CREATE: &[u8] = b"create";
/// The operation whose rules are searched when a piped program has failed.
pub const NEGATE: &[u8] = b"negate";
/// The type of key that this program answers itself where nothing says otherwise.
const OWN_TYPE: &[u8] = b"dns_resolver";
/// Seconds in which a rule is found and a program started; a program that runs has its own time.
pub const SECONDS: u32 = 21;

/// What the kernel calls `request-key` with, as it wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upcall {
    /// `create`.
    pub operation: Vec<u8>,
    /// The serial number of the key under construction.
    pub key: Vec<u8>,
    /// The user that it belongs to.
    pub uid: Vec<u8>,
    /// The group.
    pub gid: Vec<u8>,
    /// The requestor's thread keyring, or 0.
    pub thread_keyring: Vec<u8>,
    /// The requestor's process keyring, or 0.
    pub process_keyring: Vec<u8>,
    /// The requestor's session keyring.
    pub session_keyring: Vec<u8>,
    /// The callout info, where a person gives it; the kernel leaves it to be read.
    pub callout: Option<Vec<u8>>,
}

impl Upcall {
    /// What macros stand for.
    #[must_use]
    pub fn values<'a>(&'a self, request: &'a Request, callout: &'a [u8]) -> Values<'a> {
        Values {
            subject: Subject {
                operation: &self.operation,
                key_type: request.description.key_type.as_bytes(),
                description: &request.description.name,
                callout,
            },
            key: &self.key,
            uid: &self.uid,
            gid: &self.gid,
            thread_keyring: &self.thread_keyring,
            process_keyring: &self.process_keyring,
            session_keyring: &self.session_keyring,
        }
    }
}

/// How a request ended, as far as `request-key` is concerned.
#[derive(Debug)]
pub enum Outcome {
    /// A program has had its turn, or the payload is in the key.
    Done,
    /// The program is this executable under another name: the caller goes on with these arguments.
    GoOn(Vec<OsString>),
    /// The key is rejected.
    Rejected,
}

/// The way of one key: takes it over, finds its rule, runs the rule's program.
///
/// # Errors
/// Where the key is not ours to answer, or can't be rejected.
pub fn answer(
    key: KeySerial,
    upcall: &Upcall,
    files: &RuleFiles,
    ring: &impl Keyring,
    log: &Log,
    verbosity: u8,
) -> Result<Outcome, Unanswered> {
    ring.assume_authority(key)?;
    let request = match ring.request(key) {
        Ok(request) => request,
        Err(error) => return reject(key, ring, None, &error.into(), log),
    };
    let (rules, warnings) = files.rules();
    for warning in warnings {
        log.warning(warning);
    }
    let callout = upcall.callout.as_deref().unwrap_or(&request.callout);
    let values = upcall.values(&request, callout);
    let subject = &values.subject;
    if verbosity > 0 {
        explain(&values, &rules, log, verbosity);
    }
    let Some((place, rule)) = rules.best(subject) else {
        if !files.any() && subject.key_type.eq(OWN_TYPE) && subject.operation.eq(CREATE) {
            return Ok(Outcome::GoOn(own_call(upcall)));
        }
        let failure = if files.unread() { Failure::Unread } else { Failure::NoRule };
        return reject(key, ring, None, &failure, log);
    };
    let turn = Turn { key, values: &values, ring, log, verbosity };
    match turn.take(place, rule) {
        Ok(outcome) => Ok(outcome),
        Err(failure) if rule.program.piped && subject.operation != NEGATE => {
            log.error(describe(key, Some((place, rule)), &failure));
            turn.negate(&rules, (place, rule), &failure)
        }
        Err(failure) => reject(key, ring, Some((place, rule)), &failure, log),
    }
}

/// This program's own answer, for a host that has no rules.
fn own_call(upcall: &Upcall) -> Vec<OsString> {
    use std::os::unix::ffi::OsStringExt;
    vec![crate::cli::helper::NAME.into(), OsString::from_vec(upcall.key.clone())]
}

/// The turn of one rule.
struct Turn<'a, R> {
    key: KeySerial,
    values: &'a Values<'a>,
    ring: &'a R,
    log: &'a Log,
    verbosity: u8,
}

impl<R: Keyring> Turn<'_, R> {
    fn take(&self, place: &Place<'_>, rule: &Rule<'_>) -> Result<Outcome, Failure> {
        let call = Call::new(&rule.program, self.values, contents)?;
        if rule.program.piped {
            return self.pipe(&call, place);
        }
        if run::is_this_executable(&call) {
            let again = call.args.first().is_some_and(|name| name == crate::cli::request_key::NAME);
            return if again { Err(Failure::Itself) } else { Ok(Outcome::GoOn(call.args)) };
        }
        rescue::no_limit();
        let status = run::run(&call)?;
        if self.verbosity > 0 {
            self.log.info(format_args!("{place}: {}: {status}", call.path.display()));
        }
        let failure = Failure::Ended(status);
        let (errno, ttl) = failure.verdict();
        // A key that the program has answered can't be rejected any more.
        if rescue::claim() && self.ring.reject(self.key, ttl, errno).is_ok() {
            self.log.error(rejected(self.key, Some((place, rule)), &failure));
            return Ok(Outcome::Rejected);
        }
        Ok(Outcome::Done)
    }

    fn pipe(&self, call: &Call, place: &Place<'_>) -> Result<Outcome, Failure> {
        let limit = run::largest_payload(self.values.subject.key_type);
        rescue::no_limit();
        let payload = run::pipe(call, self.values.subject.callout, limit, place, self.log)?;
        let length = payload.len();
        if !rescue::claim() {
            return Ok(Outcome::Rejected);
        }
        self.ring
            .instantiate(self.key, &payload)
            .inspect_err(|_| rescue::unclaim())
            .map_err(|source| Failure::Refused { length, source })?;
        if self.verbosity > 0 {
            self.log.info(format_args!("{place}: {}: {length} bytes", call.path.display()));
        }
        Ok(Outcome::Done)
    }

    /// After a piped program has failed: the turn of the rule for `negate`, and without one a rejection.
    fn negate(
        &self,
        rules: &Rules<'_>,
        failed: (&Place<'_>, &Rule<'_>),
        failure: &Failure,
    ) -> Result<Outcome, Unanswered> {
        let mut values = *self.values;
        values.subject.operation = NEGATE;
        let Some((place, rule)) = rules.best(&values.subject) else {
            return reject(self.key, self.ring, Some(failed), failure, self.log);
        };
        if self.verbosity > 0 {
            explain(&values, rules, self.log, self.verbosity);
        }
        match (Turn { values: &values, ..*self }).take(place, rule) {
            Ok(outcome) => Ok(outcome),
            Err(failure) => reject(self.key, self.ring, Some((place, rule)), &failure, self.log),
        }
    }
}

/// What another key of the requestor holds.
fn contents(key_type: &[u8], description: &[u8]) -> io::Result<Vec<u8>> {
    let key = keyctl::find(&CString::new(key_type)?, &CString::new(description)?)?;
    keyctl::read(key)
}

/// Makes the key a negative one.
///
/// # Errors
/// Where the kernel does not take that either.
pub fn reject(
    key: KeySerial,
    ring: &impl Keyring,
    rule: Option<(&Place<'_>, &Rule<'_>)>,
    failure: &Failure,
    log: &Log,
) -> Result<Outcome, Unanswered> {
    let (errno, ttl) = failure.verdict();
    if !rescue::claim() {
        return Err(Unanswered::Claimed(key));
    }
    ring.reject(key, ttl, errno)?;
    log.error(rejected(key, rule, failure));
    Ok(Outcome::Rejected)
}

fn rejected(key: KeySerial, rule: Option<(&Place<'_>, &Rule<'_>)>, failure: &Failure) -> String {
    let (errno, ttl) = failure.verdict();
    format!("{}; rejected with {errno} for {ttl} s", describe(key, rule, failure))
}

fn describe(key: KeySerial, rule: Option<(&Place<'_>, &Rule<'_>)>, failure: &Failure) -> String {
    match rule {
        Some((place, rule)) => {
            format!("{place}: key {key}: {}: {failure}", rule.program.path.escape_ascii())
        }
        None => format!("key {key}: {failure}"),
    }
}

/// Says what is asked, and which rules fit.
pub fn explain(values: &Values<'_>, rules: &Rules<'_>, log: &Log, verbosity: u8) {
    let Subject { operation, key_type, description, callout } = values.subject;
    log.info(format_args!(
        "{} key {}: type \"{}\", description \"{}\", callout \"{}\"",
        operation.escape_ascii(),
        values.key.escape_ascii(),
        key_type.escape_ascii(),
        description.escape_ascii(),
        callout.escape_ascii(),
    ));
    if verbosity > 1 {
        for ((place, rule), skips) in rules.fitting(&values.subject) {
            log.info(format_args!("{place}: fits, {skips}: {}", rule.program.path.escape_ascii()));
        }
    }
    if let Some((place, rule)) = rules.best(&values.subject) {
        log.info(format_args!("{place}: fits best: {}", rule.program.path.escape_ascii()));
    }
}
