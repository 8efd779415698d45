//! A keyring that fails on purpose.

use key::{Description, KeyError, KeySerial, Keyring, KeyringError, RejectErrno, Request, Ttl};
use nix::errno::Errno as Libc;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::path::PathBuf;

/// A call on the key, as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyCall {
    AssumeAuthority,
    Request,
    /// With these seconds.
    SetTimeout(u32),
    /// With these bytes.
    Instantiate(Vec<u8>),
    /// With this errno, for this many seconds.
    Reject(u16, u32),
}

/// The content of the key once it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// These bytes, for this many seconds if they expire.
    Payload(Vec<u8>, Option<u32>),
    /// Requesters get this errno, for this many seconds.
    Rejection(u16, u32),
    /// What another process has put there.
    OfAnother,
}

/// One key under construction, with the kernel's rules: nothing without authority, nothing after an answer.
pub(crate) struct FakeKeyring {
    request: Request,
    fault: Box<Fault>,
    answered_by: Option<PathBuf>,
    calls: RefCell<Vec<KeyCall>>,
    authority: Cell<bool>,
    timeout: Cell<Option<u32>>,
    held: RefCell<Option<Held>>,
}

/// Returns the errno with which a call fails, from its number, counted from 0, and the call itself.
type Fault = dyn Fn(usize, &KeyCall) -> Option<Libc>;

/// What a key of this type and name requests, for root.
pub(crate) fn request(key_type: &str, name: &[u8], callout: &[u8]) -> Request {
    let description = Description { key_type: key_type.to_owned(), owner: Some(0), name: name.to_vec() };
    Request { description, callout: callout.to_vec() }
}

impl FakeKeyring {
    /// A key with this request, on which no call fails.
    pub(crate) fn new(request: Request) -> Self {
        Self {
            request,
            fault: Box::new(|_, _| None),
            answered_by: None,
            calls: RefCell::default(),
            authority: Cell::new(false),
            timeout: Cell::new(None),
            held: RefCell::new(None),
        }
    }

    /// The same, with calls failing as `fault` says.
    pub(crate) fn failing(self, fault: impl Fn(usize, &KeyCall) -> Option<Libc> + 'static) -> Self {
        Self { fault: Box::new(fault), ..self }
    }

    /// The same, answered by another process once this file exists.
    pub(crate) fn answered_by(self, file: PathBuf) -> Self {
        Self { answered_by: Some(file), ..self }
    }

    /// The calls so far, including those that failed.
    pub(crate) fn calls(&self) -> Vec<KeyCall> {
        self.calls.borrow().clone()
    }

    /// The content of the key; `None` while nobody has answered it.
    pub(crate) fn held(&self) -> Option<Held> {
        self.held.borrow().clone()
    }

    /// Records the call, and says whether the kernel would accept it.
    fn call(&self, call: KeyCall) -> Result<(), Libc> {
        let place = self.calls.borrow().len();
        let fault = (self.fault)(place, &call);
        let assumes = call == KeyCall::AssumeAuthority;
        self.calls.borrow_mut().push(call);
        if self.answered_by.as_ref().is_some_and(|file| file.exists()) {
            self.held.borrow_mut().get_or_insert(Held::OfAnother);
        }
        match (fault, &*self.held.borrow()) {
            (Some(errno), _) => Err(errno),
            (None, Some(_)) if assumes => Err(Libc::ENOKEY),
            (None, Some(Held::OfAnother)) => Err(Libc::EBUSY),
            (None, Some(_)) => Err(Libc::EPERM),
            (None, None) if !assumes && !self.authority.get() => Err(Libc::EPERM),
            (None, None) => Ok(()),
        }
    }
}

impl Keyring for FakeKeyring {
    fn assume_authority(&self, key: KeySerial) -> Result<(), KeyringError> {
        self.call(KeyCall::AssumeAuthority)
            .map_err(|errno| KeyringError::Authority { key, source: named(errno) })?;
        self.authority.set(true);
        Ok(())
    }

    fn request(&self, key: KeySerial) -> Result<Request, KeyringError> {
        let doing = "read the description of";
        self.call(KeyCall::Request).map_err(|errno| KeyringError::Call {
            doing,
            key,
            source: io::Error::from(errno),
        })?;
        Ok(self.request.clone())
    }

    fn set_timeout(&self, key: KeySerial, ttl: Ttl) -> Result<(), KeyringError> {
        let doing = "set the timeout of";
        self.call(KeyCall::SetTimeout(ttl.as_secs())).map_err(|errno| KeyringError::Key {
            doing,
            key,
            source: named(errno),
        })?;
        self.timeout.set(Some(ttl.as_secs()));
        Ok(())
    }

    fn instantiate(&self, key: KeySerial, payload: &[u8]) -> Result<(), KeyringError> {
        let doing = "instantiate";
        self.call(KeyCall::Instantiate(payload.to_vec())).map_err(|errno| KeyringError::Key {
            doing,
            key,
            source: named(errno),
        })?;
        *self.held.borrow_mut() = Some(Held::Payload(payload.to_vec(), self.timeout.get()));
        Ok(())
    }

    fn reject(&self, key: KeySerial, ttl: Ttl, errno: RejectErrno) -> Result<(), KeyringError> {
        let doing = "reject";
        self.call(KeyCall::Reject(errno.number(), ttl.as_secs())).map_err(|errno| KeyringError::Call {
            doing,
            key,
            source: io::Error::from(errno),
        })?;
        *self.held.borrow_mut() = Some(Held::Rejection(errno.number(), ttl.as_secs()));
        Ok(())
    }
}

impl fmt::Debug for FakeKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeKeyring")
            .field("calls", &self.calls)
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}

/// linux-keyutils' name for an errno.
fn named(errno: Libc) -> KeyError {
    match errno {
        Libc::EACCES => KeyError::AccessDenied,
        Libc::EDQUOT => KeyError::QuotaExceeded,
        Libc::EINVAL => KeyError::InvalidArguments,
        Libc::ENOMEM => KeyError::OutOfMemory,
        Libc::EKEYREVOKED => KeyError::KeyRevoked,
        Libc::ENOKEY => KeyError::KeyDoesNotExist,
        Libc::EPERM => KeyError::PermissionDenied,
        other => KeyError::Unknown(other as i32),
    }
}
