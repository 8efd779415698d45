//! Dropping keys, so that their names are asked anew.
//!
//! The kernel's keyring can't be written by anybody, but with CAP_SYS_ADMIN it can be emptied, and those of its keys that
//! a file system has read can be invalidated (net/dns_resolver/dns_query.c, `KEY_FLAG_ROOT_CAN_INVAL`). One that was
//! rejected has never been read. A key under construction is never touched: the kernel would wait for it with its own
//! lock held.

use super::{Cache, CachedAnswer, CachedKey, KeyOwner};
use key::keyctl;
use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long the kernel may take to clear away what was dropped. Until then, a name that is not cached fails with
/// EKEYREVOKED.
const CLEARED_WITHIN: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(2);

/// What became of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlushOutcome {
    /// It is gone.
    Dropped,
    /// It is no answer any more.
    Needless,
    /// It is still there, for this reason.
    Kept(String),
}

/// What became of all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Each key, and what became of it.
    pub keys: Vec<(CachedKey, FlushOutcome)>,
    /// Keys of the kernel's that had to go along, as one can't be dropped alone.
    pub along: usize,
    /// What could not be seen, and why.
    pub unseen: Vec<String>,
}

/// Drops the keys for `name`, or all.
///
/// # Errors
/// Where `/proc/keys` can't be read.
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
    /// Drops keys of the kernel's: all at once by emptying its keyring, or each by itself. `keyring` is that which may be
    /// emptied; not while a key in it is under construction.
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

/// Takes a key of people's out of those of their keyrings that are ours as well.
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
