//! The kernel's cache of DNS answers: the keys of type `dns_resolver`.
//!
//! Mounts find those in the kernel's own keyring, `.dns_resolver`. Others belong to people who used `request_key(2)`,
//! and no mount ever sees them.

pub mod flush;
pub mod proc_keys;

use key::Description;
use key::keyctl;
use nix::unistd::geteuid;
use proc_keys::{Content, State, What};
use std::collections::HashMap;
use std::io;

/// The keyring in which mounts find answers.
pub const KERNEL_KEYRING: &[u8] = b".dns_resolver";
/// The list of the keys that this process may see.
const LIST: &str = "/proc/keys";
/// The key type.
const TYPE: &str = "dns_resolver";

/// One key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedKey {
    /// Its serial number.
    pub serial: i32,
    /// Its description, as requested.
    pub name: Vec<u8>,
    /// The user who owns it.
    pub uid: String,
    /// Where it is.
    pub place: KeyOwner,
    /// Its content.
    pub answer: CachedAnswer,
    /// The time left, rounded down: `12s`, `4m`. `None` if it never expires.
    pub left: Option<String>,
}

/// Where a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOwner {
    /// In the kernel's keyring: mounts find it.
    Kernel,
    /// In people's keyrings.
    People,
}

/// The content of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CachedAnswer {
    /// This many bytes, and the bytes, if this process may read them.
    Data(u32, Option<Vec<u8>>),
    /// This error, from the helper; `dns_query()` returns it.
    Error(u16),
    /// The key was rejected or never answered; the error is known if it could be read.
    Rejected(Option<u16>),
    /// A helper is at work.
    UnderConstruction,
    /// Expired: the next request constructs it anew.
    Expired,
    /// It was dropped a moment ago.
    Gone,
}

/// Everything that could be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cache {
    /// The keys, the kernel's first.
    pub entries: Vec<CachedKey>,
    /// What could not be seen, and why.
    pub unseen: Vec<String>,
    /// The kernel's keyring, if it could be seen.
    keyring: Option<i32>,
}

impl Cache {
    /// The keys that this process may see, as they are now.
    ///
    /// # Errors
    /// If `/proc/keys` can't be read.
    pub fn look() -> io::Result<Self> {
        let lines = proc_keys::parse(&std::fs::read(LIST)?);
        let mut cache = Self::default();
        let ring =
            lines.iter().find(|line| matches!(&line.what, What::Keyring(name) if name == KERNEL_KEYRING));
        let members = match ring.map(|ring| (ring.serial, keyctl::read(ring.serial))) {
            Some((serial, Ok(members))) => {
                cache.keyring = Some(serial);
                serials(&members)
            }
            Some((_, Err(error))) => {
                cache.unseen.push(format!("which keys are the kernel's: {error}"));
                Vec::new()
            }
            None => {
                let why = if geteuid().is_root() {
                    "this kernel has no .dns_resolver keyring, or a container hides it"
                } else {
                    "only root sees it"
                };
                cache.unseen.push(format!("the kernel's own cache: {why}"));
                Vec::new()
            }
        };
        // A name that contains a newline can make a line of its own, but not a second key with one serial number.
        let mut times: HashMap<i32, usize> = HashMap::new();
        for line in &lines {
            *times.entry(line.serial).or_default() += 1;
        }
        for line in lines {
            let What::Dns(name, content) = line.what else { continue };
            let place = if members.contains(&line.serial) { KeyOwner::Kernel } else { KeyOwner::People };
            let ambiguous = times.get(&line.serial) != Some(&1);
            let answer = if ambiguous {
                CachedAnswer::UnderConstruction
            } else {
                answer(line.serial, line.state, content)
            };
            cache.entries.push(CachedKey {
                serial: line.serial,
                name,
                uid: line.uid,
                place,
                answer,
                left: line.left,
            });
        }
        cache.entries.retain(CachedKey::is_there);
        cache.entries.sort_by(|one, two| (one.place as u8, &one.name).cmp(&(two.place as u8, &two.name)));
        Ok(cache)
    }

