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

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            assert_eq!(i32::from(ours.number()), theirs as i32);
            assert_eq!(ours.name, format!("{theirs:?}"));
        }
    }
}
