//! What `request-key` does between the kernel's call and the program that answers: it finds the rule, expands the
//! arguments, runs the program, and makes sure that the key is answered whatever the outcome.

mod failure;
mod files;
mod macros;
mod rules;
mod run;
mod subject;

pub use failure::RuleFailure;
pub use files::{BadLineAt, ROOT, RefusedFile, RuleFiles, RuleLocation, Rules, SHIPPED, Trust};
pub use macros::{Argument, MacroFlaw, MacroValues};
pub use rules::{BadLine, Rule, Skips};
pub use run::Call;
pub use subject::Subject;

use crate::answer::{HelperRequest, Unanswered};
use crate::guard::Guard;
use crate::log::Log;
use crate::settings::Settings;
use key::{KeySerial, Keyring, Request, keyctl};
use std::ffi::{CString, OsString};
use std::io;
use std::path::Path;
use std::time::Duration;

/// The name of the program, and its ident in the log.
pub const NAME: &str = "request-key";
/// The operation that rules answer.
pub const CREATE: &[u8] = b"create";
/// The operation whose rules are used after a piped program has failed.
pub const NEGATE: &[u8] = b"negate";
/// The key type that this program answers itself if there are no rules.
const OWN_TYPE: &[u8] = b"dns_resolver";
/// Time limit in seconds for finding a rule and starting its program; a running program has its own limit.
pub const SECONDS: u32 = 21;

/// The kernel's arguments to `request-key`, unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upcall {
    /// `create`.
    pub operation: Vec<u8>,
    /// The serial number of the key under construction.
    pub key: Vec<u8>,
    /// The user ID of its owner.
    pub uid: Vec<u8>,
    /// The group.
    pub gid: Vec<u8>,
    /// The requester's thread keyring, or 0.
    pub thread_keyring: Vec<u8>,
    /// The requester's process keyring, or 0.
    pub process_keyring: Vec<u8>,
    /// The requester's session keyring.
    pub session_keyring: Vec<u8>,
    /// The callout info, if a person passes it; the kernel leaves it to be read.
    pub callout: Option<Vec<u8>>,
}

impl Upcall {
    /// The values of the macros.
    #[must_use]
    pub fn values<'a>(&'a self, request: &'a Request, callout: &'a [u8]) -> MacroValues<'a> {
        MacroValues {
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

/// The outcome of a request, as far as `request-key` is concerned.
#[derive(Debug, PartialEq, Eq)]
pub enum Disposition {
    /// A program has had its turn, or the payload is in the key.
    Done,
    /// The program is this executable as the helper: the caller continues as the helper, with the key's request.
    Helper(HelperRequest, Request),
    /// The key is rejected.
    Rejected,
}

/// What a request is answered with.
#[derive(Debug)]
pub struct Context<'a, R> {
    /// The key.
    pub key: KeySerial,
    /// The keyrings that hold it.
    pub ring: &'a R,
    /// The guard, which may answer it too.
    pub guard: &'a Guard,
    /// The log.
    pub log: &'a Log,
    /// The settings file, read only if the requester is not root.
    pub settings: &'a Path,
    /// 1 to report what is done, 2 to report which rules match as well.
    pub verbosity: u8,
}

/// Parses the arguments of a rule's program, its own name first, if that is this executable. [`RuleFailure::Itself`] if
/// they are those of `request-key`.
pub type AsHelper = fn(&[OsString]) -> Result<HelperRequest, RuleFailure>;

/// The life of one request: assumes authority, finds the rule, runs the rule's program.
///
/// If the rule's program is this executable, `as_helper` parses its arguments.
///
/// # Errors
/// If the key is not ours to answer, or can't be rejected.
pub fn answer<R: Keyring>(
    upcall: &Upcall,
    files: &RuleFiles,
    as_helper: AsHelper,
    context: &Context<'_, R>,
) -> Result<Disposition, Unanswered> {
    answer_within(run::PIPE_TIME, upcall, files, as_helper, context)
}

