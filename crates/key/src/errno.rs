//! The error numbers that reach the kernel.

use std::fmt;

/// A Linux error number, as `dns_query()` and `request_key(2)` report it.
///
/// Only errnos that this program gives to the kernel exist as values, so nothing else (a resolver's `h_errno`, an exit
/// status) can end up in a key. All of them are in 1…511, the range that the kernel accepts in `#dnserror=N`
/// (net/dns_resolver/dns_key.c, `dns_resolver_preparse()`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Errno {
    number: u16,
    name: &'static str,
}

impl Errno {
    /// The name does not exist, or has no address of the requested kind.
    pub const ENODATA: Self = Self::new(61, "ENODATA");
    /// No answer at the moment; a retry may help.
    pub const EAGAIN: Self = Self::new(11, "EAGAIN");
    /// The name servers refuse to serve this host.
    pub const ECONNREFUSED: Self = Self::new(111, "ECONNREFUSED");
    /// The request itself is invalid.
    pub const EINVAL: Self = Self::new(22, "EINVAL");
    /// There is no rule, or no key of the requester's, to answer with.
    pub const ENOKEY: Self = Self::new(126, "ENOKEY");
    /// The program that a rule names is missing.
    pub const ENOENT: Self = Self::new(2, "ENOENT");
    /// The program that a rule names may not be executed, or a key may not be read.
    pub const EACCES: Self = Self::new(13, "EACCES");
    /// The program that a rule names is not in an executable format.
    pub const ENOEXEC: Self = Self::new(8, "ENOEXEC");
    /// The requester is not permitted.
    pub const EPERM: Self = Self::new(1, "EPERM");

    const fn new(number: u16, name: &'static str) -> Self {
        Self { number, name }
    }

    /// The number, as in `errno.h`.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.number
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.number)
    }
}

/// The errno of a rejected key, which is never EAGAIN.
///
/// The kernel's search treats a key that was rejected with EAGAIN as absent (security/keys/request_key.c,
/// `request_key_and_link()`), so the next requester would cause another upcall. ENOKEY takes its place, with which the
/// kernel itself rejects a key that nobody has answered (security/keys/request_key.c, `construct_key()`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RejectErrno(Errno);

impl RejectErrno {
    /// There is nothing to answer with, or no answer at the moment.
    pub const ENOKEY: Self = Self(Errno::ENOKEY);
    /// The request, or the rule for it, is invalid.
    pub const EINVAL: Self = Self(Errno::EINVAL);
    /// The program that a rule names is missing.
    pub const ENOENT: Self = Self(Errno::ENOENT);
    /// The program that a rule names may not be executed, or a key may not be read.
    pub const EACCES: Self = Self(Errno::EACCES);
    /// The program that a rule names is not in an executable format.
    pub const ENOEXEC: Self = Self(Errno::ENOEXEC);
    /// The requester is not permitted.
    pub const EPERM: Self = Self(Errno::EPERM);

    /// The number, as in `errno.h`.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0.number()
    }
}

/// The errno itself, but ENOKEY for EAGAIN.
impl From<Errno> for RejectErrno {
    fn from(errno: Errno) -> Self {
        if errno == Errno::EAGAIN { Self::ENOKEY } else { Self(errno) }
    }
}

impl fmt::Display for RejectErrno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rejection_uses_eagain() {
        assert_eq!(RejectErrno::from(Errno::EAGAIN), RejectErrno::ENOKEY);
        for errno in [Errno::ENODATA, Errno::ECONNREFUSED, Errno::EINVAL, Errno::ENOKEY, Errno::EPERM] {
            assert_eq!(RejectErrno::from(errno).number(), errno.number());
        }
        assert_eq!(RejectErrno::from(Errno::EAGAIN).to_string(), "ENOKEY (126)");
    }

    #[test]
    fn the_numbers_are_those_of_the_c_library() {
        use nix::errno::Errno as Libc;
        for (ours, theirs) in [
            (Errno::ENODATA, Libc::ENODATA),
            (Errno::EAGAIN, Libc::EAGAIN),
            (Errno::ECONNREFUSED, Libc::ECONNREFUSED),
            (Errno::EINVAL, Libc::EINVAL),
            (Errno::ENOKEY, Libc::ENOKEY),
            (Errno::ENOENT, Libc::ENOENT),
            (Errno::EACCES, Libc::EACCES),
            (Errno::ENOEXEC, Libc::ENOEXEC),
            (Errno::EPERM, Libc::EPERM),
        ] {
            assert_eq!(i32::from(ours.number()), theirs as i32);
            assert_eq!(ours.name, format!("{theirs:?}"));
        }
    }
}