    /// Only the keys for `name`, if one is given.
    #[must_use]
    pub fn only(mut self, name: Option<&[u8]>) -> Self {
        if let Some(name) = name {
            self.entries.retain(|entry| entry.is_for(name));
        }
        self
    }
}

impl CachedKey {
    /// Whether a request for `name` finds this key: with or without a type before it, in any case, with or without a
    /// trailing dot (net/dns_resolver/dns_key.c, `dns_resolver_cmp()`).
    #[must_use]
    pub fn is_for(&self, name: &[u8]) -> bool {
        let plain = |text: &[u8]| text.strip_suffix(b".").unwrap_or(text).to_ascii_lowercase();
        let (own, name) = (plain(&self.name), plain(name));
        let kinds = [&b"a:"[..], b"aaaa:", b"afsdb:"];
        own == name || kinds.iter().any(|kind| own.strip_prefix(*kind) == Some(name.as_slice()))
    }

    /// Whether the key exists. An unlinked key stays in the list for some milliseconds. An expired one can't be
    /// described, so the list has to be believed; it is never touched.
    fn is_there(&self) -> bool {
        match keyctl::describe(self.serial) {
            Ok(text) => self.is_described_by(&text),
            Err(error) => error.raw_os_error() != Some(nix::libc::ENOKEY),
        }
    }

    /// Whether the kernel describes the key with this serial number like this.
    fn is_the_one(&self) -> bool {
        keyctl::describe(self.serial).is_ok_and(|text| self.is_described_by(&text))
    }

    fn is_described_by(&self, text: &[u8]) -> bool {
        Description::parse(text)
            .is_ok_and(|description| description.key_type == TYPE && description.name == self.name)
    }
}

fn answer(serial: i32, state: State, content: Option<Content>) -> CachedAnswer {
    match (state, content) {
        (State::UnderConstruction, _) => CachedAnswer::UnderConstruction,
        (State::Gone, _) => CachedAnswer::Gone,
        (State::Expired, _) => CachedAnswer::Expired,
        // Reading a key under construction would wait for it.
        (State::Rejected, _) => {
            CachedAnswer::Rejected(keyctl::read(serial).err().and_then(|error| number(&error)))
        }
        (State::Positive, Some(Content::Error(errno))) => CachedAnswer::Error(errno),
        (State::Positive, Some(Content::Bytes(length))) => {
            CachedAnswer::Data(length, keyctl::read(serial).ok())
        }
        (State::Positive, None) => CachedAnswer::Data(0, None),
    }
}

fn number(error: &io::Error) -> Option<u16> {
    u16::try_from(error.raw_os_error()?).ok()
}

/// The content of a keyring: the serial numbers of its keys, in native byte order.
fn serials(bytes: &[u8]) -> Vec<i32> {
    bytes.chunks_exact(4).filter_map(|four| Some(i32::from_ne_bytes(four.try_into().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> CachedKey {
        CachedKey {
            serial: 1,
            name: name.into(),
            uid: "0".into(),
            place: KeyOwner::Kernel,
            answer: CachedAnswer::Expired,
            left: None,
        }
    }

    #[test]
    fn a_name_matches_its_keys_like_the_kernel_and_with_any_query_type() {
        for name in ["mon1.test", "MON1.test.", "a:mon1.test", "AAAA:mon1.test", "afsdb:mon1.test"] {
            assert!(entry(name).is_for(b"mon1.TEST"), "{name}");
        }
        for name in ["mon1.test..", "xmon1.test", "mx:mon1.test", "a:a:mon1.test", "mon1"] {
            assert!(!entry(name).is_for(b"mon1.test"), "{name}");
        }
        assert!(entry("a:mon1.test").is_for(b"a:mon1.test"));
        assert!(!entry("mon1.test").is_for(b"a:mon1.test"));
    }
}