/// The same, with `pipe_time` as the limit for a piped program.
fn answer_within<R: Keyring>(
    pipe_time: Duration,
    upcall: &Upcall,
    files: &RuleFiles,
    as_helper: AsHelper,
    context: &Context<'_, R>,
) -> Result<Disposition, Unanswered> {
    let Context { key, ring, log, .. } = *context;
    ring.assume_authority(key)?;
    let request = match ring.request(key) {
        Ok(request) => request,
        Err(error) => return reject(context, None, &error.into()),
    };
    if request.description.owner != Some(0) {
        // Nothing is reserved from root, and the kernel requests as root.
        let settings = Settings::load_or(None, context.settings, log).unwrap_or_default();
        if let Err(refusal) = settings.root_only.check(&request.description) {
            return reject(context, None, &refusal.into());
        }
    }
    let callout = upcall.callout.as_deref().unwrap_or(&request.callout);
    let values = upcall.values(&request, callout);
    let run = RuleRun { request: &request, values: &values, as_helper, context, pipe_time };
    if let Some(outcome) = run.by(files)? {
        return Ok(outcome);
    }
    let shipped = files.shipped();
    if shipped.any()
        && let Some(outcome) = run.by(&shipped)?
    {
        return Ok(outcome);
    }
    let subject = &values.subject;
    let any = files.any() || shipped.any();
    if !any && subject.key_type.eq(OWN_TYPE) && subject.operation.eq(CREATE) {
        let helper = HelperRequest { key, config: None, verbose: false };
        return Ok(Disposition::Helper(helper, request));
    }
    let unread = files.unread() || shipped.unread();
    reject(context, None, if unread { &RuleFailure::Unread } else { &RuleFailure::NoRule })
}

/// The run of one rule.
struct RuleRun<'a, R> {
    request: &'a Request,
    values: &'a MacroValues<'a>,
    as_helper: AsHelper,
    context: &'a Context<'a, R>,
    pipe_time: Duration,
}

impl<R: Keyring> RuleRun<'_, R> {
    /// What comes of the rule of these files that fits best; `None` where none fits.
    fn by(&self, files: &RuleFiles) -> Result<Option<Disposition>, Unanswered> {
        let Context { key, log, verbosity, .. } = *self.context;
        let subject = &self.values.subject;
        let (best, bad) = files.best(subject);
        for warning in files.warnings(bad) {
            log.warning(warning);
        }
        if verbosity > 0 {
            explain(self.values, files, best.as_ref(), log, verbosity);
        }
        let Some((place, rule)) = &best else { return Ok(None) };
        match self.take(place, rule) {
            Ok(outcome) => Ok(outcome),
            Err(failure) if rule.program.piped && subject.operation != NEGATE => {
                log.error(describe(key, Some((place, rule)), &failure));
                self.negate(files, (place, rule), &failure)
            }
            Err(failure) => reject(self.context, Some((place, rule)), &failure),
        }
        .map(Some)
    }

    fn take(&self, place: &RuleLocation<'_>, rule: &Rule<'_>) -> Result<Disposition, RuleFailure> {
        let call = Call::new(&rule.program, self.values, contents)?;
        if rule.program.piped {
            return if self.repeats(&call) { Err(RuleFailure::Itself) } else { self.pipe(&call, place) };
        }
        if run::is_this_executable(&call) {
            let helper = (self.as_helper)(&call.args)?;
            if helper.key != self.context.key {
                return Err(RuleFailure::Usage(
                    "the rule gives the helper a different key: give it %k".to_owned(),
                ));
            }
            return Ok(Disposition::Helper(helper, self.request.clone()));
        }
        let status = run::run(&call, self.context.guard)?;
        if self.context.verbosity > 0 {
            self.context.log.info(format_args!("{place}: {}: {status}", call.path.display()));
        }
        let failure = RuleFailure::Ended(status);
        let (errno, ttl) = failure.verdict();
        let Context { key, ring, guard, log, .. } = *self.context;
        if !guard.claim() {
            return Ok(Disposition::Rejected);
        }
        match ring.reject(key, ttl, errno) {
            Ok(()) => {
                log.error(rejected(key, Some((place, rule)), &failure));
                Ok(Disposition::Rejected)
            }
            // The program has answered it.
            Err(error) if error.is_answered() => Ok(Disposition::Done),
            Err(error) => {
                guard.unclaim();
                Err(error.into())
            }
        }
    }

    /// Whether `call` is `request-key` again, which would find the same rule, endlessly.
    fn repeats(&self, call: &Call) -> bool {
        run::is_this_executable(call) && matches!((self.as_helper)(&call.args), Err(RuleFailure::Itself))
    }

    fn pipe(&self, call: &Call, place: &RuleLocation<'_>) -> Result<Disposition, RuleFailure> {
        let limit = run::largest_payload(self.values.subject.key_type);
        let Context { key, ring, guard, log, verbosity, .. } = *self.context;
        let payload = run::pipe(call, self.values.subject.callout, limit, self.pipe_time, place, guard, log)?;
        let length = payload.len();
        if !guard.claim() {
            return Ok(Disposition::Rejected);
        }
        ring.instantiate(key, &payload)
            .inspect_err(|_| guard.unclaim())
            .map_err(|source| RuleFailure::Refused { length, source })?;
        if verbosity > 0 {
            log.info(format_args!("{place}: {}: {length} bytes", call.path.display()));
        }
        Ok(Disposition::Done)
    }

    /// After a piped program has failed: runs the rule for `negate`, or without one rejects the key.
    fn negate(
        &self,
        files: &RuleFiles,
        failed: (&RuleLocation<'_>, &Rule<'_>),
        failure: &RuleFailure,
    ) -> Result<Disposition, Unanswered> {
        // The program that has failed had its own limit.
        self.context.guard.set_limit(SECONDS);
        let mut values = *self.values;
        values.subject.operation = NEGATE;
        let (best, _) = files.best(&values.subject);
        let Some((place, rule)) = &best else {
            return reject(self.context, Some(failed), failure);
        };
        let Context { log, verbosity, .. } = *self.context;
        if verbosity > 0 {
            explain(&values, files, best.as_ref(), log, verbosity);
        }
        match (RuleRun { values: &values, ..*self }).take(place, rule) {
            Ok(outcome) => Ok(outcome),
            Err(failure) => reject(self.context, Some((place, rule)), &failure),
        }
    }
}

