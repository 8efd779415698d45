//! The system calls that remain once everything is open: a filter for seccomp(2).
//!
//! It is a constant, made at build time of the calls in `seccomp.json`, in which the key and the process are filled in.
//! A call that is not in it raises SIGSYS, whose handler (`rescue`) answers the key.

use key::KeySerial;
use nix::errno::Errno;
use nix::libc::{self, sock_filter, sock_fprog};

/// What build.rs has made.
#[allow(clippy::unreadable_literal)] // nobody reads them
mod filter {
    include!(concat!(env!("OUT_DIR"), "/seccomp.rs"));
}
use filter::{FILTER, KEY, PROCESS};

/// Why there is no filter.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoFilter {
    /// There is none for this architecture.
    #[error("there is no filter for this architecture")]
    Architecture,
    /// The kernel refuses it: EACCES without `no_new_privs`, ENOSYS or EINVAL if it has no seccomp.
    #[error("{}", .0.desc())]
    Refused(#[from] Errno),
}

/// Installs the filter for good: of all keys this one alone can be answered, and none without one.
pub(crate) fn install(key: Option<KeySerial>) -> Result<(), NoFilter> {
    let mut code: Vec<sock_filter> =
        FILTER.iter().map(|&(code, jt, jf, k)| sock_filter { code, jt, jf, k }).collect();
    if code.is_empty() {
        return Err(NoFilter::Architecture);
    }
    for instruction in &mut code {
        match instruction.k {
            KEY => instruction.k = key.map_or(0, |key| key.get().cast_unsigned()),
            PROCESS => instruction.k = std::process::id(),
            _ => {}
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
