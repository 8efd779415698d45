//! Dropping keys, so that the next request looks their names up.
//!
//! Nobody can write to the kernel's keyring, but with CAP_SYS_ADMIN it can be cleared, and those of its keys that a
//! file system has read can be invalidated (net/dns_resolver/dns_query.c, `KEY_FLAG_ROOT_CAN_INVAL`). A rejected key
//! has never been read. A key under construction is never touched: the kernel would wait for it while holding its own
//! lock.

use super::{Cache, CachedAnswer, CachedKey, KeyOwner};
use key::keyctl;
use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long the kernel may take to collect what was dropped. Until then, requests for names that are not cached fail
/// with EKEYREVOKED.
const CLEARED_WITHIN: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(2);

/// The outcome for one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlushOutcome {
    /// It is gone.
    Dropped,
    /// It is not an answer any more.
    Needless,
    /// It is still there, for this reason.
    Kept(String),
}

/// The outcome for all keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Each key, with its outcome.
    pub keys: Vec<(CachedKey, FlushOutcome)>,
    /// How many other keys of the kernel's were dropped, because one can't be dropped alone.
    pub along: usize,
    /// What could not be seen, and why.
    pub unseen: Vec<String>,
}

/// Drops the keys for `name`, or all.
///
/// # Errors
/// If `/proc/keys` can't be read.
pub fn flush(name: Option<&[u8]>) -> io::Result<Flushed> {
    let cache = Cache::look()?;
    let kernels = cache.entries.iter().filter(|entry| entry.place == KeyOwner::Kernel);
    let busy = kernels.clone().any(|entry| entry.answer == CachedAnswer::UnderConstruction);
    let kernels = kernels.count();
    let keyring = cache.keyring;
    let wanted = cache.only(name);
    let mut flushed = Flushed { unseen: wanted.unseen, ..Flushed::default() };
    let mut ours: Vec<CachedKey> = Vec::new();
    for entry in wanted.entries {
        let outcome = match (&entry.answer, entry.place) {
            (CachedAnswer::Expired | CachedAnswer::Gone, _) => FlushOutcome::Needless,
            (CachedAnswer::UnderConstruction, _) => {
                FlushOutcome::Kept("it is under construction; try again".to_owned())
            }
            (_, KeyOwner::People) => unlink(&entry),
            (_, KeyOwner::Kernel) => {
                ours.push(entry);
                continue;
            }
        };
        flushed.keys.push((entry, outcome));
    }
    flushed.drop_kernels(ours, keyring.filter(|_| !busy), name.is_none(), kernels);
    wait_until_gone(&flushed);
    Ok(flushed)
}

impl Flushed {
    /// Drops keys of the kernel's: all at once by clearing its keyring, or each by itself. `keyring` is the one that
    /// may be cleared, which it may not while a key in it is under construction.
    fn drop_kernels(&mut self, keys: Vec<CachedKey>, keyring: Option<i32>, all: bool, there: usize) {
        if keys.is_empty() {
            return;
        }
        if all
            && let Some(keyring) = keyring
            && keyctl::clear(keyring).is_ok()
        {
            self.keys.extend(keys.into_iter().map(|entry| (entry, FlushOutcome::Dropped)));
            return;
        }
        let asked = keys.len();
        let mut outcomes: Vec<(CachedKey, io::Result<()>)> = Vec::new();
        for entry in keys {
            let outcome = invalidate(&entry);
            outcomes.push((entry, outcome));
        }
        let stuck = outcomes.iter().any(|(_, outcome)| outcome.is_err());
        let cleared = stuck && keyring.is_some_and(|keyring| keyctl::clear(keyring).is_ok());
        if cleared {
            self.along = there.saturating_sub(asked);
        }
        self.keys.extend(outcomes.into_iter().map(|(entry, outcome)| {
            let outcome = match outcome {
                Ok(()) => FlushOutcome::Dropped,
                Err(_) if cleared => FlushOutcome::Dropped,
                Err(error) if keyring.is_none() => FlushOutcome::Kept(format!(
                    "it can't be dropped alone ({error}), and another key is under construction; try again"
                )),
                Err(error) => {
                    FlushOutcome::Kept(format!("the kernel refuses ({error}); root can do it, on the host"))
                }
            };
            (entry, outcome)
        }));
    }
}

/// Invalidates a key, if it is still the one that was seen.
fn invalidate(entry: &CachedKey) -> io::Result<()> {
    if entry.is_the_one() {
        keyctl::invalidate(entry.serial)
    } else {
        Err(io::Error::new(io::ErrorKind::NotFound, "it changed meanwhile"))
    }
}

/// Unlinks a person's key from those of their keyrings that this process has too.
fn unlink(entry: &CachedKey) -> FlushOutcome {
    if !entry.is_the_one() {
        return FlushOutcome::Kept("the kernel does not show it to us".to_owned());
    }
    match keyctl::unlink_from_own_keyrings(entry.serial) {
        0 => FlushOutcome::Kept(format!(
            "it is in a keyring of another session of user {}, where no mount finds it",
            entry.uid
        )),
        _ => FlushOutcome::Dropped,
    }
}

fn wait_until_gone(flushed: &Flushed) {
    let dropped: Vec<i32> = flushed
        .keys
        .iter()
        .filter(|(_, outcome)| *outcome == FlushOutcome::Dropped)
        .map(|(entry, _)| entry.serial)
        .collect();
    let start = Instant::now();
    let there = || {
        let seen = Cache::look().unwrap_or_default();
        seen.entries.iter().any(|entry| dropped.contains(&entry.serial))
    };
    while !dropped.is_empty() && there() && start.elapsed() < CLEARED_WITHIN {
        sleep(POLL);
    }
}