/// The content of another key of the requester's.
fn contents(key_type: &[u8], description: &[u8]) -> io::Result<Vec<u8>> {
    let key = keyctl::find(&CString::new(key_type)?, &CString::new(description)?)?;
    keyctl::read(key)
}

/// Makes the key negative.
///
/// # Errors
/// If the kernel refuses that too.
pub fn reject<R: Keyring>(
    context: &Context<'_, R>,
    rule: Option<(&RuleLocation<'_>, &Rule<'_>)>,
    failure: &RuleFailure,
) -> Result<Disposition, Unanswered> {
    let Context { key, ring, guard, log, .. } = *context;
    let (errno, ttl) = failure.verdict();
    if !guard.claim() {
        return Err(Unanswered::Claimed(key));
    }
    ring.reject(key, ttl, errno)?;
    log.error(rejected(key, rule, failure));
    Ok(Disposition::Rejected)
}

fn rejected(key: KeySerial, rule: Option<(&RuleLocation<'_>, &Rule<'_>)>, failure: &RuleFailure) -> String {
    let (errno, ttl) = failure.verdict();
    format!("{}; rejected with {errno} for {ttl} s", describe(key, rule, failure))
}

fn describe(key: KeySerial, rule: Option<(&RuleLocation<'_>, &Rule<'_>)>, failure: &RuleFailure) -> String {
    match rule {
        Some((place, rule)) => {
            format!("{place}: key {key}: {}: {failure}", rule.program.path.escape_ascii())
        }
        None => format!("key {key}: {failure}"),
    }
}

/// Reports the request, and which rules match.
pub fn explain(
    values: &MacroValues<'_>,
    files: &RuleFiles,
    best: Option<&(RuleLocation<'_>, Rule<'_>)>,
    log: &Log,
    verbosity: u8,
) {
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
        for ((place, rule), skips) in files.parse().0.fitting(&values.subject) {
            log.info(format_args!("{place}: fits, {skips}: {}", rule.program.path.escape_ascii()));
        }
    }
    if let Some((place, rule)) = best {
        log.info(format_args!("{place}: fits best: {}", rule.program.path.escape_ascii()));
    }
}

#[cfg(test)]
mod tests;
