//! The life of a request, from the kernel's upcall to the answered key.

use crate::guard::Guard;
use crate::log::Log;
use crate::lookup::{LookupReport, Purpose, look_up};
use crate::reply::Reply;
use crate::settings::{LogChoice, NotForUsers, Settings};
use key::{Failure, KeySerial, Keyring, KeyringError, Payload, RejectErrno, Request, Ttl};
use names::{Answer, Content, Trace};
use std::path::PathBuf;

/// The most seconds that a lookup takes for anybody but root, as whom the kernel asks: long enough for one silent name
/// server and an answer by the next. Each lookup that hangs takes one of the some 2,048 upcalls that a host can have at
/// once, beyond which all wait.
const DEADLINE_OF_USERS: u32 = 7;

/// What a rule, or a command line, asks of the helper: to answer a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelperRequest {
    /// The key.
    pub key: KeySerial,
    /// The settings file, where it is another one than usual.
    pub config: Option<PathBuf>,
    /// Whether answers are logged too.
    pub verbose: bool,
}

impl HelperRequest {
    /// The settings that it is answered by.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn settings(&self, log: &Log) -> Result<Settings, Failure> {
        let mut settings = Settings::load(self.config.as_deref(), log)?;
        if self.verbose {
            settings.log = LogChoice::All;
        }
        Ok(settings)
    }
}

/// Why a key could not be answered, nor even be rejected.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The kernel refused.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A signal handler is answering it.
    #[error("key {0} is being answered by a signal handler")]
    Claimed(KeySerial),
}

/// Answers `key`: takes it over, looks up what it asks, and instantiates it.
///
/// `settings` are loaded in between, so that a key which is not ours costs nothing.
///
/// # Errors
/// Where the key is not ours to answer, or neither an answer nor an error can be put into it.
pub fn answer(
    key: KeySerial,
    ring: &impl Keyring,
    settings: impl FnOnce() -> Result<Settings, Failure>,
    guard: &Guard,
    log: &Log,
) -> Result<(), Unanswered> {
    ring.assume_authority(key)?;
    answer_request(key, ring.request(key), ring, settings, guard, log)
}

/// The same for a key that is taken over, and of which it is known what it asks.
///
/// # Errors
/// As [`answer`].
pub fn answer_request(
    key: KeySerial,
    request: Result<Request, KeyringError>,
    ring: &impl Keyring,
    settings: impl FnOnce() -> Result<Settings, Failure>,
    guard: &Guard,
    log: &Log,
) -> Result<(), Unanswered> {
    let request = match ours(request, key) {
        Ok(request) => request,
        Err(failure) => return reject(key, ring, failure, guard, log),
    };
    guard.allow_payload();
    let mut settings = match settings() {
        Ok(settings) => settings,
        Err(failure) => return give_up(key, ring, failure, guard, log),
    };
    if let Err(refusal) = settings.root_only.check(&request.description) {
        return turn_away(key, ring, &refusal, guard, log);
    }
    settings.lookup.deadline = deadline(settings.lookup.deadline, request.description.owner);
    guard.set_deadline(settings.lookup.deadline);
    let mut lookup = look_up(&request, &settings, Trace::default(), Purpose::Answer(key), log);
    let mut reply = Reply::new(&lookup.outcome, &settings);
    if let Some(failure) = hand_over(key, ring, &reply, guard)? {
        lookup.outcome = Err(failure);
        reply = Reply::new(&lookup.outcome, &settings);
    }
    report(&request, &lookup, &reply, settings.log, log);
    Ok(())
}

/// The seconds that a lookup for this user takes at most, where so many are set.
fn deadline(set: u32, owner: Option<u32>) -> u32 {
    if owner == Some(0) { set } else { set.min(DEADLINE_OF_USERS) }
}

/// The request, if it is one for a `dns_resolver` key.
fn ours(request: Result<Request, KeyringError>, key: KeySerial) -> Result<Request, Failure> {
    let request = request.map_err(|error| Failure::Internal(error.to_string()))?;
    match request.description.key_type.as_str() {
        "dns_resolver" => Ok(request),
        other => Err(Failure::Usage(format!(
            "key {key} is of type {other:?}, and only dns_resolver keys are answered here"
        ))),
    }
}

