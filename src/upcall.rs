//! The way of one key, from the kernel's request to the answer.

use crate::config::settings::{LogChoice, Settings};
use crate::confine::{Lacking, allow_descriptors};
use crate::failure::{Failure, Lasting};
use crate::key::KeySerial;
use crate::key::keyring::{Keyring, KeyringError, Request, Unanswered};
use crate::key::payload::{LONGEST, Payload};
use crate::key::query::Query;
use crate::log::Log;
use crate::resolve::host::Host;
use crate::resolve::trace::Trace;
use crate::resolve::{Answer, Content, Resolver, literal_answer};
use crate::sys::rescue;
use crate::ttl::Ttl;
use std::fmt;

/// Seconds that the lookup itself has to notice the deadline before the alarm answers in its place.
pub const GRACE: u32 = 1;

/// What a key is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The payload.
    pub payload: Payload,
    /// When the key expires.
    pub expiry: Ttl,
    /// Number of addresses that the kernel can't keep, and that are left out.
    pub left_out: usize,
}

impl Reply {
    /// The reply to a query that ended like this.
    #[must_use]
    pub fn new(outcome: &Result<Answer, Failure>, settings: &Settings) -> Self {
        match outcome {
            Ok(answer) => {
                let mut payload = payload(&answer.content);
                let left_out = payload.fit();
                let expiry = answer.ttl.map_or(settings.default_ttl, |ttl| ttl.min(settings.max_ttl));
                Self { payload, expiry, left_out }
            }
            Err(failure) => {
                let (errno, lasting) = failure.verdict();
                Self {
                    payload: Payload::Error(errno),
                    expiry: match lasting {
                        Lasting::For(ttl) => ttl,
                        Lasting::Negative(ttl) => {
                            ttl.map_or(settings.negative_ttl, |ttl| ttl.min(settings.negative_ttl))
                        }
                    },
                    left_out: 0,
                }
            }
        }
    }
}

impl Reply {
    /// What is not in the payload, where it is not whole.
    #[must_use]
    pub fn shortcoming(&self) -> Option<String> {
        let Self { left_out, .. } = self;
        (*left_out > 0).then(|| {
            format!("the answer is longer than the {LONGEST} bytes of a key: its last {left_out} addresses are left out")
        })
    }
}

fn payload(content: &Content) -> Payload {
    match content {
        Content::Addresses(addresses) => Payload::Addresses(addresses.iter().map(|found| found.ip).collect()),
        Content::Servers(list) => Payload::Servers(list.clone()),
        Content::Endpoints(list) => Payload::Endpoints(list.clone()),
    }
}

/// As debug mode prints it: `payload TEXT` or `payload-v1 HEX`, then `expiry SECONDS`.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nexpiry {}", self.payload, self.expiry)
    }
}

/// A lookup that has ended: how, and what it took.
#[derive(Debug)]
pub struct Lookup {
    /// The addresses, or why there are none.
    pub outcome: Result<Answer, Failure>,
    /// What was tried.
    pub trace: Trace,
    /// What was passed over: callout words, lines of configuration files.
    pub warnings: Vec<String>,
    /// What could not be had of the confinement.
    pub lacking: Vec<Lacking>,
}

/// Parses and resolves what is asked: for `key`, which is all that can be answered afterwards, or for nobody.
///
/// All that may be needed of this host is read or opened beforehand. Then the process is confined, before it reads
/// the first byte of what somebody else sent.
#[must_use]
pub fn look_up(request: &Request, settings: &Settings, key: Option<KeySerial>, log: &Log) -> Lookup {
    look_up_noting(request, settings, Trace::default(), key, log)
}

/// Does so for nobody, and leaves the process as it is, for what else it has to do.
#[must_use]
pub fn look_up_unconfined(request: &Request, settings: &Settings) -> Lookup {
    let settings = Settings { confine: false, ..settings.clone() };
    look_up(request, &settings, None, &Log::none())
}

