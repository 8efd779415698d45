//! The calls with which a helper takes a key over and answers it.

use crate::description::{Description, MalformedDescription};
use crate::errno::Errno;
use crate::keyctl;
use crate::serial::KeySerial;
use crate::ttl::Ttl;
use libc::{EBUSY, EINTR, EPERM};
use linux_keyutils::{Key, KeyError, KeySerialId};
use std::io;

/// What the kernel asks of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The key's description.
    pub description: Description,
    /// The callout info, empty for libceph, CIFS and NFS.
    pub callout: Vec<u8>,
}

/// A call on a key that failed.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// Authority over the key could not be had: it is not under construction, or not for us.
    #[error("no authority over key {key}: {source}")]
    Authority {
        /// The key.
        key: KeySerial,
        /// linux-keyutils' name for the errno.
        source: KeyError,
    },
    /// A call by linux-keyutils failed.
    #[error("could not {doing} key {key}: {source}")]
    Key {
        /// What was tried.
        doing: &'static str,
        /// The key.
        key: KeySerial,
        /// linux-keyutils' name for the errno.
        source: KeyError,
    },
    /// A call of our own failed.
    #[error("could not {doing} key {key}: {source}")]
    Call {
        /// What was tried.
        doing: &'static str,
        /// The key.
        key: KeySerial,
        /// The errno.
        source: io::Error,
    },
    /// The kernel's description is not in its own format.
    #[error("key {key}: {source}")]
    Malformed {
        /// The key.
        key: KeySerial,
        /// What is wrong.
        source: MalformedDescription,
    },
}

impl KeyringError {
    /// Whether the kernel says so that the key has its answer already: who then still has authority hears EBUSY, and
    /// who gave the answer EPERM (security/keys/key.c, `key_reject_and_link()`; keyctl.c, `keyctl_reject_key()`).
    #[must_use]
    pub fn is_answered(&self) -> bool {
        matches!(self, Self::Call { source, .. } if matches!(source.raw_os_error(), Some(EBUSY | EPERM)))
    }
}

/// A store of keys under construction: the kernel's, and in tests one that fails on purpose.
pub trait Keyring {
    /// Takes over the authority to instantiate `key`.
    ///
    /// # Errors
    /// [`KeyringError::Authority`] where the key is not ours to answer.
    fn assume_authority(&self, key: KeySerial) -> Result<(), KeyringError>;

    /// Reads what is asked.
    ///
    /// # Errors
    /// Where the kernel refuses, or its description has no name.
    fn request(&self, key: KeySerial) -> Result<Request, KeyringError>;

    /// Sets the time after which the key expires. Before instantiation only: authority ends there.
    ///
    /// # Errors
    /// Where the kernel refuses.
    fn set_timeout(&self, key: KeySerial, ttl: Ttl) -> Result<(), KeyringError>;

    /// Instantiates the key, which wakes whoever waits for it.
    ///
    /// # Errors
    /// Where the kernel refuses, as with EDQUOT, ENOMEM or a payload that the key type can't parse.
    fn instantiate(&self, key: KeySerial, payload: &[u8]) -> Result<(), KeyringError>;

    /// Makes the key a negative one: whoever searches for it gets `errno` while `ttl` lasts.
    ///
    /// # Errors
    /// Where the kernel refuses.
    fn reject(&self, key: KeySerial, ttl: Ttl, errno: Errno) -> Result<(), KeyringError>;
}

/// How often authority over a key is asked for while the kernel is short of something.
const AUTHORITY_TRIES: u32 = 3;

/// The kernel's keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct KernelKeyring;

impl Keyring for KernelKeyring {
    fn assume_authority(&self, key: KeySerial) -> Result<(), KeyringError> {
        let mut result = handle(key).assume_authority();
        for _ in 1..AUTHORITY_TRIES {
            // Another try costs little, and without authority the key stays unanswered.
            let Err(KeyError::OutOfMemory | KeyError::QuotaExceeded | KeyError::Unknown(EINTR)) = result
            else {
                break;
            };
            result = handle(key).assume_authority();
        }
        result.map_err(|source| KeyringError::Authority { key, source })
    }

    fn request(&self, key: KeySerial) -> Result<Request, KeyringError> {
        let call = |doing| move |source| KeyringError::Call { doing, key, source };
        let text = keyctl::describe(key.get()).map_err(call("read the description of"))?;
        Ok(Request {
            description: Description::parse(&text)
                .map_err(|source| KeyringError::Malformed { key, source })?,
            callout: keyctl::read(keyctl::AUTH_KEY).map_err(call("read the callout info of"))?,
        })
    }

    fn set_timeout(&self, key: KeySerial, ttl: Ttl) -> Result<(), KeyringError> {
        let doing = "set the timeout of";
        let seconds = ttl.as_secs().max(keyctl::SHORTEST_TIMEOUT);
        let seconds = usize::try_from(seconds).unwrap_or(usize::MAX);
        handle(key).set_timeout(seconds).map_err(|source| KeyringError::Key { doing, key, source })
    }

    fn instantiate(&self, key: KeySerial, payload: &[u8]) -> Result<(), KeyringError> {
        let doing = "instantiate";
        handle(key).instantiate(payload, KeySerialId::new(0)).map_err(|source| KeyringError::Key {
            doing,
            key,
            source,
        })
    }

    fn reject(&self, key: KeySerial, ttl: Ttl, errno: Errno) -> Result<(), KeyringError> {
        let doing = "reject";
        keyctl::reject(key, ttl, errno).map_err(|source| KeyringError::Call { doing, key, source })
    }
}

fn handle(key: KeySerial) -> Key {
    Key::from_id(KeySerialId::new(key.get()))
}

/// The key that the kernel had this process started for, found without being told its number.
///
/// The upcall's session keyring is named `_req.SERIAL` (security/keys/request_key.c,
/// `call_sbin_request_key()`), so that a rule which forgets `%k` still gets its key answered.
#[must_use]
pub fn key_of_this_upcall() -> Option<KeySerial> {
    let text = keyctl::describe(keyctl::SESSION_KEYRING).ok()?;
    let description = Description::parse(&text).ok()?;
    let serial = description.name.strip_prefix(b"_req.")?;
    std::str::from_utf8(serial).ok()?.parse().ok()
}
