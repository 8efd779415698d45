//! The calls with which a helper takes over a key and answers it.

use crate::description::{Description, MalformedDescription};
use crate::errno::RejectErrno;
use crate::keyctl;
use crate::serial::KeySerial;
use crate::ttl::Ttl;
use libc::{EBUSY, EINTR, EPERM};
use linux_keyutils::{Key, KeyError, KeySerialId};
use std::io;

/// What the kernel requests with one key.
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
    /// Authority over the key can't be assumed: the key is not under construction, or not ours.
    #[error("no authority over key {key}: {source}")]
    Authority {
        /// The key.
        key: KeySerial,
        /// linux-keyutils' name for the errno.
        source: KeyError,
    },
    /// A call through linux-keyutils failed.
    #[error("could not {doing} key {key}: {source}")]
    Key {
        /// What was being done.
        doing: &'static str,
        /// The key.
        key: KeySerial,
        /// linux-keyutils' name for the errno.
        source: KeyError,
    },
    /// One of our own calls failed.
    #[error("could not {doing} key {key}: {source}")]
    Call {
        /// What was being done.
        doing: &'static str,
        /// The key.
        key: KeySerial,
        /// The errno.
        source: io::Error,
    },
    /// The kernel's description is not in the kernel's format.
    #[error("key {key}: {source}")]
    Malformed {
        /// The key.
        key: KeySerial,
        /// What is wrong.
        source: MalformedDescription,
    },
}

impl KeyringError {
    /// Whether the kernel indicates that the key already has its answer: a process that still has authority gets EBUSY,
    /// the one that answered gets EPERM (security/keys/key.c, `key_reject_and_link()`; keyctl.c,
    /// `keyctl_reject_key()`).
    #[must_use]
    pub fn is_answered(&self) -> bool {
        matches!(self, Self::Call { source, .. } if matches!(source.raw_os_error(), Some(EBUSY | EPERM)))
    }
}

/// A store of keys under construction: the kernel's, or in tests one that fails on purpose.
pub trait Keyring {
    /// Assumes the authority to instantiate `key`.
    ///
    /// # Errors
    /// [`KeyringError::Authority`] if the key is not ours to answer.
    fn assume_authority(&self, key: KeySerial) -> Result<(), KeyringError>;

    /// Reads the request.
    ///
    /// # Errors
    /// If the kernel refuses, or the description has no name.
    fn request(&self, key: KeySerial) -> Result<Request, KeyringError>;

    /// Sets the time after which the key expires. Must come before instantiation, which ends the authority.
    ///
    /// # Errors
    /// If the kernel refuses.
    fn set_timeout(&self, key: KeySerial, ttl: Ttl) -> Result<(), KeyringError>;

    /// Instantiates the key, which wakes everyone who waits for it.
    ///
    /// # Errors
    /// If the kernel refuses, as with EDQUOT, ENOMEM or a payload that the key type can't parse.
    fn instantiate(&self, key: KeySerial, payload: &[u8]) -> Result<(), KeyringError>;

    /// Makes the key negative: everyone who searches for it gets `errno` for the duration of `ttl`.
    ///
    /// # Errors
    /// If the kernel refuses.
    fn reject(&self, key: KeySerial, ttl: Ttl, errno: RejectErrno) -> Result<(), KeyringError>;
}

/// How often to try to assume authority while the kernel is short of a resource.
const AUTHORITY_TRIES: u32 = 3;

/// The kernel's keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct KernelKeyring;