/// Takes `key` over and tells its caller of a failure that came before any lookup.
///
/// # Errors
/// As [`answer`].
pub fn refuse(
    key: KeySerial,
    ring: &impl Keyring,
    failure: Failure,
    guard: &Guard,
    log: &Log,
) -> Result<(), Unanswered> {
    ring.assume_authority(key)?;
    match ours(ring.request(key), key) {
        Ok(_) => {
            guard.allow_payload();
            give_up(key, ring, failure, guard, log)
        }
        // A payload of ours would be data to whoever reads a key of another type.
        Err(other) => reject(key, ring, other, guard, log),
    }
}

fn give_up(
    key: KeySerial,
    ring: &impl Keyring,
    failure: Failure,
    guard: &Guard,
    log: &Log,
) -> Result<(), Unanswered> {
    let reply = Reply::new(&Err(failure.clone()), &Settings::default());
    hand_over(key, ring, &reply, guard)?;
    log.error(format_args!("key {key}: {failure}; answered with {}", failure.verdict().0));
    Ok(())
}

/// Rejects a key that its owner may not ask for.
fn turn_away(
    key: KeySerial,
    ring: &impl Keyring,
    refusal: &NotForUsers,
    guard: &Guard,
    log: &Log,
) -> Result<(), Unanswered> {
    let (errno, ttl) = refusal.verdict();
    if !guard.claim() {
        return Err(Unanswered::Claimed(key));
    }
    ring.reject(key, ttl, errno)?;
    log.error(format_args!("key {key}: {refusal}; rejected with {errno} for {ttl} s"));
    Ok(())
}

/// Rejects a key whose type or state allows no payload.
fn reject(
    key: KeySerial,
    ring: &impl Keyring,
    failure: Failure,
    guard: &Guard,
    log: &Log,
) -> Result<(), Unanswered> {
    let errno = RejectErrno::from(failure.verdict().0);
    if !guard.claim() {
        return Err(Unanswered::Claimed(key));
    }
    ring.reject(key, Ttl::MIN, errno)?;
    log.error(format_args!("key {key}: {failure}; rejected with {errno}"));
    Ok(())
}

/// Puts the reply into the key. What the kernel won't take is told as an error, and if it takes no payload at all, as a
/// rejection.
///
/// Returns the failure that stands in the place of an answer then.
fn hand_over(
    key: KeySerial,
    ring: &impl Keyring,
    reply: &Reply,
    guard: &Guard,
) -> Result<Option<Failure>, Unanswered> {
    if !guard.claim() {
        return Err(Unanswered::Claimed(key));
    }
    let Err(refusal) = put(key, ring, reply) else {
        return Ok(None);
    };
    if let Payload::Error(errno) = reply.payload {
        ring.reject(key, reply.expiry, errno.into())?;
        return Ok(None);
    }
    let failure = Failure::Internal(refusal.to_string());
    let error = Reply::new(&Err(failure.clone()), &Settings::default());
    if put(key, ring, &error).is_err() {
        ring.reject(key, error.expiry, failure.verdict().0.into())?;
    }
    Ok(Some(failure))
}

/// Instantiates the key, after its expiry is set: authority over it ends with instantiation.
fn put(key: KeySerial, ring: &impl Keyring, reply: &Reply) -> Result<(), KeyringError> {
    ring.set_timeout(key, reply.expiry)?;
    ring.instantiate(key, &reply.payload.encode())
}

/// One line for the outcome, and one for each thing that was passed over.
fn report(request: &Request, lookup: &LookupReport, reply: &Reply, choice: LogChoice, log: &Log) {
    for warning in &lookup.warnings {
        log.warning(warning);
    }
    if choice == LogChoice::All {
        lookup.lacking.iter().for_each(|lacking| log.info(lacking));
    }
    let name = request.description.name.escape_ascii();
    if let Some(shortcoming) = reply.shortcoming() {
        log.warning(format_args!("{name}: {shortcoming}"));
    }
    match (&lookup.outcome, choice) {
        (Err(failure), choice) if choice != LogChoice::None || matches!(failure, Failure::Internal(_)) => {
            let errno = failure.verdict().0;
            let tried = match lookup.trace.to_string() {
                steps if steps.is_empty() => steps,
                steps => format!("; tried {steps}"),
            };
            log.warning(format_args!(
                "{name}: {failure}{tried}; answered with {errno} for {} s",
                reply.expiry
            ));
        }
        (Ok(Answer { content: Content::Servers(list), .. }), LogChoice::All) => {
            let (number, endpoints) = (list.servers.len(), list.text());
            log.info(format_args!("{name}: {number} servers, {endpoints} for {} s", reply.expiry));
        }
        (Ok(_), LogChoice::All) => {
            log.info(format_args!("{name}: {} for {} s", reply.payload, reply.expiry));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
