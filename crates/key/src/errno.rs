//! The error numbers that reach the kernel.

use std::fmt;

/// An error number of Linux, as `dns_query()` and `request_key(2)` report it.
///
/// Only the errnos that this program ever gives to the kernel exist as values, so nothing else (a
/// resolver's `h_errno`, an exit status) can end up in a key. All of them lie in 1…511, the range that
/// the kernel accepts in `#dnserror=N` (net/dns_resolver/dns_key.c, `dns_resolver_preparse()`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Errno {
    number: u16,
    name: &'static str,
}

impl Errno {
    /// The name does not exist, or has no address of the kind asked for.
    pub const ENODATA: Self = Self::new(61, "ENODATA");
    /// No answer for now; asking again may help.
    pub const EAGAIN: Self = Self::new(11, "EAGAIN");
    /// The name servers won't serve us.
    pub const ECONNREFUSED: Self = Self::new(111, "ECONNREFUSED");
    /// The request itself can't be answered.
    pub const EINVAL: Self = Self::new(22, "EINVAL");
    /// No rule, or no key of the requestor's, is there to answer with.
    pub const ENOKEY: Self = Self::new(126, "ENOKEY");
    /// The program that a rule names is missing.
    pub const ENOENT: Self = Self::new(2, "ENOENT");
    /// The program that a rule names may not be executed, or a key not be read.
    pub const EACCES: Self = Self::new(13, "EACCES");
    /// The program that a rule names is none.
    pub const ENOEXEC: Self = Self::new(8, "ENOEXEC");
    /// Who asks may not.
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
/// To the kernel's search, a key that was rejected with EAGAIN is no key at all (security/keys/request_key.c,
/// `request_key_and_link()`): whoever asks next has the upcall made anew. ENOKEY stands in its place, which is what the
/// kernel itself rejects a key with that nobody has answered (security/keys/request_key.c, `construct_key()`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RejectErrno(Errno);

impl RejectErrno {
    /// Nothing is there to answer with, or for now nobody can.
    pub const ENOKEY: Self = Self(Errno::ENOKEY);
    /// The request, or the rule for it, makes no sense.
    pub const EINVAL: Self = Self(Errno::EINVAL);
    /// The program that a rule names is missing.
    pub const ENOENT: Self = Self(Errno::ENOENT);
    /// The program that a rule names may not be executed, or a key not be read.
    pub const EACCES: Self = Self(Errno::EACCES);
    /// The program that a rule names is none.
    pub const ENOEXEC: Self = Self(Errno::ENOEXEC);
    /// Who asks may not.
    pub const EPERM: Self = Self(Errno::EPERM);

    /// The number, as in `errno.h`.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0.number()
    }
}

/// The errno itself, and ENOKEY for EAGAIN.
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
    fn no_rejection_has_the_errno_that_the_kernel_does_not_remember() {
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