impl Keyring for KernelKeyring {
    fn assume_authority(&self, key: KeySerial) -> Result<(), KeyringError> {
        persist(|| handle(key).assume_authority()).map_err(|source| KeyringError::Authority { key, source })
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
        let seconds = usize::try_from(keyctl::timeout(ttl)).unwrap_or(usize::MAX);
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

    fn reject(&self, key: KeySerial, ttl: Ttl, errno: RejectErrno) -> Result<(), KeyringError> {
        let doing = "reject";
        keyctl::reject(key, ttl, errno).map_err(|source| KeyringError::Call { doing, key, source })
    }
}

/// Assumes authority. A retry costs little, and without authority the key stays unanswered.
fn persist(mut assume: impl FnMut() -> Result<(), KeyError>) -> Result<(), KeyError> {
    let mut result = assume();
    for _ in 1..AUTHORITY_TRIES {
        let Err(KeyError::OutOfMemory | KeyError::QuotaExceeded | KeyError::Unknown(EINTR)) = result else {
            break;
        };
        result = assume();
    }
    result
}

fn handle(key: KeySerial) -> Key {
    Key::from_id(KeySerialId::new(key.get()))
}

/// The key for which the kernel started this process, found without being told its number.
///
/// The upcall's session keyring is named `_req.SERIAL` (security/keys/request_key.c, `call_sbin_request_key()`), so
/// even a rule that forgets `%k` gets its key answered.
#[must_use]
pub fn key_of_this_upcall() -> Option<KeySerial> {
    let text = keyctl::describe(keyctl::SESSION_KEYRING).ok()?;
    let description = Description::parse(&text).ok()?;
    let serial = description.name.strip_prefix(b"_req.")?;
    std::str::from_utf8(serial).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyctl::session::{add_user, in_session};

    fn serial(number: i32) -> KeySerial {
        KeySerial::new(number).unwrap()
    }

    /// The number of no key.
    const NO_KEY: i32 = i32::MAX;

    #[test]
    fn assuming_authority_is_tried_three_times_on_a_resource_shortage() {
        let tries = |outcomes: [Result<(), KeyError>; 4]| {
            let mut outcomes = outcomes.into_iter();
            let result = persist(|| outcomes.next().unwrap());
            (result, 4 - outcomes.len())
        };
        for short in [KeyError::OutOfMemory, KeyError::QuotaExceeded, KeyError::Unknown(EINTR)] {
            assert_eq!(tries([Err(short), Ok(()), Ok(()), Ok(())]), (Ok(()), 2));
            assert_eq!(tries([Err(short), Err(short), Ok(()), Ok(())]), (Ok(()), 3));
            assert_eq!(tries([Err(short), Err(short), Err(short), Ok(())]), (Err(short), 3));
        }
        assert_eq!(tries([Ok(()); 4]), (Ok(()), 1));
        for lasting in [KeyError::KeyDoesNotExist, KeyError::AccessDenied, KeyError::Unknown(EBUSY)] {
            assert_eq!(tries([Err(lasting), Ok(()), Ok(()), Ok(())]), (Err(lasting), 1));
        }
    }

    #[test]
    fn ebusy_and_eperm_mean_that_the_key_is_answered() {
        let key = serial(1);
        let call = |errno| {
            let source = io::Error::from_raw_os_error(errno);
            KeyringError::Call { doing: "reject", key, source }.is_answered()
        };
        assert_eq!([EBUSY, EPERM, EINTR, libc::EINVAL].map(call), [true, true, false, false]);
        let other = KeyringError::Key { doing: "instantiate", key, source: KeyError::PermissionDenied };
        assert!(!other.is_answered());
    }

    /// A key that is not under construction is like one that is not ours.
    #[test]
    fn every_call_reports_a_key_that_is_not_under_construction() {
        in_session("test", || {
            let key = serial(add_user("a", b"x"));
            let ring = KernelKeyring;
            let told = |error: KeyringError| error.to_string();
            let errors = [
                told(ring.assume_authority(key).unwrap_err()),
                told(ring.request(key).unwrap_err()),
                told(ring.request(serial(NO_KEY)).unwrap_err()),
                told(ring.set_timeout(serial(NO_KEY), Ttl::MIN).unwrap_err()),
                told(ring.instantiate(key, b"y").unwrap_err()),
                told(ring.reject(key, Ttl::MIN, RejectErrno::ENOKEY).unwrap_err()),
            ];
            let starts = [
                format!("no authority over key {key}: KeyDoesNotExist"),
                format!("could not read the callout info of key {key}: "),
                format!("could not read the description of key {NO_KEY}: "),
                format!("could not set the timeout of key {NO_KEY}: KeyDoesNotExist"),
                format!("could not instantiate key {key}: PermissionDenied"),
                format!("could not reject key {key}: Operation not permitted"),
            ];
            for (error, start) in errors.iter().zip(&starts) {
                assert!(error.starts_with(start), "{error}");
            }
            assert_eq!(keyctl::read(key.get()).unwrap(), b"x");
        });
    }

    /// When the key expires, as `/proc/keys` has it.
    fn expiry(key: KeySerial) -> String {
        let id = format!("{:08x} ", key.get());
        let keys = std::fs::read_to_string("/proc/keys").unwrap();
        let line = keys.lines().find(|line| line.starts_with(&id)).unwrap();
        line.split_whitespace().nth(3).unwrap().to_owned()
    }

    #[test]
    fn a_key_expires_after_its_timeout() {
        in_session("test", || {
            let key = serial(add_user("a", b"x"));
            assert_eq!(expiry(key), "perm");
            KernelKeyring.set_timeout(key, Ttl::from_secs(90)).unwrap();
            assert_eq!(expiry(key), "1m");
            KernelKeyring.set_timeout(key, Ttl::from_secs(5 * 86_400 + 60)).unwrap();
            assert_eq!(expiry(key), "5d");
        });
    }

    #[test]
    fn the_session_name_contains_the_key_of_the_upcall() {
        for (name, key) in [
            ("_req.1073741824", Some(1 << 30)),
            ("_req.7", Some(7)),
            ("_req.", None),
            ("_req.-7", None),
            ("_req.7x", None),
            ("req.7", None),
            ("7", None),
        ] {
            in_session(name, || assert_eq!(key_of_this_upcall().map(KeySerial::get), key, "{name}"));
        }
    }
}