/// Does so, and notes in `trace` what is tried.
#[must_use]
pub fn look_up_noting(
    request: &Request,
    settings: &Settings,
    trace: Trace,
    key: Option<KeySerial>,
    log: &Log,
) -> Lookup {
    let (mut warnings, mut lacking) = (Vec::new(), Vec::new());
    let Request { description, callout } = request;
    let outcome = Query::parse(&description.name, callout, settings.family).and_then(|parsed| {
        for word in &parsed.unknown_words {
            warnings.push(format!("callout word \"{word}\" means nothing here and is ignored"));
        }
        if let Some(answer) = literal_answer(&parsed.query) {
            return answer;
        }
        let mut host = Host::open(&parsed.query, settings, &trace);
        // AddressSanitizer needs more memory, and other calls, than are left then (fuzz/asan).
        if settings.confine && cfg!(not(asan)) {
            host.confine_before_reading(key);
        }
        let answer = Resolver::open().and_then(|resolver| {
            log.connect();
            allow_descriptors();
            resolver.resolve(&parsed.query, &host)
        });
        warnings.extend(host.warnings());
        lacking.extend_from_slice(host.lacking());
        answer
    });
    Lookup { outcome, trace, warnings, lacking }
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
    log: &Log,
) -> Result<(), Unanswered> {
    ring.assume_authority(key)?;
    let request = match ours(ring.request(key), key) {
        Ok(request) => request,
        Err(failure) => return reject(key, ring, failure, log),
    };
    let settings = match settings() {
        Ok(settings) => settings,
        Err(failure) => return give_up(key, ring, failure, log),
    };
    rescue::set_limit(settings.deadline.saturating_add(GRACE));
    let lookup = look_up(&request, &settings, Some(key), log);
    let reply = Reply::new(&lookup.outcome, &settings);
    hand_over(key, ring, &reply)?;
    report(&request, &lookup, &reply, settings.log, log);
    Ok(())
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
pub fn refuse(key: KeySerial, ring: &impl Keyring, failure: Failure, log: &Log) -> Result<(), Unanswered> {
    ring.assume_authority(key)?;
    match ours(ring.request(key), key) {
        Ok(_) => give_up(key, ring, failure, log),
        // A payload of ours would be data to whoever reads a key of another type.
        Err(other) => reject(key, ring, other, log),
    }
}

fn give_up(key: KeySerial, ring: &impl Keyring, failure: Failure, log: &Log) -> Result<(), Unanswered> {
    let reply = Reply::new(&Err(failure.clone()), &Settings::default());
    hand_over(key, ring, &reply)?;
    log.error(format_args!("key {key}: {failure}; answered with {}", failure.verdict().0));
    Ok(())
}

/// Rejects a key whose type or state allows no payload.
fn reject(key: KeySerial, ring: &impl Keyring, failure: Failure, log: &Log) -> Result<(), Unanswered> {
    let errno = failure.verdict().0;
    if !rescue::claim() {
        return Err(Unanswered::Claimed(key));
    }
    ring.reject(key, Ttl::MIN, errno)?;
    log.error(format_args!("key {key}: {failure}; rejected with {errno}"));
    Ok(())
}

/// Puts the reply into the key, its expiry first: authority over it ends with instantiation.
///
/// What the kernel won't take is told as an error, and if it takes no payload at all, as a rejection.
fn hand_over(key: KeySerial, ring: &impl Keyring, reply: &Reply) -> Result<(), Unanswered> {
    if !rescue::claim() {
        return Err(Unanswered::Claimed(key));
    }
    let put = |reply: &Reply| {
        ring.set_timeout(key, reply.expiry)?;
        ring.instantiate(key, &reply.payload.encode())
    };
    let Err(refusal) = put(reply) else {
        return Ok(());
    };
    let failure = match reply.payload {
        Payload::Error(_) => None,
        _ => Some(Failure::Internal(refusal.to_string())),
    };
    let fallback =
        failure.map_or_else(|| reply.clone(), |failure| Reply::new(&Err(failure), &Settings::default()));
    let Payload::Error(errno) = fallback.payload else {
        return Err(refusal.into());
    };
    ring.reject(key, fallback.expiry, errno)?;
    Ok(())
}

/// One line for the outcome, and one for each thing that was passed over.
fn report(request: &Request, lookup: &Lookup, reply: &Reply, choice: LogChoice, log: &Log) {
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
        (Err(failure), LogChoice::Failures | LogChoice::All) => {
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
