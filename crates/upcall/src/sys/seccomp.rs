//! The system calls that remain once everything is open: a filter for seccomp(2).
//!
//! It is a constant, made at build time of the calls in `seccomp.json`, in which the key, the process and two of its
//! descriptors are filled in.
//! A call that is not in it raises SIGSYS, whose handler (`rescue`) answers the key.

use key::KeySerial;
use nix::errno::Errno;
use nix::libc::{self, sock_fprog};
use std::os::fd::RawFd;

/// What build.rs has made.
#[allow(clippy::unreadable_literal)] // nobody reads them
mod filter {
    use nix::libc::sock_filter;
    include!(concat!(env!("OUT_DIR"), "/seccomp.rs"));
}
use filter::{FILTER, KEY, LOG, MODULES, PROCESS};

/// Why there is no filter.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoFilter {
    /// It is not made for this architecture.
    #[error("there is no filter for this architecture")]
    Architecture,
    /// The kernel does not take it: EACCES without `no_new_privs`, ENOSYS or EINVAL where it has no seccomp.
    #[error("{}", .0.desc())]
    Refused(#[from] Errno),
}

/// Installs the filter for good: of all keys this one alone can be answered, and none without one; the connection to
/// syslog stays where it is; messages with more than data go to the process for modules alone.
pub(crate) fn install(
    key: Option<KeySerial>,
    log: Option<RawFd>,
    modules: Option<RawFd>,
) -> Result<(), NoFilter> {
    /// What is no descriptor.
    const NONE: RawFd = -1;
    let descriptor = |descriptor: Option<RawFd>| descriptor.unwrap_or(NONE).cast_unsigned();
    if FILTER.is_empty() {
        return Err(NoFilter::Architecture);
    }
    let mut code = FILTER;
    let known = [
        (KEY, key.map_or(0, |key| key.get().cast_unsigned())),
        (PROCESS, std::process::id()),
        (LOG, descriptor(log)),
        (MODULES, descriptor(modules)),
    ];
    for (places, number) in known {
        for &place in places {
            if let Some(instruction) = code.get_mut(place) {
                instruction.k = number;
            }
        }
    }
    let length = u16::try_from(code.len()).map_err(|_| Errno::EINVAL)?;
    let program = sock_fprog { len: length, filter: code.as_mut_ptr() };
    // SAFETY: the pointer is to a program that outlives the call, which copies it, and whose `len` is the number of its
    // instructions.
    let result =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
    Ok(Errno::result(result).map(drop)?)
}
